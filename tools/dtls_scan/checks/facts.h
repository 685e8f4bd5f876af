/* SPDX-License-Identifier: MIT */
/* What several checks want to know. Each fact is asked for once, by the first who wants it. */
#ifndef SCAN_CHECKS_FACTS_H
#define SCAN_CHECKS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dtls_scan/ask/ask.h"
#include "dtls_scan/checks/life.h"
#include "dtls_scan/checks/seen.h"
#include "wire/certificate.h"

struct scan;

enum scan_tri { SCAN_UNKNOWN, SCAN_NO, SCAN_YES };

enum scan_version { SCAN_V09, SCAN_V10, SCAN_V12, SCAN_V13, SCAN_VERSIONS };

struct scan_version_fact {
    bool asked;
    enum scan_tri accepted;
    enum scan_reply reply; /* of what kind the answer was */
    uint16_t chosen;       /* the version of its ServerHello */
    uint8_t alert;         /* if it was one */
    bool cookie;           /* a HelloVerifyRequest came first */
};

enum { SCAN_SUITES_KEPT = 160 };

struct scan_suite_fact {
    bool asked;
    bool complete; /* nothing else is accepted */
    unsigned count;
    uint16_t suite[SCAN_SUITES_KEPT]; /* in the order in which the server chose them */
    enum scan_tri server_order;       /* its own order counts; NO: that of the client */
};

/* What the server says about extensions when they are offered. */
struct scan_offer_fact {
    bool asked;
    enum scan_reply reply;
    uint16_t suite;
    uint8_t compression;
    bool session_id; /* it gave one */
    unsigned types;  /* extensions in its hello */
    uint16_t type[SCAN_CODES];
    bool certificate_request, status, raw_key;
    char authorities[512]; /* of the CertificateRequest, as text */
    unsigned authority_count;
    bool downgrade_mark; /* RFC 8446 section 4.1.3: it could have done better */
    uint16_t srtp;       /* profile; 0 = none */
};

/* Code points of one kind that a server chooses when they are offered. */
struct scan_choice_fact {
    bool asked, complete;
    unsigned count;
    uint16_t code[SCAN_CODES];
    unsigned prime_bits; /* of DHE, the least seen; 0 = none */
};

/* One hello without a cookie, and all that comes until the server is silent. */
struct scan_unproven_fact {
    bool asked;
    enum scan_reply reply;
    bool cookie; /* HelloVerifyRequest, or HelloRetryRequest with a cookie */
    unsigned cookie_len;
    size_t asked_bytes;      /* UDP payload of the hello */
    size_t answer_bytes;     /* of all answers */
    uint16_t record_version; /* of the first record of the answer, and its number */
    uint64_t record_seq;
    unsigned datagrams, repeats; /* repeats: answers that came by a timer */
};

enum scan_cert_kind { SCAN_CERT_RSA, SCAN_CERT_ECDSA, SCAN_CERT_EDDSA, SCAN_CERT_KINDS };
enum { SCAN_CHAIN_BYTES = 32 << 10, SCAN_KILLERS = 16 };

struct scan_chain_fact {
    bool asked;
    bool there;
    enum scan_reply reply;
    bool incomplete; /* a part of the flight is missing, or no answer came */
    size_t len;
    uint8_t message[SCAN_CHAIN_BYTES]; /* body of the Certificate message */
};

struct scan_facts {
    bool psk_only; /* it answers no hello that offers other suites than those with PSK */
    struct scan_version_fact version[SCAN_VERSIONS];
    struct scan_suite_fact suites[SCAN_VERSIONS];
    struct scan_offer_fact offer;
    struct scan_unproven_fact unproven;
    struct scan_choice_fact groups, groups13, schemes;
    struct scan_chain_fact chain[SCAN_CERT_KINDS];
    struct scan_life life; /* the first association */
    struct scan_mute mute; /* one whose flight was not answered */
    struct scan_seen seen; /* of all associations */
    bool forged;
    enum scan_tri killed[SCAN_KILLERS]; /* an association, by each enum scan_forgery */
};

/* The code on the wire: SD_DTLS_1_2 ... */
uint16_t scan_version_code(enum scan_version v);
/* Is this version accepted? Asks when nobody has asked before. */
const struct scan_version_fact *scan_version(struct scan *s, enum scan_version v);

/* The first contact: finds a hello that this server answers (s->asker.control). REPLY_HELLO or
 * REPLY_RETRY when it is found; otherwise what the server answers instead. */
enum scan_reply scan_contact(struct scan *s);

/* scan_hello_init() for this server. */
void scan_start_hello(const struct scan *s, struct scan_hello *h, enum scan_version v);
/* A hello that the server answers, with another random: of DTLS 1.2 or 1.0. False: it accepts
 * neither, or nothing is known of it. */
bool scan_legacy_hello(struct scan *s, struct scan_hello *h);
/* The suites of a version. */
const struct scan_suite_fact *scan_suites(struct scan *s, enum scan_version v);
/* Those of DTLS 1.2, or else of 1.0. */
const struct scan_suite_fact *scan_legacy_suites(struct scan *s);
/* True when the name of a suite contains the word between "_" or at an end: "anon", "PSK". */
bool scan_suite_is(uint16_t suite, const char *word);
/* The key exchange of a suite, before "_WITH_", contains the word. */
bool scan_suite_exchange(uint16_t suite, const char *word);
const struct scan_offer_fact *scan_offer(struct scan *s);
bool scan_offered(const struct scan_offer_fact *f, uint16_t type);
/* Groups of ECDHE in DTLS 1.2 and 1.0; of DTLS 1.3; signature schemes of ServerKeyExchange. */
const struct scan_choice_fact *scan_groups(struct scan *s);
const struct scan_choice_fact *scan_groups13(struct scan *s);
const struct scan_choice_fact *scan_schemes(struct scan *s);
const struct scan_unproven_fact *scan_unproven(struct scan *s);
/* The server's own certificate: the first of the body of a Certificate message. */
bool scan_chain_leaf(struct sd_span message, struct sd_cert *cert);
const struct scan_chain_fact *scan_chain(struct scan *s, enum scan_cert_kind kind);

#endif
