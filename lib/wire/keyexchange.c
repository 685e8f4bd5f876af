/* SPDX-License-Identifier: MIT */
#include "wire/keyexchange.h"

#include <string.h>

#include "wire/extension.h"
#include "wire/record.h"

enum { NAMED_CURVE = 3 };

static void read_curve(struct sd_rd *r, struct sd_server_key *k)
{
    /* An explicit curve (RFC 4492) is longer, and nobody makes it any more. */
    if (sd_rd_u8(r) != NAMED_CURVE)
        r->bad = true;
    k->group = sd_rd_u16(r);
    sd_rd_vec8(r);
}

static void read_prime(struct sd_rd *r, struct sd_server_key *k)
{
    struct sd_rd p = sd_rd_vec16(r);
    struct sd_span prime = sd_rd_rest(&p);
    while (prime.len && !prime.p[0])
        prime = (struct sd_span){prime.p + 1, prime.len - 1};
    k->prime_bits = (unsigned)prime.len * 8;
    for (uint8_t top = prime.len ? prime.p[0] : 0; top && !(top & 0x80); top = (uint8_t)(top << 1))
        k->prime_bits--;
    sd_rd_vec16(r); /* generator */
    sd_rd_vec16(r); /* public value */
}

bool sd_server_key_parse(struct sd_server_key *k, struct sd_span body, enum sd_exchange_kind kind,
                         bool psk, bool schemes)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    *k = (struct sd_server_key){0};
    if (kind == SD_KX_NONE)
        return false;
    if (psk)
        sd_rd_vec16(&r);
    if (kind == SD_KX_ECDHE)
        read_curve(&r, k);
    else
        read_prime(&r, k);
    if (!psk && schemes && sd_rd_left(&r))
        k->scheme = sd_rd_u16(&r);
    if (!r.bad)
        return true;
    *k = (struct sd_server_key){0};
    return false;
}

static bool read_request13(struct sd_rd *r, struct sd_cert_request *q)
{
    struct sd_span body;
    struct sd_rd list, block;
    sd_rd_vec8(r); /* certificate_request_context */
    block = sd_rd_vec16(r);
    struct sd_span extensions = sd_rd_rest(&block);
    if (sd_ext_find(extensions, SD_EXT_SIGNATURE_ALGORITHMS, &body) && sd_ext_u16s(body, 2, &list))
        q->schemes = sd_rd_rest(&list);
    if (sd_ext_find(extensions, SD_EXT_CERTIFICATE_AUTHORITIES, &body))
        sd_ext_opaque(body, 2, &q->authorities);
    return sd_rd_done(r);
}

static bool read_request12(struct sd_rd *r, struct sd_cert_request *q, bool schemes)
{
    struct sd_rd types = sd_rd_vec8(r), list = {0};
    if (schemes)
        list = sd_rd_vec16(r);
    struct sd_rd authorities = sd_rd_vec16(r);
    q->types = sd_rd_rest(&types);
    q->schemes = sd_rd_rest(&list);
    q->authorities = sd_rd_rest(&authorities);
    return sd_rd_done(r) && q->schemes.len % 2 == 0;
}

bool sd_cert_request_parse(struct sd_cert_request *q, struct sd_span body, uint16_t version)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    *q = (struct sd_cert_request){0};
    bool ok = body.len && (version == SD_DTLS_1_3 ? read_request13(&r, q)
                                                  : read_request12(&r, q, version == SD_DTLS_1_2));
    if (!ok)
        *q = (struct sd_cert_request){0};
    return ok;
}

bool sd_authority_next(struct sd_rd *authorities, struct sd_span *dn)
{
    *dn = (struct sd_span){0};
    if (!sd_rd_left(authorities))
        return false;
    struct sd_rd one = sd_rd_vec16(authorities);
    *dn = sd_rd_rest(&one);
    return dn->len != 0;
}

/* --- a name in DER: SEQUENCE of SET of SEQUENCE { OID, string } --- */

enum { DER_OID = 0x06, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

/* The next element: its tag, and a reader of its content. 0 = none. */
static uint8_t der_next(struct sd_rd *r, struct sd_rd *content)
{
    if (!sd_rd_left(r))
        return 0;
    uint8_t tag = sd_rd_u8(r);
    size_t len = sd_rd_u8(r);
    if (len > 0x82)
        r->bad = true;
    else if (len >= 0x80)
        len = (size_t)sd_rd_uint(r, len - 0x80);
    *content = sd_rd_sub(r, len);
    return r->bad ? 0 : tag;
}

/* The value of an attribute of the name; empty when there is none. */
static struct sd_span name_attribute(struct sd_span dn, uint8_t wanted)
{
    struct sd_rd r = sd_rd_init(dn.p, dn.len), name, set, pair, oid, value;
    if (der_next(&r, &name) != DER_SEQUENCE)
        return (struct sd_span){0};
    while (der_next(&name, &set) == DER_SET) {
        if (der_next(&set, &pair) != DER_SEQUENCE || der_next(&pair, &oid) != DER_OID ||
            !der_next(&pair, &value))
            continue;
        struct sd_span id = sd_rd_rest(&oid);
        if (id.len == 3 && id.p[0] == 0x55 && id.p[1] == 0x04 && id.p[2] == wanted)
            return sd_rd_rest(&value);
    }
    return (struct sd_span){0};
}

const char *sd_authority_text(struct sd_span dn, char *buf, size_t cap)
{
    enum { COMMON_NAME = 3, ORGANIZATION = 10 }; /* id-at (RFC 5280 appendix A.1) */
    struct sd_span text = name_attribute(dn, COMMON_NAME);
    if (!text.len)
        text = name_attribute(dn, ORGANIZATION);
    size_t n = text.len < cap ? text.len : cap - 1;
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(text.p[i] >= ' ' && text.p[i] < 127 ? text.p[i] : '.');
    buf[n] = '\0';
    return buf;
}
