/* Words of a command line: numbers, times, hex, and the spellings of an
 * address. All return false, and leave the result alone, for what is not one. */
#ifndef TOOL_PARSE_H
#define TOOL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/options.h"

bool tool_parse_uint(const char *text, unsigned max, unsigned *value);
/* 0 to 65535 */
bool tool_parse_port(const char *text, uint16_t *value);
/* "1.5s", "300ms", "5m", "1h"; a bare number counts in `unit_ms`. */
bool tool_parse_ms(const char *text, unsigned unit_ms, unsigned *ms);
/* Pairs of hex digits; *len is the capacity before and the bytes after. */
bool tool_parse_hex(const char *text, uint8_t *out, size_t *len);

/* Where to, as the user wrote it. Points into buf. */
struct tool_target {
    const char *host, *port; /* NULL = not given */
    char buf[512];
};

/* Up to two arguments, in either order: HOST PORT, HOST:PORT, [V6]:PORT, V6 PORT.
 * All digits and no more than five of them is a port. */
bool tool_parse_target(struct tool_target *t, char *const *args, int count,
                       char why[static TOOL_WHY]);

#endif
