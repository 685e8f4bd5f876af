/* SPDX-License-Identifier: MIT */
#include "dtls_probe/details.h"

#include <string.h>

#include "dtls_probe/extensions.h"
#include "dtls_probe/values.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/iana.h"
#include "wire/keyexchange.h"
#include "wire/record.h"

enum { CERTIFICATES_MAX = 16 };

struct message {
    const struct sd_exchange *x;
    struct sd_span body;
    const struct sd_cert_reader *certs;
    json_t *fields; /* to fill */
};

static void set_field(const struct message *m, const char *key, json_t *value)
{
    json_object_set_new(m->fields, key, value);
}

static void set_opaque(const struct message *m, const char *key, struct sd_span s)
{
    if (s.len)
        set_field(m, key, probe_value_opaque(s));
}

static void set_malformed(const struct message *m, bool malformed)
{
    if (malformed)
        set_field(m, "malformed", json_true());
}

/* --- hellos --- */

static void show_extensions(const struct message *m, struct sd_span block,
                            enum probe_extensions_of of)
{
    if (block.len)
        set_field(m, "extensions", probe_extensions(block, of, m->certs));
}

static void show_client_hello(const struct message *m)
{
    struct sd_client_hello ch;
    enum sd_hello_status s = sd_client_hello_parse(&ch, m->body, m->body.len);
    set_field(m, "version", probe_value_name(SD_NAME_VERSION, ch.version));
    set_field(m, "random", probe_value_hex(ch.random));
    set_opaque(m, "session_id", ch.session_id);
    set_opaque(m, "cookie", ch.cookie);
    set_field(m, "cipher_suites", probe_list_names(SD_NAME_SUITE, ch.suites, 2));
    set_field(m, "compression_methods", probe_list_names(SD_NAME_COMPRESSION, ch.compression, 1));
    show_extensions(m, ch.extensions, PROBE_OFFER);
    set_malformed(m, s != SD_HELLO_WHOLE);
}

static void show_hello_verify(const struct message *m)
{
    struct sd_hello_verify hv;
    bool ok = sd_hello_verify_parse(&hv, m->body);
    set_field(m, "version", probe_value_name(SD_NAME_VERSION, hv.version));
    set_opaque(m, "cookie", hv.cookie);
    set_malformed(m, !ok);
}

static void show_server_hello(const struct message *m)
{
    struct sd_server_hello sh;
    enum sd_hello_status s = sd_server_hello_parse(&sh, m->body, m->body.len);
    uint16_t downgrade = sd_server_hello_downgrade(&sh);
    if (sh.retry)
        set_field(m, "hello_retry_request", json_true());
    set_field(m, "version", probe_value_name(SD_NAME_VERSION, sh.version));
    set_field(m, "random", probe_value_hex(sh.random));
    if (downgrade)
        set_field(m, "downgrade_mark", probe_value_name(SD_NAME_VERSION, downgrade));
    set_opaque(m, "session_id", sh.session_id);
    set_field(m, "cipher_suite", probe_value_name(SD_NAME_SUITE, sh.suite));
    set_field(m, "compression_method", probe_value_name(SD_NAME_COMPRESSION, sh.compression));
    show_extensions(m, sh.extensions, sh.retry ? PROBE_RETRY : PROBE_ANSWER);
    set_malformed(m, s != SD_HELLO_WHOLE);
}

static void show_encrypted_extensions(const struct message *m)
{
    struct sd_span block;
    bool ok = sd_ext_opaque(m->body, 2, &block);
    show_extensions(m, block, PROBE_ANSWER);
    set_malformed(m, !ok);
}

/* --- certificates --- */

static json_t *alt_names_of(const char *joined)
{
    json_t *list = json_array();
    while (*joined) {
        size_t len = strcspn(joined, ",");
        probe_list_add(list, json_stringn(joined, len));
        joined += len;
        joined += strspn(joined, ", ");
    }
    return list;
}

static void set_key(json_t *o, const struct sd_cert *c)
{
    json_object_set_new(o, "key", json_string(c->key));
    if (c->key_bits)
        json_object_set_new(o, "key_bits", json_integer(c->key_bits));
    if (c->group)
        json_object_set_new(o, "curve", probe_value_name(SD_NAME_GROUP, c->group));
    json_object_set_new(o, "signature", json_string(c->signature));
}

static void set_certificate(json_t *o, const struct sd_cert *c)
{
    json_object_set_new(o, "subject", json_string(c->subject));
    json_object_set_new(o, "issuer", json_string(c->issuer));
    json_object_set_new(o, "serial", json_string(c->serial));
    json_object_set_new(o, "not_before", probe_value_time(c->not_before));
    json_object_set_new(o, "not_after", probe_value_time(c->not_after));
    set_key(o, c);
    if (*c->names)
        json_object_set_new(o, "names", alt_names_of(c->names));
    json_object_set_new(o, "ca", json_boolean(c->ca));
    json_object_set_new(o, "self_signed", json_boolean(c->self_signed));
    json_object_set_new(o, "fingerprint", probe_value_fingerprint(c->fingerprint));
}

static json_t *certificate_object(size_t position, struct sd_span der,
                                  const struct sd_cert_reader *certs)
{
    struct sd_cert c;
    json_t *o = json_object();
    json_object_set_new(o, "position", json_integer((json_int_t)position));
    json_object_set_new(o, "length", json_integer((json_int_t)der.len));
    if (certs && certs->read(certs->arg, der, &c))
        set_certificate(o, &c);
    else
        json_object_set_new(o, "malformed", json_true());
    return o;
}

json_t *probe_certificates(struct sd_span body, bool tls13, const struct sd_cert_reader *certs)
{
    struct sd_cert_chain chain;
    struct sd_span der;
    json_t *list = json_array();
    if (!sd_cert_chain_init(&chain, body, tls13))
        return list;
    for (size_t n = 1; n <= CERTIFICATES_MAX && sd_cert_next(&chain, &der); n++)
        json_array_append_new(list, certificate_object(n, der, certs));
    return list;
}

static bool is_tls13(const struct message *m)
{
    return m->x->version == SD_DTLS_1_3;
}

static void show_certificate(const struct message *m)
{
    struct sd_cert_chain chain;
    set_field(m, "certificates", probe_certificates(m->body, is_tls13(m), m->certs));
    set_malformed(m, !sd_cert_chain_init(&chain, m->body, is_tls13(m)));
}

static void show_request13(const struct message *m)
{
    struct sd_rd r = sd_rd_init(m->body.p, m->body.len);
    struct sd_rd context = sd_rd_vec8(&r), block = sd_rd_vec16(&r);
    set_opaque(m, "context", sd_rd_rest(&context));
    show_extensions(m, sd_rd_rest(&block), PROBE_OFFER);
    set_malformed(m, !sd_rd_done(&r));
}

static void show_certificate_request(const struct message *m)
{
    struct sd_cert_request q;
    if (is_tls13(m)) {
        show_request13(m);
        return;
    }
    bool ok = sd_cert_request_parse(&q, m->body, m->x->version);
    set_field(m, "certificate_types", probe_list_names(SD_NAME_CERT_TYPE, q.types, 1));
    if (q.schemes.len)
        set_field(m, "signature_algorithms", probe_list_names(SD_NAME_SCHEME, q.schemes, 2));
    set_field(m, "authorities", probe_authorities(q.authorities, m->certs));
    set_malformed(m, !ok);
}

static void show_certificate_verify(const struct message *m)
{
    struct sd_rd r = sd_rd_init(m->body.p, m->body.len);
    uint16_t scheme = sd_rd_u16(&r);
    if (m->x->version == SD_DTLS_1_2 || is_tls13(m)) /* before, the key alone said it */
        set_field(m, "signature_algorithm", probe_value_name(SD_NAME_SCHEME, scheme));
}

/* --- keys --- */

static const char *suite_name(const struct message *m, char buf[static SD_NAME_TEXT])
{
    return m->x->negotiated ? sd_name(SD_NAME_SUITE, m->x->suite, buf) : "";
}

static void set_server_key(const struct message *m, const struct sd_server_key *k)
{
    if (k->group)
        set_field(m, "group", probe_value_name(SD_NAME_GROUP, k->group));
    if (k->prime_bits)
        set_field(m, "prime_bits", json_integer(k->prime_bits));
    if (k->scheme)
        set_field(m, "signature_algorithm", probe_value_name(SD_NAME_SCHEME, k->scheme));
}

static void show_server_key(const struct message *m)
{
    char buf[SD_NAME_TEXT];
    struct sd_server_key k;
    const char *suite = suite_name(m, buf);
    bool psk = strstr(suite, "PSK_WITH_") != NULL, ecdhe = strstr(suite, "_ECDHE_") != NULL;
    bool dhe = strstr(suite, "_DHE_") != NULL || strstr(suite, "_DH_anon_") != NULL;
    if (psk) {
        struct sd_rd r = sd_rd_init(m->body.p, m->body.len), hint = sd_rd_vec16(&r);
        set_field(m, "psk_identity_hint", probe_value_text(sd_rd_rest(&hint)));
    }
    if (!ecdhe && !dhe)
        return;
    bool ok = sd_server_key_parse(&k, m->body, ecdhe ? SD_KX_ECDHE : SD_KX_DHE, psk,
                                  m->x->version == SD_DTLS_1_2);
    set_server_key(m, &k);
    set_malformed(m, !ok);
}

/* Of other suites it is a key or a secret, and says nothing. */
static void show_client_key(const struct message *m)
{
    char buf[SD_NAME_TEXT];
    struct sd_rd r = sd_rd_init(m->body.p, m->body.len), identity = sd_rd_vec16(&r);
    if (strstr(suite_name(m, buf), "PSK_WITH_") && !identity.bad)
        set_field(m, "psk_identity", probe_value_text(sd_rd_rest(&identity)));
}

static void show_ticket(const struct message *m)
{
    struct sd_rd r = sd_rd_init(m->body.p, m->body.len);
    set_field(m, "lifetime", json_integer(sd_rd_u32(&r)));
    if (is_tls13(m)) {
        sd_rd_u32(&r); /* ticket_age_add */
        sd_rd_vec8(&r);
    }
    struct sd_rd ticket = sd_rd_vec16(&r), block = {0};
    if (is_tls13(m))
        block = sd_rd_vec16(&r);
    set_field(m, "ticket", probe_value_opaque(sd_rd_rest(&ticket)));
    show_extensions(m, sd_rd_rest(&block), PROBE_ANSWER);
    set_malformed(m, !sd_rd_done(&r));
}

static void show_key_update(const struct message *m)
{
    if (m->body.len == 1)
        set_field(m, "update_requested", json_boolean(m->body.p[0]));
}

/* --- any of them --- */

static const struct {
    uint8_t type;
    void (*show)(const struct message *m);
} shown[] = {
    {SD_HS_CLIENT_HELLO, show_client_hello},
    {SD_HS_SERVER_HELLO, show_server_hello},
    {SD_HS_HELLO_VERIFY_REQUEST, show_hello_verify},
    {SD_HS_ENCRYPTED_EXTENSIONS, show_encrypted_extensions},
    {SD_HS_CERTIFICATE, show_certificate},
    {SD_HS_CERTIFICATE_REQUEST, show_certificate_request},
    {SD_HS_CERTIFICATE_VERIFY, show_certificate_verify},
    {SD_HS_SERVER_KEY_EXCHANGE, show_server_key},
    {SD_HS_CLIENT_KEY_EXCHANGE, show_client_key},
    {SD_HS_NEW_SESSION_TICKET, show_ticket},
    {SD_HS_KEY_UPDATE, show_key_update},
};

json_t *probe_details(const struct sd_exchange *x, uint8_t type, struct sd_span body,
                      const struct sd_cert_reader *certs)
{
    struct message m = {.x = x, .body = body, .certs = certs};
    size_t i = 0;
    while (i < sizeof shown / sizeof *shown && shown[i].type != type)
        i++;
    if (i == sizeof shown / sizeof *shown || !(m.fields = json_object()))
        return NULL;
    shown[i].show(&m);
    if (json_object_size(m.fields))
        return m.fields;
    json_decref(m.fields);
    return NULL;
}

/* --- of one datagram --- */

void probe_messages_add(struct probe_messages *m, const struct sd_event *last, json_t *fields)
{
    if (!fields || m->count == PROBE_MESSAGES_MAX) {
        json_decref(fields);
        return;
    }
    m->list[m->count].last = last;
    m->list[m->count++].fields = fields;
}

const json_t *probe_messages_find(const struct probe_messages *m, const struct sd_event *e)
{
    for (size_t i = 0; m && i < m->count; i++)
        if (m->list[i].last == e)
            return m->list[i].fields;
    return NULL;
}

void probe_messages_clear(struct probe_messages *m)
{
    while (m->count)
        json_decref(m->list[--m->count].fields);
}
