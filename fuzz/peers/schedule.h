/* SPDX-License-Identifier: MIT */
/* A client, a network and a server that do what an input says, one operation after another
 * (schedule_ops.h). Afterwards the network is perfect. */
#ifndef FUZZ_SCHEDULE_H
#define FUZZ_SCHEDULE_H

#include <stdbool.h>

#include "base/cursor.h"
#include "peers/sim.h"

struct schedule {
    struct sim sim;
    bool hostile, ended; /* such an operation was done */
    bool lossy, annoyed; /* an operation that costs time; a harmless forgery */
    bool refused;        /* a write was refused */
    bool was_alive;
    unsigned timeouts, late; /* in the schedule; afterwards, on a perfect network */
};

/* The MTU that the second byte of an input selects; 0: the sides find it out. */
size_t schedule_mtu(uint8_t byte);
/* `in`: the operations. */
void schedule_run(struct schedule *run, const struct sim_config *c, struct sd_rd *in);
/* Delivers until no datagram is on its way. */
void schedule_settle(struct schedule *run);
/* Both sides are ours, and none of them is odd: everything that is promised must hold. */
bool schedule_ours(const struct schedule *run);
/* Checks that a stock side sends what a peer may send, apart from known bugs. */
void schedule_check_stock(const struct schedule *run);
void schedule_end(struct schedule *run);

#endif
