/* SPDX-License-Identifier: MIT */
#include "dtls_probe/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence that this byte begins (RFC 3629 section 3), 0 = none; *value gets
 * the byte's own bits. */
static size_t sequence_length(unsigned char lead, uint32_t *value)
{
    if (lead < 0x80)
        return *value = lead, 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return *value = lead & 0x1f, 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return *value = lead & 0x0f, 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return *value = lead & 0x07, 4;
    return 0;
}

/* Length of the character that begins here, which goes to *value; 0 = not UTF-8. */
static size_t character_length(const char *p, size_t len, uint32_t *value)
{
    size_t n = sequence_length((unsigned char)*p, value);
    if (!n || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
        *value = *value << 6 | ((unsigned char)p[i] & 0x3f);
    }
    bool overlong = (n == 3 && *value < 0x800) || (n == 4 && *value < 0x10000);
    bool surrogate = *value >= 0xd800 && *value <= 0xdfff;
    return overlong || surrogate || *value > 0x10ffff ? 0 : n;
}

static bool changes_direction(uint32_t c)
{
    return (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x061c;
}

static bool is_allowed(uint32_t c)
{
    bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c <= 0x9f);
    return !control && !changes_direction(c) && (c & 0xfffe) != 0xfffe;
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

void probe_escape_part(FILE *to, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c = 0;
        n = character_length(text + i, len - i, &c);
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

void probe_escape(FILE *to, const char *text)
{
    probe_escape_part(to, text, strlen(text));
}
