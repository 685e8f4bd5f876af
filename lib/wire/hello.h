/* SPDX-License-Identifier: MIT */
/* ClientHello, HelloVerifyRequest, ServerHello and HelloRetryRequest
 * (RFC 6347 section 4.2.1, RFC 5246 section 7.4.1, RFC 9147 section 5.3).
 *
 * A hello may come as a first fragment that ends anywhere. The parsers take
 * what is there and say which field is the first that is missing; a field is
 * either whole or empty, except for the extensions, whose block may be cut. */
#ifndef SD_WIRE_HELLO_H
#define SD_WIRE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum { SD_RANDOM_LEN = 32, SD_SESSION_ID_MAX = 32 };

enum sd_hello_status {
    SD_HELLO_WHOLE,
    SD_HELLO_CUT, /* the fragment ends inside `missing` */
    SD_HELLO_BAD  /* `missing` contradicts the length of the message */
};

/* In the order of the wire; a ServerHello has no cookie. */
enum sd_hello_field {
    SD_HELLO_VERSION,
    SD_HELLO_RANDOM,
    SD_HELLO_SESSION_ID,
    SD_HELLO_COOKIE,
    SD_HELLO_SUITES,
    SD_HELLO_COMPRESSION,
    SD_HELLO_EXTENSIONS,
    SD_HELLO_NOTHING
};

struct sd_client_hello {
    uint16_t version; /* legacy_version; what counts in 1.3 is supported_versions */
    struct sd_span random, session_id, cookie;
    struct sd_span suites; /* two bytes each */
    struct sd_span compression;
    struct sd_span extensions; /* for sd_ext_next() */
    enum sd_hello_field missing;
};

/* `body` is the message, or its beginning; `length` that of the message. */
enum sd_hello_status sd_client_hello_parse(struct sd_client_hello *ch, struct sd_span body,
                                           size_t length);
/* Writes the body of the message. No extensions: the block is left out. */
void sd_client_hello_build(struct sd_wr *w, const struct sd_client_hello *ch);

struct sd_hello_verify {
    uint16_t version;
    struct sd_span cookie;
};

/* False, and all zero, unless it is whole. */
bool sd_hello_verify_parse(struct sd_hello_verify *hv, struct sd_span body);
void sd_hello_verify_build(struct sd_wr *w, const struct sd_hello_verify *hv);

struct sd_server_hello {
    uint16_t version; /* legacy_version; sd_server_hello_version() has the real one */
    struct sd_span random, session_id;
    uint16_t suite;
    uint8_t compression;
    struct sd_span extensions;
    bool retry; /* a HelloRetryRequest: its random is the magic one (RFC 8446 4.1.3) */
    enum sd_hello_field missing;
};

enum sd_hello_status sd_server_hello_parse(struct sd_server_hello *sh, struct sd_span body,
                                           size_t length);
/* The version selected: supported_versions if there, else legacy_version. A draft of DTLS 1.3 is
 * DTLS 1.3. */
uint16_t sd_server_hello_version(const struct sd_server_hello *sh);
/* The random carries the mark of a server that could have done better
 * (RFC 8446 section 4.1.3): SD_DTLS_1_2 or SD_DTLS_1_0, else 0. */
uint16_t sd_server_hello_downgrade(const struct sd_server_hello *sh);

#endif
