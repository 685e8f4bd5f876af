/* SPDX-License-Identifier: MIT */
/* The operations of fuzz_demux. */
#ifndef FUZZ_DEMUX_H
#define FUZZ_DEMUX_H

#include "harness/senders.h"

enum code {
    CODE_DELIVER, /* who: sender and local address, see who_of() */
    CODE_NEXT,    /* reads: arg / 4 datagrams (0 = all); bit 0: accepts unknown senders */
    CODE_CLOSE,   /* who */
    CODE_TIME,    /* arg ms */
    CODE_FAULT,   /* see vk_fault() */
    CODE_NO_MEMORY,
    CODE_RETIRE,  /* listener */
    CODE_LISTEN,  /* another listener; bit 0 IPv6, bit 1 on one address only, bits 2 and 3 a port */
    CODE_CONNECT, /* as client; bit 3: from a local address of its own */
    CODE_SEND,    /* who */
    CODE_ICMP,    /* who; data: see vk_icmp() */
    CODE_WINDOW,  /* each byte of the data is a sender; they send when a socket is bound next */
    CODE_CONFIG,  /* first operation: bits 0 to 2 max_connected, bit 3 take_over; see begin() */
    CODE_TRAITS,  /* of the next datagram */
    CODE_CROWD,   /* arg other senders send something */
    CODE_LEAVE,   /* arg of them are closed */
    CODE_SIEGE,   /* who; data: how often two datagrams come, time passes, and one is read */
    CODE_WAIT,    /* arg * 2 ms for one datagram; 255: until the deadline */
    CODE_ARM,     /* the deadline: in arg ms; 0: at once; 255: never */
    CODE_ADOPT,   /* bit 0 IPv6, bit 1 bound, bit 2 of a class */
    CODE_UNUSED,  /* keeps the numbers of the corpus */
    CODES
};

enum { CLIENTS = 4, CROWD = 100 };

/* Of a configuration, in its data. */
enum option { OPTION_RCVBUF = 1, OPTION_LONG_NAME = 2, OPTION_IN_VAIN = 4 };

enum {
    SENT_MAX = 512,
    NEXT_MAX = 2048,
    WINDOW = 8,
    SIEGE_MAX = 128,
    PAIRS = SENDERS * LOCALS,
    EVERYBODY = PAIRS + CROWD,
    NOBODY = EVERYBODY /* not a peer of a listener */
};

struct sent {
    struct sd_addr from, to;
    size_t len;
    uint64_t hash;
    unsigned who, traits;
    bool seen, may_get_lost;
};

#endif
