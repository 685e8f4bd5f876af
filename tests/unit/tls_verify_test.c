/* SPDX-License-Identifier: MIT */
/* lib/tls/verify.c and verify_text.c: which certificates are trusted, and why one is not. */
#include "tls_support.h"

#include "tls/verify.h"

static struct identity ca, other_ca;

static int setup(void **state)
{
    if (temp_setup(state))
        return -1;
    ca = issue((struct wish){.cn = "Test CA", .is_ca = true});
    other_ca = issue((struct wish){.cn = "Other CA", .is_ca = true});
    write_cert("ca.crt", ca.cert);
    write_cert("other.crt", other_ca.cert);
    return 0;
}

static int teardown(void **state)
{
    identity_free(ca);
    identity_free(other_ca);
    return temp_teardown(state);
}

/* A certificate to measure, written as NAME.crt and NAME.key. */
static void make(const char *name, struct wish w)
{
    char file[64];
    struct identity i = issue(w);
    snprintf(file, sizeof file, "%s.crt", name);
    write_cert(file, i.cert);
    snprintf(file, sizeof file, "%s.key", name);
    write_key(file, i.key, NULL);
    identity_free(i);
}

static sdtls_config with_files(const char *name)
{
    static char crt[128], key[128];
    snprintf(crt, sizeof crt, "%s/%s.crt", temp_dir, name);
    snprintf(key, sizeof key, "%s/%s.key", temp_dir, name);
    return (sdtls_config){SDTLS_CONFIG_INIT, .cert_file = crt, .key_file = key};
}

/* Connects a client to the server with certificate `name`. True when the
 * handshake completed; what the client says of the certificate goes to text ("" = trusted). */
static bool client_says(const char *name, const sdtls_config *client, const char *host,
                        char text[static 256])
{
    sdtls_config server = with_files(name);
    struct pair p = pair_new(client, &server, host);
    bool ready = pair_ready(&p);
    bool trusted = sd_tls_verify_text(p.ct, p.c, text, 256);
    assert_int_equal(trusted, *text == 0);
    assert_int_equal(ERR_peek_error(), 0);
    pair_free(&p);
    return ready;
}

static void trusted_certificate_with_the_right_name_is_trusted(void **state)
{
    (void)state;
    char text[256];
    make("good", (struct wish){.cn = "good", .ca = &ca, .san = "DNS:good.test,IP:192.0.2.7"});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    assert_true(client_says("good", &c, "good.test", text));
    assert_string_equal(text, "");
    assert_true(client_says("good", &c, "192.0.2.7", text));
    assert_string_equal(text, "");
    assert_true(client_says("good", &c, NULL, text)); /* no name to compare: the chain alone */
}

static void ca_file_makes_the_host_of_the_connection_count(void **state)
{
    (void)state;
    char text[256];
    make("name", (struct wish){.cn = "x", .ca = &ca, .san = "DNS:good.test,IP:192.0.2.7"});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    assert_false(client_says("name", &c, "bad.test", text));
    assert_string_equal(text, "certificate is not for bad.test; it is for good.test, 192.0.2.7");
    assert_false(client_says("name", &c, "192.0.2.8", text));
    assert_non_null(strstr(text, "certificate is not for 192.0.2.8; it is for"));
}

static void verify_host_overrides_the_host_of_the_connection(void **state)
{
    (void)state;
    char text[256];
    make("vh", (struct wish){.cn = "x", .ca = &ca, .san = "DNS:good.test"});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt"),
                            .verify_host = "good.test"};
    assert_true(client_says("vh", &c, "127.0.0.1", text));
    const sdtls_config bad = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt"),
                              .verify_host = "bad.test"};
    assert_false(client_says("vh", &bad, "good.test", text));
}

static void unknown_ca_is_named(void **state)
{
    (void)state;
    char text[256];
    make("unknown", (struct wish){.cn = "x", .ca = &ca});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("other.crt")};
    assert_false(client_says("unknown", &c, NULL, text));
    assert_string_equal(
        text, "certificate issued by \"Test CA\", which is not trusted: add this CA to ca_file");
}

static void check_reports_and_connects_anyway(void **state)
{
    (void)state;
    char text[256];
    make("self", (struct wish){.cn = "x", .san = "DNS:self.test"});
    const sdtls_config c = {SDTLS_CONFIG_INIT};
    assert_true(client_says("self", &c, "self.test", text));
    assert_string_equal(text, "self-signed certificate: to trust it, add it to ca_file");
    const sdtls_config named = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_CHECK,
                                .ca_file = path("self.crt")};
    assert_true(client_says("self", &named, "self.test", text));
    assert_string_equal(text, "");
    assert_true(client_says("self", &named, "other.test", text));
    assert_string_equal(text, "certificate is not for other.test; it is for self.test");
}

/* OpenSSL 4.0 compares no certificate with a name like "h". */
static void odd_host_name_does_not_stop_a_client_that_only_checks(void **state)
{
    (void)state;
    char text[256];
    make("odd", (struct wish){.cn = "x", .san = "DNS:other.test"});
    const sdtls_config check = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_CHECK,
                                .ca_file = path("odd.crt")};
    assert_true(client_says("odd", &check, "h", text));
    assert_non_null(strstr(text, "for h"));
}

static void odd_host_name_is_refused_or_compared_by_a_strict_client(void **state)
{
    (void)state;
    const sdtls_config strict = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_REQUIRE};
    struct sd_tls *t = context(SD_ROLE_CLIENT, &strict);
    SSL *ssl = SSL_new(sd_tls_native(t));
    struct sd_err err = {0};
    int rc = sd_tls_prepare(t, ssl, "h", &err);
    assert_true(rc == SDTLS_OK || (rc == SDTLS_OPTION && strstr(err.text, "\"h\"")));
    SSL_free(ssl);
    sd_tls_free(t);
}

static void none_does_not_look(void **state)
{
    (void)state;
    char text[256];
    make("none", (struct wish){.cn = "x"});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};
    assert_true(client_says("none", &c, "x", text));
    assert_string_equal(text, "not checked");
}

static void times_are_told_in_days(void **state)
{
    (void)state;
    char text[256];
    make("old", (struct wish){.cn = "x", .ca = &ca, .from = -9 * DAY, .to = -3 * DAY - 60});
    make("new", (struct wish){.cn = "x", .ca = &ca, .from = 2 * DAY + 60, .to = 9 * DAY});
    make("just", (struct wish){.cn = "x", .ca = &ca, .from = -9 * DAY, .to = -3700});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    assert_false(client_says("old", &c, NULL, text));
    assert_string_equal(text, "certificate expired 3 days ago (or this machine's clock is wrong)");
    assert_false(client_says("new", &c, NULL, text));
    assert_string_equal(text,
                        "certificate becomes valid in 2 days (or this machine's clock is wrong)");
    assert_false(client_says("just", &c, NULL, text));
    assert_string_equal(text, "certificate expired 1 hour ago (or this machine's clock is wrong)");
}

/* A revocation list of `ca` with one certificate on it, after the CA itself. */
static void write_crl(const char *name, const X509 *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *next = X509_gmtime_adj(NULL, DAY);
    X509_REVOKED_set_serialNumber(entry,
                                  (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(revoked));
    X509_REVOKED_set_revocationDate(entry, now);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, next);
    assert_true(X509_CRL_add0_revoked(crl, entry));
    assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()));
    write_cert(name, ca.cert);
    FILE *f = fopen(path(name), "a");
    assert_true(PEM_write_X509_CRL(f, crl));
    fclose(f);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
}

static void revoked_certificate_is_told(void **state)
{
    (void)state;
    char text[256];
    struct identity i = issue((struct wish){.cn = "x", .ca = &ca});
    write_cert("revoked.crt", i.cert);
    write_key("revoked.key", i.key, NULL);
    write_crl("crl.pem", i.cert);
    make("valid", (struct wish){.cn = "y", .ca = &ca});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("crl.pem")};
    assert_true(client_says("valid", &c, NULL, text));
    assert_false(client_says("revoked", &c, NULL, text));
    assert_string_equal(text, "certificate has been revoked");
    identity_free(i);
}

static void wrong_purpose_is_told(void **state)
{
    (void)state;
    char text[256];
    make("client", (struct wish){.cn = "x", .ca = &ca, .eku = "clientAuth"});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    assert_false(client_says("client", &c, NULL, text));
    assert_string_equal(text, "certificate is not valid for this purpose (extended key usage)");
}

static void names_of_the_peer_are_printable(void **state)
{
    (void)state;
    char text[256];
    make("esc", (struct wish){.cn = "a\033[2Jb", .ca = &ca});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    assert_false(client_says("esc", &c, "good.test", text));
    assert_string_equal(text, "certificate is not for good.test; it is for a?[2Jb");
}

static void named_leaf_is_trusted_by_itself(void **state)
{
    (void)state;
    char text[256];
    make("leaf", (struct wish){.cn = "x", .ca = &ca});
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_file = path("leaf.crt")};
    assert_true(client_says("leaf", &c, NULL, text));
}

static void throw_away_certificate_verifies_against_itself(void **state)
{
    (void)state;
    struct sd_tls *st = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    write_cert("throw.crt", SSL_CTX_get0_certificate(sd_tls_native(st)));
    struct pair p = {.st = st,
                     .ct = context(SD_ROLE_CLIENT, &(sdtls_config){SDTLS_CONFIG_INIT,
                                                                   .ca_file = path("throw.crt")})};
    char text[256];
    pair_connect(&p, "127.0.0.1");
    assert_true(pair_ready(&p));
    assert_true(sd_tls_verify_text(p.ct, p.c, text, sizeof text));
    pair_free(&p);
}

/* A server with this configuration and a client with the certificate `name`
 * (NULL = none): whether both completed, and what the server says. */
static bool server_says(sdtls_config server, const char *name, char text[static 256])
{
    sdtls_config client = name ? with_files(name) : (sdtls_config){SDTLS_CONFIG_INIT};
    server.flags |= SDTLS_F_SELF_SIGNED;
    struct pair p = pair_new(&client, &server, NULL);
    bool ready = pair_ready(&p);
    sd_tls_verify_text(p.st, p.s, text, 256);
    pair_free(&p);
    return ready;
}

static void server_asks_as_configured(void **state)
{
    (void)state;
    char text[256];
    make("c", (struct wish){.cn = "client", .ca = &ca});
    make("stranger", (struct wish){.cn = "client", .ca = &other_ca});
    sdtls_config require = {SDTLS_CONFIG_INIT, .ca_file = path("ca.crt")};
    sdtls_config check = require;
    check.verify = SDTLS_VERIFY_CHECK;

    assert_true(server_says(require, "c", text));
    assert_string_equal(text, "");
    assert_false(server_says(require, NULL, text));
    assert_false(server_says(require, "stranger", text));
    assert_non_null(strstr(text, "issued by \"Other CA\""));

    assert_true(server_says(check, "c", text));
    assert_string_equal(text, "");
    assert_true(server_says(check, NULL, text));
    assert_string_equal(text, "the peer sent no certificate");
    assert_true(server_says(check, "stranger", text));
    assert_non_null(strstr(text, "issued by \"Other CA\""));

    assert_true(server_says((sdtls_config){SDTLS_CONFIG_INIT}, "c", text));
    assert_string_equal(text, "the peer sent no certificate");
}

static void wants_client_cert_follows_the_mode(void **state)
{
    (void)state;
    static const bool wants[] = {false, false, true, true};
    for (int mode = SDTLS_VERIFY_DEFAULT; mode <= SDTLS_VERIFY_REQUIRE; mode++) {
        struct sd_tls *t =
            context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER, .verify = (unsigned)mode});
        assert_int_equal(sd_tls_wants_client_cert(t), wants[mode]);
        sd_tls_free(t);
    }
}

static void unusable_trust_is_refused(void **state)
{
    (void)state;
    const sdtls_config absent = {SDTLS_CONFIG_INIT, .ca_file = path("absent")};
    refused(SD_ROLE_CLIENT, &absent, SDTLS_CRED, "/absent: No such file or directory");
    const sdtls_config text = {SDTLS_CONFIG_INIT, .ca_file = write_file("text", "x\n", 2)};
    refused(SD_ROLE_CLIENT, &text, SDTLS_CRED, "/text contains no PEM certificate");
    const sdtls_config no_dir = {SDTLS_CONFIG_INIT, .ca_path = path("absent")};
    refused(SD_ROLE_CLIENT, &no_dir, SDTLS_CRED, "/absent: No such file or directory");
    const sdtls_config unhashed = {SDTLS_CONFIG_INIT, .ca_path = temp_dir};
    refused(SD_ROLE_CLIENT, &unhashed, SDTLS_CRED, "openssl rehash");
    const sdtls_config mode = {SDTLS_CONFIG_INIT, .verify = (enum sdtls_verify)9};
    refused(SD_ROLE_CLIENT, &mode, SDTLS_OPTION, "verify: 9");
    char name[300];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = 0;
    const sdtls_config host = {SDTLS_CONFIG_INIT, .verify_host = name};
    refused(SD_ROLE_CLIENT, &host, SDTLS_OPTION, "verify_host is too long");
}

static void hashed_directory_is_searched(void **state)
{
    (void)state;
    char text[256], hash[32];
    make("dir", (struct wish){.cn = "x", .ca = &ca});
    assert_int_equal(mkdir(path("certs"), 0700), 0);
    snprintf(hash, sizeof hash, "certs/%08lx.0", X509_subject_name_hash(ca.cert));
    write_cert(hash, ca.cert);
    const sdtls_config c = {SDTLS_CONFIG_INIT, .ca_path = path("certs")};
    assert_true(client_says("dir", &c, NULL, text));
    assert_string_equal(text, "");
    unlink(path(hash));
}

static void host_is_cleaned_before_it_is_compared(void **state)
{
    (void)state;
    char buf[256], longest[300];
    assert_string_equal(sd_verify_host("fe80::1%eth0", buf), "fe80::1");
    assert_string_equal(sd_verify_host("example.org.", buf), "example.org");
    assert_string_equal(sd_verify_host(".", buf), ".");
    assert_null(sd_verify_host("", buf));
    assert_null(sd_verify_host(NULL, buf));
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_null(sd_verify_host(longest, buf));
    assert_true(sd_verify_is_ip("::1"));
    assert_false(sd_verify_is_ip("1.2.3.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusted_certificate_with_the_right_name_is_trusted),
        cmocka_unit_test(ca_file_makes_the_host_of_the_connection_count),
        cmocka_unit_test(verify_host_overrides_the_host_of_the_connection),
        cmocka_unit_test(unknown_ca_is_named),
        cmocka_unit_test(check_reports_and_connects_anyway),
        cmocka_unit_test(odd_host_name_does_not_stop_a_client_that_only_checks),
        cmocka_unit_test(odd_host_name_is_refused_or_compared_by_a_strict_client),
        cmocka_unit_test(none_does_not_look),
        cmocka_unit_test(times_are_told_in_days),
        cmocka_unit_test(revoked_certificate_is_told),
        cmocka_unit_test(wrong_purpose_is_told),
        cmocka_unit_test(names_of_the_peer_are_printable),
        cmocka_unit_test(named_leaf_is_trusted_by_itself),
        cmocka_unit_test(throw_away_certificate_verifies_against_itself),
        cmocka_unit_test(server_asks_as_configured),
        cmocka_unit_test(wants_client_cert_follows_the_mode),
        cmocka_unit_test(unusable_trust_is_refused),
        cmocka_unit_test(hashed_directory_is_searched),
        cmocka_unit_test(host_is_cleaned_before_it_is_compared),
    };
    return cmocka_run_group_tests_name("tls/verify", tests, setup, teardown);
}
