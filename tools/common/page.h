/* SPDX-License-Identifier: MIT */
/* A page that needs nothing else: no script, no network, no fonts. What all pages of the tools have
 * in common: the head, the colours, the type, and the look of findings. */
#ifndef TOOL_PAGE_H
#define TOOL_PAGE_H

#include <stdio.h>

/* Writes everything up to the page's header, with `title` as its heading and `subject`, text of
 * unknown origin, below it. `styles`: further style sheets, NULL at the end. */
void tool_page_begin(FILE *to, const char *title, const char *subject, const char *const *styles);
void tool_page_end(FILE *to);

/* Markup, text of unknown origin, markup. */
void tool_page_text(FILE *to, const char *before, const char *text, const char *after);

#endif
