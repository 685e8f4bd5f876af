/* SPDX-License-Identifier: MIT */
#include "dtls_probe/markup.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static char plain_char(char c)
{
    return c >= ' ' && c < 0x7f ? c : '?';
}

const char *probe_plain(const char *text, char *buf, size_t cap)
{
    size_t n = 0;
    for (; text[n] && n + 1 < cap; n++)
        buf[n] = plain_char(text[n]);
    buf[n] = '\0';
    return buf;
}

/* Issue trackers look for "@name", "#12", "GH-12", "www." and "://" in the rendered text, so
 * neither a backslash nor an entity hides them; an empty comment splits them. */
static bool is_reference(const char *text, size_t i)
{
    char c = text[i];
    if (c == '@' || c == '#' || (c == ':' && text[i + 1] == '/'))
        return true;
    if (c == '-' && isdigit((unsigned char)text[i + 1]))
        return i >= 2 && !strncasecmp(text + i - 2, "GH", 2);
    return c == '.' && i >= 3 && !strncasecmp(text + i - 3, "www", 3);
}

void probe_markdown_text(FILE *to, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        char c = plain_char(text[i]);
        if (is_reference(text, i)) {
            fprintf(to, "<!-- -->%s%c<!-- -->", c == '#' ? "\\" : "", c);
            continue;
        }
        if (strchr("\\`*_[]<>|~&$!", c))
            fputc('\\', to);
        fputc(c, to);
    }
}

void probe_mermaid_text(FILE *to, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        char c = plain_char(text[i]);
        if (isalnum((unsigned char)c) || strchr(" .,:()[]/+-=?'", c))
            fputc(c, to);
        else
            fprintf(to, "#%d;", c);
    }
}
