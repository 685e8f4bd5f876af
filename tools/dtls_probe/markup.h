/* Text of unknown origin on terminals, in Markdown and in Mermaid. escape.h has XML and HTML. */
#ifndef PROBE_MARKUP_H
#define PROBE_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* Printable ASCII; '?' for each other byte: neither commands nor a change of direction get
 * through, whatever the terminal. Cuts what does not fit; returns buf. */
const char *probe_plain(const char *text, char *buf, size_t cap);

/* Stands literally in a paragraph or a table cell, and calls nobody, links nowhere. */
void probe_markdown_text(FILE *to, const char *text);

/* Stands literally behind the colon of a message or note. */
void probe_mermaid_text(FILE *to, const char *text);

#endif
