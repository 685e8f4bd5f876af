/* SPDX-License-Identifier: MIT */
/* Bytes of the network as JSON values. Each is printable ASCII, and has a bounded length. */
#ifndef PROBE_VALUES_H
#define PROBE_VALUES_H

#include <jansson.h>

#include "base/cursor.h"
#include "wire/names.h"

enum {
    PROBE_LIST_MAX = 128, /* values of a list; "..." stands for the rest */
    PROBE_BYTES_MAX = 256 /* bytes of a value; "..." stands for the rest */
};

json_t *probe_value_hex(struct sd_span s);
/* As text: what is not printable, and the backslash, is written as \xNN. */
json_t *probe_value_text(struct sd_span s);
/* {"length", "hex"} */
json_t *probe_value_opaque(struct sd_span s);
json_t *probe_value_name(enum sd_registry registry, uint16_t value);
/* "sha-256 AB:CD:...", as in a=fingerprint of an SDP (RFC 8122 section 5). */
json_t *probe_value_fingerprint(const uint8_t sha256[static 32]);
/* "2026-01-31T23:59:59Z" */
json_t *probe_value_time(int64_t seconds);

/* Adds to a list; false when it is full: then it ends in "...". Takes over `value`. */
bool probe_list_add(json_t *list, json_t *value);
/* The names of values of `width` bytes each, 1 or 2. */
json_t *probe_list_names(enum sd_registry registry, struct sd_span values, unsigned width);

#endif
