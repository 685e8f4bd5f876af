/* A real handshake, looked at as dtls_probe looks at a capture: what its datagrams say of
 * the way from the server. */
#ifndef MTU_HANDSHAKE_H
#define MTU_HANDSHAKE_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"
#include "flow/finding.h"
#include "sukat_dtls.h"

enum { HANDSHAKE_FINDINGS = 6 };

struct handshake_setup {
    const char *host, *port, *source, *cert_file, *key_file;
    int family;
    sd_time deadline;
    int signals;
    struct sd_addr to;
    unsigned headers;
};

struct handshake {
    bool done; /* it was tried */
    bool established;
    int err;        /* enum sdtls_err */
    char text[256]; /* why not */
    char cipher[64];
    double ms;
    size_t flight;         /* UDP payload bytes of the largest flight that came from the server */
    unsigned datagrams;    /* that it came in */
    unsigned above, below; /* IP packet from the server: that much arrives, that much does not;
                              0 = nothing known */
    struct sd_finding findings[HANDSHAKE_FINDINGS];
    size_t finding_count;

    /* While it runs. */
    struct handshake_setup setup;
    struct sd_tracker *tracker;
    uint64_t number;
    size_t run_bytes;
    unsigned run_datagrams; /* from the server without a word of ours between */
};

/* An endpoint and a connection with its handshake complete; the caller closes with
 * sdtls_free(), and h must live until then. NULL when it failed: h says why. */
sdtls *handshake_run(struct handshake *h, const struct handshake_setup *setup, sdtls_conn **conn);

#endif
