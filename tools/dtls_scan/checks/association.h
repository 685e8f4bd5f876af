/* SPDX-License-Identifier: MIT */
/* One association with the server: a puppet on a port of its own. At most one exists at a time, and
 * each ends with an alert. */
#ifndef SCAN_CHECKS_ASSOCIATION_H
#define SCAN_CHECKS_ASSOCIATION_H

#include "dtls_scan/ask/line.h"
#include "dtls_scan/puppet/puppet.h"
#include "dtls_scan/scan.h"

enum { SCAN_FLIGHTS = 16, SCAN_SEALED = 48, SCAN_SAID = 1500 };

/* A record of the server under the keys. */
struct scan_sealed {
    uint64_t seq;
    uint16_t epoch;
    uint64_t nonce; /* its first eight bytes: the explicit nonce of GCM and CCM */
    uint64_t sum;   /* of all bytes: equal records have equal sums */
};

struct scan_wish {
    uint32_t ext;     /* enum scan_hello_ext, besides those of the control hello */
    bool cbc;         /* CBC suites only */
    bool rsa;         /* RSA key exchange only */
    bool mute;        /* stop after the server's flight, and never answer it */
    bool once;        /* the change is for the first transmission only */
    bool brief;       /* likely refused: fewer retransmissions */
    uint16_t message; /* message_seq of the first hello */
    uint16_t skip;    /* message_seqs that the answer leaves out */
    const struct puppet_session *resume;
    bool no_ticket;
    const char *stranger; /* suites with a pre-shared key only: this identity, and a random key */
    void (*edit)(void *arg, struct puppet *p, struct puppet_flight *f);
    unsigned form; /* for `edit` */
};

struct scan_association {
    struct scan *scan;
    struct scan_port port;
    struct scan_wish wish;
    struct scan_hello hello;
    struct puppet puppet;
    uint8_t body[SCAN_HELLO_BYTES]; /* of the hello: the offer borrows from it */
    uint8_t guess[16];              /* the key of a stranger */

    unsigned sealed;         /* records that opened under the keys */
    unsigned finished;       /* Finished among them */
    unsigned data;           /* application data among them */
    uint8_t said[SCAN_SAID]; /* the last application data, or its beginning */
    size_t said_len;
    unsigned arrivals;               /* plaintext handshake records of the server */
    unsigned flights;                /* those with the beginning of a ServerHello */
    sd_time flight_at[SCAN_FLIGHTS]; /* when they came */
    unsigned seals;
    struct scan_sealed seal[SCAN_SEALED];
    bool echoed;                /* application data with the last token came back */
    unsigned heartbeats;        /* heartbeat responses */
    unsigned heartbeat_payload; /* bytes that the last one claims to carry */
    uint8_t answer_type; /* of the last handshake message under the keys that is no Finished */
    unsigned answers;    /* such messages */
    bool left; /* close_notify went: gnutls-serv hangs for ever when another one follows */
    uint8_t token[16];
    uint8_t datagram[SCAN_DATAGRAM];
};

/* Shakes hands as wished, until the handshake is complete or cannot be. NULL: no memory, or the
 * line has stopped. The caller asks puppet.stage, and closes it in any case. */
struct scan_association *scan_associate(struct scan *s, const struct scan_wish *w);
/* A plain association comes about: what an unusual one showed was due to what it did. */
bool scan_serves(struct scan *s);
/* The same; without one the server serves nobody any more, and the scan ends. */
bool scan_still_associates(struct scan *s);
/* Sends close_notify, or another alert, and forgets it. NULL is allowed. */
void scan_dissociate(struct scan_association *a);
bool scan_associated(const struct scan_association *a); /* NULL is not */

/* Takes what comes until `until`, until `counter` (a member of a) is more than `before`, or
 * until the association has ended. */
void scan_associate_hear(struct scan_association *a, sd_time until, const unsigned *counter,
                         unsigned before);
/* Sends items, and nothing else. */
void scan_associate_send(struct scan_association *a, const struct puppet_item *items, size_t count);
/* The Finished of this client once more, under a record number; `whole`: the flight it ends. */
void scan_repeat_finished(struct scan_association *a, uint64_t seq, bool whole,
                          enum puppet_spoil spoil);
/* Application data with a new token. */
void scan_say_token(struct scan_association *a, uint64_t seq, bool plain, enum puppet_spoil spoil);
/* The server goes on with the right flight after a wrong one: it heard the wrong one, or did not
 * mind it, and was not silent for another reason. */
bool scan_amends(struct scan_association *a);
/* How long an answer may take. */
sd_time scan_answer_time(const struct scan *s);

#endif
