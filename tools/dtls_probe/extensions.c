/* SPDX-License-Identifier: MIT */
#include "dtls_probe/extensions.h"

#include <stdio.h>

#include "dtls_probe/values.h"
#include "wire/extension.h"
#include "wire/iana.h"
#include "wire/keyexchange.h"

struct extension {
    struct sd_span body;
    enum probe_extensions_of of;
    const struct sd_cert_reader *certs;
    json_t *object; /* to fill */
    uint16_t type;
    /* of the row for this type: */
    enum sd_registry registry;
    unsigned width; /* of the length field of its list */
};

static bool set_values(const struct extension *e, json_t *list)
{
    return !json_object_set_new(e->object, "values", list);
}

static bool set_value(const struct extension *e, json_t *value)
{
    json_t *list = json_array();
    json_array_append_new(list, value);
    return set_values(e, list);
}

static bool show_u16s(const struct extension *e)
{
    struct sd_rd list;
    return sd_ext_u16s(e->body, e->width, &list) &&
           set_values(e, probe_list_names(e->registry, sd_rd_rest(&list), 2));
}

/* A list of bytes in an offer, a byte in an answer. */
static bool show_bytes(const struct extension *e)
{
    struct sd_span list = e->body;
    if (e->of == PROBE_OFFER || e->body.len > 1)
        return sd_ext_opaque(e->body, 1, &list) &&
               set_values(e, probe_list_names(e->registry, list, 1));
    return list.len && set_values(e, probe_list_names(e->registry, list, 1));
}

static bool show_opaque(const struct extension *e)
{
    struct sd_span value;
    return sd_ext_opaque(e->body, e->width, &value) &&
           !json_object_set_new(e->object, "opaque", probe_value_opaque(value));
}

static bool show_tls_versions(const struct extension *e)
{
    uint16_t version;
    if (e->of == PROBE_OFFER)
        return show_u16s(e);
    return sd_ext_u16(e->body, &version) && set_value(e, probe_value_name(e->registry, version));
}

static bool show_number(const struct extension *e)
{
    char text[16];
    uint16_t value;
    if (!sd_ext_u16(e->body, &value))
        return false;
    snprintf(text, sizeof text, "%u", value);
    return set_value(e, json_string(text));
}

/* RFC 6066 section 4: 1 to 4 stand for 512 to 4096 bytes. */
static bool show_fragment_length(const struct extension *e)
{
    char text[16];
    if (e->body.len != 1 || e->body.p[0] < 1 || e->body.p[0] > 4)
        return false;
    snprintf(text, sizeof text, "%d", 256 << e->body.p[0]);
    return set_value(e, json_string(text));
}

static bool show_server_name(const struct extension *e)
{
    struct sd_span host;
    return sd_ext_server_name(e->body, &host) && set_value(e, probe_value_text(host));
}

static bool show_alpn(const struct extension *e)
{
    struct sd_rd names;
    struct sd_span name;
    if (!sd_ext_alpn(e->body, &names))
        return false;
    json_t *list = json_array();
    while (sd_alpn_next(&names, &name) && probe_list_add(list, probe_value_text(name)))
        ;
    return set_values(e, list);
}

/* Values, and the size in bytes of what belongs to each. */
static bool set_sized(const struct extension *e, json_t *list, json_t *sizes)
{
    json_object_set_new(e->object, "values", list);
    return !json_object_set_new(e->object, "sizes", sizes);
}

static bool add_sized(json_t *list, json_t *sizes, json_t *value, size_t size)
{
    return probe_list_add(list, value) &&
           !json_array_append_new(sizes, json_integer((json_int_t)size));
}

/* A server's: one share; of a HelloRetryRequest: the group that it wants. */
static bool show_chosen_share(const struct extension *e)
{
    struct sd_rd r = sd_rd_init(e->body.p, e->body.len);
    uint16_t group = sd_rd_u16(&r);
    if (e->of == PROBE_RETRY)
        return sd_rd_done(&r) && set_value(e, probe_value_name(SD_NAME_GROUP, group));
    struct sd_rd key = sd_rd_vec16(&r);
    if (!sd_rd_done(&r))
        return false;
    json_t *list = json_array(), *sizes = json_array();
    add_sized(list, sizes, probe_value_name(SD_NAME_GROUP, group), sd_rd_left(&key));
    return set_sized(e, list, sizes);
}

static bool show_key_share(const struct extension *e)
{
    struct sd_rd shares;
    struct sd_key_share ks;
    if (e->of != PROBE_OFFER)
        return show_chosen_share(e);
    if (!sd_ext_key_shares(e->body, &shares))
        return false;
    json_t *list = json_array(), *sizes = json_array();
    while (sd_key_share_next(&shares, &ks) &&
           add_sized(list, sizes, probe_value_name(SD_NAME_GROUP, ks.group), ks.key.len))
        ;
    return set_sized(e, list, sizes);
}

/* A client's: identities; a server's: the number of the one it took, from 0. */
static bool show_pre_shared_key(const struct extension *e)
{
    struct sd_rd identities;
    struct sd_psk_identity id;
    if (e->of != PROBE_OFFER)
        return show_number(e);
    if (!sd_ext_psk_identities(e->body, &identities))
        return false;
    json_t *list = json_array(), *sizes = json_array();
    while (sd_psk_identity_next(&identities, &id) &&
           add_sized(list, sizes, probe_value_text(id.identity), id.identity.len))
        ;
    return set_sized(e, list, sizes);
}

static bool show_srtp(const struct extension *e)
{
    struct sd_rd profiles;
    struct sd_span mki;
    if (!sd_ext_use_srtp(e->body, &profiles, &mki))
        return false;
    if (mki.len)
        json_object_set_new(e->object, "mki", probe_value_opaque(mki));
    return set_values(e, probe_list_names(SD_NAME_SRTP, sd_rd_rest(&profiles), 2));
}

static bool show_heartbeat(const struct extension *e)
{
    static const char *const modes[] = {"peer_allowed_to_send", "peer_not_allowed_to_send"};
    uint8_t mode = e->body.len == 1 ? e->body.p[0] : 0;
    return mode >= 1 && mode <= 2 && set_value(e, json_string(modes[mode - 1]));
}

static bool show_status_request(const struct extension *e)
{
    return e->body.len && e->body.p[0] == 1 && set_value(e, json_string("ocsp"));
}

json_t *probe_authorities(struct sd_span vector, const struct sd_cert_reader *certs)
{
    json_t *list = json_array();
    struct sd_rd r = sd_rd_init(vector.p, vector.len);
    struct sd_span dn;
    char text[PROBE_BYTES_MAX];
    while (sd_authority_next(&r, &dn)) {
        bool read = certs && certs->dn && certs->dn(certs->arg, dn, text, sizeof text);
        if (!probe_list_add(list, read ? json_string(text) : probe_value_hex(dn)))
            break;
    }
    return list;
}

static bool show_authorities(const struct extension *e)
{
    struct sd_span vector;
    return sd_ext_opaque(e->body, 2, &vector) && set_values(e, probe_authorities(vector, e->certs));
}

/* The zeros say nothing. */
static bool show_nothing(const struct extension *e)
{
    (void)e;
    return true;
}

static const struct row {
    uint16_t type;
    bool (*show)(const struct extension *e);
    enum sd_registry registry;
    unsigned width;
} rows[] = {
    {SD_EXT_SERVER_NAME, show_server_name, 0, 0},
    {SD_EXT_MAX_FRAGMENT_LENGTH, show_fragment_length, 0, 0},
    {SD_EXT_STATUS_REQUEST, show_status_request, 0, 0},
    {SD_EXT_SUPPORTED_GROUPS, show_u16s, SD_NAME_GROUP, 2},
    {SD_EXT_EC_POINT_FORMATS, show_bytes, SD_NAME_POINT_FORMAT, 0},
    {SD_EXT_SIGNATURE_ALGORITHMS, show_u16s, SD_NAME_SCHEME, 2},
    {SD_EXT_USE_SRTP, show_srtp, 0, 0},
    {SD_EXT_HEARTBEAT, show_heartbeat, 0, 0},
    {SD_EXT_ALPN, show_alpn, 0, 0},
    {SD_EXT_CLIENT_CERTIFICATE_TYPE, show_bytes, SD_NAME_CERT_FORMAT, 0},
    {SD_EXT_SERVER_CERTIFICATE_TYPE, show_bytes, SD_NAME_CERT_FORMAT, 0},
    {SD_EXT_PADDING, show_nothing, 0, 0},
    {SD_EXT_COMPRESS_CERTIFICATE, show_u16s, SD_NAME_CERT_COMPRESSION, 1},
    {SD_EXT_RECORD_SIZE_LIMIT, show_number, 0, 0},
    {SD_EXT_DELEGATED_CREDENTIAL, show_u16s, SD_NAME_SCHEME, 2},
    {SD_EXT_PRE_SHARED_KEY, show_pre_shared_key, 0, 0},
    {SD_EXT_SUPPORTED_VERSIONS, show_tls_versions, SD_NAME_VERSION, 1},
    {SD_EXT_COOKIE, show_opaque, 0, 2},
    {SD_EXT_PSK_KEY_EXCHANGE_MODES, show_bytes, SD_NAME_PSK_MODE, 0},
    {SD_EXT_CERTIFICATE_AUTHORITIES, show_authorities, 0, 0},
    {SD_EXT_SIGNATURE_ALGORITHMS_CERT, show_u16s, SD_NAME_SCHEME, 2},
    {SD_EXT_KEY_SHARE, show_key_share, 0, 0},
    {SD_EXT_CONNECTION_ID_OLD, show_opaque, 0, 1},
    {SD_EXT_CONNECTION_ID, show_opaque, 0, 1},
    {SD_EXT_RENEGOTIATION_INFO, show_opaque, 0, 1},
};

static const struct row *find_row(uint16_t type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

/* What nobody here can read is shown as bytes. */
static json_t *extension_object(struct extension *e)
{
    const struct row *row = find_row(e->type);
    e->object = json_object();
    json_object_set_new(e->object, "name", probe_value_name(SD_NAME_EXTENSION, e->type));
    json_object_set_new(e->object, "code", json_integer(e->type));
    json_object_set_new(e->object, "length", json_integer((json_int_t)e->body.len));
    if (!e->body.len)
        return e->object;
    if (row) {
        e->registry = row->registry;
        e->width = row->width;
        if (row->show(e))
            return e->object;
        json_object_set_new(e->object, "malformed", json_true());
    }
    json_object_set_new(e->object, "opaque", probe_value_opaque(e->body));
    return e->object;
}

json_t *probe_extensions(struct sd_span block, enum probe_extensions_of of,
                         const struct sd_cert_reader *certs)
{
    json_t *list = json_array();
    struct sd_rd r = sd_rd_init(block.p, block.len);
    struct sd_ext ext;
    while (json_array_size(list) < PROBE_LIST_MAX && sd_ext_next(&r, &ext) == SD_EXT_OK) {
        struct extension e = {.body = ext.body, .of = of, .certs = certs, .type = ext.type};
        json_array_append_new(list, extension_object(&e));
    }
    return list;
}
