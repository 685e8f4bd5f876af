/* SPDX-License-Identifier: MIT */
#include "flow/rules/hellos.h"

#include <stdio.h>
#include <string.h>

#include "wire/extension.h"
#include "wire/names.h"
#include "wire/record.h"

enum { SCSV_RENEGOTIATION = 0x00ff, SCSV_FALLBACK = 0x5600 };

static bool is_grease_suite(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static bool is_signal(uint16_t suite)
{
    return suite == SCSV_RENEGOTIATION || suite == SCSV_FALLBACK || is_grease_suite(suite);
}

struct sd_suites sd_offer_suites(const struct sd_offer *o)
{
    struct sd_suites n = {0};
    struct sd_rd r = sd_rd_init(o->hello.suites.p, o->hello.suites.len);
    while (sd_rd_left(&r) > 1) {
        char buf[SD_NAME_TEXT];
        uint16_t suite = sd_rd_u16(&r);
        const char *name = sd_name(SD_NAME_SUITE, suite, buf);
        if (is_signal(suite))
            continue;
        n.all++;
        n.tls13 += suite >> 8 == 0x13;
        n.psk += strstr(name, "PSK") != NULL;
        n.ecdsa += strstr(name, "_ECDSA_") != NULL;
        n.rsa += strstr(name, "_RSA_") != NULL;
    }
    return n;
}

bool sd_offer_lists(struct sd_span list, uint16_t value)
{
    struct sd_rd r = sd_rd_init(list.p, list.len);
    while (sd_rd_left(&r) > 1)
        if (sd_rd_u16(&r) == value)
            return true;
    return false;
}

/* Those of supported_versions, or else the one of the hello itself; a browser lists those of TLS,
 * too. */
static struct sd_span offered_versions(const struct sd_offer *o, struct sd_span supported,
                                       uint8_t legacy[static 2])
{
    struct sd_rd list;
    if (supported.len && sd_ext_u16s(supported, 1, &list))
        return sd_rd_rest(&list);
    legacy[0] = (uint8_t)(o->hello.version >> 8);
    legacy[1] = (uint8_t)o->hello.version;
    return (struct sd_span){legacy, 2};
}

static void read_versions(struct sd_offer *o, struct sd_span supported)
{
    uint8_t legacy[2];
    struct sd_span versions = offered_versions(o, supported, legacy);
    struct sd_rd list = sd_rd_init(versions.p, versions.len);
    bool older = false;
    while (sd_rd_left(&list) > 1) {
        uint16_t v = sd_version_final(sd_rd_u16(&list));
        o->v13 |= v == SD_DTLS_1_3;
        older |= v == SD_DTLS_1_2 || v == SD_DTLS_1_0 || v == SD_DTLS_BAD;
    }
    o->only13 = o->v13 && !older;
}

const char *sd_offer_versions(const struct sd_offer *o, char buf[static SD_LIST_TEXT])
{
    uint8_t legacy[2];
    struct sd_span supported;
    sd_ext_find(o->hello.extensions, SD_EXT_SUPPORTED_VERSIONS, &supported);
    struct sd_span versions = offered_versions(o, supported, legacy);
    struct sd_rd list = sd_rd_init(versions.p, versions.len);
    size_t at = 0;
    buf[0] = '\0';
    while (sd_rd_left(&list) > 1 && at + 32 < SD_LIST_TEXT) {
        char hex[SD_NAME_TEXT];
        uint16_t v = sd_rd_u16(&list), final = sd_version_final(v);
        if (v >> 8 != 0xfe && v != SD_DTLS_BAD && final == v)
            continue;
        at += (size_t)snprintf(buf + at, SD_LIST_TEXT - at, "%s%s%s", at ? ", " : "",
                               sd_name(SD_NAME_VERSION, final, hex), final == v ? "" : " (draft)");
    }
    return buf;
}

/* All of them in one pass: several rules ask this of each handshake. */
static void read_offered_extensions(struct sd_offer *o)
{
    struct sd_rd r = sd_rd_init(o->hello.extensions.p, o->hello.extensions.len);
    struct sd_span supported = {0};
    struct sd_ext e;
    while (sd_ext_next(&r, &e) == SD_EXT_OK) {
        o->ems |= e.type == SD_EXT_EXTENDED_MASTER_SECRET;
        o->reneg |= e.type == SD_EXT_RENEGOTIATION_INFO;
        if (e.type == SD_EXT_SUPPORTED_VERSIONS && !supported.len)
            supported = e.body;
    }
    read_versions(o, supported);
}

static void read_signals(struct sd_offer *o)
{
    struct sd_rd r = sd_rd_init(o->hello.suites.p, o->hello.suites.len);
    while (sd_rd_left(&r) > 1) {
        uint16_t suite = sd_rd_u16(&r);
        o->reneg |= suite == SCSV_RENEGOTIATION;
        o->fallback |= suite == SCSV_FALLBACK;
    }
}

bool sd_offer_read(const struct sd_exchange *x, struct sd_offer *o)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    *o = (struct sd_offer){0};
    if (sd_client_hello_parse(&o->hello, body, body.len) != SD_HELLO_WHOLE)
        return false;
    for (size_t i = 0; i < o->hello.compression.len; i++)
        o->compression |= o->hello.compression.p[i] != 0;
    read_signals(o);
    read_offered_extensions(o);
    return true;
}

bool sd_offer_ext(const struct sd_exchange *x, uint16_t type, struct sd_span *body)
{
    struct sd_span hello = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    struct sd_client_hello ch;
    return sd_client_hello_parse(&ch, hello, hello.len) == SD_HELLO_WHOLE &&
           sd_ext_find(ch.extensions, type, body);
}

bool sd_choice_ext(const struct sd_exchange *x, uint16_t type, struct sd_span *body)
{
    struct sd_span hello = sd_kept(x, SD_KEPT_SERVER_HELLO);
    struct sd_server_hello sh;
    return sd_server_hello_parse(&sh, hello, hello.len) == SD_HELLO_WHOLE &&
           sd_ext_find(sh.extensions, type, body);
}

const char *sd_offer_names(struct sd_span list, int registry, char buf[static SD_LIST_TEXT])
{
    struct sd_rd r = sd_rd_init(list.p, list.len);
    size_t at = 0;
    buf[0] = '\0';
    while (sd_rd_left(&r) > 1) {
        uint16_t value = sd_rd_u16(&r);
        char hex[SD_NAME_TEXT];
        if (is_signal(value))
            continue;
        const char *name = sd_name((enum sd_registry)registry, value, hex);
        if (!strncmp(name, "TLS_", 4))
            name += 4;
        if (at + strlen(name) + sizeof ", ..." > SD_LIST_TEXT) {
            snprintf(buf + at, SD_LIST_TEXT - at, ", ...");
            break;
        }
        at += (size_t)snprintf(buf + at, SD_LIST_TEXT - at, "%s%s", at ? ", " : "", name);
    }
    return buf;
}

const char *sd_offer_text(struct sd_span text, char *buf, size_t cap)
{
    size_t n = text.len < cap ? text.len : cap - 1;
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(text.p[i] >= ' ' && text.p[i] < 127 ? text.p[i] : '.');
    buf[n] = '\0';
    return buf;
}
