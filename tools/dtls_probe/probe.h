/* SPDX-License-Identifier: MIT */
/* dtls_probe: its options, and what its parts share. */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/options.h"
#include "common/output.h"
#include "common/psk.h"
#include "common/term.h"
#include "flow/tracker.h"

enum { PROBE_FILES = 16, PROBE_PSKS = 16 };

enum probe_show {
    PROBE_LINES,   /* a line for each datagram, then each handshake */
    PROBE_SUMMARY, /* each handshake */
    PROBE_LADDER,
    PROBE_MERMAID,
    PROBE_REPORT,
    PROBE_JSON,
    PROBE_SILENT /* listeners show it */
};

struct probe_config {
    const char *read[PROBE_FILES]; /* -r, in the order given */
    unsigned reads;
    const char *interface, *filter, *write, *save_failed, *keylog, *svg, *html, *explain;
    const char *expect, *completion;
    const char *psk_text[PROBE_PSKS]; /* --psk, in the order given */
    struct tool_psk psk[PROBE_PSKS];
    unsigned psks;
    const struct sd_hash_key *key; /* NULL = a random one for each run */
    int show, fail_on, color, times;
    unsigned forms; /* bits 1 << enum probe_show, as given; `show` is the one */
    unsigned verbose, duration_ms, max_flows, count, jobs;
    uint32_t handshake; /* only this one; 0 = all */
    bool only_failed, two_sided, quiet, list, promiscuous, help, version, json;
};

extern const struct tool_usage probe_usage;

/* From argv. False with the error in `why`. */
bool probe_options(struct probe_config *c, int argc, char **argv, char why[static TOOL_WHY]);

/* Exit statuses, as diff and shellcheck have them. */
enum probe_exit { PROBE_CLEAN, PROBE_FINDINGS, PROBE_ERROR };

int probe_main(int argc, char **argv);

#endif
