/* SPDX-License-Identifier: MIT */
/* The puppet at a server that wants a certificate. */
#include "puppet_server.h"

static const uint8_t ecdhe[2] = {0xc0, 0x13}; /* ECDHE_RSA_WITH_AES_128_CBC_SHA: of 1.0 as well */

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok, (void)ctx;
    return 1;
}

static struct server *strict_server(int version, const char *algorithms)
{
    struct server *s = server_new("ECDHE-RSA-AES128-SHA", version);
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    if (algorithms)
        assert_int_equal(SSL_CTX_set1_client_sigalgs_list(s->ctx, algorithms), 1);
    return s;
}

/* A Certificate message of one certificate. */
static size_t make_chain(const struct identity *id, uint8_t *out, size_t cap)
{
    uint8_t *der = NULL;
    int len = i2d_X509(id->cert, &der);
    struct sd_wr w = sd_wr_init(out, cap);
    assert_true(len > 0);
    sd_wr_u24(&w, (uint32_t)len + 3);
    sd_wr_u24(&w, (uint32_t)len);
    sd_wr_bytes(&w, der, (size_t)len);
    OPENSSL_free(der);
    assert_false(w.bad);
    return sd_wr_len(&w);
}

static struct identity client_identity(int kind)
{
    struct identity id = issue((struct wish){.cn = "client"});
    if (kind == EVP_PKEY_EC)
        return id;
    EVP_PKEY_free(id.key);
    id.key = NULL;
    if (kind == EVP_PKEY_RSA) {
        id.key = rsa_key();
    } else {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(kind, NULL);
        assert_true(EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_keygen(c, &id.key) > 0);
        EVP_PKEY_CTX_free(c);
    }
    X509_set_pubkey(id.cert, id.key);
    assert_true(X509_sign(id.cert, id.key, kind == EVP_PKEY_RSA ? EVP_sha256() : NULL));
    return id;
}

/* True when the server saw this certificate and took its proof. */
static bool logs_in(int version, int kind, const char *algorithms)
{
    uint8_t chain[4096];
    struct server *s = strict_server(version, algorithms);
    struct identity id = client_identity(kind);
    struct puppet_config c = usual_config(s, ecdhe);
    c.offer.version = version == DTLS1_VERSION ? SD_DTLS_1_0 : SD_DTLS_1_2;
    c.login = (struct puppet_login){.chain = {chain, make_chain(&id, chain, sizeof chain)},
                                    .key = id.key};
    begin(s, &c);
    shake(s);
    bool in = s->puppet.stage == PUPPET_CONNECTED && s->done;
    X509 *seen = in ? SSL_get_peer_certificate(s->ssl) : NULL;
    assert_true(!in || (seen && !X509_cmp(seen, id.cert)));
    assert_true(s->puppet.certificate_wanted);
    X509_free(seen);
    identity_free(id);
    server_free(s);
    return in;
}

static void proves_its_key(void **state)
{
    static const struct {
        int kind;
        const char *algorithms;
    } rows[] = {
        {EVP_PKEY_EC, "ECDSA+SHA256"},    {EVP_PKEY_EC, "ECDSA+SHA384"},
        {EVP_PKEY_EC, "ECDSA+SHA512"},    {EVP_PKEY_RSA, "RSA+SHA256"},
        {EVP_PKEY_RSA, "RSA-PSS+SHA256"}, {EVP_PKEY_RSA, "RSA+SHA384"},
        {EVP_PKEY_RSA, "RSA+SHA512"},     {EVP_PKEY_ED25519, "ed25519"},
        {EVP_PKEY_ED448, "ed448"},        {EVP_PKEY_RSA, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!logs_in(DTLS1_2_VERSION, rows[i].kind, rows[i].algorithms))
            fail_msg("no login with %s", rows[i].algorithms ? rows[i].algorithms : "any");
}

static void proves_its_key_in_version_1_0(void **state)
{
    (void)state;
    assert_true(logs_in(DTLS1_VERSION, EVP_PKEY_EC, NULL));
    assert_true(logs_in(DTLS1_VERSION, EVP_PKEY_RSA, NULL));
}

static void an_algorithm_in_common_is_needed(void **state)
{
    (void)state;
    assert_false(logs_in(DTLS1_2_VERSION, EVP_PKEY_EC, "RSA+SHA256"));
}

static void without_a_certificate_it_stays_outside(void **state)
{
    (void)state;
    struct server *s = strict_server(DTLS1_2_VERSION, NULL);
    struct puppet_config c = usual_config(s, ecdhe);
    begin(s, &c);
    shake(s);
    assert_int_equal(s->puppet.end, PUPPET_END_ALERT);
    assert_true(s->puppet.certificate_wanted);
    server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proves_its_key),
        cmocka_unit_test(proves_its_key_in_version_1_0),
        cmocka_unit_test(an_algorithm_in_common_is_needed),
        cmocka_unit_test(without_a_certificate_it_stays_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
