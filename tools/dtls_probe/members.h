/* Which frames belong to handshakes that failed. */
#ifndef PROBE_MEMBERS_H
#define PROBE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_member {
    uint64_t frame, exchange;
};

struct probe_members {
    struct probe_member *list; /* as the packets came: rising frames */
    size_t count, room;
    uint64_t *failed; /* exchanges, unsorted until closed */
    size_t failed_count, failed_room;
    bool lost; /* memory ran out */
};

void probe_members_add(struct probe_members *m, uint64_t frame, uint64_t exchange);
void probe_members_fail(struct probe_members *m, uint64_t exchange);
/* Leaves the frames of failed handshakes only, sorted. */
void probe_members_close(struct probe_members *m);
bool probe_members_has(const struct probe_members *m, uint64_t frame);
void probe_members_free(struct probe_members *m);

#endif
