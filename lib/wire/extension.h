/* SPDX-License-Identifier: MIT */
/* Extensions of a hello: an iterator over the block, and a reader for each
 * kind that a trace or a diagnosis speaks of. Every reader takes the body of
 * one extension and returns false when it is not well-formed as a whole. */
#ifndef SD_WIRE_EXTENSION_H
#define SD_WIRE_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/iana.h"

enum sd_ext_status {
    SD_EXT_OK,
    SD_EXT_END,
    SD_EXT_CUT /* the block ends inside an extension, as in a fragment */
};

struct sd_ext {
    uint16_t type; /* enum sd_ext_type, GREASE, ... */
    struct sd_span body;
};

/* The next extension; *e is zero unless OK. After CUT the reader is bad. */
enum sd_ext_status sd_ext_next(struct sd_rd *block, struct sd_ext *e);
/* The first extension of this type. */
bool sd_ext_find(struct sd_span block, uint16_t type, struct sd_span *body);
bool sd_ext_has(struct sd_span block, uint16_t type);

/* A single 16-bit value: supported_versions of a server, key_share of a
 * HelloRetryRequest, record_size_limit. */
bool sd_ext_u16(struct sd_span body, uint16_t *value);
/* A non-empty list of 16-bit values with a length field of `width` bytes: 1 for
 * the client's supported_versions, 2 for supported_groups and
 * signature_algorithms. Read them with sd_rd_u16() while sd_rd_left(). */
bool sd_ext_u16s(struct sd_span body, unsigned width, struct sd_rd *list);
/* One opaque value with a length field of `width` bytes that fills the body: 1
 * for connection_id and renegotiation_info, 2 for cookie. */
bool sd_ext_opaque(struct sd_span body, unsigned width, struct sd_span *value);

/* server_name of a client: the DNS name, not necessarily text. A server's
 * acknowledgement is empty, and yields false. */
bool sd_ext_server_name(struct sd_span body, struct sd_span *host);
/* The protocol names, for sd_alpn_next(). */
bool sd_ext_alpn(struct sd_span body, struct sd_rd *names);
bool sd_alpn_next(struct sd_rd *names, struct sd_span *name);

struct sd_key_share {
    uint16_t group;
    struct sd_span key;
};
/* key_share of a client, for sd_key_share_next(). */
bool sd_ext_key_shares(struct sd_span body, struct sd_rd *shares);
bool sd_key_share_next(struct sd_rd *shares, struct sd_key_share *ks);

struct sd_psk_identity {
    struct sd_span identity; /* a ticket, or a name */
    uint32_t age;            /* obfuscated_ticket_age */
};
/* The identities of a client's pre_shared_key (RFC 8446 section 4.2.11), for
 * sd_psk_identity_next(). */
bool sd_ext_psk_identities(struct sd_span body, struct sd_rd *identities);
bool sd_psk_identity_next(struct sd_rd *identities, struct sd_psk_identity *id);

/* use_srtp (RFC 5764 section 4.1.1): profiles as in sd_ext_u16s. */
bool sd_ext_use_srtp(struct sd_span body, struct sd_rd *profiles, struct sd_span *mki);

#endif
