/* Sentences on a terminal. */
#ifndef TOOL_TEXT_H
#define TOOL_TEXT_H

#include <stdio.h>

/* Breaks `text` between words into lines of at most `width` columns, each indented. */
void tool_wrap(FILE *to, const char *text, unsigned indent, unsigned width);

#endif
