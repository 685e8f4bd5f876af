/* SPDX-License-Identifier: MIT */
/* A ClientHello as a value: a check takes one, changes what it asks about, and sends it. */
#ifndef SCAN_ASK_HELLO_H
#define SCAN_ASK_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "wire/hello.h"

enum { SCAN_SUITES = 420, SCAN_CODES = 64, SCAN_EXTRA = 4096, SCAN_COOKIE = 255 };
/* Room for the body of any ClientHello of ours. */
enum { SCAN_HELLO_BYTES = 12288 };

/* A list of 16-bit code points. An empty list leaves its extension out. */
struct scan_codes {
    unsigned count;
    uint16_t code[SCAN_CODES];
};

/* Extensions that have no content, or always the same. */
enum scan_hello_ext {
    SCAN_EXT_EMS = 1,
    SCAN_EXT_ETM = 1 << 1,
    SCAN_EXT_RENEGOTIATION = 1 << 2,
    SCAN_EXT_TICKET = 1 << 3,
    SCAN_EXT_STATUS = 1 << 4,
    SCAN_EXT_POINTS = 1 << 5,
    SCAN_EXT_HEARTBEAT = 1 << 6,
    SCAN_EXT_CID = 1 << 7,        /* an empty one: the server's answer tells whether it has it */
    SCAN_EXT_RAW_KEY = 1 << 8,    /* the server's certificate as raw public key, or X.509 */
    SCAN_EXT_EMPTY_SHARE = 1 << 9 /* key_share without a key: a 1.3 server names its group */
};

struct scan_hello {
    uint16_t record_version, version;
    uint8_t random[SD_RANDOM_LEN];
    uint8_t session_id[SD_SESSION_ID_MAX];
    unsigned session_id_len;
    uint8_t cookie[SCAN_COOKIE];
    unsigned cookie_len;
    unsigned suite_count;
    uint16_t suites[SCAN_SUITES];
    unsigned compression_count;
    uint8_t compression[8];

    uint32_t ext; /* enum scan_hello_ext */
    struct scan_codes versions, groups, schemes, srtp;
    struct scan_codes shares;  /* groups with a key share; keys that nobody has the other half of */
    const char *server_name;   /* NULL = none */
    const char *alpn;          /* names with commas between; NULL = none */
    uint8_t max_fragment;      /* code of RFC 6066; 0 = none */
    uint16_t record_limit;     /* RFC 8449; 0 = none */
    uint8_t extra[SCAN_EXTRA]; /* further extensions, whole, put last */
    size_t extra_len;
};

/* What most servers of `version` (enum in wire/record.h) like: suites, groups and signature
 * algorithms of today and of yesterday, with a new random. */
void scan_hello_init(struct scan_hello *h, uint16_t version);
void scan_hello_renew(struct scan_hello *h); /* another random */
void scan_codes_set(struct scan_codes *list, const uint16_t *codes, unsigned count);
void scan_hello_suites(struct scan_hello *h, const uint16_t *suites, unsigned count);
/* Takes a suite off the list. */
void scan_hello_drop_suite(struct scan_hello *h, uint16_t suite);
/* Appends an extension to `extra`. */
void scan_hello_add(struct scan_hello *h, uint16_t type, const void *body, size_t len);
/* Writes the body of the message. */
void scan_hello_body(struct sd_wr *w, const struct scan_hello *h);

#endif
