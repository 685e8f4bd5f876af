/* SPDX-License-Identifier: MIT */
#include "common/printable.h"

#include <stdio.h>
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

size_t tool_character(const char *p, size_t len, uint32_t *value)
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

bool tool_is_harmless(uint32_t c)
{
    bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
    return !control && !changes_direction(c) && (c & 0xfffe) != 0xfffe;
}

/* How many bytes at p print themselves as one character; 0: the first of them does not. */
static size_t prints_itself(const char *p, size_t len)
{
    uint32_t c = 0;
    size_t n = tool_character(p, len, &c);
    return n && tool_is_harmless(c) ? n : 0;
}

const char *tool_printable(const char *text, char *buf, size_t cap)
{
    enum { ESCAPED = sizeof "\\xNN" - 1 };
    size_t at = 0, len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t n = prints_itself(text + i, len - i);
        if (at + (n ? n : ESCAPED) + 1 > cap)
            break;
        if (n)
            memcpy(buf + at, text + i, n);
        else
            snprintf(buf + at, cap - at, "\\x%02x", (unsigned char)text[i]);
        at += n ? n : ESCAPED;
        i += n ? n : 1;
    }
    buf[at] = '\0';
    return buf;
}

bool tool_is_printable(const char *text)
{
    size_t len = strlen(text), n = 1;
    for (size_t i = 0; i < len && n; i += n)
        n = prints_itself(text + i, len - i);
    return n;
}
