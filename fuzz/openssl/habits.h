/* SPDX-License-Identifier: MIT */
/* Options and callbacks of stock OpenSSL as deployments have them. A callback answers, puts off or
 * refuses. The habits of a side are 32 bits of the input. */
#ifndef FUZZ_HABITS_H
#define FUZZ_HABITS_H

#include <stdint.h>

/* Two bits: what the program answers when OpenSSL asks. */
enum habit_answer {
    ANSWER_NONE, /* it has no callback */
    ANSWER_FINE,
    ANSWER_OTHER, /* not now, where OpenSSL has such an answer; else neither yes nor no */
    ANSWER_NO
};

/* The lowest bit of the question. */
enum habit_question {
    ASK_CERT = 0,   /* for its certificate */
    ASK_VERIFY = 4, /* whether the peer's is good; to a server: whether it wants one */
    ASK_STATUS = 6, /* for a stapled response; to a client: whether it is good */
    ASK_SECRET = 8, /* for a session's secret, as EAP-FAST has it; ANSWER_OTHER: and a suite */
    ASK_PSK = 10,   /* ANSWER_NONE: the right one */
    /* To a client: */
    ASK_CLIENT_CERT = 2, /* for a certificate that the server wants */
    /* To a server: */
    ASK_HELLO = 2, /* about the client's hello */
    ASK_NAME = 12, /* about the name in it */
    ASK_ALPN = 14,
    ASK_TICKET = 16, /* for the keys of a ticket */
    ASK_DH = 18      /* for parameters. ANSWER_NONE: OpenSSL chooses */
};

enum habit {
    /* A client */
    HABIT_NAME = 1 << 12, /* asks for a name */
    HABIT_ALPN = 1 << 13,
    HABIT_SRTP = 1 << 14,
    HABIT_FRAGMENT = 1 << 15,   /* asks for short records */
    HABIT_GROUPS = 1 << 16,     /* has few groups */
    HABIT_SIGNATURES = 1 << 17, /* has few signature algorithms */
    /* Either side */
    HABIT_NO_TICKET = 1 << 20,
    HABIT_NO_EMS = 1 << 21, /* extended master secret */
    HABIT_NO_ETM = 1 << 22, /* encrypt-then-MAC */
    HABIT_SMALL = 1 << 23,  /* accepts only short messages and chains */
    HABIT_WATCH = 1 << 24,  /* watches the states */
    HABIT_CACHE = 1 << 25,  /* has a cache of sessions */
    HABIT_NO_RENEGOTIATION = 1 << 26,
    HABIT_LEGACY = 1 << 27,   /* has the options that old peers need */
    HABIT_NO_QUERY = 1 << 28, /* does not ask for the MTU */
    HABIT_CONTEXT = 1 << 29,  /* has another context of sessions */
    HABIT_OLD = 1 << 30       /* speaks DTLS 1.0; a client says that it falls back */
};

struct sim_side;

/* Sets the habits of a side whose SSL was just made with a context for habits (pair_context()). */
void habits_begin(struct sim_side *e);
/* Drops the sessions in its context. */
void habits_end(struct sim_side *e);

#endif
