/* SPDX-License-Identifier: MIT */
/* The client's half of a key exchange of DTLS 1.0 and 1.2: from the server's key to the
 * ClientKeyExchange and the premaster secret. The server's signature is not checked: a scan asks
 * what the server does, and trusts nothing that it says. */
#ifndef PUPPET_EXCHANGE_H
#define PUPPET_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum puppet_secret_kind {
    PUPPET_SECRET_NONE, /* plain PSK */
    PUPPET_SECRET_RSA,
    PUPPET_SECRET_DHE,
    PUPPET_SECRET_ECDHE
};

struct puppet_exchange {
    enum puppet_secret_kind kind;
    bool psk;       /* a pre-shared key goes into the secret */
    bool anonymous; /* no certificate */
};

/* What both sides brought. */
struct puppet_parts {
    struct sd_span server_key;    /* body of ServerKeyExchange; empty = none came */
    struct sd_span certificate;   /* the server's own, in DER; RSA wants it */
    struct sd_span identity, key; /* of the pre-shared key */
    uint16_t version;             /* of the ClientHello: RSA repeats it */
};

enum {
    PUPPET_DH_BITS_MAX = 8192, /* what longer ones cost is the client's time */
    PUPPET_PREMASTER_MAX = PUPPET_DH_BITS_MAX / 8 + 2 + 2 + 512,
    PUPPET_CKE_MAX = PUPPET_DH_BITS_MAX / 8 + 2 + 2 + 256
};

struct puppet_secret {
    uint8_t premaster[PUPPET_PREMASTER_MAX];
    size_t premaster_len;
    uint8_t message[PUPPET_CKE_MAX]; /* the body of ClientKeyExchange */
    size_t message_len;
    uint16_t group;    /* of ECDHE */
    size_t params_len; /* bytes of ServerKeyExchange before its signature; RSA has none */
};

/* False when the puppet cannot move this suite's key exchange. */
bool puppet_exchange_of(uint16_t suite, struct puppet_exchange *x);
/* False when the server's key cannot be used: malformed, an unknown group, too long. */
bool puppet_exchange_run(const struct puppet_exchange *x, const struct puppet_parts *parts,
                         struct puppet_secret *s);

#endif
