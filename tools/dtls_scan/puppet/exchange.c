/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/exchange.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/random.h"
#include "wire/names.h"

enum { NAMED_CURVE_TYPE = 3, RSA_PREMASTER = 48, SHARE_MAX = 256, DH_SECRET_BITS = 256 };

/* A secret from Diffie-Hellman or RSA: `other_secret` of RFC 4279 section 2 when a pre-shared key
 * goes with it, else the premaster secret itself. */
struct other_secret {
    uint8_t bytes[PUPPET_DH_BITS_MAX / 8];
    size_t len;
};

bool puppet_exchange_of(uint16_t suite, struct puppet_exchange *x)
{
    static const struct {
        const char *begin;
        struct puppet_exchange x;
    } known[] = {{"TLS_ECDHE_PSK_WITH_", {PUPPET_SECRET_ECDHE, true, true}},
                 {"TLS_DHE_PSK_WITH_", {PUPPET_SECRET_DHE, true, true}},
                 {"TLS_PSK_DHE_WITH_", {PUPPET_SECRET_DHE, true, true}},
                 {"TLS_RSA_PSK_WITH_", {PUPPET_SECRET_RSA, true, false}},
                 {"TLS_PSK_WITH_", {PUPPET_SECRET_NONE, true, true}},
                 {"TLS_ECDH_anon_WITH_", {PUPPET_SECRET_ECDHE, false, true}},
                 {"TLS_DH_anon_WITH_", {PUPPET_SECRET_DHE, false, true}},
                 {"TLS_ECDHE_", {PUPPET_SECRET_ECDHE, false, false}},
                 {"TLS_DHE_", {PUPPET_SECRET_DHE, false, false}},
                 {"TLS_RSA_WITH_", {PUPPET_SECRET_RSA, false, false}}};
    char buf[SD_NAME_TEXT];
    const char *name = sd_name(SD_NAME_SUITE, suite, buf);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(name, known[i].begin, strlen(known[i].begin))) {
            *x = known[i].x;
            return true;
        }
    return false;
}

/* --- ECDHE --- */

static int curve_nid(uint16_t group)
{
    static const struct {
        uint16_t group;
        int nid;
    } curves[] = {{19, NID_X9_62_prime192v1}, {21, NID_secp224r1},       {22, NID_secp256k1},
                  {23, NID_X9_62_prime256v1}, {24, NID_secp384r1},       {25, NID_secp521r1},
                  {26, NID_brainpoolP256r1},  {27, NID_brainpoolP384r1}, {28, NID_brainpoolP512r1}};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (curves[i].group == group)
            return curves[i].nid;
    return NID_undef;
}

static EVP_PKEY *group_key(uint16_t group)
{
    enum { X25519 = 29, X448 = 30 };
    EVP_PKEY *key = NULL;
    int nid = curve_nid(group);
    int type = group == X25519 ? EVP_PKEY_X25519 : group == X448 ? EVP_PKEY_X448 : EVP_PKEY_EC;
    if (type == EVP_PKEY_EC && nid == NID_undef)
        return NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(type, NULL);
    bool ok = ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
              (type != EVP_PKEY_EC || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, nid) > 0);
    if (!ok || EVP_PKEY_keygen(ctx, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* The server's key on the wire has no DER around it. Our own key of the same group has: its last
 * bytes are the share, whatever the group, and the server's share goes in their place. */
static EVP_PKEY *key_of_share(const uint8_t *own, size_t own_len, struct sd_span share)
{
    uint8_t der[SHARE_MAX];
    const uint8_t *p = der;
    if (!share.len || share.len > own_len || own_len > sizeof der)
        return NULL;
    memcpy(der, own, own_len - share.len);
    memcpy(der + own_len - share.len, share.p, share.len);
    return d2i_PUBKEY(NULL, &p, (long)own_len);
}

static bool derive_shared(EVP_PKEY *own, EVP_PKEY *peer, struct other_secret *z)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    z->len = sizeof z->bytes;
    bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
              EVP_PKEY_derive(ctx, z->bytes, &z->len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool ecdhe_with(EVP_PKEY *own, struct sd_span share, struct sd_wr *cke,
                       struct other_secret *z)
{
    uint8_t *der = NULL;
    int len = own ? i2d_PUBKEY(own, &der) : 0;
    EVP_PKEY *peer = len > 0 ? key_of_share(der, (size_t)len, share) : NULL;
    bool ok = peer && derive_shared(own, peer, z);
    if (ok) {
        size_t mark = sd_wr_open(cke, 1);
        sd_wr_bytes(cke, der + (size_t)len - share.len, share.len);
        sd_wr_close(cke, mark, 1);
    }
    EVP_PKEY_free(peer);
    OPENSSL_free(der);
    return ok;
}

static bool run_ecdhe(struct sd_rd *ske, struct sd_wr *cke, struct other_secret *z, uint16_t *group)
{
    uint8_t type = sd_rd_u8(ske);
    *group = sd_rd_u16(ske);
    struct sd_rd share = sd_rd_vec8(ske);
    if (ske->bad || type != NAMED_CURVE_TYPE)
        return false;
    EVP_PKEY *own = group_key(*group);
    bool ok = ecdhe_with(own, sd_rd_rest(&share), cke, z);
    EVP_PKEY_free(own);
    return ok;
}

/* --- DHE --- */

static BIGNUM *take_number(struct sd_rd *r)
{
    struct sd_rd v = sd_rd_vec16(r);
    struct sd_span bytes = sd_rd_rest(&v);
    if (r->bad || bytes.len > PUPPET_DH_BITS_MAX / 8)
        return NULL;
    return BN_bin2bn(bytes.p, (int)bytes.len, NULL);
}

/* Leading zeros of the secret are left out (RFC 5246 section 8.1.2). BN_mod_exp() is the one way
 * to a Diffie-Hellman over the server's numbers that 1.1.1 and 4.0 share. */
static bool dhe_with(const BIGNUM *p, const BIGNUM *g, const BIGNUM *ys, struct sd_wr *cke,
                     struct other_secret *z)
{
    uint8_t share[PUPPET_DH_BITS_MAX / 8];
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *x = BN_new(), *yc = BN_new(), *s = BN_new();
    bool ok = ctx && x && yc && s && BN_num_bits(p) > 1 && BN_is_odd(p) &&
              BN_rand(x, DH_SECRET_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
              BN_mod_exp(yc, g, x, p, ctx) && BN_mod_exp(s, ys, x, p, ctx);
    if (ok) {
        size_t mark = sd_wr_open(cke, 2);
        sd_wr_bytes(cke, share, (size_t)BN_bn2bin(yc, share));
        sd_wr_close(cke, mark, 2);
        z->len = (size_t)BN_bn2bin(s, z->bytes);
    }
    BN_clear_free(s);
    BN_free(yc);
    BN_clear_free(x);
    BN_CTX_free(ctx);
    return ok;
}

static bool run_dhe(struct sd_rd *ske, struct sd_wr *cke, struct other_secret *z)
{
    BIGNUM *p = take_number(ske), *g = take_number(ske), *ys = take_number(ske);
    bool ok = p && g && ys && dhe_with(p, g, ys, cke, z);
    BN_free(ys);
    BN_free(g);
    BN_free(p);
    return ok;
}

/* --- RSA --- */

static bool encrypt_premaster(EVP_PKEY *key, const struct other_secret *z, struct sd_wr *cke)
{
    uint8_t sealed[PUPPET_DH_BITS_MAX / 8];
    size_t len = sizeof sealed;
    if (!key || EVP_PKEY_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_bits(key) > PUPPET_DH_BITS_MAX)
        return false;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_encrypt(ctx, sealed, &len, z->bytes, z->len) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        return false;
    size_t mark = sd_wr_open(cke, 2);
    sd_wr_bytes(cke, sealed, len);
    sd_wr_close(cke, mark, 2);
    return true;
}

static bool run_rsa(const struct puppet_parts *parts, struct sd_wr *cke, struct other_secret *z)
{
    const uint8_t *p = parts->certificate.p;
    X509 *cert = p ? d2i_X509(NULL, &p, (long)parts->certificate.len) : NULL;
    z->len = RSA_PREMASTER;
    z->bytes[0] = (uint8_t)(parts->version >> 8);
    z->bytes[1] = (uint8_t)parts->version;
    bool ok = cert && sd_random(z->bytes + 2, RSA_PREMASTER - 2) &&
              encrypt_premaster(X509_get0_pubkey(cert), z, cke);
    X509_free(cert);
    return ok;
}

/* --- all of them --- */

static bool add_premaster(const struct puppet_exchange *x, const struct puppet_parts *parts,
                          const struct other_secret *z, struct puppet_secret *s)
{
    static const uint8_t zeros[512];
    struct sd_wr w = sd_wr_init(s->premaster, sizeof s->premaster);
    if (!x->psk) {
        sd_wr_bytes(&w, z->bytes, z->len);
    } else {
        bool plain = x->kind == PUPPET_SECRET_NONE;
        struct sd_span other =
            plain ? (struct sd_span){zeros, parts->key.len} : (struct sd_span){z->bytes, z->len};
        w.bad |= plain && parts->key.len > sizeof zeros;
        sd_wr_u16(&w, (uint16_t)other.len);
        if (!w.bad)
            sd_wr_bytes(&w, other.p, other.len);
        sd_wr_u16(&w, (uint16_t)parts->key.len);
        sd_wr_bytes(&w, parts->key.p, parts->key.len);
    }
    s->premaster_len = sd_wr_len(&w);
    return !w.bad;
}

static bool run_kind(const struct puppet_exchange *x, const struct puppet_parts *parts,
                     struct sd_wr *cke, struct other_secret *z, struct puppet_secret *s)
{
    struct sd_rd ske = sd_rd_init(parts->server_key.p, parts->server_key.len);
    if (x->psk && parts->server_key.len)
        sd_rd_vec16(&ske); /* the hint */
    bool ok = true;
    if (x->kind == PUPPET_SECRET_RSA)
        return run_rsa(parts, cke, z);
    if (x->kind == PUPPET_SECRET_ECDHE)
        ok = run_ecdhe(&ske, cke, z, &s->group);
    else if (x->kind == PUPPET_SECRET_DHE)
        ok = run_dhe(&ske, cke, z);
    s->params_len = parts->server_key.len - sd_rd_left(&ske);
    return ok;
}

bool puppet_exchange_run(const struct puppet_exchange *x, const struct puppet_parts *parts,
                         struct puppet_secret *s)
{
    struct other_secret z = {.len = 0};
    *s = (struct puppet_secret){.group = 0};
    struct sd_wr cke = sd_wr_init(s->message, sizeof s->message);
    if (x->psk) {
        size_t mark = sd_wr_open(&cke, 2);
        sd_wr_bytes(&cke, parts->identity.p, parts->identity.len);
        sd_wr_close(&cke, mark, 2);
    }
    bool ok = run_kind(x, parts, &cke, &z, s) && !cke.bad && add_premaster(x, parts, &z, s);
    s->message_len = sd_wr_len(&cke);
    OPENSSL_cleanse(&z, sizeof z);
    return ok;
}
