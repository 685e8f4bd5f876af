/* SPDX-License-Identifier: MIT */
#include "common/words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tool_words tool_words_in(char *buf, size_t cap)
{
    buf[0] = '\0';
    return (struct tool_words){buf, cap, 0};
}

void tool_words_add(struct tool_words *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(w->buf + w->len, w->cap - w->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        w->len += (size_t)n < w->cap - w->len ? (size_t)n : w->cap - w->len - 1;
}

enum { DIGITS = 21 /* of any number, and a 0 */ };

static const char *decimal(uint64_t n, char digits[static DIGITS])
{
    char *p = digits + DIGITS - 1;
    *p = '\0';
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return p;
}

void tool_words_number(struct tool_words *w, uint64_t n)
{
    char digits[DIGITS];
    tool_words_text(w, decimal(n, digits));
}

static void add_spaces(struct tool_words *w, size_t count)
{
    while (count-- && w->len + 1 < w->cap)
        w->buf[w->len++] = ' ';
    w->buf[w->len] = '\0';
}

void tool_words_left(struct tool_words *w, const char *text, size_t width)
{
    size_t from = w->len;
    tool_words_text(w, text);
    size_t len = w->len - from;
    add_spaces(w, len < width ? width - len : 0);
}

void tool_words_right(struct tool_words *w, const char *text, size_t width)
{
    size_t len = strnlen(text, width);
    add_spaces(w, width - len);
    tool_words_text(w, text);
}

void tool_words_number_right(struct tool_words *w, uint64_t n, size_t width)
{
    char digits[DIGITS];
    tool_words_right(w, decimal(n, digits), width);
}

void tool_words_title(struct tool_words *w, enum sd_registry registry, uint16_t value)
{
    char buf[SD_NAME_TEXT];
    size_t from = w->len;
    tool_words_text(w, sd_name(registry, value, buf));
    bool first = true;
    for (char *p = w->buf + from; *p; p++) {
        if (first)
            *p = (char)toupper((unsigned char)*p);
        first = *p == '_' || *p == ' ';
        if (*p == '_')
            *p = ' ';
    }
}
