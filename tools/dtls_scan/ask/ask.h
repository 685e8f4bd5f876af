/* SPDX-License-Identifier: MIT */
/* One question: a hello, the cookie exchange if the server wants one, and what it answers. Loss
 * costs time: a silence counts only after several tries, and only when the server still answers a
 * hello that it liked before. */
#ifndef SCAN_ASK_ASK_H
#define SCAN_ASK_ASK_H

#include <stdbool.h>

#include "dtls_scan/ask/answer.h"
#include "dtls_scan/ask/deliver.h"
#include "dtls_scan/ask/hello.h"
#include "dtls_scan/ask/line.h"

enum scan_reply {
    SCAN_REPLY_UNKNOWN, /* the line has stopped: nothing is known */
    SCAN_REPLY_SILENCE, /* asked often enough; the server answers other hellos */
    SCAN_REPLY_VERIFY,  /* HelloVerifyRequest */
    SCAN_REPLY_RETRY,   /* HelloRetryRequest */
    SCAN_REPLY_HELLO,   /* ServerHello */
    SCAN_REPLY_ALERT,   /* fatal */
    SCAN_REPLY_REFUSED, /* ICMP port unreachable, and no answer */
    SCAN_REPLY_FOREIGN, /* only answers that are not DTLS, or answer no hello */
    SCAN_REPLY_ECHO     /* our own hello came back */
};

/* How far to go. */
enum scan_until {
    SCAN_UNTIL_COOKIE, /* the first answer, also a HelloVerifyRequest */
    SCAN_UNTIL_HELLO,
    SCAN_UNTIL_FLIGHT /* everything that the server sends before it waits for us */
};

struct scan_asker {
    struct scan_line *line;
    struct scan_answer answer; /* to the last question */
    struct scan_hello control; /* a hello that the server has answered with a ServerHello */
    bool has_control;
    bool cookie;      /* the last question met a HelloVerifyRequest */
    sd_time answered; /* time from the last hello to the answer */
    uint8_t datagram[SCAN_DATAGRAM];
};

/* Asks from a port of its own, and ends what it began. The answer is in a->answer. */
enum scan_reply scan_ask(struct scan_asker *a, const struct scan_hello *h, enum scan_until until);
enum scan_reply scan_ask_as(struct scan_asker *a, const struct scan_hello *h,
                            const struct scan_delivery *how, enum scan_until until);

/* The same without a control question, from this source port; 0 = any. */
enum scan_reply scan_ask_from(struct scan_asker *a, const struct scan_hello *h,
                              enum scan_until until, uint16_t from);

/* The same on a port that the caller opened, and without an end: *seq is the next record number,
 * *message_seq the next message. On return `h` has the cookie. No control question is asked. */
enum scan_reply scan_ask_on(struct scan_asker *a, struct scan_port *p, struct scan_hello *h,
                            const struct scan_delivery *how, enum scan_until until, uint64_t *seq,
                            uint16_t *message_seq);

#endif
