/* SPDX-License-Identifier: MIT */
/* The line to one server: every datagram of a scan leaves and comes in here. It keeps the pace and
 * the limits, and counts. A port is one socket of ours, with a source port of its own. */
#ifndef SCAN_ASK_LINE_H
#define SCAN_ASK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"

/* Room for any datagram. */
enum { SCAN_DATAGRAM = 65536 };

/* Why nothing more is sent. */
enum scan_stop {
    SCAN_GO,
    SCAN_STOP_BUDGET, /* all datagrams are used up */
    SCAN_STOP_TIME,
    SCAN_STOP_SIGNAL,
    SCAN_STOP_MUTE, /* the server has answered, and does so no more */
    SCAN_STOP_LOCAL /* this host cannot send; errno in `error` */
};

struct scan_line {
    struct sd_addr to;
    const char *source; /* our address as text, or NULL */
    int signals;        /* readable when it is time to stop; -1 = none */
    sd_time gap;        /* between two datagrams of ours */
    sd_time deadline;   /* nothing is sent or awaited later */
    unsigned budget;    /* datagrams that may still be sent */

    enum scan_stop stop;
    int error;
    sd_time next;  /* nothing is sent earlier */
    unsigned sent; /* datagrams */
    unsigned received;
    uint64_t sent_bytes, received_bytes; /* UDP payload */
    size_t largest;                      /* datagram that came, UDP payload */
    unsigned in_fragments;               /* datagrams that came as IP fragments */
    unsigned refused;         /* ICMP port unreachable: no program listens, if it is not forged */
    sd_time rtt;              /* the shortest answer so far; 0 = none */
    unsigned late;            /* answers in a row that came only after a second hello */
    uint16_t good_port;       /* of ours, from which the server answered first; 0 = none */
    bool one_port;            /* it serves that one only: every port is opened there */
    unsigned asked, repeated; /* hellos that needed an answer, and how many had to be sent again */
};

struct scan_port {
    struct scan_line *line;
    int fd;
};

/* From the one port that is served, or any. False when this host cannot make the socket:
 * line->stop says so. */
bool scan_port_open(struct scan_port *p, struct scan_line *line);
/* `from`: the source port to use again, 0 = any. */
bool scan_port_open_at(struct scan_port *p, struct scan_line *line, uint16_t from);
void scan_port_close(struct scan_port *p);
/* The source port. */
uint16_t scan_port_number(const struct scan_port *p);
/* Waits for its turn, then sends. False when the line has stopped. */
bool scan_port_send(struct scan_port *p, const void *data, size_t len);

enum scan_heard {
    SCAN_HEARD_DATAGRAM,
    SCAN_HEARD_NOTHING, /* until `until` */
    SCAN_HEARD_REFUSED, /* ICMP port unreachable */
    SCAN_HEARD_STOP     /* the line has stopped */
};
/* What comes next. A datagram lies in buf, its length in *len. */
enum scan_heard scan_port_hear(struct scan_port *p, uint8_t buf[static SCAN_DATAGRAM], size_t *len,
                               sd_time until);
/* Sends although the line may have stopped, and needs no budget: for the end of an association. */
void scan_port_farewell(struct scan_port *p, const void *data, size_t len);
/* Sends a fatal alert in plaintext, so that the server forgets this association. `seq` is its
 * record number: higher than those before. A version that nobody knows is one that the hello only
 * asked about. Needs no budget. */
void scan_port_goodbye(struct scan_port *p, uint16_t version, uint64_t seq);

/* The port to begin with: the same for each scan of this server. `openssl s_server -listen` serves
 * only the first address that shows a cookie, for as long as it runs (measured). */
uint16_t scan_line_first_port(const struct scan_line *line);
/* How often to ask before silence is an answer: enough for the loss that was seen so far. */
unsigned scan_line_tries(const struct scan_line *line);
/* How long to wait for an answer after the try of this number (0 = the first). */
sd_time scan_line_wait(const struct scan_line *line, unsigned attempt);

#endif
