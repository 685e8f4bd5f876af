/* SPDX-License-Identifier: MIT */
/* lib/tls/offer.c: versions, suites, groups, ALPN, SRTP. */
#include "tls_support.h"

#include "tls/offer.h"

static struct sd_versions chosen(int min, int max)
{
    struct sd_versions v;
    struct sd_err err = {0};
    const sdtls_config c = {SDTLS_CONFIG_INIT, .min_version = min, .max_version = max};
    if (sd_versions_choose(&v, &c, &err))
        fail_msg("%s", err.text);
    return v;
}

static void one_limit_moves_the_other_when_it_must(void **state)
{
    (void)state;
    struct sd_versions v = chosen(0, 0);
    assert_int_equal(v.min, DTLS1_2_VERSION);
    assert_int_equal(v.max, DTLS1_2_VERSION);
    v = chosen(SDTLS_V1_0, 0);
    assert_int_equal(v.min, DTLS1_VERSION);
    assert_int_equal(v.max, DTLS1_2_VERSION);
    v = chosen(0, SDTLS_V1_0);
    assert_int_equal(v.min, DTLS1_VERSION);
    assert_int_equal(v.max, DTLS1_VERSION);
}

static void impossible_versions_are_refused(void **state)
{
    (void)state;
    refused(
        SD_ROLE_CLIENT,
        &(sdtls_config){SDTLS_CONFIG_INIT, .min_version = SDTLS_V1_2, .max_version = SDTLS_V1_0},
        SDTLS_OPTION, "min_version is higher than max_version");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .max_version = 0x0303}, SDTLS_OPTION,
            "max_version 0x0303");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .min_version = 12}, SDTLS_OPTION,
            "min_version 0x000c");
}

static void dtls_1_3_is_refused_where_there_is_none(void **state)
{
    (void)state;
#ifdef SD_HAVE_DTLS1_3
    skip();
#else
    char words[96];
    snprintf(words, sizeof words, "this OpenSSL (%.3s", strchr(OPENSSL_VERSION_TEXT, ' ') + 1);
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .max_version = SDTLS_V1_3},
            SDTLS_OPTION, words);
    refused(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER, .min_version = SDTLS_V1_3},
            SDTLS_OPTION, "does not support DTLS 1.3: use 1.2 or lower");
#endif
}

/* The version two sides agree on, 0 = none. */
static int agreed(int client_min, int client_max, int server_min, int server_max)
{
    struct pair p = pair_new(
        &(sdtls_config){SDTLS_CONFIG_INIT, .min_version = client_min, .max_version = client_max},
        &(sdtls_config){SELF_SIGNED_SERVER, .min_version = server_min, .max_version = server_max},
        NULL);
    int version = pair_ready(&p) ? SSL_version(p.c) : 0;
    pair_free(&p);
    return version;
}

static void versions_are_limited_on_the_wire(void **state)
{
    (void)state;
    assert_int_equal(agreed(0, 0, 0, 0), DTLS1_2_VERSION);
    assert_int_equal(agreed(0, SDTLS_V1_0, SDTLS_V1_0, 0), DTLS1_VERSION);
    assert_int_equal(agreed(SDTLS_V1_0, 0, 0, SDTLS_V1_0), DTLS1_VERSION);
    assert_int_equal(agreed(SDTLS_V1_0, 0, SDTLS_V1_0, 0), DTLS1_2_VERSION);
    assert_int_equal(agreed(0, SDTLS_V1_0, 0, 0), 0);
}

static void security_level_is_lowered_for_1_0_only(void **state)
{
    (void)state;
    SSL_CTX *fresh = SSL_CTX_new(DTLS_method());
    struct sd_tls *t = context(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT});
    assert_int_equal(SSL_CTX_get_security_level(sd_tls_native(t)),
                     SSL_CTX_get_security_level(fresh));
    sd_tls_free(t);
    SSL_CTX_free(fresh);
    t = context(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .min_version = SDTLS_V1_0});
    assert_int_equal(SSL_CTX_get_security_level(sd_tls_native(t)), 0);
    sd_tls_free(t);
    t = context(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .min_version = SDTLS_V1_0,
                                                .ciphers = "DEFAULT@SECLEVEL=3"});
    assert_int_equal(SSL_CTX_get_security_level(sd_tls_native(t)), 3);
    sd_tls_free(t);
}

static void default_suites_are_aead_and_forward_secret(void **state)
{
    (void)state;
    struct sd_tls *t = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(sd_tls_native(t));
    assert_true(sk_SSL_CIPHER_num(all) >= 6);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        assert_true(SSL_CIPHER_is_aead(c));
        int kx = SSL_CIPHER_get_kx_nid(c);
        assert_true(kx == NID_kx_ecdhe || kx == NID_kx_any);
    }
    sd_tls_free(t);
}

/* The suite two sides agree on; "" = none. */
static const char *suite(const char *client, const char *server)
{
    static char name[64];
    struct pair p = pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .ciphers = client},
                             &(sdtls_config){SELF_SIGNED_SERVER, .ciphers = server}, NULL);
    snprintf(name, sizeof name, "%s", pair_ready(&p) ? SSL_get_cipher_name(p.c) : "");
    pair_free(&p);
    return name;
}

static void server_decides_on_the_suite(void **state)
{
    (void)state;
    const char *gcm = "ECDHE-ECDSA-AES128-GCM-SHA256", *chacha = "ECDHE-ECDSA-CHACHA20-POLY1305";
    char both[128], reverse[128];
    snprintf(both, sizeof both, "%s:%s", gcm, chacha);
    snprintf(reverse, sizeof reverse, "%s:%s", chacha, gcm);
    assert_string_equal(suite(both, reverse), chacha);
    assert_string_equal(suite(reverse, both), gcm);
    assert_string_equal(suite(gcm, chacha), "");
}

static void ccm8_is_reached_with_a_level_of_the_users(void **state)
{
    (void)state;
    const char *ccm8 = "ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0";
    assert_string_equal(suite(ccm8, ccm8), "ECDHE-ECDSA-AES128-CCM8");
}

static void values_that_openssl_refuses_are_named(void **state)
{
    (void)state;
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .ciphers = "NONSENSE"}, SDTLS_OPTION,
            "ciphers \"NONSENSE\": no cipher match");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .groups = "P-999"}, SDTLS_OPTION,
            "groups \"P-999\"");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .sigalgs = "RSA+ROT13"},
            SDTLS_OPTION, "sigalgs \"RSA+ROT13\"");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .srtp = "SRTP_NONE"}, SDTLS_OPTION,
            "srtp \"SRTP_NONE\": ");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .alpn = "a,,b"}, SDTLS_OPTION,
            "alpn \"a,,b\"");
    refused(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT, .alpn = ""}, SDTLS_OPTION,
            "alpn \"\"");
    refused(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER, .alpn = "a,"}, SDTLS_OPTION,
            "alpn \"a,\"");
}

static void groups_and_signatures_limit_what_is_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *client_groups, *server_groups, *client_sigalgs;
        bool ready;
    } cases[] = {
        {"P-384:P-256", "P-384", NULL, true}, {"P-256", "P-384", NULL, false},
        {"P-384", NULL, NULL, false}, /* the certificate is P-256 (RFC 8422 5.1) */
        {NULL, NULL, "ECDSA+SHA256", true},   {NULL, NULL, "RSA+SHA256", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair p =
            pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .groups = cases[i].client_groups,
                                     .sigalgs = cases[i].client_sigalgs},
                     &(sdtls_config){SELF_SIGNED_SERVER, .groups = cases[i].server_groups}, NULL);
        assert_int_equal(pair_ready(&p), cases[i].ready);
        pair_free(&p);
    }
}

/* The protocol agreed on: "" = none, "!" = the handshake failed. */
static const char *protocol(const char *client, const char *server)
{
    static char name[300];
    const unsigned char *data = NULL;
    unsigned len = 0;
    struct pair p = pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .alpn = client},
                             &(sdtls_config){SELF_SIGNED_SERVER, .alpn = server}, NULL);
    SSL_get0_alpn_selected(p.c, &data, &len);
    snprintf(name, sizeof name, "%.*s", (int)len, data ? (const char *)data : "");
    if (!pair_ready(&p))
        strcpy(name, "!");
    pair_free(&p);
    return name;
}

static void alpn_follows_the_server_and_fails_without_a_common_name(void **state)
{
    (void)state;
    char longest[256];
    memset(longest, 'p', 255);
    longest[255] = 0;
    assert_string_equal(protocol("coap,webrtc", "webrtc,coap"), "webrtc");
    assert_string_equal(protocol("coap", "webrtc,coap"), "coap");
    assert_string_equal(protocol("coap", NULL), "");
    assert_string_equal(protocol(NULL, "coap"), "");
    assert_string_equal(protocol("coap", "webrtc"), "!");
    assert_string_equal(protocol("coa", "coap"), "!");
    assert_string_equal(protocol(longest, longest), longest);
}

static void srtp_profile_is_negotiated(void **state)
{
    (void)state;
    struct pair p = pair_new(
        &(sdtls_config){SDTLS_CONFIG_INIT, .srtp = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"},
        &(sdtls_config){SELF_SIGNED_SERVER, .srtp = "SRTP_AEAD_AES_128_GCM"}, NULL);
    assert_true(pair_ready(&p));
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(p.c);
    assert_non_null(profile);
    assert_string_equal(profile->name, "SRTP_AEAD_AES_128_GCM");
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_limit_moves_the_other_when_it_must),
        cmocka_unit_test(impossible_versions_are_refused),
        cmocka_unit_test(dtls_1_3_is_refused_where_there_is_none),
        cmocka_unit_test(versions_are_limited_on_the_wire),
        cmocka_unit_test(security_level_is_lowered_for_1_0_only),
        cmocka_unit_test(default_suites_are_aead_and_forward_secret),
        cmocka_unit_test(server_decides_on_the_suite),
        cmocka_unit_test(ccm8_is_reached_with_a_level_of_the_users),
        cmocka_unit_test(values_that_openssl_refuses_are_named),
        cmocka_unit_test(groups_and_signatures_limit_what_is_agreed),
        cmocka_unit_test(alpn_follows_the_server_and_fails_without_a_common_name),
        cmocka_unit_test(srtp_profile_is_negotiated),
    };
    return cmocka_run_group_tests_name("tls/offer", tests, NULL, NULL);
}
