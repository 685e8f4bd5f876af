/* SPDX-License-Identifier: MIT */
/* The command line of dtls_mtu. */
#ifndef MTU_OPTIONS_H
#define MTU_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"
#include "common/parse.h"

/* Larger packets no DTLS needs: a record has 2^14 bytes at most. */
#define MTU_MAX_DEFAULT 16384
#define MTU_TIMEOUT_S 15

struct mtu_config {
    struct tool_target target;
    bool responder, peer, handshake, reverse_ping, trace, help, version;
    const char *explain, *completion;

    int family;
    const char *source;

    int pad;      /* enum mtu_hello_pad, or -1: what the server accepts */
    unsigned max; /* IP packet bytes; 0 = MTU_MAX_DEFAULT */
    unsigned max_probes;
    unsigned timeout_ms; /* of one measurement; 0 = MTU_TIMEOUT_S or 40 round trips */
    unsigned watch_ms;   /* pause between measurements; 0 = measure once */
    unsigned count;      /* of --watch; 0 = no limit */
    unsigned require;    /* IP packet bytes; 0 = any */

    const char *cert_file, *key_file;

    unsigned verbose;
    bool quiet, json;
    int color;
};

extern const struct tool_usage mtu_usage;

/* Fills c and checks it; false with the sentence in `why`. */
bool mtu_options(struct mtu_config *c, int argc, char **argv, char why[static TOOL_WHY]);

#endif
