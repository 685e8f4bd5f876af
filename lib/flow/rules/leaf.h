/* SPDX-License-Identifier: MIT */
/* The certificate of one side, and what it does not fit. */
#ifndef SD_FLOW_RULES_LEAF_H
#define SD_FLOW_RULES_LEAF_H

#include "flow/diagnosis.h"
#include "wire/certificate.h"
#include "wire/keyexchange.h"

struct sd_leaf {
    struct sd_cert cert;
    struct sd_span der;
    unsigned count; /* certificates that were sent */
};

/* False when this side sent none that could be read. */
bool sd_leaf_read(const struct sd_case *c, enum sd_side owner, struct sd_leaf *leaf);

/* A certificate of the path from a side's own certificate upwards: each one signed the one before
 * it. What was sent beside that path proves nothing. */
struct sd_path_cert {
    struct sd_cert cert;
    struct sd_span der;
    unsigned place; /* 1 = the side's own */
    unsigned below; /* intermediates between it and the side's own */
};
struct sd_cert_path {
    struct sd_cert_chain chain;
    struct sd_path_cert link;
};
/* False when there is no chain to read. */
bool sd_path_init(const struct sd_case *c, enum sd_side owner, struct sd_cert_path *p);
bool sd_path_next(const struct sd_case *c, struct sd_cert_path *p);

/* The first of the path that is `bad` at the time `now` (seconds since 1970). */
typedef bool sd_cert_fault(const struct sd_path_cert *link, int64_t now);
bool sd_path_find(const struct sd_case *c, enum sd_side owner, sd_cert_fault *bad,
                  struct sd_path_cert *found);
/* It may not sign what it signed: no CA, no keyCertSign, or more intermediates than it allows. */
sd_cert_fault sd_may_not_issue;
/* Something is wrong with a certificate above the side's own. */
bool sd_path_faulty(const struct sd_case *c, enum sd_side owner);
/* "The server's certificate", or "Certificate 2 of the server's chain". Returns buf. */
enum { SD_PLACE_TEXT = 64 };
const char *sd_path_cert_text(const struct sd_path_cert *link, enum sd_side owner,
                              char buf[static SD_PLACE_TEXT]);

/* What the chosen suite needs in DTLS up to 1.2. */
struct sd_suite_needs {
    char name[64];
    const char *key; /* of the certificate; NULL = none, or the suite does not say */
    enum sd_exchange_kind kind;
    bool psk;
};
struct sd_suite_needs sd_suite_needs_of(const struct sd_exchange *x);

/* What the ServerKeyExchange chose; false when there is none, or it has neither. */
bool sd_server_key_of(const struct sd_exchange *x, struct sd_server_key *k);
/* The CertificateRequest. */
bool sd_cert_request_of(const struct sd_exchange *x, struct sd_cert_request *q);
/* Its certificate types and CA names in words, each list cut where `cap` ends; returns buf. */
const char *sd_cert_request_text(const struct sd_exchange *x, char *buf, size_t cap);

enum { SD_MISFIT_TEXT = 256 };

enum sd_misfit {
    SD_FITS,
    SD_MISFIT_POLICY, /* many verifiers do not mind */
    SD_MISFIT_RULE    /* the protocol forbids it */
};

/* Whether this side's certificate and signature fit what the hellos or the CertificateRequest
 * agreed on; if not, `text` has a sentence about it. */
enum sd_misfit sd_leaf_misfit(const struct sd_case *c, enum sd_side owner,
                              char text[static SD_MISFIT_TEXT]);

#endif
