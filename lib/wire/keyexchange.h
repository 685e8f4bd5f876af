/* SPDX-License-Identifier: MIT */
/* What a ServerKeyExchange and a CertificateRequest choose and ask for (RFC 5246 sections 7.4.3 and
 * 7.4.4, RFC 8422 section 5.4, RFC 8446 section 4.3.2). */
#ifndef SD_WIRE_KEYEXCHANGE_H
#define SD_WIRE_KEYEXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum sd_exchange_kind {
    SD_KX_NONE, /* nothing of interest here: static RSA, plain PSK, EC J-PAKE */
    SD_KX_ECDHE,
    SD_KX_DHE
};

struct sd_server_key {
    uint16_t group;      /* ECDHE: the named curve; 0 = an explicit one */
    unsigned prime_bits; /* DHE */
    uint16_t scheme;     /* of the signature; 0 = none, or one without a name in DTLS 1.0 */
};

/* psk: an identity hint comes first and no signature follows; schemes: DTLS 1.2. False, and all
 * zero, unless what it tells is whole. */
bool sd_server_key_parse(struct sd_server_key *k, struct sd_span body, enum sd_exchange_kind kind,
                         bool psk, bool schemes);

/* enum sd_cert_type: ClientCertificateType of RFC 5246 and RFC 8422. */
enum sd_cert_type { SD_CERT_RSA_SIGN = 1, SD_CERT_DSS_SIGN = 2, SD_CERT_ECDSA_SIGN = 64 };

/* Borrows the body. */
struct sd_cert_request {
    struct sd_span types;       /* a byte each; empty in DTLS 1.3 */
    struct sd_span schemes;     /* two bytes each; empty in DTLS 1.0 */
    struct sd_span authorities; /* for sd_authority_next() */
};

/* `version`: that of the handshake. False, and all zero, unless it is well-formed. */
bool sd_cert_request_parse(struct sd_cert_request *r, struct sd_span body, uint16_t version);
/* The next distinguished name in DER. */
bool sd_authority_next(struct sd_rd *authorities, struct sd_span *dn);
/* Its common name, or else its organisation, printable; "" when it has neither. Returns buf. */
const char *sd_authority_text(struct sd_span dn, char *buf, size_t cap);

#endif
