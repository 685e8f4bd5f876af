/* SPDX-License-Identifier: MIT */
/* Text of unknown origin inside XML and HTML: all such text in --svg and --html goes through here.
 */
#ifndef TOOL_ESCAPE_H
#define TOOL_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* Writes text that is safe as the content of an element and in a quoted attribute. Characters that
 * XML 1.0 forbids, bytes that are not UTF-8 and characters that change the direction of text are
 * written as "\xNN" or "\u202e". */
void tool_escape(FILE *to, const char *text);
/* The same for the first `len` bytes. */
void tool_escape_part(FILE *to, const char *text, size_t len);

#endif
