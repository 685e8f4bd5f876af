/* SPDX-License-Identifier: MIT */
/* What a handshake message says, field by field: for --json as it is, for -v as lines. */
#ifndef PROBE_DETAILS_H
#define PROBE_DETAILS_H

#include <jansson.h>
#include <stdio.h>

#include "flow/exchange.h"
#include "wire/certificate.h"

enum { PROBE_MESSAGES_MAX = 32 };

/* The messages that one datagram completes. Owns their fields. */
struct probe_messages {
    struct {
        const struct sd_event *last; /* see sd_tracker_config.message */
        json_t *fields;
    } list[PROBE_MESSAGES_MAX];
    size_t count;
};

/* Takes over `fields`, which may be NULL. */
void probe_messages_add(struct probe_messages *m, const struct sd_event *last, json_t *fields);
/* NULL when no message ends there. */
const json_t *probe_messages_find(const struct probe_messages *m, const struct sd_event *e);
void probe_messages_clear(struct probe_messages *m);

/* Of a whole message of `x`; NULL when there is nothing to say, or no memory.
 * `certs` reads certificates; NULL = nobody. */
json_t *probe_details(const struct sd_exchange *x, uint8_t type, struct sd_span body,
                      const struct sd_cert_reader *certs);
/* The certificates of a Certificate message. */
json_t *probe_certificates(struct sd_span body, bool tls13, const struct sd_cert_reader *certs);

/* A line for each field, its name in column `indent`. */
void probe_details_print(FILE *to, const json_t *fields, unsigned indent);

#endif
