/* SPDX-License-Identifier: MIT */
#include "unseal/keys12.h"

#include <openssl/crypto.h>
#include <string.h>

#include "wire/hello.h"

enum {
    SALT_LEN = 4,                 /* RFC 5288 section 3, RFC 6655 section 3 */
    EXPLICIT_LEN = 8,             /* the rest of the nonce, in the record */
    PSEUDO_MAX = 23 + SD_CID_MAX, /* RFC 9146 section 5 */
    KEY_BLOCK_MAX = 2 * (SD_DIGEST_MAX + SD_KEY_MAX + SD_NONCE_LEN)
};

static size_t suite_mac_len(const struct sd_suite *s)
{
    return s->mac ? sd_prf_digest_len(s->mac) : 0;
}

static size_t iv_len(const struct sd_suite *s)
{
    /* CBC has had its IV in the record since TLS 1.1, which DTLS 1.0 is made of. */
    if (s->kind == SD_SUITE_GCM || s->kind == SD_SUITE_CCM)
        return SALT_LEN;
    return s->kind == SD_SUITE_CHACHA ? SD_NONCE_LEN : 0;
}

static bool key_block(const struct sd_unprotect_params *params, const struct sd_suite *s,
                      const uint8_t *master, uint8_t *block, size_t len)
{
    uint8_t seed[2 * SD_RANDOM_LEN];
    memcpy(seed, params->server_random, SD_RANDOM_LEN);
    memcpy(seed + SD_RANDOM_LEN, params->client_random, SD_RANDOM_LEN);
    return sd_prf(params->version == SD_DTLS_1_2 ? s->hash : NULL,
                  (struct sd_span){master, SD_MASTER_LEN}, "key expansion",
                  (struct sd_span){seed, sizeof seed}, block, len);
}

static void take_key(struct sd_rd *rd, void *to, size_t n)
{
    struct sd_span s = sd_rd_bytes(rd, n);
    if (s.len)
        memcpy(to, s.p, s.len);
}

static bool derive_key_block(struct sd_keys12 *k, const struct sd_unprotect_params *params,
                             const struct sd_suite *s, const uint8_t *master)
{
    uint8_t block[KEY_BLOCK_MAX];
    size_t len = 2 * (suite_mac_len(s) + s->key_len + iv_len(s));
    if (!key_block(params, s, master, block, len))
        return false;
    struct sd_rd rd = sd_rd_init(block, len);
    for (int i = 0; i < 2; i++)
        take_key(&rd, k->from[i].mac_key, suite_mac_len(s));
    for (int i = 0; i < 2; i++)
        take_key(&rd, k->from[i].key, s->key_len);
    for (int i = 0; i < 2; i++)
        take_key(&rd, k->from[i].iv, iv_len(s));
    OPENSSL_cleanse(block, sizeof block);
    return sd_rd_done(&rd);
}

bool sd_keys12_init(struct sd_keys12 *k, const struct sd_unprotect_params *params,
                    const uint8_t master[static SD_MASTER_LEN])
{
    const struct sd_suite *s = sd_suite_find(params->suite);
    *k = (struct sd_keys12){.encrypt_then_mac = params->encrypt_then_mac};
    if (s && sd_opener_init(&k->from[0], s) && sd_opener_init(&k->from[1], s) &&
        derive_key_block(k, params, s, master))
        return true;
    sd_keys12_fini(k);
    return false;
}

void sd_keys12_fini(struct sd_keys12 *k)
{
    sd_opener_fini(&k->from[0]);
    sd_opener_fini(&k->from[1]);
}

/* What is authenticated in addition to `len` bytes of content (RFC 5246 section 6.2.3.3; with a
 * connection id RFC 9146 section 5). */
static struct sd_span pseudo_header(uint8_t buf[PSEUDO_MAX], const struct sd_record *rec,
                                    size_t len)
{
    struct sd_wr w = sd_wr_init(buf, PSEUDO_MAX);
    bool cid = rec->type == SD_CT_CID;
    if (cid) {
        sd_wr_u48(&w, 0xffffffffffff);
        sd_wr_u16(&w, 0xffff);
        sd_wr_u8(&w, SD_CT_CID);
        sd_wr_u8(&w, (uint8_t)rec->cid.len);
        sd_wr_u8(&w, SD_CT_CID);
        sd_wr_u16(&w, rec->version);
    }
    sd_wr_u16(&w, rec->epoch);
    sd_wr_u48(&w, rec->seq);
    if (cid) {
        sd_wr_bytes(&w, rec->cid.p, rec->cid.len);
    } else {
        sd_wr_u8(&w, rec->type);
        sd_wr_u16(&w, rec->version);
    }
    sd_wr_u16(&w, (uint16_t)len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

static bool open_aead(struct sd_opener *o, const struct sd_record *rec, uint8_t *out, size_t *len)
{
    uint8_t nonce[SD_NONCE_LEN], buf[PSEUDO_MAX];
    struct sd_rd rd = sd_rd_init(rec->body.p, rec->body.len);
    if (o->suite->kind == SD_SUITE_CHACHA) {
        sd_opener_nonce(o, (uint64_t)rec->epoch << 48 | rec->seq, nonce);
    } else {
        memcpy(nonce, o->iv, SALT_LEN);
        take_key(&rd, nonce + SALT_LEN, EXPLICIT_LEN);
    }
    struct sd_span sealed = sd_rd_rest(&rd);
    if (rd.bad || sealed.len < o->suite->tag_len)
        return false;
    struct sd_span aad = pseudo_header(buf, rec, sealed.len - o->suite->tag_len);
    return sd_opener_aead(o, nonce, aad, sealed, out, len);
}

static bool mac_ok(const struct sd_opener *o, const struct sd_record *rec, struct sd_span content,
                   struct sd_span mac)
{
    uint8_t buf[PSEUDO_MAX];
    const struct sd_span parts[2] = {pseudo_header(buf, rec, content.len), content};
    return sd_opener_mac_ok(o, parts, 2, mac);
}

/* Checks the MAC at the end; *content is what precedes it. */
static bool checked(const struct sd_opener *o, const struct sd_record *rec, struct sd_span data,
                    struct sd_span *content)
{
    size_t mac = suite_mac_len(o->suite);
    if (data.len < mac)
        return false;
    struct sd_rd rd = sd_rd_init(data.p, data.len);
    *content = sd_rd_bytes(&rd, data.len - mac);
    return mac_ok(o, rec, *content, sd_rd_rest(&rd));
}

/* Removes the padding of RFC 5246 section 6.2.3.2, which has at least one byte. */
static bool unpad(const uint8_t *data, size_t *len)
{
    size_t pad = data[*len - 1];
    if (pad + 1 > *len)
        return false;
    for (size_t i = 0; i <= pad; i++)
        if (data[*len - 1 - i] != pad)
            return false;
    *len -= pad + 1;
    return true;
}

static bool open_cbc(struct sd_opener *o, bool encrypt_then_mac, const struct sd_record *rec,
                     uint8_t *out, size_t *len)
{
    struct sd_span content = rec->body;
    if (encrypt_then_mac)
        return checked(o, rec, rec->body, &content) && sd_opener_cbc(o, content, out, len) &&
               unpad(out, len);
    if (!sd_opener_cbc(o, rec->body, out, len) || !unpad(out, len) ||
        !checked(o, rec, (struct sd_span){out, *len}, &content))
        return false;
    *len = content.len;
    return true;
}

static bool open_null(const struct sd_opener *o, const struct sd_record *rec, uint8_t *out,
                      size_t *len)
{
    struct sd_span content;
    if (!checked(o, rec, rec->body, &content))
        return false;
    if (content.len)
        memcpy(out, content.p, content.len);
    *len = content.len;
    return true;
}

static bool open_body12(struct sd_keys12 *k, struct sd_opener *o, const struct sd_record *rec,
                        uint8_t *out, size_t *len)
{
    if (o->suite->kind == SD_SUITE_CBC)
        return open_cbc(o, k->encrypt_then_mac, rec, out, len);
    if (o->suite->kind == SD_SUITE_NULL)
        return open_null(o, rec, out, len);
    return open_aead(o, rec, out, len);
}

bool sd_keys12_open(struct sd_keys12 *k, bool from_server, const struct sd_record *rec,
                    uint8_t *out, struct sd_record *plain)
{
    size_t len = 0;
    uint8_t type = rec->type;
    if (rec->unified || !rec->epoch || rec->body.len > SD_RECORD_BODY_MAX ||
        !open_body12(k, &k->from[from_server], rec, out, &len))
        return false;
    if (type == SD_CT_CID && !sd_opener_inner_type(out, &len, &type))
        return false;
    *plain = *rec;
    plain->type = type;
    plain->length = len;
    plain->body = (struct sd_span){out, len};
    return true;
}
