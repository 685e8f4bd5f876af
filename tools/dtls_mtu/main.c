/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/run.h"

int main(int argc, char **argv)
{
    return mtu_main(argc, argv);
}
