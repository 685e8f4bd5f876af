/* SPDX-License-Identifier: MIT */
#include "common/fields.h"

#include <stdbool.h>
#include <string.h>

#include "common/printable.h"

static const struct {
    const char *field, *option;
} names[] = {
    {"cert_file", "--cert"},
    {"key_file", "--key"},
    {"psk", "--psk"},
    {"psk_identity", "--psk-identity"},
    {"psk_hint", "--psk-hint"},
    {"psk_file", "--psk-file"},
    {"ca_file", "--ca-file"},
    {"pins", "--pin"},
    {"ca_path", "--ca-path"},
    {"verify_host", "--verify-host"},
    {"server_name", "--sni"},
    {"alpn", "--alpn"},
    {"srtp", "--srtp"},
    {"ciphers", "--ciphers"},
    {"groups", "--groups"},
    {"sigalgs", "--sigalgs"},
    {"min_version", "--min"},
    {"max_version", "--max"},
    {"session_file", "--session"},
};

static bool begins_with(const char *p, const char *start)
{
    return !strncmp(p, start, strlen(start));
}

/* A path, a host and what stands in quotes are no field names; "psk" and "ciphers" are words, too,
 * except where something is said of the field. */
static size_t field_length(const char *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    size_t len = strspn(p, letters);
    const char *next = p + len;
    if (memchr(p, '_', len))
        return strchr(" ,:;)", *next) ? len : 0;
    bool subject = begins_with(next, " \"") || begins_with(next, " is ") ||
                   begins_with(next, " needs ") || *next == ')';
    return subject ? len : 0;
}

static const char *option_of_field(const char *p, size_t len)
{
    for (size_t i = 0; len && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].field) == len && !memcmp(names[i].field, p, len))
            return names[i].option;
    return NULL;
}

static size_t append_bytes(char *buf, size_t cap, size_t at, const char *p, size_t len)
{
    if (len > cap - 1 - at)
        len = cap - 1 - at;
    memcpy(buf + at, p, len);
    return at + len;
}

const char *tool_library_text(const char *text, char *buf, size_t cap)
{
    char words[1024];
    size_t at = 0;
    for (const char *p = text; *p;) {
        size_t len = p == text || strchr(" (", p[-1]) ? field_length(p) : 0;
        const char *option = option_of_field(p, len);
        at =
            append_bytes(words, sizeof words, at, option ? option : p, option ? strlen(option) : 1);
        p += option ? len : 1;
    }
    words[at] = '\0';
    return tool_printable(words, buf, cap);
}
