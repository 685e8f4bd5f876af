/* SPDX-License-Identifier: MIT */
/* Text of unknown origin: what a peer, a capture or a file contains. Everything of the kind that
 * goes to a terminal, a log or an environment goes through here. */
#ifndef TOOL_PRINTABLE_H
#define TOOL_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 character that begins here (RFC 3629), which goes to *value; 0 = these bytes
 * are not UTF-8. len > 0. */
size_t tool_character(const char *p, size_t len, uint32_t *value);
/* It prints itself: no control character (C0, DEL, C1), and it does not change the direction of
 * text. */
bool tool_is_harmless(uint32_t character);

/* Writes the text with "\xNN" for each byte of what is not harmless or not UTF-8; doing so twice
 * changes nothing more. Cuts what does not fit, between characters; returns buf, which is another
 * place than text. */
const char *tool_printable(const char *text, char *buf, size_t cap);
/* That would change nothing. */
bool tool_is_printable(const char *text);

#endif
