/* A client, a network and a server that do what an input says, one operation after another
 * (schedule_ops.h); behind it the network is perfect. */
#ifndef FUZZ_SCHEDULE_H
#define FUZZ_SCHEDULE_H

#include <stdbool.h>

#include "base/cursor.h"
#include "peers/sim.h"

struct schedule {
    struct sim sim;
    bool hostile, ended; /* an operation of those kinds was done, */
    bool lossy, annoyed; /* one that costs time, forgeries that are harmless, */
    bool refused;        /* a write that was refused */
    bool was_alive;
    unsigned timeouts, late; /* in the schedule; behind it, on a perfect network */
};

/* What the second byte of an input says; 0: it is found out. */
size_t schedule_mtu(uint8_t byte);
/* `in`: the operations. */
void schedule_run(struct schedule *run, const struct sim_config *c, struct sd_rd *in);
/* What is on its way arrives, until nothing is. */
void schedule_settle(struct schedule *run);
/* Ours at both ends, and as promised. */
bool schedule_ours(const struct schedule *run);
/* A stock side sends what it may, but for what it is known to do. */
void schedule_check_stock(const struct schedule *run);
void schedule_end(struct schedule *run);

#endif
