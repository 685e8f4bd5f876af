/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

bool tool_parse_uint(const char *text, unsigned max, unsigned *value)
{
    if (!all_digits(text))
        return false;
    errno = 0;
    unsigned long long v = strtoull(text, NULL, 10);
    if (errno || v > max)
        return false;
    *value = (unsigned)v;
    return true;
}

bool tool_parse_port(const char *text, uint16_t *value)
{
    unsigned v;
    if (!tool_parse_uint(text, UINT16_MAX, &v))
        return false;
    *value = (uint16_t)v;
    return true;
}

static bool suffix_ms(const char *suffix, double *ms)
{
    static const struct {
        const char *text;
        double ms;
    } known[] = {{"ms", 1},
                 {"s", TOOL_MS_PER_SEC},
                 {"m", 60 * TOOL_MS_PER_SEC},
                 {"h", 60 * 60 * TOOL_MS_PER_SEC}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(suffix, known[i].text))
            continue;
        *ms = known[i].ms;
        return true;
    }
    return false;
}

/* The number that the text begins with; *suffix is what follows. strtod() knows more than a number
 * may be: hex, inf, signs, blanks. */
static bool leading_number(const char *text, double *value, const char **suffix)
{
    size_t digits = strspn(text, "0123456789.");
    char number[16], *end;
    if (!digits || digits >= sizeof number || !isdigit((unsigned char)text[digits - 1]))
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    *value = strtod(number, &end);
    *suffix = text + digits;
    return !*end;
}

bool tool_parse_ms(const char *text, unsigned unit_ms, unsigned *ms)
{
    double v, unit = unit_ms;
    const char *suffix;
    if (!leading_number(text, &v, &suffix) || (*suffix && !suffix_ms(suffix, &unit)))
        return false;
    v *= unit;
    if (v > INT32_MAX)
        return false;
    *ms = (unsigned)(v + 0.5);
    return true;
}

static double bits_of_suffix(const char *suffix)
{
    return !*suffix               ? 1
           : !strcmp(suffix, "k") ? 1e3
           : !strcmp(suffix, "M") ? 1e6
           : !strcmp(suffix, "G") ? 1e9
                                  : 0;
}

bool tool_parse_bits(const char *text, uint64_t *bits)
{
    static const double most = 1e12;
    double v;
    const char *suffix;
    if (!leading_number(text, &v, &suffix) || bits_of_suffix(suffix) == 0.0)
        return false;
    v *= bits_of_suffix(suffix);
    if (v > most)
        return false;
    *bits = (uint64_t)(v + 0.5);
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return p ? (int)(p - digits) : -1;
}

bool tool_parse_hex(const char *text, uint8_t *out, size_t *len)
{
    size_t n = strlen(text);
    if (!n || n % 2 || n / 2 > *len)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        int hi = hex_digit(text[2 * i]), lo = hex_digit(text[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    *len = n / 2;
    return true;
}

static bool looks_like_port(const char *text)
{
    return all_digits(text) && strlen(text) <= 5;
}

/* Takes "[v6]", "[v6]:port" and "host:port" apart, in place; a bare IPv6
 * address has more than one colon and stays whole. */
static bool split_address(char *text, const char **host, const char **port)
{
    char *colon = strrchr(text, ':');
    *host = text;
    *port = NULL;
    if (*text == '[') {
        char *close = strchr(text, ']');
        if (!close || (close[1] && close[1] != ':'))
            return false;
        *host = text + 1;
        if (close[1])
            *port = close + 2;
        *close = '\0';
    } else if (colon && strchr(text, ':') == colon) {
        *colon = '\0';
        *port = colon + 1;
    }
    if (*port && !**port)
        return false;
    if (!**host)
        *host = NULL;
    return true;
}

/* A name that the system has a UDP port for. getaddrinfo() takes "+5" and "-1" for numbers. */
static bool is_service(const char *name)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found;
    if (!isalnum((unsigned char)*name) || getaddrinfo(NULL, name, &hints, &found))
        return false;
    freeaddrinfo(found);
    return true;
}

static bool check_port(const struct tool_target *t, char why[static TOOL_WHY])
{
    uint16_t number;
    if (!t->port || tool_parse_port(t->port, &number))
        return true;
    if (all_digits(t->port))
        return tool_wrong(why, "port %s: the highest port is 65535", t->port);
    return is_service(t->port) ||
           tool_wrong(why, "port '%s' is neither a number from 1 to 65535 nor a known service",
                      t->port);
}

static bool take_argument(struct tool_target *t, char *text, char why[static TOOL_WHY])
{
    const char *host, *port;
    if (!split_address(text, &host, &port))
        return tool_wrong(why, "'%s' is not an address: write HOST PORT, HOST:PORT or [IPV6]:PORT",
                          text);
    if (host && t->host)
        return tool_wrong(why, "two hosts are given, '%s' and '%s'", t->host, host);
    if (port && t->port)
        return tool_wrong(why, "two ports are given, %s and %s", t->port, port);
    t->host = host ? host : t->host;
    t->port = port ? port : t->port;
    return true;
}

bool tool_parse_target(struct tool_target *t, char *const *args, int count,
                       char why[static TOOL_WHY])
{
    size_t used = 0;
    t->host = t->port = NULL;
    if (count > 2)
        return tool_wrong(why, "unexpected argument '%s'", args[2]);
    for (int i = 0; i < count; i++) {
        size_t len = strlen(args[i]) + 1;
        char *text = t->buf + used;
        if (len > sizeof t->buf - used)
            return tool_wrong(why, "'%.40s...' is too long", args[i]);
        memcpy(text, args[i], len);
        used += len;
        /* The second of two words is a service name when it is no number. */
        bool service = i == 1 && t->host && !t->port && !strpbrk(text, ":[");
        if ((service || looks_like_port(text)) && !t->port)
            t->port = text;
        else if (looks_like_port(text))
            return tool_wrong(why, "two ports are given, %s and %s", t->port, text);
        else if (!take_argument(t, text, why))
            return false;
    }
    return check_port(t, why);
}
