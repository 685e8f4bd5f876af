/* SPDX-License-Identifier: MIT */
/* Changes one datagram in ways that know DTLS: records, handshake fragments, hellos, extensions.
 * Nine times in ten the length fields around a change are corrected. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "harness/common.h"

enum { MUTATE_MAX = 4096 };

struct mutate {
    struct fuzz_rng *rng;
    uint8_t bytes[MUTATE_MAX];
    size_t len;
};

/* A number below n; n is not 0. */
static inline size_t mutate_below(struct fuzz_rng *rng, size_t n)
{
    return (size_t)(fuzz_random(rng) % n);
}

/* Changes bytes as libFuzzer does, or without libFuzzer in a way of our own. Returns the new
 * length. */
size_t mutate_any(struct fuzz_rng *rng, uint8_t *bytes, size_t len, size_t cap);

/* The operators, by number. False: the operator found nothing to change. */
unsigned mutate_count(void);
const char *mutate_name(unsigned which);
bool mutate_with(struct mutate *m, unsigned which);
/* One operator, at random. */
bool mutate_datagram(struct mutate *m);

/* Writes one record or a few, as one side of a handshake sends them. */
void mutate_template(struct fuzz_rng *rng, struct sd_wr *to);

/* Puts a cookie into the first ClientHello and makes it message 1; false: the datagram has no
 * ClientHello. */
bool mutate_cookie(struct mutate *m, struct sd_span cookie);

#endif
