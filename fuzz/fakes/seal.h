/* SPDX-License-Identifier: MIT */
/* Protects records as a sender does, with keys that lib/unseal derived, so that a target can open
 * them. */
#ifndef FUZZ_SEAL_H
#define FUZZ_SEAL_H

#include "unseal/keys12.h"
#include "unseal/secrets.h"

struct seal_plain {
    uint8_t type;
    uint16_t epoch; /* of DTLS 1.3: the whole epoch */
    uint64_t seq;
    struct sd_span cid, content;
    size_t padding; /* zeros after the content; CBC: extra blocks of padding */
    bool broken;    /* no type before the zeros, or wrong CBC padding */
};

/* DTLS 1.0 and 1.2; with a connection id it is a tls12_cid record. False: it does not fit, or has
 * no padding that could be broken. */
bool seal12(struct sd_wr *w, const struct sd_keys12 *k, bool from_server, uint16_t version,
            const struct seal_plain *p);
/* DTLS 1.3, with the traffic secret of the record's epoch. */
bool seal13(struct sd_wr *w, uint16_t suite, const struct sd_secret *secret,
            const struct seal_plain *p);

#endif
