/* SPDX-License-Identifier: MIT */
/* Text of unknown origin on terminals, in Markdown and in Mermaid. common/escape.h has XML and
 * HTML. */
#ifndef PROBE_MARKUP_H
#define PROBE_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* Printable ASCII with '?' for each other byte, so that no text can command a terminal. Cuts what
 * does not fit; returns buf. */
const char *probe_plain(const char *text, char *buf, size_t cap);

/* Writes text that Markdown shows literally in a paragraph or table cell, without mentions and
 * links. */
void probe_markdown_text(FILE *to, const char *text);

/* Writes text that Mermaid shows literally after the colon of a message or note. */
void probe_mermaid_text(FILE *to, const char *text);

#endif
