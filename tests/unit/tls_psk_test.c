/* SPDX-License-Identifier: MIT */
/* lib/tls/psk.c: which keys are accepted. */
#include "tls_support.h"

#define CLIENT(id, secret)                                                                         \
    SDTLS_CONFIG_INIT, .psk_identity = id, .psk = secret, .psk_len = sizeof secret - 1
#define SERVER CLIENT

/* The suite agreed on, "" when the handshake failed. */
static const char *suite(const sdtls_config *client, const sdtls_config *server)
{
    static char name[64];
    struct pair p = pair_new(client, server, NULL);
    snprintf(name, sizeof name, "%s", pair_ready(&p) ? SSL_get_cipher_name(p.c) : "");
    pair_free(&p);
    return name;
}

static bool connects(const sdtls_config *client, const sdtls_config *server)
{
    return *suite(client, server) != 0;
}

static void right_key_connects_and_is_trusted(void **state)
{
    (void)state;
    char text[256];
    struct pair p = pair_new(&(sdtls_config){CLIENT("ann", "secret")},
                             &(sdtls_config){SERVER("ann", "secret"), .psk_hint = "hint"}, "h");
    assert_true(pair_ready(&p));
    assert_true(sd_tls_verify_text(p.ct, p.c, text, sizeof text));
    assert_true(sd_tls_verify_text(p.st, p.s, text, sizeof text));
    assert_string_equal(SSL_get_psk_identity(p.s), "ann");
    assert_true(SSL_CIPHER_is_aead(SSL_get_current_cipher(p.c)));
    pair_free(&p);
}

static void wrong_key_or_identity_does_not(void **state)
{
    (void)state;
    const sdtls_config server = {SERVER("ann", "secret")};
    assert_false(connects(&(sdtls_config){CLIENT("ann", "Secret")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("bob", "secret")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("ann2", "secret")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("an", "secret")}, &server));
    assert_false(connects(&(sdtls_config){SDTLS_CONFIG_INIT}, &server));
}

static void server_without_an_identity_takes_any(void **state)
{
    (void)state;
    const sdtls_config server = {SERVER(NULL, "secret")};
    assert_true(connects(&(sdtls_config){CLIENT("anyone", "secret")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("anyone", "wrong")}, &server));
}

static void server_with_both_serves_both(void **state)
{
    (void)state;
    struct identity i = issue((struct wish){.cn = "both"});
    const sdtls_config server = {SERVER("ann", "secret"), .cert_file = write_cert("b.crt", i.cert),
                                 .key_file = write_key("b.key", i.key, NULL)};
    assert_memory_equal(suite(&(sdtls_config){SDTLS_CONFIG_INIT}, &server), "ECDHE-ECDSA", 11);
    assert_non_null(strstr(suite(&(sdtls_config){CLIENT("ann", "secret")}, &server), "PSK"));
    identity_free(i);
}

/* The flag fills a gap, and a PSK leaves none: a certificate would let in
 * clients that have no key. */
static void throw_away_certificate_is_not_made_beside_a_psk(void **state)
{
    (void)state;
    const sdtls_config server = {SERVER("ann", "secret"), .flags = SDTLS_F_SELF_SIGNED};
    struct sd_tls *t = context(SD_ROLE_SERVER, &server);
    assert_null(sd_tls_fingerprint(t));
    sd_tls_free(t);
    assert_false(connects(&(sdtls_config){SDTLS_CONFIG_INIT}, &server));
}

static bool offers_certificates(const sdtls_config *c)
{
    bool any = false;
    struct sd_tls *t = context(SD_ROLE_CLIENT, c);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(sd_tls_native(t));
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
        any |= SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(all, i)) == NID_auth_ecdsa;
    sd_tls_free(t);
    return any;
}

static void client_with_a_psk_is_not_talked_into_an_unchecked_certificate(void **state)
{
    (void)state;
    assert_false(offers_certificates(&(sdtls_config){CLIENT("ann", "secret")}));
    assert_true(offers_certificates(
        &(sdtls_config){CLIENT("ann", "secret"), .verify = SDTLS_VERIFY_REQUIRE}));
    assert_true(offers_certificates(&(sdtls_config){SDTLS_CONFIG_INIT}));
}

static void impossible_keys_are_refused(void **state)
{
    (void)state;
    static char big[2000];
    memset(big, 'x', sizeof big - 1);
    refused(SD_ROLE_CLIENT, &(sdtls_config){CLIENT(NULL, "secret")}, SDTLS_CRED,
            "needs psk_identity");
    refused(SD_ROLE_CLIENT, &(sdtls_config){CLIENT("ann", "")}, SDTLS_CRED, "psk is empty");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .psk_identity = "ann"}, SDTLS_CRED,
            "\"ann\" is set, but psk is not");
    refused(SD_ROLE_SERVER,
            &(sdtls_config){SDTLS_CONFIG_INIT, .psk_identity = "ann", .psk = big, .psk_len = 2000},
            SDTLS_CRED, "psk is too long: 2000 bytes, this OpenSSL takes at most ");
    refused(SD_ROLE_CLIENT, &(sdtls_config){CLIENT(big, "secret")}, SDTLS_CRED,
            "psk_identity is too long: 1999 bytes, this OpenSSL takes at most ");
    refused(SD_ROLE_SERVER, &(sdtls_config){SERVER("ann", "secret"), .psk_hint = big}, SDTLS_CRED,
            "psk_hint (1999 bytes): ");
}

static void longest_key_and_identity_connect(void **state)
{
    (void)state;
    char identity[PSK_MAX_IDENTITY_LEN], key[PSK_MAX_PSK_LEN];
    memset(identity, 'i', sizeof identity - 1);
    identity[sizeof identity - 1] = 0;
    memset(key, 'k', sizeof key);
    const sdtls_config c = {SDTLS_CONFIG_INIT, .psk_identity = identity, .psk = key,
                            .psk_len = sizeof key};
    assert_true(connects(&c, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_key_connects_and_is_trusted),
        cmocka_unit_test(wrong_key_or_identity_does_not),
        cmocka_unit_test(server_without_an_identity_takes_any),
        cmocka_unit_test(server_with_both_serves_both),
        cmocka_unit_test(throw_away_certificate_is_not_made_beside_a_psk),
        cmocka_unit_test(client_with_a_psk_is_not_talked_into_an_unchecked_certificate),
        cmocka_unit_test(impossible_keys_are_refused),
        cmocka_unit_test(longest_key_and_identity_connect),
    };
    return cmocka_run_group_tests_name("tls/psk", tests, temp_setup, temp_teardown);
}
