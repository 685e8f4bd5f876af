/* SPDX-License-Identifier: MIT */
/* Capture filters for frames of any source, in the language of pcap-filter(7). */
#ifndef SD_CAPTURE_BPF_H
#define SD_CAPTURE_BPF_H

#include "base/err.h"
#include "capture/frame.h"

struct sd_bpf;

/* The text has to be valid for Ethernet; for another link type it is compiled with the first
 * frame of that type. 0, or a code of enum sdtls_err and a sentence in *e. */
int sd_bpf_compile(struct sd_bpf **out, const char *text, struct sd_err *e);
void sd_bpf_free(struct sd_bpf *filter);
/* False also for a link type for which the filter has no meaning. */
bool sd_bpf_match(struct sd_bpf *filter, const struct sd_frame *f);

#endif
