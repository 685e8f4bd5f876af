/* SPDX-License-Identifier: MIT */
#include "unseal/keys13.h"

#include <openssl/crypto.h>
#include <string.h>

#include "wire/record.h"

enum {
    SAMPLE_LEN = 16, /* of the ciphertext, RFC 9147 section 4.2.3 */
    HEADER_MAX = 1 + SD_CID_MAX + 2 + 2,
    LOW_EPOCH = SD_EPOCHS - 1 /* mask of the bits of the epoch in a record */
};

static void epoch_fini(struct sd_epoch_keys *e)
{
    sd_opener_fini(&e->opener);
    EVP_CIPHER_CTX_free(e->mask);
    OPENSSL_cleanse(e, sizeof *e);
}

static bool derive_epoch(struct sd_epoch_keys *e, const struct sd_suite *s, struct sd_span secret)
{
    uint8_t sn[SD_KEY_MAX];
    const EVP_CIPHER *mask = EVP_get_cipherbyname(s->mask);
    e->mask = mask ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = e->mask && sd_opener_init(&e->opener, s) &&
              sd_prf_expand_label(s->hash, secret, "key", e->opener.key, s->key_len) &&
              sd_prf_expand_label(s->hash, secret, "iv", e->opener.iv, SD_NONCE_LEN) &&
              sd_prf_expand_label(s->hash, secret, "sn", sn, s->key_len) &&
              EVP_EncryptInit_ex(e->mask, mask, NULL, sn, NULL) > 0;
    OPENSSL_cleanse(sn, sizeof sn);
    return ok;
}

static bool epoch_init(struct sd_epoch_keys *e, const struct sd_suite *s, uint64_t epoch,
                       struct sd_span secret)
{
    epoch_fini(e);
    /* With an empty secret anybody could seal a record. */
    if (secret.len != sd_prf_digest_len(s->hash) || !derive_epoch(e, s, secret)) {
        epoch_fini(e);
        return false;
    }
    e->epoch = epoch;
    memcpy(e->secret, secret.p, secret.len);
    return true;
}

/* The keys of an epoch, made when they are first needed; NULL without its secret. An epoch is at
 * most three above one that has keys, see full_epoch(). */
static struct sd_epoch_keys *epoch_keys(const struct sd_keys13 *k, struct sd_direction13 *d,
                                        uint64_t epoch)
{
    struct sd_epoch_keys *e = &d->epochs[epoch & LOW_EPOCH];
    if (e->mask && e->epoch == epoch)
        return e;
    const struct sd_secret *known = epoch == SD_EPOCH13_HANDSHAKE ? d->handshake : d->traffic;
    struct sd_span secret = {known->bytes, known->len};
    uint8_t updated[SD_DIGEST_MAX];
    if (epoch > SD_EPOCH13_APPDATA) {
        const struct sd_epoch_keys *before = epoch_keys(k, d, epoch - 1);
        secret = (struct sd_span){updated, sd_prf_digest_len(k->suite->hash)};
        if (!before ||
            !sd_prf_expand_label(k->suite->hash, (struct sd_span){before->secret, secret.len},
                                 "traffic upd", updated, secret.len))
            return NULL;
    }
    bool ok = epoch_init(e, k->suite, epoch, secret);
    OPENSSL_cleanse(updated, sizeof updated);
    return ok ? e : NULL;
}

/* The nearest epoch with these low bits: an older one, whose records come late, or the one after
 * a key update. */
static uint64_t full_epoch(uint64_t highest, uint64_t low)
{
    uint64_t oldest = highest - 2;
    uint64_t epoch = oldest + ((low - oldest) & LOW_EPOCH);
    return epoch < SD_EPOCH13_HANDSHAKE ? epoch + SD_EPOCHS : epoch;
}

/* The number nearest to the expected one (RFC 9147 section 4.2.2). */
static uint64_t full_seq(uint64_t expected, uint64_t low, unsigned bits)
{
    uint64_t window = UINT64_C(1) << bits, half = window / 2;
    uint64_t seq = (expected & ~(window - 1)) | low;
    if (seq + half <= expected)
        return seq + window;
    return seq > expected + half && seq >= window ? seq - window : seq;
}

/* Undoes the encryption of the record number (RFC 9147 section 4.2.3). */
static bool unmask(const struct sd_epoch_keys *e, const struct sd_record *rec, uint64_t *low)
{
    static const uint8_t zeros[SAMPLE_LEN];
    uint8_t mask[2 * SAMPLE_LEN];
    int n = 0;
    bool chacha = e->opener.suite->kind == SD_SUITE_CHACHA;
    struct sd_rd sample = sd_rd_init(rec->body.p, rec->body.len);
    const uint8_t *p = sd_rd_bytes(&sample, SAMPLE_LEN).p;
    /* ChaCha20 has the sample for counter and nonce, AES for its block. */
    if (sample.bad || EVP_EncryptInit_ex(e->mask, NULL, NULL, NULL, chacha ? p : NULL) <= 0 ||
        EVP_EncryptUpdate(e->mask, mask, &n, chacha ? zeros : p, SAMPLE_LEN) <= 0 ||
        n != SAMPLE_LEN)
        return false;
    uint64_t bits = rec->seq_bits == 16 ? (uint64_t)mask[0] << 8 | mask[1] : mask[0];
    *low = rec->seq ^ bits;
    return true;
}

/* The header as it was before its number was encrypted: the additional data (RFC 9147
 * section 4). */
static struct sd_span clear_header(uint8_t buf[HEADER_MAX], const struct sd_record *rec,
                                   uint64_t low)
{
    struct sd_rd rd = sd_rd_init(rec->header.p, rec->header.len);
    struct sd_wr w = sd_wr_init(buf, HEADER_MAX);
    sd_wr_u8(&w, sd_rd_u8(&rd));
    struct sd_span cid = sd_rd_bytes(&rd, rec->cid.len);
    sd_wr_bytes(&w, cid.p, cid.len);
    sd_rd_bytes(&rd, rec->seq_bits / 8);
    if (rec->seq_bits == 16)
        sd_wr_u16(&w, (uint16_t)low);
    else
        sd_wr_u8(&w, (uint8_t)low);
    struct sd_span length = sd_rd_rest(&rd);
    sd_wr_bytes(&w, length.p, length.len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

static bool open_body13(struct sd_epoch_keys *e, const struct sd_record *rec, uint8_t *out,
                        size_t *len, uint64_t *seq)
{
    uint64_t low;
    uint8_t buf[HEADER_MAX], nonce[SD_NONCE_LEN];
    if (!unmask(e, rec, &low))
        return false;
    *seq = full_seq(e->next_seq, low, rec->seq_bits);
    sd_opener_nonce(&e->opener, *seq, nonce);
    struct sd_span aad = clear_header(buf, rec, low);
    return sd_opener_aead(&e->opener, nonce, aad, rec->body, out, len);
}

bool sd_keys13_init(struct sd_keys13 *k, uint16_t suite, const struct sd_secret *secrets)
{
    const struct sd_suite *s = sd_suite_find(suite);
    struct sd_opener probe;
    *k = (struct sd_keys13){.suite = s};
    if (!s || !s->mask || !sd_opener_init(&probe, s))
        return false;
    sd_opener_fini(&probe);
    for (int i = 0; i < 2; i++) {
        k->from[i].highest = SD_EPOCH13_HANDSHAKE;
        k->from[i].handshake = &secrets[SD_SECRET_CLIENT_HANDSHAKE + i];
        k->from[i].traffic = &secrets[SD_SECRET_CLIENT_TRAFFIC + i];
    }
    return true;
}

void sd_keys13_fini(struct sd_keys13 *k)
{
    for (int i = 0; i < 2 * SD_EPOCHS; i++)
        epoch_fini(&k->from[i / SD_EPOCHS].epochs[i % SD_EPOCHS]);
}

bool sd_keys13_open(struct sd_keys13 *k, bool from_server, const struct sd_record *rec,
                    uint8_t *out, struct sd_record *plain)
{
    struct sd_direction13 *d = &k->from[from_server];
    uint64_t epoch = full_epoch(d->highest, rec->epoch), seq;
    size_t len = 0;
    uint8_t type;
    if (!rec->unified || rec->body.len > SD_RECORD_BODY_MAX || epoch > UINT16_MAX)
        return false;
    struct sd_epoch_keys *e = epoch_keys(k, d, epoch);
    if (!e || !open_body13(e, rec, out, &len, &seq) || !sd_opener_inner_type(out, &len, &type))
        return false;
    if (seq >= e->next_seq)
        e->next_seq = seq + 1;
    if (epoch > d->highest)
        d->highest = epoch;
    *plain = *rec;
    plain->unified = false;
    plain->type = type;
    plain->version = SD_DTLS_1_2;
    plain->epoch = (uint16_t)epoch;
    plain->seq = seq;
    plain->seq_bits = 48;
    plain->length = len;
    plain->body = (struct sd_span){out, len};
    return true;
}
