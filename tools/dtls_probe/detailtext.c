/* SPDX-License-Identifier: MIT */
/* The fields of a message as lines: names left, values right. */
#include <ctype.h>
#include <string.h>

#include "dtls_probe/details.h"

/* Columns. VALUES is past the longest names that are common. */
enum { DEEPER = 2, VALUES = 36, WIDTH = 116, DIGITS = 64 };

/* Where the next character goes. */
struct column {
    FILE *to;
    unsigned at, start; /* start: where values begin */
};

static void pad_to(struct column *c, unsigned column)
{
    for (; c->at < column; c->at++)
        fputc(' ', c->to);
}

static void put_text(struct column *c, const char *text)
{
    fputs(text, c->to);
    c->at += (unsigned)strlen(text);
}

static void end_line(struct column *c)
{
    fputc('\n', c->to);
    c->at = 0;
}

/* The name of a field, and the way to its value. */
static struct column begin_field(FILE *to, const char *name, unsigned indent, bool has_value)
{
    struct column c = {.to = to, .start = VALUES};
    pad_to(&c, indent);
    put_text(&c, name);
    if (!has_value)
        return c;
    if (c.at + DEEPER > c.start)
        end_line(&c);
    pad_to(&c, c.start);
    return c;
}

/* One of several values: never broken, so that it can be searched for. */
static void put_item(struct column *c, const char *text, bool first)
{
    put_text(c, first ? "" : ",");
    if (!first && c->at + strlen(text) + DEEPER > WIDTH) {
        end_line(c);
        pad_to(c, c->start);
    } else if (!first) {
        put_text(c, " ");
    }
    put_text(c, text);
}

static void put_opaque(struct column *c, const json_t *opaque)
{
    char size[48], text[DIGITS + sizeof "..."];
    json_int_t length = json_integer_value(json_object_get(opaque, "length"));
    snprintf(size, sizeof size, "%lld byte%s%s", (long long)length, length == 1 ? "" : "s",
             length ? ": " : "");
    put_text(c, size);
    const char *hex = json_string_value(json_object_get(opaque, "hex"));
    snprintf(text, sizeof text, "%.*s%s", DIGITS, hex ? hex : "",
             hex && strlen(hex) > DIGITS ? "..." : "");
    put_text(c, text);
}

static void put_list(struct column *c, const json_t *values, const json_t *sizes)
{
    char item[4 * 256 + 64];
    size_t count = json_array_size(values);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(values, i));
        const json_t *size = json_array_get(sizes, i);
        snprintf(item, sizeof item, size ? "%s (%lld bytes)" : "%s", text ? text : "",
                 (long long)json_integer_value(size));
        put_item(c, item, !i);
    }
}

static void print_extension(FILE *to, const json_t *e, unsigned indent)
{
    const json_t *values = json_object_get(e, "values"), *opaque = json_object_get(e, "opaque");
    const json_t *mki = json_object_get(e, "mki");
    const char *name = json_string_value(json_object_get(e, "name"));
    json_int_t length = json_integer_value(json_object_get(e, "length"));
    struct column c = begin_field(to, name ? name : "", indent, length > 0);
    put_list(&c, values, json_object_get(e, "sizes"));
    if (mki)
        put_text(&c, "; MKI ");
    if (json_object_get(e, "malformed"))
        put_text(&c, "malformed, ");
    if (opaque || mki)
        put_opaque(&c, opaque ? opaque : mki);
    else if (length && !json_array_size(values))
        fprintf(to, "%lld bytes", (long long)length);
    end_line(&c);
}

static void print_certificate(FILE *to, const json_t *cert, size_t of, unsigned indent)
{
    char head[64];
    snprintf(head, sizeof head, "%lld of %zu, %lld bytes%s",
             (long long)json_integer_value(json_object_get(cert, "position")), of,
             (long long)json_integer_value(json_object_get(cert, "length")),
             json_object_get(cert, "malformed") ? ", not an X.509 certificate" : "");
    struct column c = begin_field(to, "certificate", indent, true);
    put_text(&c, head);
    end_line(&c);
    probe_details_print(to, cert, indent + DEEPER);
}

static void print_members(FILE *to, const char *key, const json_t *list, unsigned indent)
{
    bool extensions = !strcmp(key, "extensions");
    struct column c = {.to = to};
    if (extensions) {
        pad_to(&c, indent);
        put_text(&c, key);
        end_line(&c);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *member = json_array_get(list, i);
        if (extensions)
            print_extension(to, member, indent + DEEPER);
        else
            print_certificate(to, member, json_array_size(list), indent);
    }
}

static void put_value(struct column *c, const json_t *value)
{
    char number[24];
    if (json_is_object(value)) {
        put_opaque(c, value);
    } else if (json_is_array(value)) {
        put_list(c, value, NULL);
        put_text(c, json_array_size(value) ? "" : "none");
    } else if (json_is_string(value)) {
        put_text(c, json_string_value(value));
    } else {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        put_text(c, json_is_integer(value) ? number : json_is_true(value) ? "yes" : "no");
    }
}

/* "EC, 256 bits, secp256r1" */
static void put_key(struct column *c, const json_t *certificate)
{
    char text[64];
    const char *curve = json_string_value(json_object_get(certificate, "curve"));
    snprintf(text, sizeof text, ", %lld bits%s",
             (long long)json_integer_value(json_object_get(certificate, "key_bits")),
             curve ? ", " : "");
    put_text(c, text);
    put_text(c, curve ? curve : "");
}

/* Said elsewhere, or as everybody expects it. */
static bool is_left_out(const json_t *fields, const char *key, const json_t *value)
{
    static const char *const elsewhere[] = {"position", "length", "malformed", "key_bits", "curve"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (json_object_get(fields, "position") && !strcmp(key, elsewhere[i]))
            return true;
    if (json_is_false(value) && json_object_get(fields, "position"))
        return true;
    const char *only = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
    bool uncompressed = !strncmp(key, "compression", strlen("compression")) && only &&
                        !strcmp(only, "null") && json_array_size(value) < 2;
    return uncompressed;
}

static void print_field(FILE *to, const json_t *of, const char *key, const json_t *value,
                        unsigned indent)
{
    char name[48];
    snprintf(name, sizeof name, "%s", key);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    struct column c = begin_field(to, name, indent, true);
    put_value(&c, value);
    if (!strcmp(key, "key"))
        put_key(&c, of);
    end_line(&c);
}

void probe_details_print(FILE *to, const json_t *fields, unsigned indent)
{
    const char *key;
    json_t *value, *all = (json_t *)(uintptr_t)fields;
    json_object_foreach(all, key, value)
    {
        if (json_is_object(json_array_get(value, 0)))
            print_members(to, key, value, indent);
        else if (!is_left_out(fields, key, value))
            print_field(to, fields, key, value, indent);
    }
}
