/* SPDX-License-Identifier: MIT */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

/* What the parts of the load generator share. */
#include <sys/types.h>

#include "clients.h"

struct drive {
    unsigned short port;
    pid_t pid;        /* the server, or 0: nothing is known of what it uses */
    unsigned count;   /* of what the mode counts */
    unsigned clients; /* that are connected before */
    unsigned window;  /* in flight at a time */
    unsigned size;    /* bytes a message */
    unsigned echoes;  /* of each message, when there are any */
    unsigned rate;    /* messages a second, 0 = as fast as possible */
    const char *psk;
    bool resume, interactive;
    const char *mode;
    struct clients set;

    /* The result. */
    uint64_t done, lost, retransmits;
    uint64_t wall_ns, cpu_ns, faults, rss_kb, slab_kb;
};

/* The clock runs between these; end waits until the server has done its work. */
void drive_begin(struct drive *d);
void drive_end(struct drive *d);

/* Handshakes of the prepared clients from..to, d->window at a time; `keep` leaves them connected.
 * Ends the program when not all succeed. */
void drive_handshakes(struct drive *d, unsigned from, unsigned to, bool keep);
/* Gets a session for later ones to resume. Uses the place of client 0. */
void drive_session(struct drive *d);
/* Hellos with cookies whose senders then fall silent. */
void drive_half_open(struct drive *d, unsigned from, unsigned to);

/* Hellos of d->count addresses that nobody knows, and their refusals. */
void drive_hellos(struct drive *d);
/* d->count messages from d->clients in turn, in bursts of d->window. */
void drive_messages(struct drive *d);
/* The same, and each comes back; d->window are on their way. */
void drive_echo(struct drive *d);

#endif
