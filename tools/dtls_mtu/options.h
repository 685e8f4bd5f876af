/* The command line of dtls_mtu. */
#ifndef MTU_OPTIONS_H
#define MTU_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"
#include "common/parse.h"

struct mtu_config {
    struct tool_target target;
    bool responder, peer, handshake, reverse_ping, trace, help, version;
    const char *explain, *completion;

    int family;
    const char *source;

    int pad; /* enum hello_pad, or -1: what the server takes */
    unsigned max, max_probes;
    unsigned timeout_ms; /* of all measuring */
    unsigned watch_ms;   /* 0 = once */
    unsigned count;      /* of --watch; 0 = for ever */
    unsigned require;    /* IP packet bytes; 0 = none */

    const char *cert_file, *key_file;

    unsigned verbose;
    bool quiet, json;
    int color;
};

extern const struct tool_usage mtu_usage;

/* Fills c and checks it; false with the sentence in `why`. */
bool mtu_options(struct mtu_config *c, int argc, char **argv, char why[static TOOL_WHY]);

#endif
