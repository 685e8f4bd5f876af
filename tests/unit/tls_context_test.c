/* SPDX-License-Identifier: MIT */
/* lib/tls/context.c and prepare.c: what a context is made of, and the caller's. */
#include "tls_support.h"

#include "tls/verify.h"

static void server_without_credentials_gets_advice(void **state)
{
    (void)state;
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT}, SDTLS_CRED, "SDTLS_F_SELF_SIGNED");
}

static void client_needs_no_credentials(void **state)
{
    (void)state;
    struct sd_tls *t = context(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT});
    assert_null(sd_tls_fingerprint(t));
    assert_false(sd_tls_raw(t));
    sd_tls_free(t);
}

static void free_of_null_is_fine(void **state)
{
    (void)state;
    sd_tls_free(NULL);
}

static void handshake_completes_with_an_aead_suite(void **state)
{
    (void)state;
    struct pair p = pair_new(&(sdtls_config){SDTLS_CONFIG_INIT},
                             &(sdtls_config){SELF_SIGNED_SERVER}, "localhost");
    assert_true(pair_ready(&p));
    assert_int_equal(SSL_version(p.c), DTLS1_2_VERSION);
    assert_true(SSL_CIPHER_is_aead(SSL_get_current_cipher(p.c)));
    assert_string_equal(SSL_get_servername(p.s, TLSEXT_NAMETYPE_host_name), "localhost");
    pair_free(&p);
}

/* The server name that the server saw for a configured one and a host. */
static void sni(const char *configured, const char *host, const char *expected)
{
    struct pair p = pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .server_name = configured},
                             &(sdtls_config){SELF_SIGNED_SERVER}, host);
    const char *got = SSL_get_servername(p.s, TLSEXT_NAMETYPE_host_name);
    if (!expected)
        assert_null(got);
    else
        assert_string_equal(got, expected);
    pair_free(&p);
}

static void server_name_is_a_name_and_never_an_address(void **state)
{
    (void)state;
    sni(NULL, "example.org.", "example.org");
    sni(NULL, "192.0.2.1", NULL);
    sni(NULL, "fe80::1%lo", NULL);
    sni(NULL, NULL, NULL);
    sni("other.example", "192.0.2.1", "other.example");
    sni("", "example.org", NULL);
}

static void guard_options_are_off_in_raw_mode(void **state)
{
    (void)state;
    struct sd_tls *t = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    struct sd_tls *raw =
        context(SD_ROLE_SERVER,
                &(sdtls_config){SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED | SDTLS_F_RAW});
    uint64_t both = SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RENEGOTIATION;
    assert_true((SSL_CTX_get_options(sd_tls_native(t)) & both) == both);
    assert_false(SSL_CTX_get_options(sd_tls_native(raw)) & SSL_OP_NO_ENCRYPT_THEN_MAC);
    assert_true(sd_tls_raw(raw));
    sd_tls_free(t);
    sd_tls_free(raw);
}

static void server_that_wants_no_certificate_keeps_messages_small(void **state)
{
    (void)state;
    struct sd_tls *none = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    struct sd_tls *check =
        context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER, .verify = SDTLS_VERIFY_CHECK});
    assert_int_equal(SSL_CTX_get_max_cert_list(sd_tls_native(none)), 16384);
    assert_true(SSL_CTX_get_max_cert_list(sd_tls_native(check)) > 16384);
    sd_tls_free(none);
    sd_tls_free(check);
}

static void encrypt_then_mac_is_not_negotiated(void **state)
{
    (void)state;
    const char *cbc = "ECDHE-ECDSA-AES128-SHA256";
    struct pair p = pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .ciphers = cbc},
                             &(sdtls_config){SELF_SIGNED_SERVER, .ciphers = cbc}, NULL);
    assert_true(pair_ready(&p));
    assert_true(SSL_get_options(p.c) & SSL_OP_NO_ENCRYPT_THEN_MAC);
    pair_free(&p);
}

static void callers_context_is_used_and_left_alone(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    uint64_t options = SSL_CTX_get_options(ctx);
    const sdtls_config config = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx};
    struct sd_tls *t = context(SD_ROLE_CLIENT, &config);
    assert_ptr_equal(sd_tls_native(t), ctx);
    assert_true(SSL_CTX_get_options(ctx) == options);
    assert_null(SSL_CTX_get_keylog_callback(ctx));
    SSL_CTX_free(ctx); /* ours is a reference of its own */
    SSL *ssl = SSL_new(sd_tls_native(t));
    assert_int_equal(sd_tls_prepare(t, ssl, "localhost", NULL), SDTLS_OK);
    assert_true(SSL_get_options(ssl) & SSL_OP_NO_ENCRYPT_THEN_MAC);
    assert_int_equal(SSL_get_max_proto_version(ssl), DTLS1_2_VERSION);
    SSL_free(ssl);
    sd_tls_free(t);
}

static void callers_context_with_a_certificate_has_a_fingerprint(void **state)
{
    (void)state;
    struct sd_tls *own = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    const sdtls_config config = {SDTLS_CONFIG_INIT, .ssl_ctx = sd_tls_native(own)};
    struct sd_tls *t = context(SD_ROLE_SERVER, &config);
    assert_string_equal(sd_tls_fingerprint(t), sd_tls_fingerprint(own));
    sd_tls_free(own);
    sd_tls_free(t);
}

static void callers_context_for_tls_is_refused(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .ssl_ctx = ctx}, SDTLS_OPTION,
            "DTLS_method()");
    SSL_CTX_free(ctx);
}

static void note_line(void *arg, const char *line)
{
    snprintf(arg, 256, "%s", line);
}

static void key_log_lines_reach_the_callback(void **state)
{
    (void)state;
    char line[256] = "";
    struct pair p =
        pair_new(&(sdtls_config){SDTLS_CONFIG_INIT, .keylog = note_line, .cb_arg = line},
                 &(sdtls_config){SELF_SIGNED_SERVER}, NULL);
    assert_true(pair_ready(&p));
    assert_memory_equal(line, "CLIENT_RANDOM ", 14);
    assert_int_equal(strlen(line), 14 + 64 + 1 + 96);
    pair_free(&p);
}

static void key_log_of_a_callers_context_leaves_foreign_sessions_out(void **state)
{
    (void)state;
    char line[256] = "";
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    struct pair p = pair_new(
        &(sdtls_config){SDTLS_CONFIG_INIT, .ssl_ctx = ctx, .keylog = note_line, .cb_arg = line},
        &(sdtls_config){SELF_SIGNED_SERVER}, NULL);
    assert_true(pair_ready(&p));
    assert_memory_equal(line, "CLIENT_RANDOM ", 14);
    line[0] = 0;
    SSL *foreign = SSL_new(ctx);
    SSL_CTX_get_keylog_callback(ctx)(foreign, "CLIENT_RANDOM x");
    assert_string_equal(line, "");
    SSL_free(foreign);
    pair_free(&p);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_without_credentials_gets_advice),
        cmocka_unit_test(client_needs_no_credentials),
        cmocka_unit_test(free_of_null_is_fine),
        cmocka_unit_test(handshake_completes_with_an_aead_suite),
        cmocka_unit_test(server_name_is_a_name_and_never_an_address),
        cmocka_unit_test(guard_options_are_off_in_raw_mode),
        cmocka_unit_test(server_that_wants_no_certificate_keeps_messages_small),
        cmocka_unit_test(encrypt_then_mac_is_not_negotiated),
        cmocka_unit_test(callers_context_is_used_and_left_alone),
        cmocka_unit_test(callers_context_with_a_certificate_has_a_fingerprint),
        cmocka_unit_test(callers_context_for_tls_is_refused),
        cmocka_unit_test(key_log_lines_reach_the_callback),
        cmocka_unit_test(key_log_of_a_callers_context_leaves_foreign_sessions_out),
    };
    return cmocka_run_group_tests_name("tls/context", tests, temp_setup, temp_teardown);
}
