/* SPDX-License-Identifier: MIT */
/* The seeds of fuzz_pcap are in two files: what a frame holds, and how a file holds frames. */
#ifndef FUZZ_PCAP_SEEDS_H
#define FUZZ_PCAP_SEEDS_H

#include "harness/common.h"

/* Both formats in their variants, damaged ones, and packed ones. */
void pcap_format_seeds(struct fuzz_seeder *s);

#endif
