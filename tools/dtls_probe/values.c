/* SPDX-License-Identifier: MIT */
#include "dtls_probe/values.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ESCAPED = 4 /* characters */, MORE = sizeof "..." };

/* Two digits at `to`: with snprintf() these would be a fifth of the work of --json. */
static void put_digits(char *to, uint8_t byte, const char *digits)
{
    to[0] = digits[byte >> 4];
    to[1] = digits[byte & 15];
}

json_t *probe_value_hex(struct sd_span s)
{
    char text[2 * PROBE_BYTES_MAX + MORE];
    size_t n = s.len < PROBE_BYTES_MAX ? s.len : PROBE_BYTES_MAX;
    for (size_t i = 0; i < n; i++)
        put_digits(text + 2 * i, s.p[i], "0123456789abcdef");
    strcpy(text + 2 * n, n < s.len ? "..." : "");
    return json_string(text);
}

json_t *probe_value_text(struct sd_span s)
{
    char text[ESCAPED * PROBE_BYTES_MAX + MORE];
    size_t n = s.len < PROBE_BYTES_MAX ? s.len : PROBE_BYTES_MAX, at = 0;
    for (size_t i = 0; i < n; i++) {
        bool plain = s.p[i] >= ' ' && s.p[i] < 127 && s.p[i] != '\\';
        at += (size_t)snprintf(text + at, ESCAPED + 1, plain ? "%c" : "\\x%02x", s.p[i]);
    }
    strcpy(text + at, n < s.len ? "..." : "");
    return json_string(text);
}

json_t *probe_value_opaque(struct sd_span s)
{
    json_t *o = json_object();
    json_object_set_new(o, "length", json_integer((json_int_t)s.len));
    json_object_set_new(o, "hex", probe_value_hex(s));
    return o;
}

json_t *probe_value_name(enum sd_registry registry, uint16_t value)
{
    char buf[SD_NAME_TEXT];
    return json_string(sd_name(registry, value, buf));
}

json_t *probe_value_fingerprint(const uint8_t sha256[static 32])
{
    char text[] = "sha-256 "
                  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"
                  "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";
    for (size_t i = 0; i < 32; i++)
        put_digits(text + strlen("sha-256 ") + 3 * i, sha256[i], "0123456789ABCDEF");
    return json_string(text);
}

/* A certificate may name any year. */
json_t *probe_value_time(int64_t seconds)
{
    char text[64];
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_string("?");
    return json_string(text);
}

bool probe_list_add(json_t *list, json_t *value)
{
    if (json_array_size(list) < PROBE_LIST_MAX)
        return !json_array_append_new(list, value);
    json_decref(value);
    if (json_array_size(list) == PROBE_LIST_MAX)
        json_array_append_new(list, json_string("..."));
    return false;
}

json_t *probe_list_names(enum sd_registry registry, struct sd_span values, unsigned width)
{
    json_t *list = json_array();
    struct sd_rd r = sd_rd_init(values.p, values.len);
    while (sd_rd_left(&r) >= width) {
        uint16_t v = width == 1 ? sd_rd_u8(&r) : sd_rd_u16(&r);
        if (!probe_list_add(list, probe_value_name(registry, v)))
            break;
    }
    return list;
}
