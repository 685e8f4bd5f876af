/* SPDX-License-Identifier: MIT */
/* The Certificate message (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2), and what a
 * diagnosis wants to know of a certificate. The module that reads X.509 implements
 * sd_cert_reader. */
#ifndef SD_WIRE_CERTIFICATE_H
#define SD_WIRE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

struct sd_cert_chain {
    struct sd_rd rd;
    bool tls13; /* each entry is followed by extensions */
};

/* The chain in the body of a whole Certificate message, for sd_cert_next(). False
 * unless the list fills the body. */
bool sd_cert_chain_init(struct sd_cert_chain *chain, struct sd_span body, bool tls13);
/* The next certificate in DER, the peer's own first. */
bool sd_cert_next(struct sd_cert_chain *chain, struct sd_span *der);

/* What the extensions of a certificate can forbid (RFC 5280 sections 4.2.1.3 and 4.2.1.12). */
enum sd_cert_use {
    SD_CERT_NO_SIGNING = 1,           /* key usage without digitalSignature */
    SD_CERT_NO_ENCIPHERMENT = 1 << 1, /* key usage without keyEncipherment */
    SD_CERT_NO_SERVER = 1 << 2,       /* extended key usage, and serverAuth is not in it */
    SD_CERT_NO_CLIENT = 1 << 3,       /* the same of clientAuth */
    SD_CERT_NO_ISSUING = 1 << 4       /* key usage without keyCertSign */
};

/* Texts are printable and cut to fit. */
struct sd_cert {
    int64_t not_before, not_after; /* seconds since 1970, UTC */
    char subject[128], issuer[128];
    char names[256];    /* DNS names and addresses of subjectAltName, ", " between them */
    char key[16];       /* "RSA", "EC", "Ed25519", ... */
    char signature[40]; /* "ecdsa-with-SHA256" */
    uint16_t group;     /* of an EC key, the named group; 0 = another key or another curve */
    uint16_t scheme;    /* of the signature on it, as in signature_algorithms; 0 = not known */
    uint8_t forbids;    /* enum sd_cert_use */
    uint8_t depth;      /* of a CA: 1 + the intermediates that may follow it; 0 = any number */
    unsigned key_bits;
    unsigned security_bits;  /* of the key: 112 = RSA 2048 (NIST SP 800-57) */
    char serial[44];         /* hex digits, at most 20 bytes of them (RFC 5280 section 4.1.2.2) */
    uint8_t key_hash[32];    /* SHA-256 of the public key */
    uint8_t fingerprint[32]; /* SHA-256 of the certificate, as in a=fingerprint (RFC 8122) */
    bool weak_digest;        /* signed with MD5 or SHA-1 */
    bool self_signed;        /* signed with its own key */
    bool ca;
};

struct sd_cert_reader {
    void *arg;
    /* False when it is no certificate. */
    bool (*read)(void *arg, struct sd_span der, struct sd_cert *cert);
    /* `der` is for this host name or address. */
    bool (*names)(void *arg, struct sd_span der, struct sd_span host);
    /* `der` is signed with the key of `issuer`. */
    bool (*issued)(void *arg, struct sd_span der, struct sd_span issuer);
    /* Another certificate that was read not long before has the same issuer and serial number, and
     * another key. NULL = cannot tell. */
    bool (*twin)(void *arg, struct sd_span der, struct sd_cert *twin);
    /* A distinguished name in DER as text, as the subject of a sd_cert. False when it is none. */
    bool (*dn)(void *arg, struct sd_span der, char *text, size_t cap);
};

#endif
