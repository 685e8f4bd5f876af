/* SPDX-License-Identifier: MIT */
/* Which frames belong to handshakes that failed. */
#ifndef PROBE_MEMBERS_H
#define PROBE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_member {
    uint64_t frame, handshake;
};

struct probe_members {
    struct probe_member *list; /* in the order of the packets */
    size_t count, room;
    uint64_t *failed; /* ids of handshakes, unsorted until closed */
    size_t failed_count, failed_room;
    bool lost; /* memory ran out */
};

void probe_members_add(struct probe_members *m, uint64_t frame, uint64_t handshake);
void probe_members_fail(struct probe_members *m, uint64_t handshake);
/* Keeps only the frames of failed handshakes, sorted. */
void probe_members_close(struct probe_members *m);
bool probe_members_has(const struct probe_members *m, uint64_t frame);
void probe_members_free(struct probe_members *m);

#endif
