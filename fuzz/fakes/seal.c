/* SPDX-License-Identifier: MIT */
#include "fakes/seal.h"

#include <string.h>

#include "wire/record.h"

enum { ROOM = 2048, CONTENT_MAX = 1024, TAG = 16 };

/* Content and tag; 0: the library lacks the cipher. */
static size_t seal_aead(const struct sd_suite *s, const uint8_t *key, const uint8_t *nonce,
                        struct sd_span aad, struct sd_span text, uint8_t *out)
{
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(s->cipher);
    EVP_CIPHER_CTX *c = cipher ? EVP_CIPHER_CTX_new() : NULL;
    bool ccm = s->kind == SD_SUITE_CCM;
    int n = 0, rest = 0;
    bool ok = c && EVP_EncryptInit_ex(c, cipher, NULL, NULL, NULL) > 0 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, SD_NONCE_LEN, NULL) > 0;
    if (ok && ccm)
        ok = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, s->tag_len, NULL) > 0;
    ok = ok && EVP_EncryptInit_ex(c, NULL, NULL, key, nonce) > 0;
    if (ok && ccm)
        ok = EVP_EncryptUpdate(c, NULL, &n, NULL, (int)text.len) > 0;
    static const uint8_t nothing[1];
    ok = ok && EVP_EncryptUpdate(c, NULL, &n, aad.p, (int)aad.len) > 0;
    n = 0;
    if (ok && (text.len || ccm))
        ok = EVP_EncryptUpdate(c, out, &n, text.len ? text.p : nothing, (int)text.len) > 0;
    ok = ok && EVP_EncryptFinal_ex(c, out + n, &rest) > 0 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, s->tag_len, out + text.len) > 0;
    EVP_CIPHER_CTX_free(c);
    return ok ? text.len + s->tag_len : 0;
}

static bool encrypt_raw(const char *name, const uint8_t *key, const uint8_t *iv,
                        struct sd_span text, uint8_t *out)
{
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(name);
    EVP_CIPHER_CTX *c = cipher ? EVP_CIPHER_CTX_new() : NULL;
    int n = 0;
    bool ok = c && EVP_EncryptInit_ex(c, cipher, NULL, key, iv) > 0 &&
              EVP_CIPHER_CTX_set_padding(c, 0) > 0 &&
              EVP_EncryptUpdate(c, out, &n, text.p, (int)text.len) > 0;
    EVP_CIPHER_CTX_free(c);
    return ok && (size_t)n == text.len;
}

/* RFC 5246 section 6.2.3.3; with a connection id RFC 9146 section 5. */
static struct sd_span pseudo_header(uint8_t *buf, size_t room, uint16_t version,
                                    const struct seal_plain *p, size_t len)
{
    struct sd_wr w = sd_wr_init(buf, room);
    if (p->cid.len) {
        sd_wr_bytes(&w, "\377\377\377\377\377\377\377\377\x19", 9);
        sd_wr_u8(&w, (uint8_t)p->cid.len);
        sd_wr_u8(&w, SD_CT_CID);
        sd_wr_u16(&w, version);
    }
    sd_wr_u16(&w, p->epoch);
    sd_wr_u48(&w, p->seq);
    if (p->cid.len) {
        sd_wr_bytes(&w, p->cid.p, p->cid.len);
    } else {
        sd_wr_u8(&w, p->type);
        sd_wr_u16(&w, version);
    }
    sd_wr_u16(&w, (uint16_t)len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

static size_t aead12(const struct sd_opener *o, uint16_t version, const struct seal_plain *p,
                     struct sd_span text, uint8_t *out)
{
    uint8_t nonce[SD_NONCE_LEN], buf[300];
    struct sd_span aad = pseudo_header(buf, sizeof buf, version, p, text.len);
    uint64_t number = (uint64_t)p->epoch << 48 | p->seq;
    if (o->suite->kind == SD_SUITE_CHACHA) {
        sd_opener_nonce(o, number, nonce);
        return seal_aead(o->suite, o->key, nonce, aad, text, out);
    }
    struct sd_wr w = sd_wr_init(out, 8);
    sd_wr_u16(&w, p->epoch);
    sd_wr_u48(&w, p->seq);
    memcpy(nonce, o->iv, 4);
    memcpy(nonce + 4, out, 8);
    size_t n = seal_aead(o->suite, o->key, nonce, aad, text, out + 8);
    return n ? n + 8 : 0;
}

static size_t put_mac(const struct sd_opener *o, uint16_t version, const struct seal_plain *p,
                      struct sd_span data, uint8_t *to)
{
    uint8_t buf[300];
    size_t len = sd_prf_digest_len(o->suite->mac);
    const struct sd_span parts[] = {pseudo_header(buf, sizeof buf, version, p, data.len), data};
    return sd_prf_hmac(o->suite->mac, (struct sd_span){o->mac_key, len}, parts, 2, to) ? len : 0;
}

static size_t cbc12(const struct sd_opener *o, bool encrypt_then_mac, uint16_t version,
                    const struct seal_plain *p, struct sd_span text, uint8_t *out)
{
    uint8_t clear[ROOM], block = o->suite->block_len;
    size_t len = text.len, mac = 0;
    if (text.len)
        memcpy(clear, text.p, text.len);
    if (!encrypt_then_mac)
        len += mac = put_mac(o, version, p, text, clear + len);
    size_t pad = (size_t)(block - 1) - len % block + (p->padding % 4 + p->broken) * block;
    memset(clear + len, (int)pad, pad + 1);
    clear[len] ^= p->broken;
    len += pad + 1;
    memset(out, 7, block); /* the IV */
    if (!encrypt_raw(o->suite->cipher, o->key, out, (struct sd_span){clear, len}, out + block))
        return 0;
    len += block;
    if (encrypt_then_mac)
        len += mac = put_mac(o, version, p, (struct sd_span){out, len}, out + len);
    return mac ? len : 0;
}

static size_t null12(const struct sd_opener *o, uint16_t version, const struct seal_plain *p,
                     struct sd_span text, uint8_t *out)
{
    size_t mac = put_mac(o, version, p, text, out + text.len);
    if (text.len)
        memcpy(out, text.p, text.len);
    return mac ? text.len + mac : 0;
}

/* The content; with a connection id and in DTLS 1.3 also its type and zeros. Broken: only zeros. */
static struct sd_span inner(uint8_t *buf, const struct seal_plain *p, bool typed)
{
    struct sd_wr w = sd_wr_init(buf, ROOM);
    if (!typed || !p->broken)
        sd_wr_bytes(&w, p->content.p, p->content.len);
    if (typed && !p->broken)
        sd_wr_u8(&w, p->type);
    for (size_t i = 0; typed && i < p->padding; i++)
        sd_wr_u8(&w, 0);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

bool seal12(struct sd_wr *w, const struct sd_keys12 *k, bool from_server, uint16_t version,
            const struct seal_plain *p)
{
    uint8_t clear[ROOM], body[2 * ROOM];
    const struct sd_opener *o = &k->from[from_server];
    bool padded = p->cid.len || o->suite->kind == SD_SUITE_CBC;
    if (p->content.len > CONTENT_MAX || p->padding > 255 || (p->broken && !padded))
        return false;
    struct sd_span text = inner(clear, p, p->cid.len);
    size_t n;
    if (o->suite->kind == SD_SUITE_CBC)
        n = cbc12(o, k->encrypt_then_mac, version, p, text, body);
    else if (o->suite->kind == SD_SUITE_NULL)
        n = null12(o, version, p, text, body);
    else
        n = aead12(o, version, p, text, body);
    sd_wr_u8(w, p->cid.len ? SD_CT_CID : p->type);
    sd_wr_u16(w, version);
    sd_wr_u16(w, p->epoch);
    sd_wr_u48(w, p->seq);
    sd_wr_bytes(w, p->cid.p, p->cid.len);
    sd_wr_u16(w, (uint16_t)n);
    sd_wr_bytes(w, body, n);
    return n > 0;
}

/* Applies the mask of the record number (RFC 9147 section 4.2.3) to the two bytes after the first
 * byte and the connection id. */
static bool mask_number(const struct sd_suite *s, struct sd_span secret, const uint8_t *sample,
                        uint8_t *number)
{
    static const uint8_t zeros[TAG];
    uint8_t sn[SD_KEY_MAX], mask[TAG];
    bool chacha = s->kind == SD_SUITE_CHACHA;
    if (!sd_prf_expand_label(s->hash, secret, "sn", sn, s->key_len) ||
        !encrypt_raw(s->mask, sn, chacha ? sample : NULL,
                     (struct sd_span){chacha ? zeros : sample, TAG}, mask))
        return false;
    number[0] ^= mask[0];
    number[1] ^= mask[1];
    return true;
}

bool seal13(struct sd_wr *w, uint16_t suite, const struct sd_secret *secret,
            const struct seal_plain *p)
{
    const struct sd_suite *s = sd_suite_find(suite);
    struct sd_opener o = {.suite = s};
    struct sd_span traffic = {secret->bytes, secret->len};
    uint8_t clear[ROOM], body[ROOM], nonce[SD_NONCE_LEN], header[300];
    if (!s || !s->mask || p->content.len > CONTENT_MAX || p->padding > 255 ||
        !sd_prf_expand_label(s->hash, traffic, "key", o.key, s->key_len) ||
        !sd_prf_expand_label(s->hash, traffic, "iv", o.iv, SD_NONCE_LEN))
        return false;
    struct sd_span text = inner(clear, p, true);
    struct sd_wr h = sd_wr_init(header, sizeof header);
    sd_wr_u8(&h, (uint8_t)(0x2c | (p->cid.len ? 0x10 : 0) | (p->epoch & 3)));
    sd_wr_bytes(&h, p->cid.p, p->cid.len);
    sd_wr_u16(&h, (uint16_t)p->seq);
    sd_wr_u16(&h, (uint16_t)(text.len + s->tag_len));
    sd_opener_nonce(&o, p->seq, nonce);
    struct sd_span aad = {header, sd_wr_len(&h)};
    size_t n = seal_aead(s, o.key, nonce, aad, text, body);
    if (n < TAG || !mask_number(s, traffic, body, header + 1 + p->cid.len))
        return false;
    sd_wr_bytes(w, header, aad.len);
    sd_wr_bytes(w, body, n);
    return !w->bad;
}
