/* SPDX-License-Identifier: MIT */
/* Sentences on a terminal. */
#ifndef TOOL_TEXT_H
#define TOOL_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* "1 packet", "2 packets". */
static inline const char *tool_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* Breaks `text` between words into lines of at most `width` columns, each indented. */
void tool_wrap(FILE *to, const char *text, unsigned indent, unsigned width);
/* The same, where the first line has `used` columns already: the text begins on this line when two
 * blanks fit before `indent`, else on the next. */
void tool_wrap_after(FILE *to, unsigned used, const char *text, unsigned indent, unsigned width);

#endif
