/* SPDX-License-Identifier: MIT */
/* One handshake, from its first ClientHello to its end, and the session that it made: facts
 * as read from the wire, no judgement. The code calls it an exchange: struct sd_handshake is
 * the header of one message. */
#ifndef SD_FLOW_EXCHANGE_H
#define SD_FLOW_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"
#include "flow/event.h"
#include "flow/input.h"

enum sd_side { SD_CLIENT, SD_SERVER, SD_SIDES };

enum sd_outcome {
    SD_INCOMPLETE, /* the capture ends, begins or is cut where more could be said */
    SD_OK,
    SD_FAILED
};

enum {
    /* The log of a handshake holds this many events; later ones are only counted. */
    SD_LOG_MAX = 256,
    /* Application data that is logged one by one. */
    SD_LOG_APPDATA = 16,
    SD_COOKIES_MAX = 4,
    SD_SAMPLE = 16
};

/* A message as reassembled. Owned by the exchange. */
struct sd_message {
    uint32_t length;
    uint8_t body[];
};

enum sd_kept {
    SD_KEPT_CLIENT_HELLO, /* the newest: with the cookie, if one came */
    SD_KEPT_SERVER_HELLO,
    SD_KEPT_RETRY, /* HelloRetryRequest */
    SD_KEPT_SERVER_KEY_EXCHANGE,
    SD_KEPT_CERTIFICATE_REQUEST,
    SD_KEPT_CLIENT_KEY_EXCHANGE,
    SD_KEPT_SERVER_CERTIFICATE,
    SD_KEPT_CLIENT_CERTIFICATE,
    SD_KEPT_ENCRYPTED_EXTENSIONS,
    SD_KEPT_CERTIFICATE_VERIFY, /* the client's */
    SD_KEPTS
};

/* Record numbers of one direction: how many came, how many of the range did not. */
struct sd_numbers {
    uint64_t min : 48, largest : 16; /* largest: body bytes of the largest record */
    uint64_t max;
    uint64_t window; /* bit i: max - i was seen */
    uint64_t far;    /* one that is too far ahead to tell of loss; 0 = none */
    uint32_t seen;   /* different ones */
    uint32_t late;   /* more than 64 before the newest: outside any replay window */
};

struct sd_direction {
    struct sd_numbers plain, sealed; /* epoch 0; the newest epoch above */
    int64_t first, last;             /* ns; 0 = silent */
    uint32_t datagrams, foreign;
    uint32_t appdata;           /* records of application data */
    uint32_t unanswered;        /* of these, since the other side's last datagram */
    uint32_t unanswered_number; /* frame of the first of them */
    uint32_t after_close;       /* of these, clearly later than the other side's close_notify */
    int64_t unanswered_from;    /* ns: time of the first unanswered one */
    uint32_t unanswered_ms;     /* from then to the last one */
    uint32_t largest_ip;        /* largest IP packet of a DTLS datagram; 0 = none known */
    uint16_t largest_datagram;
    uint16_t epoch; /* of `sealed`; DTLS 1.3: its two bits when not opened */
    uint16_t rest;  /* bytes that the last record of its newest datagram lacks */
    uint8_t ttl_max;
    bool snapped : 1;  /* of some datagrams the capture has only the beginning */
    bool closing : 1;  /* its last record, or an alert that could be read, says close_notify */
    bool carried : 1;  /* its first number of epoch 1 goes on from epoch 0 */
    bool set_back : 1; /* it was, and then the numbers began again */
};

/* Whether a pre-shared key that the user gave is the one that a side used. */
enum sd_key_proof {
    SD_KEY_UNPROVEN,
    SD_KEY_OTHER, /* it did not open this side's Finished */
    SD_KEY_GIVEN  /* it opened a record of this side */
};

/* What happens to few. */
struct sd_rare {
    struct sd_message *first_hello; /* DTLS 1.3: before a HelloRetryRequest; owned */

    /* Records of this session from another address of the client (RFC 9146: a NAT
     * gave it a new one). */
    struct sd_addr moved_to;
    uint32_t moved_number;                /* first frame; 0 = it did not move */
    int64_t moved_time, last_before_move; /* ns */
    unsigned moved_records, moved_answers;
    bool moved_cid; /* they carried a connection id */

    struct sd_addr icmp_from; /* who sent the first ICMP error */

    /* A ServerHello or HelloVerifyRequest came from another address than was asked. */
    struct sd_addr stranger;
    uint32_t stranger_number; /* 0 = none did */

    struct {
        uint32_t stun, rtp;      /* datagrams */
        uint32_t stun_successes; /* of these: this side receives what the other sends */
        uint16_t largest;        /* payload bytes of the largest STUN or RTP datagram */
        uint8_t sample_len;      /* first bytes of its first datagram that is not DTLS */
        uint8_t sample[SD_SAMPLE];
    } beside[SD_SIDES]; /* what else was sent on these addresses */

    struct {
        uint32_t number; /* frame; 0 = none */
        int64_t time;
    } first_late[SD_SIDES]; /* protected record outside the replay window, by sender */

    struct {
        uint32_t datagrams;
        uint16_t least, most;
        uint32_t unaligned; /* of these, the length is no multiple of 4 */
    } trailing[SD_SIDES];   /* zero bytes after the last record, by sender */
};

struct sd_cookie {
    uint8_t len;
    uint32_t hash;
};

struct sd_exchange {
    uint64_t id; /* from 1, in the order of first packets */
    struct sd_addr client, server;
    int64_t start, last;     /* ns: first datagram; last of anybody */
    int64_t established;     /* ns: the second Finished; 0 = never */
    int64_t last_handshake;  /* ns: last packet that was part of it */
    uint64_t next;           /* id of the one that superseded it; 0 = none */
    uint64_t previous;       /* on the same addresses; 0 = none */
    uint32_t foreign_before; /* datagrams during those before that were not DTLS */

    uint8_t carrier;             /* enum sd_carrier */
    uint8_t reported_findings;   /* how many */
    uint8_t key_proof[SD_SIDES]; /* enum sd_key_proof, by the side that sealed */
    bool reported : 1;           /* before its end, see sd_tracker_config.prompt */
    bool mid_session : 1;        /* begins without a ClientHello */
    bool reversed : 1;           /* no ClientHello was seen: who is who was read from the answers */
    bool resumed : 1;            /* abbreviated: the server's Finished came first (RFC 5246 7.3) */
    bool opened : 1;             /* some record could be decrypted */
    bool evicted : 1;            /* ended early: the table was full */
    bool superseded : 1;         /* a ClientHello with another random began the next one */
    bool after_established : 1;  /* the previous one was established */
    bool on_sealed : 1;          /* it began while the session of that one was still open */
    bool swapped : 1;            /* its client was the server of that one */
    bool after_unknown : 1;      /* of that one nobody saw who was the client */
    bool likely_swapped : 1;     /* and by the ports this client was its server */
    bool negotiated : 1;         /* version and suite are the server's choice */
    bool encrypt_then_mac : 1;   /* RFC 7366 was agreed */
    bool proven : 1;             /* the client showed that it receives at its address */
    bool path_validated : 1;     /* ICE checked it before (RFC 8445) */
    bool has_client_random : 1, has_server_random : 1;

    uint16_t version; /* negotiated; before a ServerHello, the best the client offers */
    uint16_t suite;   /* 0 = none chosen yet; TLS_NULL_WITH_NULL_NULL is never negotiated */
    uint8_t client_random[32], server_random[32];
    uint32_t server_randoms; /* different ServerHello randoms for this client random */

    struct sd_cookie cookies[SD_COOKIES_MAX]; /* of the HelloVerifyRequests, the newest last */
    unsigned cookie_count;                    /* how many came, and may exceed the array */
    unsigned hellos_plain,
        hellos_cookie;            /* ClientHellos without and with one, retransmissions too */
    unsigned cookie_strangers;    /* ClientHellos with a cookie that no request gave */
    unsigned verify_after_cookie; /* HelloVerifyRequests that answer a cookie */
    uint16_t hello_fragments;     /* datagrams that the newest ClientHello came in */

    /* Connection ids that each side wants in records to it (RFC 9146). */
    uint8_t cid_len[SD_SIDES];
    uint32_t cid_hash[SD_SIDES];

    struct sd_message *kept[SD_KEPTS];  /* NULL = not seen, or not whole; see sd_kept() */
    struct sd_rare *rare;               /* NULL = nothing of it; see sd_rare() */
    struct sd_direction side[SD_SIDES]; /* by sender */
    uint64_t server_bytes_unproven;     /* from the server before the client proved its address */
    uint64_t client_bytes_unproven;

    struct sd_event *log;
    uint32_t count, room;
    uint32_t unlogged;    /* events that came after the log was full */
    uint32_t icmp_number; /* of the first ICMP error about this one, see sd_rare; 0 = none came */
};

/* ClientHellos that were sent before the first one of the capture: its record number counts them,
 * as the plaintext records before it were hellos, too. */
unsigned sd_hellos_unseen(const struct sd_exchange *x);

/* How many of the range did not come. */
uint32_t sd_numbers_missing(const struct sd_numbers *n);

static inline enum sd_side sd_event_side(const struct sd_event *e)
{
    return e->flags & SD_EVF_SERVER ? SD_SERVER : SD_CLIENT;
}

static inline enum sd_side sd_other(enum sd_side s)
{
    return s == SD_CLIENT ? SD_SERVER : SD_CLIENT;
}

static inline struct sd_span sd_kept(const struct sd_exchange *x, enum sd_kept k)
{
    const struct sd_message *m = x->kept[k];
    return m ? (struct sd_span){m->body, m->length} : (struct sd_span){0};
}

static inline const struct sd_rare *sd_rare(const struct sd_exchange *x)
{
    static const struct sd_rare none;
    return x->rare ? x->rare : &none;
}

#endif
