/* SPDX-License-Identifier: MIT */
#include "nc_dtls/nc.h"

int main(int argc, char **argv)
{
    return nc_main(argc, argv);
}
