/* SPDX-License-Identifier: MIT */
/* lib/tls/pin.c: fingerprints in every spelling, and what they let in. */
#include "tls_support.h"

#include "tls/credentials.h"
#include "tls/pin.h"

static struct identity ca, good, other;
/* Of `good`: the certificate, and the key. */
static unsigned char cert_hash[SD_PIN_LEN], key_hash[SD_PIN_LEN];

static void make(const char *name, struct identity *i, struct wish w)
{
    char file[64];
    *i = issue(w);
    snprintf(file, sizeof file, "%s.crt", name);
    write_cert(file, i->cert);
    snprintf(file, sizeof file, "%s.key", name);
    write_key(file, i->key, NULL);
}

static int setup(void **state)
{
    if (temp_setup(state))
        return -1;
    make("ca", &ca, (struct wish){.cn = "Test CA", .is_ca = true});
    make("good", &good, (struct wish){.cn = "good", .ca = &ca, .san = "DNS:good.test"});
    make("other", &other, (struct wish){.cn = "other", .ca = &ca, .san = "DNS:good.test"});
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(good.key, &der);
    assert_true(len > 0 && EVP_Digest(der, (size_t)len, key_hash, NULL, EVP_sha256(), NULL));
    OPENSSL_free(der);
    assert_true(X509_digest(good.cert, EVP_sha256(), cert_hash, NULL));
    return 0;
}

static int teardown(void **state)
{
    identity_free(ca);
    identity_free(good);
    identity_free(other);
    return temp_teardown(state);
}

static const char *hex(const unsigned char *hash, const char *between, bool upper)
{
    static char text[128];
    text[0] = 0;
    for (size_t i = 0; i < SD_PIN_LEN; i++)
        snprintf(text + strlen(text), 8, upper ? "%s%02X" : "%s%02x", i ? between : "", hash[i]);
    return text;
}

static const char *base64(const unsigned char *hash)
{
    static char text[64];
    EVP_EncodeBlock((unsigned char *)text, hash, SD_PIN_LEN);
    return text;
}

/* --- spellings --- */

/* `text` holds these pins of cert_hash and key_hash. */
static void reads(const char *before, const char *pin, const char *after)
{
    char text[512];
    struct sd_pins p;
    struct sd_err err = {0};
    snprintf(text, sizeof text, "%s%s%s", before, pin, after);
    if (sd_pins_parse(&p, text, &err))
        fail_msg("\"%s\": %s", text, err.text);
    assert_int_equal(p.count, 1);
    if (memcmp(p.sha256[0], cert_hash, SD_PIN_LEN) != 0)
        fail_msg("\"%s\" was read as another pin", text);
    assert_int_equal(ERR_peek_error(), 0);
}

static void each_usual_spelling_is_read(void **state)
{
    (void)state;
    reads("", hex(cert_hash, "", false), "");
    reads("", hex(cert_hash, ":", true), "");
    reads("", hex(cert_hash, "-", false), "\n");
    reads("Throw-away certificate, SHA-256: ", hex(cert_hash, ":", true), "");
    reads("sha256 Fingerprint=", hex(cert_hash, ":", true), "");
    reads("SHA256 Fingerprint=", hex(cert_hash, ":", true), "\n");
    reads("a=fingerprint:sha-256 ", hex(cert_hash, ":", true), "\r\n");
    reads("sha256:", hex(cert_hash, "", false), "");
    reads("", base64(cert_hash), "");
    reads("sha256//", base64(cert_hash), "");
    reads("sha256/", base64(cert_hash), "");
    reads("pin-sha256=\"", base64(cert_hash), "\"");
    char bare[64];
    snprintf(bare, sizeof bare, "%.43s", base64(cert_hash));
    reads("", bare, ""); /* without the padding */
}

static void several_pins_are_read(void **state)
{
    (void)state;
    char text[512];
    struct sd_pins p;
    struct sd_err err = {0};
    snprintf(text, sizeof text, "%s, sha256//%s", hex(cert_hash, ":", true), base64(key_hash));
    assert_int_equal(sd_pins_parse(&p, text, &err), SDTLS_OK);
    assert_int_equal(p.count, 2);
    assert_memory_equal(p.sha256[0], cert_hash, SD_PIN_LEN);
    assert_memory_equal(p.sha256[1], key_hash, SD_PIN_LEN);
}

static void wrong(const char *text, const char *words)
{
    struct sd_pins p;
    struct sd_err err = {0};
    assert_int_equal(sd_pins_parse(&p, text, &err), SDTLS_OPTION);
    if (!strstr(err.text, words))
        fail_msg("\"%s\": %s", text, err.text);
    assert_int_equal(ERR_peek_error(), 0);
}

/* A pin that lost a digit must not become no pin at all. */
static void a_damaged_pin_is_an_error(void **state)
{
    (void)state;
    char text[128];
    for (size_t len = 1; len < 2 * SD_PIN_LEN; len++) {
        snprintf(text, sizeof text, "%.*s", (int)len, hex(cert_hash, "", false));
        if (len != 43 && len != 44) /* as long as base64, and read as that: another pin */
            wrong(text, "is not a SHA-256");
    }
    snprintf(text, sizeof text, "%s0", hex(cert_hash, "", false));
    wrong(text, "is not a SHA-256");
    snprintf(text, sizeof text, "%s", hex(cert_hash, ":", true));
    text[1] = ':';
    wrong(text, "is not a SHA-256");
    snprintf(text, sizeof text, "%.42s", base64(cert_hash));
    wrong(text, "is not a SHA-256");
    snprintf(text, sizeof text, "sha256//%s=", base64(cert_hash));
    wrong(text, "is not a SHA-256");
    wrong("AB:CD", "is not a SHA-256");
    wrong("", "contains no pin");
    wrong("SHA-256 Fingerprint", "contains no pin");
    wrong("sha1 Fingerprint=AB:CD:EF:01:02:03:04:05:06:07:08:09:10:11:12:13:14:15:16:17",
          "is not a SHA-256");
}

static void too_many_pins_are_an_error(void **state)
{
    (void)state;
    char text[SD_PINS_MAX * 66 + 70] = "";
    for (size_t i = 0; i < SD_PINS_MAX; i++) {
        strcat(text, hex(key_hash, "", false));
        strcat(text, ",");
    }
    struct sd_pins p;
    struct sd_err err = {0};
    assert_int_equal(sd_pins_parse(&p, text, &err), SDTLS_OK);
    strcat(text, hex(key_hash, "", false));
    wrong(text, "more than 64");
}

/* --- who gets in --- */

static sdtls_config with_files(const char *name)
{
    static char crt[128], key[128];
    snprintf(crt, sizeof crt, "%s/%s.crt", temp_dir, name);
    snprintf(key, sizeof key, "%s/%s.key", temp_dir, name);
    return (sdtls_config){SDTLS_CONFIG_INIT, .cert_file = crt, .key_file = key};
}

static bool client_accepts(const sdtls_config *client, const char *name, const char *host,
                           char text[static 256])
{
    sdtls_config server = with_files(name);
    struct pair p = pair_new(client, &server, host);
    bool ready = pair_ready(&p);
    bool trusted = sd_tls_verify_text(p.ct, p.c, text, 256);
    assert_int_equal(trusted, *text == 0);
    pair_free(&p);
    return ready;
}

static void a_pin_alone_is_enough(void **state)
{
    (void)state;
    char text[256];
    const unsigned char *hashes[] = {cert_hash, key_hash};
    for (size_t i = 0; i < 2; i++) {
        const sdtls_config c = {SDTLS_CONFIG_INIT, .pins = hex(hashes[i], ":", true)};
        assert_true(client_accepts(&c, "good", "not-its-name.test", text));
        assert_string_equal(text, "");
        assert_false(client_accepts(&c, "other", "good.test", text));
        assert_non_null(strstr(text, "certificate is not pinned; its SHA-256 is "));
        char theirs[SD_FINGERPRINT_TEXT];
        assert_true(sd_credentials_fingerprint(other.cert, theirs));
        assert_non_null(strstr(text, theirs));
    }
}

static void with_a_ca_both_must_hold(void **state)
{
    (void)state;
    char text[256], file[128];
    snprintf(file, sizeof file, "%s/ca.crt", temp_dir);
    sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = file, .pins = hex(cert_hash, "", false)};
    assert_true(client_accepts(&c, "good", "good.test", text));
    assert_false(client_accepts(&c, "other", "good.test", text)); /* trusted, not pinned */
    assert_non_null(strstr(text, "not pinned"));
    assert_false(client_accepts(&c, "good", "bad.test", text)); /* pinned, another name */
    assert_non_null(strstr(text, "not for bad.test"));
    snprintf(file, sizeof file, "%s/other.crt", temp_dir);
    assert_false(client_accepts(&c, "good", "good.test", text)); /* pinned, not trusted */
    assert_non_null(strstr(text, "issued by"));
}

static void a_client_that_only_checks_says_so(void **state)
{
    (void)state;
    char text[256];
    const sdtls_config c = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_CHECK,
                            .pins = hex(cert_hash, "", false)};
    assert_true(client_accepts(&c, "other", NULL, text));
    assert_non_null(strstr(text, "not pinned"));
    assert_true(client_accepts(&c, "good", NULL, text));
    assert_string_equal(text, "");
}

static bool server_accepts(enum sdtls_verify mode, const char *name, char text[static 256])
{
    sdtls_config server = {SELF_SIGNED_SERVER, .verify = mode, .pins = hex(key_hash, "", false)};
    sdtls_config client = name ? with_files(name) : (sdtls_config){SDTLS_CONFIG_INIT};
    struct pair p = pair_new(&client, &server, NULL);
    bool ready = pair_ready(&p);
    sd_tls_verify_text(p.st, p.s, text, 256);
    pair_free(&p);
    return ready;
}

static void a_server_lets_in_whose_key_is_pinned(void **state)
{
    (void)state;
    char text[256];
    assert_true(server_accepts(SDTLS_VERIFY_DEFAULT, "good", text));
    assert_string_equal(text, "");
    assert_false(server_accepts(SDTLS_VERIFY_DEFAULT, "other", text));
    assert_non_null(strstr(text, "not pinned"));
    assert_false(server_accepts(SDTLS_VERIFY_DEFAULT, NULL, text));
    assert_true(server_accepts(SDTLS_VERIFY_CHECK, "other", text));
    assert_non_null(strstr(text, "not pinned"));
}

/* The session of a peer that is not pinned any more must not take the place of its certificate. */
static void a_session_of_another_peer_is_not_resumed(void **state)
{
    (void)state;
    char file[128], key_pin[128];
    snprintf(file, sizeof file, "%s/session", temp_dir);
    snprintf(key_pin, sizeof key_pin, "%s", hex(key_hash, "", false));
    sdtls_config files = with_files("good");
    for (int mode = SDTLS_VERIFY_CHECK; mode <= SDTLS_VERIFY_REQUIRE; mode++) {
        sdtls_config c = {SDTLS_CONFIG_INIT, .verify = (enum sdtls_verify)mode,
                          .session_file = file, .pins = key_pin};
        unlink(file);
        struct pair p = pair_new(&c, &files, NULL);
        assert_true(pair_ready(&p));
        pair_hang_up(&p);
        sd_tls_free(p.ct);
        p.ct = context(SD_ROLE_CLIENT, &c);
        pair_connect(&p, NULL);
        assert_true(pair_ready(&p) && SSL_session_reused(p.c));
        pair_hang_up(&p);
        sd_tls_free(p.ct);
        char text[256], foreign[128];
        memset(foreign, 'a', 64);
        foreign[64] = 0;
        c.pins = foreign;
        p.ct = context(SD_ROLE_CLIENT, &c);
        pair_connect(&p, NULL);
        assert_int_equal(pair_ready(&p), mode == SDTLS_VERIFY_CHECK);
        assert_false(SSL_session_reused(p.c));
        assert_false(sd_tls_verify_text(p.ct, p.c, text, sizeof text));
        assert_non_null(strstr(text, "not pinned"));
        pair_free(&p);
    }
}

static void what_contradicts_itself_is_refused(void **state)
{
    (void)state;
    const char *pin = hex(cert_hash, "", false);
    const sdtls_config none = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE, .pins = pin};
    refused(SD_ROLE_CLIENT, &none, SDTLS_OPTION, "SDTLS_VERIFY_NONE");
    const sdtls_config bad = {SDTLS_CONFIG_INIT, .pins = "AB:CD"};
    refused(SD_ROLE_CLIENT, &bad, SDTLS_OPTION, "\"AB:CD\" is not a SHA-256");
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    const sdtls_config own = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx, .pins = pin};
    refused(SD_ROLE_CLIENT, &own, SDTLS_OPTION, "pins and ssl_ctx");
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_usual_spelling_is_read),
        cmocka_unit_test(several_pins_are_read),
        cmocka_unit_test(a_damaged_pin_is_an_error),
        cmocka_unit_test(too_many_pins_are_an_error),
        cmocka_unit_test(a_pin_alone_is_enough),
        cmocka_unit_test(with_a_ca_both_must_hold),
        cmocka_unit_test(a_client_that_only_checks_says_so),
        cmocka_unit_test(a_server_lets_in_whose_key_is_pinned),
        cmocka_unit_test(a_session_of_another_peer_is_not_resumed),
        cmocka_unit_test(what_contradicts_itself_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
