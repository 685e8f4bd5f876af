/* SPDX-License-Identifier: MIT */
/* Records sealed by hand, where OpenSSL's own stack does not make them. */
#ifndef UNSEAL_SEAL_H
#define UNSEAL_SEAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "unseal/unseal.h"
#include "wire/record.h"

/* What seal_aead() may need around the content. */
enum { SEALED_MAX = 2048 };

static inline void seal_start(EVP_CIPHER_CTX *c, const char *cipher, const uint8_t *key,
                              const uint8_t *nonce, int tag_len)
{
    assert_true(EVP_EncryptInit_ex(c, EVP_get_cipherbyname(cipher), NULL, NULL, NULL));
    assert_true(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL));
    if (strstr(cipher, "ccm"))
        assert_true(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, tag_len, NULL));
    assert_true(EVP_EncryptInit_ex(c, NULL, NULL, key, nonce));
}

/* Content and tag to `out`; returns how many bytes that is. */
static inline size_t seal_aead(const char *cipher, const uint8_t *key, const uint8_t *nonce,
                               int tag_len, struct sd_span aad, struct sd_span text, uint8_t *out)
{
    int n = 0, rest = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    seal_start(c, cipher, key, nonce, tag_len);
    if (strstr(cipher, "ccm"))
        assert_true(EVP_EncryptUpdate(c, NULL, &n, NULL, (int)text.len));
    assert_true(EVP_EncryptUpdate(c, NULL, &n, aad.p, (int)aad.len));
    assert_true(EVP_EncryptUpdate(c, out, &n, text.p, (int)text.len));
    assert_true(EVP_EncryptFinal_ex(c, out + n, &rest));
    assert_int_equal((size_t)(n + rest), text.len);
    assert_true(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, tag_len, out + text.len));
    EVP_CIPHER_CTX_free(c);
    return text.len + (size_t)tag_len;
}

/* CBC without padding, or ECB and stream ciphers: as many bytes as went in. */
static inline void seal_plain(const char *cipher, const uint8_t *key, const uint8_t *iv,
                              const uint8_t *in, size_t len, uint8_t *out)
{
    int n = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    assert_true(EVP_EncryptInit_ex(c, EVP_get_cipherbyname(cipher), NULL, key, iv));
    EVP_CIPHER_CTX_set_padding(c, 0);
    assert_true(EVP_EncryptUpdate(c, out, &n, in, (int)len));
    assert_int_equal((size_t)n, len);
    EVP_CIPHER_CTX_free(c);
}

static inline void add_secret(struct sd_secrets *s, const char *label, const uint8_t random[32],
                              const uint8_t *secret, size_t len)
{
    char line[256];
    int at = snprintf(line, sizeof line, "%s ", label);
    for (size_t i = 0; i < 32; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, "%02x", random[i]);
    line[at++] = ' ';
    for (size_t i = 0; i < len; i++)
        at += snprintf(line + at, sizeof line - (size_t)at, "%02x", secret[i]);
    assert_true(sd_secrets_add(s, line, (size_t)at));
    assert_int_equal(sd_secrets_bad(s), 0);
}

static inline struct sd_record only_record(const uint8_t *data, size_t len, size_t cid_len)
{
    struct sd_records it = sd_records_init(data, len, cid_len);
    struct sd_record rec;
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    return rec;
}

#endif
