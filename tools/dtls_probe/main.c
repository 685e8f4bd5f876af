/* SPDX-License-Identifier: MIT */
#include "dtls_probe/probe.h"

int main(int argc, char **argv)
{
    return probe_main(argc, argv);
}
