/* SPDX-License-Identifier: MIT */
/* The certificate of one side, and what it does not fit. */
#ifndef SD_FLOW_RULES_LEAF_H
#define SD_FLOW_RULES_LEAF_H

#include "flow/diagnosis.h"
#include "wire/keyexchange.h"

struct sd_leaf {
    struct sd_cert cert;
    struct sd_span der;
    unsigned count; /* certificates that were sent */
};

/* False when this side sent none that could be read. */
bool sd_leaf_read(const struct sd_case *c, enum sd_side owner, struct sd_leaf *leaf);

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
