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
        n.psk += strstr(name, "PSK") != NULL;
        n.ecdsa += strstr(name, "_ECDSA_") != NULL;
        n.rsa += strstr(name, "_RSA_") != NULL;
    }
    return n;
}

static bool signals_renegotiation(struct sd_span suites)
{
    struct sd_rd r = sd_rd_init(suites.p, suites.len);
    while (sd_rd_left(&r) > 1)
        if (sd_rd_u16(&r) == SCSV_RENEGOTIATION)
            return true;
    return false;
}

static void read_versions(struct sd_offer *o)
{
    struct sd_span body;
    struct sd_rd list;
    if (!sd_ext_find(o->hello.extensions, SD_EXT_SUPPORTED_VERSIONS, &body) ||
        !sd_ext_u16s(body, 1, &list))
        return;
    while (sd_rd_left(&list))
        o->v13 |= sd_rd_u16(&list) == SD_DTLS_1_3;
}

bool sd_offer_read(const struct sd_exchange *x, struct sd_offer *o)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    *o = (struct sd_offer){0};
    if (sd_client_hello_parse(&o->hello, body, body.len) != SD_HELLO_WHOLE)
        return false;
    struct sd_span ext = o->hello.extensions;
    o->groups = sd_ext_has(ext, SD_EXT_SUPPORTED_GROUPS);
    o->schemes = sd_ext_has(ext, SD_EXT_SIGNATURE_ALGORITHMS);
    o->ems = sd_ext_has(ext, SD_EXT_EXTENDED_MASTER_SECRET);
    o->reneg = sd_ext_has(ext, SD_EXT_RENEGOTIATION_INFO) || signals_renegotiation(o->hello.suites);
    for (size_t i = 0; i < o->hello.compression.len; i++)
        o->compression |= o->hello.compression.p[i] != 0;
    read_versions(o);
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
