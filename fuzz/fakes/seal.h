/* Protects records as their sender does, with keys that lib/tls derived, to see them opened. */
#ifndef FUZZ_SEAL_H
#define FUZZ_SEAL_H

#include "unseal/keys12.h"
#include "unseal/secrets.h"

struct seal_plain {
    uint8_t type;
    uint16_t epoch; /* of DTLS 1.3: the whole epoch */
    uint64_t seq;
    struct sd_span cid, content;
    size_t padding; /* inner zeros; CBC: whole blocks more than needed */
    bool broken;    /* no type before the zeros, or padding of CBC that is not right */
};

/* DTLS 1.0 and 1.2; with a connection id it is a tls12_cid record. False when it does not fit, or
 * has no padding that could be broken. */
bool seal12(struct sd_wr *w, const struct sd_keys12 *k, bool from_server, uint16_t version,
            const struct seal_plain *p);
/* DTLS 1.3, from the traffic secret of that epoch. */
bool seal13(struct sd_wr *w, uint16_t suite, const struct sd_secret *secret,
            const struct seal_plain *p);

#endif
