/* SPDX-License-Identifier: MIT */
#include "wire/extension.h"

enum sd_ext_status sd_ext_next(struct sd_rd *block, struct sd_ext *e)
{
    *e = (struct sd_ext){0};
    if (sd_rd_done(block))
        return SD_EXT_END;
    uint16_t type = sd_rd_u16(block);
    struct sd_rd body = sd_rd_vec16(block);
    if (block->bad)
        return SD_EXT_CUT;
    *e = (struct sd_ext){.type = type, .body = sd_rd_rest(&body)};
    return SD_EXT_OK;
}

bool sd_ext_find(struct sd_span block, uint16_t type, struct sd_span *body)
{
    struct sd_rd r = sd_rd_init(block.p, block.len);
    struct sd_ext e;
    while (sd_ext_next(&r, &e) == SD_EXT_OK) {
        if (e.type != type)
            continue;
        *body = e.body;
        return true;
    }
    *body = (struct sd_span){0};
    return false;
}

bool sd_ext_has(struct sd_span block, uint16_t type)
{
    struct sd_span body;
    return sd_ext_find(block, type, &body);
}

bool sd_ext_u16(struct sd_span body, uint16_t *value)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    *value = sd_rd_u16(&r);
    return sd_rd_done(&r);
}

/* The vector that begins at r; empty and false unless it is there. */
static bool vector(struct sd_rd *r, unsigned width, struct sd_rd *inner)
{
    *inner = width == 1 ? sd_rd_vec8(r) : sd_rd_vec16(r);
    return !inner->bad;
}

static bool no_list(struct sd_rd *list)
{
    *list = sd_rd_init(NULL, 0);
    return false;
}

bool sd_ext_u16s(struct sd_span body, unsigned width, struct sd_rd *list)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    if (!vector(&r, width, list) || !sd_rd_done(&r))
        return no_list(list);
    size_t n = sd_rd_left(list);
    return n && n % 2 == 0 ? true : no_list(list);
}

bool sd_ext_opaque(struct sd_span body, unsigned width, struct sd_span *value)
{
    struct sd_rd r = sd_rd_init(body.p, body.len), inner;
    *value = (struct sd_span){0};
    if (!vector(&r, width, &inner) || !sd_rd_done(&r))
        return false;
    *value = sd_rd_rest(&inner);
    return true;
}

bool sd_ext_server_name(struct sd_span body, struct sd_span *host)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_rd list = sd_rd_vec16(&r);
    uint8_t type = sd_rd_u8(&list);
    struct sd_rd name = sd_rd_vec16(&list);
    *host = (struct sd_span){0};
    /* host_name(0) is the only type ever defined (RFC 6066 section 3). */
    if (!sd_rd_done(&r) || !sd_rd_done(&list) || type != 0 || !sd_rd_left(&name))
        return false;
    *host = sd_rd_rest(&name);
    return true;
}

bool sd_alpn_next(struct sd_rd *names, struct sd_span *name)
{
    *name = (struct sd_span){0};
    if (!sd_rd_left(names))
        return false;
    struct sd_rd one = sd_rd_vec8(names);
    *name = sd_rd_rest(&one);
    return name->len != 0;
}

bool sd_ext_alpn(struct sd_span body, struct sd_rd *names)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    if (!vector(&r, 2, names) || !sd_rd_done(&r) || !sd_rd_left(names))
        return no_list(names);
    struct sd_rd check = *names;
    struct sd_span name;
    while (sd_alpn_next(&check, &name))
        ;
    return sd_rd_done(&check) ? true : no_list(names);
}

bool sd_key_share_next(struct sd_rd *shares, struct sd_key_share *ks)
{
    *ks = (struct sd_key_share){0};
    if (!sd_rd_left(shares))
        return false;
    uint16_t group = sd_rd_u16(shares);
    struct sd_rd key = sd_rd_vec16(shares);
    if (shares->bad)
        return false;
    *ks = (struct sd_key_share){.group = group, .key = sd_rd_rest(&key)};
    return true;
}

/* An empty list is legal: the client asks for a HelloRetryRequest. */
bool sd_ext_key_shares(struct sd_span body, struct sd_rd *shares)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    if (!vector(&r, 2, shares) || !sd_rd_done(&r))
        return no_list(shares);
    struct sd_rd check = *shares;
    struct sd_key_share ks;
    while (sd_key_share_next(&check, &ks))
        ;
    return sd_rd_done(&check) ? true : no_list(shares);
}

bool sd_psk_identity_next(struct sd_rd *identities, struct sd_psk_identity *id)
{
    *id = (struct sd_psk_identity){0};
    if (!sd_rd_left(identities))
        return false;
    struct sd_rd name = sd_rd_vec16(identities);
    uint32_t age = sd_rd_u32(identities);
    identities->bad |= !sd_rd_left(&name);
    if (identities->bad)
        return false;
    *id = (struct sd_psk_identity){.identity = sd_rd_rest(&name), .age = age};
    return true;
}

bool sd_ext_psk_identities(struct sd_span body, struct sd_rd *identities)
{
    struct sd_rd r = sd_rd_init(body.p, body.len), binders;
    if (!vector(&r, 2, identities) || !vector(&r, 2, &binders) || !sd_rd_done(&r))
        return no_list(identities);
    struct sd_rd check = *identities;
    struct sd_psk_identity id;
    while (sd_psk_identity_next(&check, &id))
        ;
    return sd_rd_left(identities) && sd_rd_done(&check) ? true : no_list(identities);
}

bool sd_ext_use_srtp(struct sd_span body, struct sd_rd *profiles, struct sd_span *mki)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    *mki = (struct sd_span){0};
    if (!vector(&r, 2, profiles))
        return no_list(profiles);
    struct sd_rd value = sd_rd_vec8(&r);
    size_t n = sd_rd_left(profiles);
    if (!sd_rd_done(&r) || !n || n % 2)
        return no_list(profiles);
    *mki = sd_rd_rest(&value);
    return true;
}
