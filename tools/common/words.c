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

void tool_words_text(struct tool_words *w, const char *text)
{
    size_t len = strnlen(text, w->cap - w->len - 1);
    memcpy(w->buf + w->len, text, len);
    w->len += len;
    w->buf[w->len] = '\0';
}

void tool_words_number(struct tool_words *w, uint64_t n)
{
    char digits[21];
    char *p = digits + sizeof digits - 1;
    *p = '\0';
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    tool_words_text(w, p);
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
