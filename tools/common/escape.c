/* SPDX-License-Identifier: MIT */
#include "common/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/printable.h"

/* XML has lines and tabs. */
static bool is_allowed(uint32_t c)
{
    return c == '\n' || c == '\t' || tool_is_harmless(c);
}

static const char *entity(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void tool_escape_part(FILE *to, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c = 0;
        n = tool_character(text + i, len - i, &c);
        if (!n || (n == 1 && !is_allowed(c))) {
            fprintf(to, "\\x%02x", (unsigned char)text[i]);
            n = 1;
        } else if (!is_allowed(c))
            fprintf(to, "\\u%04x", (unsigned)c);
        else if (entity(c))
            fputs(entity(c), to);
        else
            fwrite(text + i, 1, n, to);
    }
}

void tool_escape(FILE *to, const char *text)
{
    tool_escape_part(to, text, strlen(text));
}
