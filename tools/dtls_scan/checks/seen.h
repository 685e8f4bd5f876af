/* SPDX-License-Identifier: MIT */
/* Values of the server that must not repeat, over all associations of a scan. */
#ifndef SCAN_CHECKS_SEEN_H
#define SCAN_CHECKS_SEEN_H

#include <stdint.h>

#include "wire/hello.h"

struct scan_association;

enum { SCAN_SEEN = 24 };

/* What must differ from one association to the next. */
struct scan_seen {
    unsigned count;
    uint8_t random[SCAN_SEEN][SD_RANDOM_LEN];
    uint8_t id[SCAN_SEEN][SD_SESSION_ID_MAX];  /* all zero = none */
    uint64_t share[SCAN_SEEN];                 /* hash of the key of ECDHE or DHE; 0 = none */
    unsigned same_random, same_id, same_share; /* pairs of neighbours and others */
    unsigned sealed_twice;                     /* records under one record number that differ */
    unsigned nonce_twice;                      /* records under one explicit nonce that differ */
    unsigned sealed;
};

/* Takes what an association showed. */
void scan_see(struct scan_seen *seen, const struct scan_association *a);

#endif
