/* Changes to one datagram that know what DTLS looks like: records, handshake fragments, hellos,
 * extensions. The length fields around a change follow it, nine times of ten. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "harness/common.h"

enum { MUTATE_MAX = 4096 };

struct mutate {
    struct fuzz_rng *rng;
    uint8_t bytes[MUTATE_MAX];
    size_t len;
};

/* A number below n, which is not 0. */
static inline size_t mutate_below(struct fuzz_rng *rng, size_t n)
{
    return (size_t)(fuzz_random(rng) % n);
}

/* What libFuzzer would do to bytes; without it, what we would. Returns the new length. */
size_t mutate_any(struct fuzz_rng *rng, uint8_t *bytes, size_t len, size_t cap);

/* The operators, by number. False: there was nothing that it could change. */
unsigned mutate_count(void);
const char *mutate_name(unsigned which);
bool mutate_with(struct mutate *m, unsigned which);
/* One of them. */
bool mutate_datagram(struct mutate *m);

/* A record or a few, as one side of a handshake sends them. */
void mutate_template(struct fuzz_rng *rng, struct sd_wr *to);

/* Puts a cookie into the first ClientHello, as its message 1; false when there is none. */
bool mutate_cookie(struct mutate *m, struct sd_span cookie);

#endif
