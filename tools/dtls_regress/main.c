/* SPDX-License-Identifier: MIT */
#include "dtls_regress/tool.h"

int main(int argc, char **argv)
{
    return regress_main(argc, argv);
}
