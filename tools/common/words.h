/* SPDX-License-Identifier: MIT */
/* A text that grows in place and is cut when full, and names as packet analysers print them. */
#ifndef TOOL_WORDS_H
#define TOOL_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/names.h"

struct tool_words {
    char *buf; /* always ends in 0 */
    size_t cap, len;
};

/* Empty, over `buf` with room for `cap` bytes, at least one. */
struct tool_words tool_words_in(char *buf, size_t cap);
void tool_words_add(struct tool_words *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same without a format: several times as fast. Here, as the length of most texts is known
 * where they are added. */
static inline void tool_words_text(struct tool_words *w, const char *text)
{
    size_t len = strlen(text), room = w->cap - w->len - 1;
    len = len < room ? len : room;
    memcpy(w->buf + w->len, text, len);
    w->len += len;
    w->buf[w->len] = '\0';
}
void tool_words_number(struct tool_words *w, uint64_t n);
/* With spaces up to `width` columns: behind it, or in front. */
void tool_words_left(struct tool_words *w, const char *text, size_t width);
void tool_words_right(struct tool_words *w, const char *text, size_t width);
void tool_words_number_right(struct tool_words *w, uint64_t n, size_t width);
/* "server_hello_done" as "Server Hello Done". */
void tool_words_title(struct tool_words *w, enum sd_registry registry, uint16_t value);

#endif
