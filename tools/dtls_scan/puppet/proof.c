/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/proof.h"

#include <openssl/rsa.h>

#include "wire/record.h"

struct proof_scheme {
    uint16_t code; /* RFC 8446 section 4.2.3; 0 = before DTLS 1.2 */
    int key;
    const char *digest; /* NULL: the key brings its own */
    bool pss;
};

/* The first that the server takes. */
static const struct proof_scheme proof_schemes[] = {
    {0x0403, EVP_PKEY_EC, "SHA256", false},  {0x0503, EVP_PKEY_EC, "SHA384", false},
    {0x0603, EVP_PKEY_EC, "SHA512", false},  {0x0203, EVP_PKEY_EC, "SHA1", false},
    {0x0401, EVP_PKEY_RSA, "SHA256", false}, {0x0804, EVP_PKEY_RSA, "SHA256", true},
    {0x0501, EVP_PKEY_RSA, "SHA384", false}, {0x0601, EVP_PKEY_RSA, "SHA512", false},
    {0x0201, EVP_PKEY_RSA, "SHA1", false},   {0x0807, EVP_PKEY_ED25519, NULL, false},
    {0x0808, EVP_PKEY_ED448, NULL, false},
};
static const struct proof_scheme old_rsa = {0, EVP_PKEY_RSA, "MD5-SHA1", false};
static const struct proof_scheme old_ec = {0, EVP_PKEY_EC, "SHA1", false};

static bool request_lists(struct sd_span request, uint16_t code)
{
    struct sd_rd r = sd_rd_init(request.p, request.len);
    sd_rd_vec8(&r); /* certificate types */
    struct sd_rd schemes = sd_rd_vec16(&r);
    while (sd_rd_left(&schemes) > 1)
        if (sd_rd_u16(&schemes) == code)
            return true;
    return false;
}

static const struct proof_scheme *choose_proof(int key, uint16_t version, struct sd_span request)
{
    if (version != SD_DTLS_1_2)
        return key == EVP_PKEY_RSA ? &old_rsa : key == EVP_PKEY_EC ? &old_ec : NULL;
    for (size_t i = 0; i < sizeof proof_schemes / sizeof *proof_schemes; i++)
        if (proof_schemes[i].key == key && request_lists(request, proof_schemes[i].code))
            return &proof_schemes[i];
    return NULL;
}

static bool sign_proof(EVP_MD_CTX *ctx, const struct proof_scheme *s, EVP_PKEY *key,
                       struct sd_span what, uint8_t *out, size_t *len)
{
    EVP_PKEY_CTX *how = NULL;
    const EVP_MD *digest = s->digest ? EVP_get_digestbyname(s->digest) : NULL;
    if ((s->digest && !digest) || EVP_DigestSignInit(ctx, &how, digest, NULL, key) != 1)
        return false;
    if (s->pss && (EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) <= 0 ||
                   EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) <= 0))
        return false;
    return EVP_DigestSign(ctx, out, len, what.p, what.len) == 1;
}

bool puppet_prove(struct sd_wr *w, EVP_PKEY *key, uint16_t version, struct sd_span request,
                  struct sd_span transcript)
{
    uint8_t signature[PUPPET_PROOF_MAX];
    size_t len = sizeof signature;
    const struct proof_scheme *s = choose_proof(EVP_PKEY_base_id(key), version, request);
    EVP_MD_CTX *ctx = s ? EVP_MD_CTX_new() : NULL;
    bool done = ctx && sign_proof(ctx, s, key, transcript, signature, &len);
    EVP_MD_CTX_free(ctx);
    if (!done)
        return false;
    if (s->code)
        sd_wr_u16(w, s->code);
    sd_wr_u16(w, (uint16_t)len);
    sd_wr_bytes(w, signature, len);
    return !w->bad;
}
