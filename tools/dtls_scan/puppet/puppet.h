/* SPDX-License-Identifier: MIT */
/* A DTLS 1.0 and 1.2 client moved by hand. Left alone it shakes hands as any client does, and
 * retransmits: loss costs time. What it sends the caller may change before it goes, message by
 * message, and the caller may send anything else at any time.
 *
 *     HELLO --ServerHelloDone--> ANSWERED --Finished--> CONNECTED
 *       |                                                  ^
 *       +------Finished (the session is resumed)-----------+
 *
 * Every stage can become ENDED: `end` says why. Time, and the way to the server, are the caller's.
 * Nothing that the server says is trusted, its certificate least of all. */
#ifndef PUPPET_PUPPET_H
#define PUPPET_PUPPET_H

#include "base/clock.h"
#include "dtls_scan/puppet/exchange.h"
#include "dtls_scan/puppet/flight.h"
#include "dtls_scan/puppet/inbox.h"
#include "dtls_scan/puppet/proof.h"
#include "dtls_scan/puppet/transcript.h"
#include "unseal/keys12.h"
#include "wire/alert.h"
#include "wire/hello.h"

struct puppet;

enum {
    PUPPET_COOKIE_MAX = 255,
    PUPPET_TICKET_MAX = 8192,
    PUPPET_CERTIFICATE_MAX = 65535,
    PUPPET_VERIFY_LEN = 12 /* of Finished */
};

/* What another handshake left, to resume it. */
struct puppet_session {
    uint16_t version, suite;
    bool extended_master;
    uint8_t master[SD_MASTER_LEN];
    uint8_t id[SD_SESSION_ID_MAX];
    size_t id_len;
    uint8_t ticket[PUPPET_TICKET_MAX];
    size_t ticket_len;
};

/* What the ClientHello says; borrowed until the puppet ends. */
struct puppet_offer {
    uint16_t version;                    /* SD_DTLS_1_0 or SD_DTLS_1_2 */
    struct sd_span suites;               /* two bytes each */
    struct sd_span extensions;           /* the whole block, but for the ticket of `resume` */
    const struct puppet_session *resume; /* its id, and its ticket; NULL = a new session */
    bool no_ticket;                      /* resume by the id alone */
};

/* A record that came. */
struct puppet_heard {
    sd_time at;
    const struct sd_record *rec; /* as on the wire */
    size_t datagram;             /* bytes of the datagram it came in */
    bool opened;                 /* plaintext of epoch 0, or opened with the keys */
    uint8_t type;                /* of the content */
    struct sd_span body;         /* the content, when opened */
    bool repeated;               /* handshake: nothing in it is new */
};

struct puppet_config {
    struct puppet_offer offer;
    struct sd_span identity, key; /* a pre-shared key; empty = none */
    struct puppet_login login;    /* for a server that wants a certificate */
    size_t mtu;                   /* bytes of UDP payload; 0 = PUPPET_MTU */
    sd_time first_timeout;        /* of a flight, doubled each time; 0 = PUPPET_FIRST_TIMEOUT */
    unsigned retransmissions;     /* of a flight, then the end; 0 = PUPPET_RETRANSMISSIONS */
    sd_time longest_timeout;      /* 0 = doubled without end */
    uint16_t first_message;       /* message_seq of the first hello */
    uint16_t skip;                /* message_seqs that the answer to the server leaves out */
    bool edit_once;               /* a retransmission has the items that were there before `edit` */
    void *arg;                    /* of all that follow */
    void (*send)(void *arg, const uint8_t *datagram, size_t len);
    /* Sees a flight before it goes, and may change it. NULL = nobody. */
    void (*edit)(void *arg, struct puppet *p, struct puppet_flight *f);
    /* Sees each record that comes. NULL = nobody. */
    void (*heard)(void *arg, struct puppet *p, const struct puppet_heard *h);
};

enum { PUPPET_MTU = 1200, PUPPET_RETRANSMISSIONS = 6 };
#define PUPPET_FIRST_TIMEOUT (500 * SD_MS)

enum puppet_stage { PUPPET_HELLO, PUPPET_ANSWERED, PUPPET_CONNECTED, PUPPET_ENDED };

enum puppet_end {
    PUPPET_NOT_ENDED,
    PUPPET_END_ALERT,       /* the server's: `alert` says which */
    PUPPET_END_TIMEOUT,     /* no answer to the last flight */
    PUPPET_END_UNSUPPORTED, /* a version, suite or group that the puppet cannot move */
    PUPPET_END_MALFORMED,   /* the server's message is not what it may be */
    PUPPET_END_LOCAL        /* no memory, or OpenSSL refuses */
};

struct puppet {
    struct puppet_config cfg;
    enum puppet_stage stage;
    enum puppet_end end;
    struct sd_alert alert; /* the last one that was opened, whatever became of it */
    bool alert_sealed;     /* it was encrypted */

    /* What the hellos settled. */
    uint8_t client_random[SD_RANDOM_LEN], server_random[SD_RANDOM_LEN];
    uint8_t cookie[PUPPET_COOKIE_MAX];
    size_t cookie_len;
    unsigned cookies; /* HelloVerifyRequests taken */
    uint16_t version, suite, group;
    size_t params_len; /* bytes of `server_key` before its signature: parameters and public key */
    bool answered;     /* a ServerHello came */
    bool extended_master, encrypt_then_mac, secure_renegotiation, heartbeat;
    bool resumed, certificate_wanted;
    bool finished_sound; /* the server's Finished is what it should be */
    struct puppet_session session;
    uint8_t client_verify[PUPPET_VERIFY_LEN], server_verify[PUPPET_VERIFY_LEN];

    /* What came. */
    unsigned datagrams, records, unopened, alerts, data, refused;
    unsigned sent_datagrams, retransmitted; /* what went; flights sent again */
    size_t sent_bytes, received_bytes;

    /* Timer of the flight; SD_NEVER = none. */
    sd_time deadline, timeout;
    unsigned tries;
    bool still; /* the caller's: nothing is retransmitted, and no timer ends it */

    struct puppet_flight flight; /* the last one; it stays after the handshake */
    /* The same before the caller's changes. */
    struct puppet_item sound[PUPPET_ITEMS_MAX];
    size_t sound_count;
    uint64_t next_seq[2];  /* record numbers of epoch 0, and of the others */
    uint16_t next_message; /* message_seq */
    struct sd_keys12 keys;
    bool keyed;
    struct puppet_inbox inbox;
    struct puppet_transcript transcript;
    /* Messages kept for the answer. */
    uint8_t *certificate, *server_key, *request;
    size_t certificate_len, server_key_len, request_len;
    sd_time now;
};

/* Begins: the first hello goes out. False when OpenSSL or the kernel gives no random bytes. The
 * puppet is large: not on a small stack. */
bool puppet_begin(struct puppet *p, const struct puppet_config *cfg, sd_time now);
void puppet_fini(struct puppet *p);
void puppet_input(struct puppet *p, const void *datagram, size_t len, sd_time now);
/* Call it when the deadline is over. */
void puppet_timer(struct puppet *p, sd_time now);

/* Sends items once, in one datagram unless an item begins another one. */
bool puppet_send(struct puppet *p, const struct puppet_item *items, size_t count);
/* Application data of epoch 1. */
bool puppet_say(struct puppet *p, const void *data, size_t len);
/* An alert under the current keys: plaintext before there are keys. */
bool puppet_warn(struct puppet *p, uint8_t level, uint8_t description);
/* Sends the flight again without the caller's changes (but for those of bodies): a server whose
 * handshake got stuck may go on, and then be left. */
void puppet_amend(struct puppet *p, sd_time now);
/* Ends the association as a client should: close_notify, or user_canceled before it stands. */
void puppet_leave(struct puppet *p);

#endif
