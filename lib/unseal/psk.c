/* SPDX-License-Identifier: MIT */
#include "unseal/psk.h"

#include <openssl/crypto.h>
#include <string.h>

#include "unseal/suite.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/iana.h"
#include "wire/names.h"

enum { PREMASTER_MAX = 2 * (2 + SD_PSK_LEN_MAX), HEADER12 = 12, HEADER13 = 4 };

/* --- DTLS 1.0 and 1.2 --- */

static bool is_plain_psk(uint16_t suite)
{
    static const char plain[] = "TLS_PSK_WITH_";
    char buf[SD_NAME_TEXT];
    return !strncmp(sd_name(SD_NAME_SUITE, suite, buf), plain, strlen(plain));
}

/* As if it had come in one fragment (RFC 6347 section 4.2.6). */
static struct sd_span header12(const struct sd_transcript_part *p, uint8_t buf[HEADER12])
{
    struct sd_wr w = sd_wr_init(buf, HEADER12);
    sd_wr_u8(&w, p->type);
    sd_wr_u24(&w, (uint32_t)p->body.len);
    sd_wr_u16(&w, p->message_seq);
    sd_wr_u24(&w, 0);
    sd_wr_u24(&w, (uint32_t)p->body.len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

/* RFC 7627 section 3; before DTLS 1.2 it has two parts. Its length, or 0. */
static size_t session_hash(const struct sd_unprotect_params *params, const char *digest,
                           uint8_t out[static 2 * SD_DIGEST_MAX])
{
    uint8_t headers[SD_TRANSCRIPT_MAX][HEADER12];
    struct sd_span parts[2 * SD_TRANSCRIPT_MAX];
    size_t count = params->transcript_count;
    if (!count || count > SD_TRANSCRIPT_MAX)
        return 0;
    for (size_t i = 0; i < count; i++) {
        parts[2 * i] = header12(&params->transcript[i], headers[i]);
        parts[2 * i + 1] = params->transcript[i].body;
    }
    const char *first = digest ? digest : "MD5";
    size_t len = sd_prf_digest_len(first);
    if (!sd_prf_digest(first, parts, 2 * count, out))
        return 0;
    if (digest)
        return len;
    return sd_prf_digest("SHA", parts, 2 * count, out + len) ? len + sd_prf_digest_len("SHA") : 0;
}

/* RFC 4279 section 2: as many zeros, then the key. */
static struct sd_span psk_premaster(const struct sd_shared_key *psk,
                                    uint8_t buf[static PREMASTER_MAX])
{
    static const uint8_t zeros[SD_PSK_LEN_MAX];
    struct sd_wr w = sd_wr_init(buf, PREMASTER_MAX);
    sd_wr_u16(&w, (uint16_t)psk->len);
    sd_wr_bytes(&w, zeros, psk->len);
    sd_wr_u16(&w, (uint16_t)psk->len);
    sd_wr_bytes(&w, psk->key, psk->len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

bool sd_psk_master(const struct sd_shared_key *psk, const struct sd_unprotect_params *params,
                   uint8_t master[static SD_MASTER_LEN])
{
    uint8_t buf[PREMASTER_MAX], seed[2 * SD_DIGEST_MAX];
    const struct sd_suite *s = sd_suite_find(params->suite);
    if (!s || !is_plain_psk(params->suite))
        return false;
    const char *digest = params->version == SD_DTLS_1_2 ? s->hash : NULL;
    size_t len = 2 * SD_RANDOM_LEN;
    memcpy(seed, params->client_random, SD_RANDOM_LEN);
    memcpy(seed + SD_RANDOM_LEN, params->server_random, SD_RANDOM_LEN);
    if (params->extended_master_secret)
        len = session_hash(params, digest, seed);
    bool ok =
        len && sd_prf(digest, psk_premaster(psk, buf),
                      params->extended_master_secret ? "extended master secret" : "master secret",
                      (struct sd_span){seed, len}, master, SD_MASTER_LEN);
    OPENSSL_cleanse(buf, sizeof buf);
    return ok;
}

/* --- DTLS 1.3 --- */

/* The server took a key, and sends no share of its own. */
static bool is_psk_ke(const struct sd_unprotect_params *params)
{
    struct sd_server_hello sh;
    size_t count = params->transcript_count;
    struct sd_span body = count ? params->transcript[count - 1].body : (struct sd_span){0};
    return (count == 2 || count == 4) &&
           sd_server_hello_parse(&sh, body, body.len) == SD_HELLO_WHOLE &&
           sd_ext_has(sh.extensions, SD_EXT_PRE_SHARED_KEY) &&
           !sd_ext_has(sh.extensions, SD_EXT_KEY_SHARE);
}

/* The transcript of DTLS 1.3 has the headers of TLS (RFC 9147 section 5.2). */
static struct sd_span header13(uint8_t type, size_t len, uint8_t buf[HEADER13])
{
    struct sd_wr w = sd_wr_init(buf, HEADER13);
    sd_wr_u8(&w, type);
    sd_wr_u24(&w, (uint32_t)len);
    return (struct sd_span){buf, sd_wr_len(&w)};
}

static bool hash_message(EVP_MD_CTX *ctx, uint8_t type, struct sd_span body)
{
    uint8_t buf[HEADER13];
    struct sd_span header = header13(type, body.len, buf);
    return EVP_DigestUpdate(ctx, header.p, header.len) > 0 &&
           (!body.len || EVP_DigestUpdate(ctx, body.p, body.len) > 0);
}

static bool hash_so_far(const EVP_MD_CTX *ctx, uint8_t out[static SD_DIGEST_MAX])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    bool ok = copy && EVP_MD_CTX_copy_ex(copy, ctx) > 0 && EVP_DigestFinal_ex(copy, out, NULL) > 0;
    EVP_MD_CTX_free(copy);
    return ok;
}

/* A HelloRetryRequest puts a hash in the place of the first ClientHello (RFC 8446 section 4.4.1).
 */
static bool hash_hellos(struct sd_psk13 *k, const struct sd_unprotect_params *params)
{
    uint8_t first[SD_DIGEST_MAX], buf[HEADER13];
    size_t i = 0;
    bool ok = true;
    if (params->transcript_count == 4) {
        const struct sd_transcript_part *p = &params->transcript[i++];
        const struct sd_span parts[2] = {header13(p->type, p->body.len, buf), p->body};
        ok = sd_prf_digest(k->hash, parts, 2, first) &&
             hash_message(k->transcript, SD_HS_MESSAGE_HASH,
                          (struct sd_span){first, sd_prf_digest_len(k->hash)});
    }
    for (; ok && i < params->transcript_count; i++)
        ok = hash_message(k->transcript, params->transcript[i].type, params->transcript[i].body);
    return ok;
}

/* HKDF-Extract of zeros, with a salt derived from `secret`, which it replaces. */
static bool next_stage(struct sd_psk13 *k)
{
    static const uint8_t zeros[SD_DIGEST_MAX];
    uint8_t empty[SD_DIGEST_MAX], salt[SD_DIGEST_MAX];
    size_t len = sd_prf_digest_len(k->hash);
    const struct sd_span nothing = {zeros, len};
    return sd_prf_digest(k->hash, NULL, 0, empty) &&
           sd_prf_derive_secret(k->hash, k->secret, "derived", empty, salt) &&
           sd_prf_hmac(k->hash, (struct sd_span){salt, len}, &nothing, 1, k->secret);
}

static bool derive_pair(struct sd_psk13 *k, const char *client, const char *server,
                        struct sd_secret *pair)
{
    uint8_t hash[SD_DIGEST_MAX];
    bool ok = hash_so_far(k->transcript, hash) &&
              sd_prf_derive_secret(k->hash, k->secret, client, hash, pair[0].bytes) &&
              sd_prf_derive_secret(k->hash, k->secret, server, hash, pair[1].bytes);
    for (int i = 0; ok && i < 2; i++)
        pair[i].len = (uint8_t)sd_prf_digest_len(k->hash);
    return ok;
}

static bool begin_schedule(struct sd_psk13 *k, const struct sd_shared_key *psk)
{
    static const uint8_t zeros[SD_DIGEST_MAX];
    const struct sd_span key = {psk->key, psk->len};
    return sd_prf_hmac(k->hash, (struct sd_span){zeros, sd_prf_digest_len(k->hash)}, &key, 1,
                       k->secret) &&
           next_stage(k);
}

static bool begin_transcript(struct sd_psk13 *k, const struct sd_unprotect_params *params)
{
    const EVP_MD *md = EVP_get_digestbyname(k->hash);
    k->transcript = EVP_MD_CTX_new();
    return md && k->transcript && EVP_DigestInit_ex(k->transcript, md, NULL) > 0 &&
           hash_hellos(k, params);
}

bool sd_psk13_init(struct sd_psk13 *k, const struct sd_shared_key *psk,
                   const struct sd_unprotect_params *params, struct sd_secret *secrets)
{
    const struct sd_suite *s = sd_suite_find(params->suite);
    *k = (struct sd_psk13){.hash = s ? s->hash : NULL};
    if (s && is_psk_ke(params) && begin_transcript(k, params) && begin_schedule(k, psk) &&
        derive_pair(k, "c hs traffic", "s hs traffic", &secrets[SD_SECRET_CLIENT_HANDSHAKE]))
        return true;
    sd_psk13_fini(k);
    return false;
}

void sd_psk13_message(struct sd_psk13 *k, uint8_t type, struct sd_span body,
                      struct sd_secret *secrets)
{
    bool expected = type == (k->extensions ? SD_HS_FINISHED : SD_HS_ENCRYPTED_EXTENSIONS);
    if (!k->transcript || !expected)
        return;
    k->extensions = true;
    bool ok = hash_message(k->transcript, type, body);
    if (ok && type != SD_HS_FINISHED)
        return;
    if (ok && next_stage(k))
        derive_pair(k, "c ap traffic", "s ap traffic", &secrets[SD_SECRET_CLIENT_TRAFFIC]);
    sd_psk13_fini(k);
}

void sd_psk13_fini(struct sd_psk13 *k)
{
    EVP_MD_CTX_free(k->transcript);
    OPENSSL_cleanse(k, sizeof *k);
}
