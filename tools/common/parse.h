/* SPDX-License-Identifier: MIT */
/* Arguments of a command line: numbers, times, hex digits, and the spellings of an address. All
 * return false for text that is not one, and leave the result alone. */
#ifndef TOOL_PARSE_H
#define TOOL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

bool tool_parse_uint(const char *text, unsigned max, unsigned *value);
/* 0 to 65535 */
bool tool_parse_port(const char *text, uint16_t *value);
enum { TOOL_MS_PER_SEC = 1000 };
/* "1.5s", "300ms", "5m", "1h"; a bare number counts in units of `unit_ms` milliseconds. */
bool tool_parse_ms(const char *text, unsigned unit_ms, unsigned *ms);
/* "500k", "2.5M", "1G": bits a second; a bare number is bits. */
bool tool_parse_bits(const char *text, uint64_t *bits);
/* Pairs of hex digits; *len is the capacity before and the bytes after. */
bool tool_parse_hex(const char *text, uint8_t *out, size_t *len);

/* An address as the user wrote it. host and port point into buf. */
struct tool_target {
    const char *host, *port; /* NULL = not given */
    char buf[512];
};

/* Up to two arguments, in either order: HOST PORT, HOST:PORT, [V6]:PORT, V6 PORT.
 * One to five digits are a port. */
bool tool_parse_target(struct tool_target *t, char *const *args, int count,
                       char why[static TOOL_WHY]);

#endif
