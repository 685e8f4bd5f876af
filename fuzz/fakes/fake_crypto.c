/* SPDX-License-Identifier: MIT */
#include "fakes/fake_crypto.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "harness/common.h"

enum { AEAD_IV = 12, TAG_MAX = 16, BLOCK = 16, DES_BLOCK = 8, CHACHA_KEY = 32, DES_KEY = 24 };

static struct {
    bool real;
    unsigned fail_in;
    int live;
} crypto;

void fake_crypto_real(bool real)
{
    crypto.real = real;
}

void fake_crypto_fail(unsigned n)
{
    crypto.fail_in = n;
}

int fake_crypto_live(void)
{
    return crypto.live;
}

static bool fails(void)
{
    return crypto.fail_in && --crypto.fail_in == 0;
}

static void *born(void *object)
{
    crypto.live += object != NULL;
    return object;
}

/* A zeroed object of those below. From the heap they would cost more time than their work. */
enum { OBJECTS = 64, OBJECT_SIZE = 128 };

static struct object {
    max_align_t bytes[OBJECT_SIZE / sizeof(max_align_t)];
    bool used;
} objects[OBJECTS];

static void *take(void)
{
    struct object *o = objects;
    while (o < objects + OBJECTS && o->used)
        o++;
    fuzz_check(o < objects + OBJECTS, "%d objects of OpenSSL are still in use", OBJECTS);
    *o = (struct object){.used = true};
    return o;
}

static void give_back(void *object)
{
    struct object *o = object;
    fuzz_check(!o || o->used, "an object of OpenSSL is freed twice");
    if (o)
        o->used = false;
}

/* --- ciphers --- */

enum shape { SHAPE_GCM, SHAPE_CCM, SHAPE_BLOCKS, SHAPE_STREAM };

struct cipher {
    const char *name;
    enum shape shape;
    size_t key, iv;
};

static const struct cipher ciphers[] = {{"aes-128-gcm", SHAPE_GCM, 16, AEAD_IV},
                                        {"aes-256-gcm", SHAPE_GCM, 32, AEAD_IV},
                                        {"aria-128-gcm", SHAPE_GCM, 16, AEAD_IV},
                                        {"aria-256-gcm", SHAPE_GCM, 32, AEAD_IV},
                                        {"chacha20-poly1305", SHAPE_GCM, CHACHA_KEY, AEAD_IV},
                                        {"aes-128-ccm", SHAPE_CCM, 16, AEAD_IV},
                                        {"aes-256-ccm", SHAPE_CCM, 32, AEAD_IV},
                                        {"aes-128-cbc", SHAPE_BLOCKS, 16, BLOCK},
                                        {"aes-256-cbc", SHAPE_BLOCKS, 32, BLOCK},
                                        {"camellia-128-cbc", SHAPE_BLOCKS, 16, BLOCK},
                                        {"camellia-256-cbc", SHAPE_BLOCKS, 32, BLOCK},
                                        {"aria-128-cbc", SHAPE_BLOCKS, 16, BLOCK},
                                        {"aria-256-cbc", SHAPE_BLOCKS, 32, BLOCK},
                                        {"des-ede3-cbc", SHAPE_BLOCKS, DES_KEY, DES_BLOCK},
                                        {"aes-128-ecb", SHAPE_STREAM, 16, 0},
                                        {"aes-256-ecb", SHAPE_STREAM, 32, 0},
                                        {"chacha20", SHAPE_STREAM, CHACHA_KEY, BLOCK}};

struct cipher_ctx {
    const struct cipher *cipher;
    uint64_t key, start, tag; /* sums: of the key; with the IV; with all that is authenticated */
    int announced;            /* length of the text, which CCM wants first */
    bool sealing, given;      /* given: a tag to compare with */
    uint8_t wanted[TAG_MAX];
    int tag_len;
};

const EVP_CIPHER *__real_EVP_get_cipherbyname(const char *name);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
void __real_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
int __real_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
int __real_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding);
typedef int cipher_init(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *e,
                        const unsigned char *key, const unsigned char *iv);
typedef int cipher_update(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n, const unsigned char *in,
                          int len);
typedef int cipher_final(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n);
cipher_init __real_EVP_DecryptInit_ex, __real_EVP_EncryptInit_ex, __wrap_EVP_DecryptInit_ex,
    __wrap_EVP_EncryptInit_ex;
cipher_update __real_EVP_DecryptUpdate, __real_EVP_EncryptUpdate, __wrap_EVP_DecryptUpdate,
    __wrap_EVP_EncryptUpdate;
cipher_final __real_EVP_DecryptFinal_ex, __real_EVP_EncryptFinal_ex, __wrap_EVP_DecryptFinal_ex,
    __wrap_EVP_EncryptFinal_ex;
const EVP_CIPHER *__wrap_EVP_get_cipherbyname(const char *name);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
int __wrap_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding);

const EVP_CIPHER *__wrap_EVP_get_cipherbyname(const char *name)
{
    if (fails())
        return NULL;
    if (crypto.real)
        return __real_EVP_get_cipherbyname(name);
    for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
        if (!strcmp(ciphers[i].name, name))
            return (const void *)&ciphers[i];
    fuzz_fail(__FILE__, __LINE__, "no cipher is called %s", name);
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
    if (fails())
        return NULL;
    return born(crypto.real ? (void *)__real_EVP_CIPHER_CTX_new() : take());
}

void __wrap_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx)
{
    crypto.live -= ctx != NULL;
    if (crypto.real)
        __real_EVP_CIPHER_CTX_free(ctx);
    else
        give_back(ctx);
}

static int init(EVP_CIPHER_CTX *ctx, bool sealing, const EVP_CIPHER *cipher, const uint8_t *key,
                const uint8_t *iv)
{
    struct cipher_ctx *c = (void *)ctx;
    c->cipher = cipher ? (const void *)cipher : c->cipher;
    c->sealing = sealing;
    c->announced = -1;
    if (key)
        c->key = fuzz_sum(FUZZ_SUM, key, c->cipher->key);
    c->start = c->tag = iv ? fuzz_sum(c->key, iv, c->cipher->iv) : c->key;
    return 1;
}

int __wrap_EVP_DecryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *e,
                              const unsigned char *key, const unsigned char *iv)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_DecryptInit_ex(ctx, cipher, e, key, iv)
                       : init(ctx, false, cipher, key, iv);
}

int __wrap_EVP_EncryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *e,
                              const unsigned char *key, const unsigned char *iv)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_EncryptInit_ex(ctx, cipher, e, key, iv)
                       : init(ctx, true, cipher, key, iv);
}

static void tag_of(const struct cipher_ctx *c, uint8_t tag[TAG_MAX])
{
    fuzz_random_bytes(&(struct fuzz_rng){c->tag}, tag, TAG_MAX);
}

static int control(struct cipher_ctx *c, int type, int arg, void *ptr)
{
    uint8_t tag[TAG_MAX];
    if (type == EVP_CTRL_AEAD_SET_IVLEN)
        return arg == AEAD_IV;
    if (arg > TAG_MAX)
        return 0;
    if (type == EVP_CTRL_AEAD_GET_TAG) {
        tag_of(c, tag);
        memcpy(ptr, tag, (size_t)arg);
    } else if (ptr) {
        memcpy(c->wanted, ptr, (size_t)arg);
        c->given = true;
    }
    c->tag_len = arg;
    return 1;
}

int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_CIPHER_CTX_ctrl(ctx, type, arg, ptr)
                       : control((void *)ctx, type, arg, ptr);
}

int __wrap_EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_CIPHER_CTX_set_padding(ctx, padding) : !padding;
}

/* Once for each text; our code asks for no more. */
static void key_stream(const struct cipher_ctx *c, uint8_t *out, const uint8_t *in, size_t len)
{
    struct fuzz_rng rng = {c->start};
    uint64_t pad = 0;
    for (size_t i = 0; i < len; i++, pad >>= 8) {
        if (i % 8 == 0)
            pad = fuzz_random(&rng);
        out[i] = in[i] ^ (uint8_t)pad;
    }
}

static bool tag_right(struct cipher_ctx *c)
{
    uint8_t tag[TAG_MAX];
    tag_of(c, tag);
    bool right = c->given && !memcmp(tag, c->wanted, (size_t)c->tag_len);
    c->given = false;
    return right;
}

static int update(EVP_CIPHER_CTX *ctx, uint8_t *out, int *n, const uint8_t *in, int len)
{
    struct cipher_ctx *c = (void *)ctx;
    bool ccm = c->cipher->shape == SHAPE_CCM;
    *n = len;
    if (!out && !in) {
        c->announced = len;
        return ccm;
    }
    if (ccm && c->announced < (out ? len : 0))
        return 0;
    if (c->cipher->shape == SHAPE_BLOCKS)
        *n -= len % (int)c->cipher->iv;
    if (!out || !c->sealing)
        c->tag = fuzz_sum(c->tag, in, (size_t)len);
    if (!out)
        return 1;
    if (ccm && !c->sealing && !tag_right(c))
        return 0;
    key_stream(c, out, in, (size_t)*n);
    if (c->sealing)
        c->tag = fuzz_sum(c->tag, out, (size_t)*n);
    return 1;
}

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n,
                             const unsigned char *in, int len)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_DecryptUpdate(ctx, out, n, in, len)
                       : update(ctx, out, n, in, len);
}

int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n,
                             const unsigned char *in, int len)
{
    if (fails())
        return 0;
    return crypto.real ? __real_EVP_EncryptUpdate(ctx, out, n, in, len)
                       : update(ctx, out, n, in, len);
}

int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n)
{
    if (fails())
        return 0;
    if (crypto.real)
        return __real_EVP_DecryptFinal_ex(ctx, out, n);
    *n = 0;
    return tag_right((void *)ctx);
}

int __wrap_EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *n)
{
    if (fails())
        return 0;
    if (crypto.real)
        return __real_EVP_EncryptFinal_ex(ctx, out, n);
    *n = 0;
    return 1;
}

/* --- HMAC --- */

struct digest {
    const char *name;
    size_t len;
};

static const struct digest digests[] = {{"MD5", 16}, {"SHA1", 20}, {"SHA256", 32}, {"SHA384", 48}};

struct key {
    uint64_t sum;
};

struct digest_ctx {
    const struct digest *digest;
    uint64_t sum;
};

const EVP_MD *__real_EVP_get_digestbyname(const char *name);
EVP_PKEY *__real_EVP_PKEY_new_mac_key(int type, ENGINE *e, const unsigned char *key, int len);
void __real_EVP_PKEY_free(EVP_PKEY *key);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
void __real_EVP_MD_CTX_free(EVP_MD_CTX *ctx);
int __real_EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pkey_ctx, const EVP_MD *md, ENGINE *e,
                              EVP_PKEY *key);
int __real_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
int __real_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *len);
void __real_ERR_clear_error(void);
const EVP_MD *__wrap_EVP_get_digestbyname(const char *name);
EVP_PKEY *__wrap_EVP_PKEY_new_mac_key(int type, ENGINE *e, const unsigned char *key, int len);
void __wrap_EVP_PKEY_free(EVP_PKEY *key);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
void __wrap_EVP_MD_CTX_free(EVP_MD_CTX *ctx);
int __wrap_EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pkey_ctx, const EVP_MD *md, ENGINE *e,
                              EVP_PKEY *key);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
int __wrap_EVP_DigestSignUpdate(EVP_MD_CTX *ctx, const void *data, size_t len);
int __wrap_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *len);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);
void __wrap_ERR_clear_error(void);

const EVP_MD *__wrap_EVP_get_digestbyname(const char *name)
{
    if (fails())
        return NULL;
    if (crypto.real)
        return __real_EVP_get_digestbyname(name);
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        if (!strcmp(digests[i].name, name))
            return (const void *)&digests[i];
    fuzz_fail(__FILE__, __LINE__, "no digest is called %s", name);
}

EVP_PKEY *__wrap_EVP_PKEY_new_mac_key(int type, ENGINE *e, const unsigned char *key, int len)
{
    if (fails())
        return NULL;
    if (crypto.real)
        return born(__real_EVP_PKEY_new_mac_key(type, e, key, len));
    struct key *k = take();
    k->sum = fuzz_sum((uint64_t)len, key, (size_t)len);
    return born(k);
}

void __wrap_EVP_PKEY_free(EVP_PKEY *key)
{
    crypto.live -= key != NULL;
    if (crypto.real)
        __real_EVP_PKEY_free(key);
    else
        give_back(key);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void)
{
    if (fails())
        return NULL;
    return born(crypto.real ? (void *)__real_EVP_MD_CTX_new() : take());
}

void __wrap_EVP_MD_CTX_free(EVP_MD_CTX *ctx)
{
    crypto.live -= ctx != NULL;
    if (crypto.real)
        __real_EVP_MD_CTX_free(ctx);
    else
        give_back(ctx);
}

int __wrap_EVP_DigestSignInit(EVP_MD_CTX *ctx, EVP_PKEY_CTX **pkey_ctx, const EVP_MD *md, ENGINE *e,
                              EVP_PKEY *key)
{
    if (fails())
        return 0;
    if (crypto.real)
        return __real_EVP_DigestSignInit(ctx, pkey_ctx, md, e, key);
    struct digest_ctx *c = (void *)ctx;
    c->digest = (const void *)md;
    c->sum = fuzz_sum(((struct key *)(void *)key)->sum, c->digest->name, strlen(c->digest->name));
    return 1;
}

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    if (fails())
        return 0;
    if (crypto.real)
        return __real_EVP_DigestUpdate(ctx, data, len);
    struct digest_ctx *c = (void *)ctx;
    c->sum = fuzz_sum(c->sum, data, len);
    return 1;
}

/* Before OpenSSL 3.0 it is a macro for the other function; since then both exist. */
int __wrap_EVP_DigestSignUpdate(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    return __wrap_EVP_DigestUpdate(ctx, data, len);
}

int __wrap_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *len)
{
    if (fails())
        return 0;
    if (crypto.real)
        return __real_EVP_DigestSignFinal(ctx, out, len);
    const struct digest_ctx *c = (void *)ctx;
    fuzz_check(*len >= c->digest->len, "a buffer of %zu bytes for a digest of %zu", *len,
               c->digest->len);
    *len = c->digest->len;
    fuzz_random_bytes(&(struct fuzz_rng){c->sum}, out, *len);
    return 1;
}

ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    (void)flags;
    if (fails()) {
        errno = EIO;
        return -1;
    }
    fuzz_random_bytes(&(struct fuzz_rng){7}, out, len);
    return (ssize_t)len;
}

void __wrap_ERR_clear_error(void)
{
    if (crypto.real)
        __real_ERR_clear_error();
}
