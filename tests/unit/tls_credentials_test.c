/* SPDX-License-Identifier: MIT */
/* lib/tls/credentials.c and selfsigned.c: every way in which a file is wrong. */
#include "tls_support.h"

#include "tls/credentials.h"
#include "tls/selfsigned.h"

static struct identity one, two, ca;

static int setup(void **state)
{
    if (temp_setup(state))
        return -1;
    one = issue((struct wish){.cn = "one"});
    two = issue((struct wish){.cn = "two"});
    ca = issue((struct wish){.cn = "a CA", .is_ca = true});
    write_cert("one.crt", one.cert);
    write_key("one.key", one.key, NULL);
    write_key("two.key", two.key, NULL);
    return 0;
}

static int teardown(void **state)
{
    identity_free(one);
    identity_free(two);
    identity_free(ca);
    return temp_teardown(state);
}

static void refused_files(const char *cert, const char *key, const char *words)
{
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = cert, .key_file = key},
            SDTLS_CRED, words);
}

static void certificate_and_key_are_loaded(void **state)
{
    (void)state;
    char expected[SD_FINGERPRINT_TEXT];
    struct sd_tls *t =
        context(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = path("one.crt"),
                                                .key_file = path("one.key")});
    assert_true(sd_credentials_fingerprint(one.cert, expected));
    assert_string_equal(sd_tls_fingerprint(t), expected);
    sd_tls_free(t);
}

static void key_may_stand_in_the_certificate_file_before_or_behind(void **state)
{
    (void)state;
    append_file("after.pem", path("one.crt"));
    append_file("after.pem", path("one.key"));
    append_file("before.pem", path("one.key"));
    append_file("before.pem", path("one.crt"));
    for (int i = 0; i < 2; i++) {
        const char *file = path(i ? "after.pem" : "before.pem");
        sd_tls_free(context(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = file}));
    }
}

static void chain_is_loaded_with_the_certificate(void **state)
{
    (void)state;
    struct identity leaf = issue((struct wish){.cn = "leaf", .ca = &ca});
    write_cert("leaf.crt", leaf.cert);
    write_cert("ca.crt", ca.cert);
    append_file("chain.pem", path("leaf.crt"));
    append_file("chain.pem", path("ca.crt"));
    struct sd_tls *t =
        context(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = path("chain.pem"),
                                                .key_file = write_key("leaf.key", leaf.key, NULL)});
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(sd_tls_native(t), &chain);
    assert_int_equal(sk_X509_num(chain), 1);
    sd_tls_free(t);
    identity_free(leaf);
}

static void damaged_chain_names_the_certificate(void **state)
{
    (void)state;
    append_file("bad-chain.pem", path("one.crt"));
    FILE *f = fopen(path("bad-chain.pem"), "a");
    fputs("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", f);
    fclose(f);
    refused_files(path("bad-chain.pem"), path("one.key"), "certificate 2 in ");
}

static void unreadable_files_tell_the_reason(void **state)
{
    (void)state;
    refused_files(path("absent"), NULL, "/absent: No such file or directory");
    refused_files(temp_dir, NULL, ": Is a directory");
    refused_files(path("one.crt"), path("absent"), "key file ");
    refused_files(path("one.crt"), path("absent"), "No such file or directory");
}

static void permission_denied_is_told(void **state)
{
    (void)state;
    write_file("closed", "x", 1);
    chmod(path("closed"), 0);
    uid_t me = geteuid();
    assert_int_equal(me ? 0 : seteuid(65534), 0); /* root may read everything */
    refused_files(path("closed"), NULL, "Permission denied");
    assert_int_equal(seteuid(me), 0);
}

static void empty_file_is_called_empty(void **state)
{
    (void)state;
    refused_files(write_file("empty", "", 0), NULL, "/empty is empty");
}

static void huge_file_is_not_read(void **state)
{
    (void)state;
    refused_files("/dev/zero", NULL, "/dev/zero: File too large");
}

static void wrong_contents_are_recognised(void **state)
{
    (void)state;
    refused_files(write_file("text", "hello\n", 6), NULL, "/text contains no PEM certificate");
    refused_files(path("one.key"), path("one.key"), "(it contains a private key)");
    refused_files(path("one.crt"), path("one.crt"), "(it contains a certificate)");
    unsigned char *der = NULL;
    int len = i2d_X509(one.cert, &der);
    refused_files(write_file("der", der, (size_t)len), NULL, "convert it to PEM");
    OPENSSL_free(der);
}

static void certificate_without_key_says_so(void **state)
{
    (void)state;
    refused_files(path("one.crt"), NULL, "contains no private key");
    refused_files(NULL, path("one.key"), "cert_file is not: set both");
}

static void foreign_key_names_both_files(void **state)
{
    (void)state;
    refused_files(path("one.crt"), path("two.key"),
                  "two.key does not belong to the certificate in");
}

static void encrypted_key_does_not_prompt(void **state)
{
    (void)state;
    write_key("locked.key", one.key, "secret");
    refused_files(path("one.crt"), path("locked.key"), "locked.key is encrypted");
}

static void damaged_key_and_certificate_are_told_from_missing_ones(void **state)
{
    (void)state;
    static const char key[] = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n";
    static const char cert[] = "-----BEGIN CERTIFICATE-----\nMIGH\n-----END CERTIFICATE-----\n";
    write_file("bad.key", key, sizeof key - 1);
    write_file("bad.crt", cert, sizeof cert - 1);
    refused_files(path("one.crt"), path("bad.key"), "bad.key is damaged");
    refused_files(path("bad.crt"), NULL, "bad.crt is damaged");
}

static void pipe_is_read_once(void **state)
{
    (void)state;
    int fd[2];
    char buf[8192], name[32];
    append_file("both.pem", path("one.crt"));
    append_file("both.pem", path("one.key"));
    FILE *f = fopen(path("both.pem"), "r");
    size_t n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(write(fd[1], buf, n), n);
    close(fd[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", fd[0]);
    sd_tls_free(context(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = name}));
    close(fd[0]);
}

static void throw_away_certificate_is_for_this_machine_and_a_month(void **state)
{
    (void)state;
    X509 *x;
    EVP_PKEY *key;
    struct sd_err err = {0};
    assert_int_equal(sd_selfsigned_make(&x, &key, &err), SDTLS_OK);
    int days, seconds;
    assert_true(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), NULL));
    assert_int_equal(days, 1);
    assert_true(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)));
    assert_in_range(days, 29, 30);
    assert_int_equal(EVP_PKEY_bits(key), 256);
    assert_int_equal(X509_check_private_key(x, key), 1);
    assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
    assert_int_equal(X509_verify(x, key), 1);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void two_throw_away_certificates_differ(void **state)
{
    (void)state;
    struct sd_tls *a = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    struct sd_tls *b = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    assert_string_not_equal(sd_tls_fingerprint(a), sd_tls_fingerprint(b));
    sd_tls_free(a);
    sd_tls_free(b);
}

/* The openssl command is the judge where there is one. */
static void fingerprint_is_what_openssl_prints(void **state)
{
    (void)state;
    char cmd[256], line[256] = "", ours[SD_FINGERPRINT_TEXT];
    snprintf(cmd, sizeof cmd, "openssl x509 -noout -fingerprint -sha256 -in %s 2>/dev/null",
             path("one.crt"));
    FILE *f = popen(cmd, "r");
    bool any = f && fgets(line, sizeof line, f);
    if (f)
        pclose(f);
    if (!any)
        skip();
    line[strcspn(line, "\n")] = 0;
    assert_true(sd_credentials_fingerprint(one.cert, ours));
    assert_string_equal(strchr(line, '=') + 1, ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_and_key_are_loaded),
        cmocka_unit_test(key_may_stand_in_the_certificate_file_before_or_behind),
        cmocka_unit_test(chain_is_loaded_with_the_certificate),
        cmocka_unit_test(damaged_chain_names_the_certificate),
        cmocka_unit_test(unreadable_files_tell_the_reason),
        cmocka_unit_test(permission_denied_is_told),
        cmocka_unit_test(empty_file_is_called_empty),
        cmocka_unit_test(huge_file_is_not_read),
        cmocka_unit_test(wrong_contents_are_recognised),
        cmocka_unit_test(certificate_without_key_says_so),
        cmocka_unit_test(foreign_key_names_both_files),
        cmocka_unit_test(encrypted_key_does_not_prompt),
        cmocka_unit_test(damaged_key_and_certificate_are_told_from_missing_ones),
        cmocka_unit_test(pipe_is_read_once),
        cmocka_unit_test(throw_away_certificate_is_for_this_machine_and_a_month),
        cmocka_unit_test(two_throw_away_certificates_differ),
        cmocka_unit_test(fingerprint_is_what_openssl_prints),
    };
    return cmocka_run_group_tests_name("tls/credentials", tests, setup, teardown);
}
