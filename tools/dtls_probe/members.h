/* SPDX-License-Identifier: MIT */
/* Which frames belong to handshakes that failed. Which fail is known long after their frames: so
 * long, what belongs together is in a temporary file. In memory there is a bit for each frame and
 * each handshake. */
#ifndef PROBE_MEMBERS_H
#define PROBE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A set of numbers. */
struct probe_bits {
    uint64_t *words;
    size_t room; /* words */
};

struct probe_members {
    FILE *pairs; /* struct probe_member, without a name in the file system */
    struct probe_bits failed, frames;
    int error; /* errno of the temporary file: frames are missing; 0 = none */
    bool lost; /* memory ran out: some are missing */
};

/* Returns 0 or an errno. */
int probe_members_open(struct probe_members *m);
void probe_members_add(struct probe_members *m, uint64_t frame, uint64_t handshake);
void probe_members_fail(struct probe_members *m, uint64_t handshake);
/* When all were added: from now on, probe_members_has() knows. */
void probe_members_close(struct probe_members *m);
bool probe_members_has(const struct probe_members *m, uint64_t frame);
void probe_members_free(struct probe_members *m);

#endif
