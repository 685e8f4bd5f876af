/* SPDX-License-Identifier: MIT */
#include "dtls_scan/run.h"

int main(int argc, char **argv)
{
    return scan_main(argc, argv);
}
