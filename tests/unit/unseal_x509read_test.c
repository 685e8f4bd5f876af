/* SPDX-License-Identifier: MIT */
/* lib/unseal/x509read.c: what a certificate says, and which CA signed it. */
#include "identity.h"

#include <openssl/rsa.h>
#include <time.h>

#include "unseal/x509read.h"

struct der {
    uint8_t *p;
    size_t len;
};

static struct der der_of(const X509 *x)
{
    struct der d = {NULL, 0};
    int len = i2d_X509((X509 *)(uintptr_t)x, &d.p);
    assert_true(len > 0);
    d.len = (size_t)len;
    return d;
}

static struct sd_span span_of(struct der d)
{
    return (struct sd_span){d.p, d.len};
}

static struct sd_x509read *reader;
static struct sd_cert_reader hooks;

static int setup(void **state)
{
    (void)state;
    reader = sd_x509read_new();
    if (!reader)
        return -1;
    hooks = sd_x509read_hooks(reader);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sd_x509read_free(reader);
    return ERR_peek_error() ? -1 : 0;
}

static struct sd_cert read_cert(const X509 *x)
{
    struct sd_cert c;
    struct der d = der_of(x);
    assert_true(hooks.read(hooks.arg, span_of(d), &c));
    OPENSSL_free(d.p);
    return c;
}

static bool names(const X509 *x, const char *host)
{
    struct der d = der_of(x);
    bool yes =
        hooks.names(hooks.arg, span_of(d), (struct sd_span){(const uint8_t *)host, strlen(host)});
    assert_int_equal(
        hooks.names(hooks.arg, span_of(d), (struct sd_span){(const uint8_t *)host, strlen(host)}),
        yes);
    OPENSSL_free(d.p);
    return yes;
}

static bool issued(const X509 *x, const X509 *by)
{
    struct der d = der_of(x), issuer = der_of(by);
    bool yes = hooks.issued(hooks.arg, span_of(d), span_of(issuer));
    assert_int_equal(hooks.issued(hooks.arg, span_of(d), span_of(issuer)), yes);
    OPENSSL_free(d.p);
    OPENSSL_free(issuer.p);
    return yes;
}

static void about(int64_t is, int64_t expected)
{
    assert_in_range(is - expected + 120, 0, 240);
}

static void the_fields_of_a_certificate_are_read(void **state)
{
    int64_t now = time(NULL);
    struct identity i = issue((struct wish){.cn = "server.example",
                                            .san = "DNS:server.example,DNS:*.b.example,"
                                                   "IP:192.0.2.1,email:a@b.example,IP:2001:db8::1",
                                            .from = -3 * DAY,
                                            .to = -DAY});
    struct sd_cert c = read_cert(i.cert);
    (void)state;
    about(c.not_before, now - 3 * DAY);
    about(c.not_after, now - DAY);
    assert_string_equal(c.subject, "CN=server.example");
    assert_string_equal(c.issuer, "CN=server.example");
    assert_string_equal(c.names, "server.example, *.b.example, 192.0.2.1, 2001:db8::1");
    assert_string_equal(c.key, "EC");
    assert_string_equal(c.signature, "ecdsa-with-SHA256");
    assert_int_equal(c.key_bits, 256);
    assert_int_equal(c.security_bits, 128);
    assert_false(c.weak_digest);
    assert_true(c.self_signed);
    assert_false(c.ca);
    identity_free(i);
}

static void a_fingerprint_is_that_of_the_bytes_sent(void **state)
{
    struct identity i = issue((struct wish){.cn = "a", .san = "DNS:a"});
    struct der d = der_of(i.cert);
    struct sd_cert c;
    uint8_t sha256[32];
    (void)state;
    assert_true(hooks.read(hooks.arg, span_of(d), &c));
    assert_int_equal(EVP_Digest(d.p, d.len, sha256, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(c.fingerprint, sha256, sizeof sha256);
    OPENSSL_free(d.p);
    identity_free(i);
}

static void names_of_cas_are_read(void **state)
{
    static const uint8_t dn[] = {0x30, 27,   0x31, 11,  0x30, 9,    6,   3,    0x55, 4,
                                 6,    0x13, 2,    'D', 'E',  0x31, 12,  0x30, 10,   6,
                                 3,    0x55, 4,    3,   0x0c, 3,    'a', 0x1b, 'b'};
    char text[64], little[6];
    (void)state;
    assert_true(hooks.dn(hooks.arg, (struct sd_span){dn, sizeof dn}, text, sizeof text));
    assert_non_null(strstr(text, "CN="));
    assert_non_null(strstr(text, "C=DE"));
    assert_null(strchr(text, 0x1b));
    assert_true(hooks.dn(hooks.arg, (struct sd_span){dn, sizeof dn}, little, sizeof little));
    assert_int_equal(strlen(little), sizeof little - 1);
    assert_false(hooks.dn(hooks.arg, (struct sd_span){dn, sizeof dn - 1}, text, sizeof text));
    assert_false(hooks.dn(hooks.arg, (struct sd_span){0}, text, sizeof text));
}

static void a_chain_is_told_by_its_signatures(void **state)
{
    struct identity root = issue((struct wish){.cn = "Root", .is_ca = true});
    struct identity twin = issue((struct wish){.cn = "Root", .is_ca = true});
    struct identity mid = issue((struct wish){.cn = "Middle", .is_ca = true, .ca = &root});
    struct identity leaf = issue((struct wish){.cn = "leaf", .ca = &mid});
    struct identity self_issued = issue((struct wish){.cn = "Root", .is_ca = true, .ca = &root});
    (void)state;
    assert_true(issued(root.cert, root.cert));
    assert_true(issued(mid.cert, root.cert));
    assert_true(issued(leaf.cert, mid.cert));
    assert_false(issued(leaf.cert, root.cert));
    assert_false(issued(mid.cert, twin.cert)); /* the same name, another key */
    assert_true(issued(mid.cert, root.cert));  /* the answer is not that to the last question */
    assert_false(issued(root.cert, leaf.cert));
    assert_true(read_cert(root.cert).self_signed);
    assert_true(read_cert(root.cert).ca);
    assert_false(read_cert(mid.cert).self_signed);
    assert_true(read_cert(mid.cert).ca);
    assert_false(read_cert(leaf.cert).ca);
    assert_string_equal(read_cert(leaf.cert).issuer, "CN=Middle");
    assert_false(read_cert(self_issued.cert).self_signed);
    assert_true(issued(self_issued.cert, root.cert));
    identity_free(root);
    identity_free(twin);
    identity_free(mid);
    identity_free(leaf);
    identity_free(self_issued);
}

static void hosts_and_addresses_are_compared(void **state)
{
    struct identity i = issue((struct wish){
        .cn = "cn.example", .san = "DNS:a.example,DNS:*.w.example,IP:192.0.2.1,IP:2001:db8::1"});
    struct identity cn_only = issue((struct wish){.cn = "cn.example"});
    const char longest[300] = {[0 ... 298] = 'a'};
    struct der d = der_of(i.cert);
    (void)state;
    assert_true(names(i.cert, "a.example"));
    assert_true(names(i.cert, "A.Example"));
    assert_true(names(i.cert, "a.example."));
    assert_true(names(i.cert, "x.w.example"));
    assert_true(names(i.cert, "192.0.2.1"));
    assert_true(names(i.cert, "2001:DB8:0::1"));
    assert_false(names(i.cert, "b.example"));
    assert_false(names(i.cert, "x.y.w.example"));
    assert_false(names(i.cert, "cn.example"));
    assert_false(names(i.cert, "192.0.2.2"));
    assert_false(names(i.cert, "2001:db8::2"));
    assert_false(names(i.cert, ".example"));
    assert_false(names(i.cert, "."));
    assert_false(names(i.cert, ""));
    assert_false(names(i.cert, longest));
    assert_true(names(cn_only.cert, "cn.example"));
    assert_false(
        hooks.names(hooks.arg, span_of(d), (struct sd_span){(const uint8_t *)"a.example\0", 10}));
    OPENSSL_free(d.p);
    identity_free(i);
    identity_free(cn_only);
}

static EVP_PKEY *rsa_key(int bits)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    assert_true(EVP_PKEY_keygen_init(c) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(c, bits) > 0);
    assert_true(EVP_PKEY_keygen(c, &key) > 0);
    EVP_PKEY_CTX_free(c);
    return key;
}

static void sign_with(X509 *x, EVP_PKEY *key, const EVP_MD *md, bool pss)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params;
    X509_set_pubkey(x, key);
    assert_true(EVP_DigestSignInit(ctx, &params, md, NULL, key));
    if (pss)
        assert_true(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(X509_sign_ctx(x, ctx));
    EVP_MD_CTX_free(ctx);
}

static void weak_keys_and_digests_are_told(void **state)
{
    struct identity i = issue((struct wish){.cn = "old"});
    EVP_PKEY *rsa = rsa_key(1024);
    (void)state;
    sign_with(i.cert, rsa, EVP_sha1(), false);
    struct sd_cert c = read_cert(i.cert);
    assert_true(c.weak_digest);
    assert_true(c.self_signed);
    assert_string_equal(c.key, "RSA");
    assert_string_equal(c.signature, "sha1WithRSAEncryption");
    assert_int_equal(c.key_bits, 1024);
    assert_int_equal(c.security_bits, 80);
    sign_with(i.cert, rsa, EVP_md5(), false);
    assert_true(read_cert(i.cert).weak_digest);
    sign_with(i.cert, rsa, EVP_sha1(), true);
    c = read_cert(i.cert);
    assert_true(c.weak_digest);
    assert_string_equal(c.signature, "rsassaPss");
    sign_with(i.cert, rsa, EVP_sha256(), true);
    assert_false(read_cert(i.cert).weak_digest);
    sign_with(i.cert, i.key, EVP_sha1(), false);
    assert_true(read_cert(i.cert).weak_digest);
    EVP_PKEY_free(rsa);
    identity_free(i);
}

static void ed25519_has_its_name(void **state)
{
    struct identity i = issue((struct wish){.cn = "ed"});
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    (void)state;
    assert_true(EVP_PKEY_keygen_init(c) > 0 && EVP_PKEY_keygen(c, &key) > 0);
    sign_with(i.cert, key, NULL, false);
    struct sd_cert cert = read_cert(i.cert);
    assert_string_equal(cert.key, "Ed25519");
    assert_string_equal(cert.signature, "ED25519");
    assert_false(cert.weak_digest);
    assert_true(cert.self_signed);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(key);
    identity_free(i);
}

static bool printable(const char *text, size_t cap)
{
    size_t len = strnlen(text, cap);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len < cap;
}

static void texts_are_printable_and_cut_to_fit(void **state)
{
    struct identity i = issue((struct wish){.cn = "x"});
    X509_NAME *n = X509_NAME_new();
    char san[1000] = "DNS:a";
    (void)state;
    for (int k = 0; k < 4; k++)
        X509_NAME_add_entry_by_txt(
            n, "O", MBSTRING_UTF8,
            (const unsigned char *)"\x1b[31m, \xc3\xa4\n a long name, and then some more of it", -1,
            -1, 0);
    for (int k = 0; k < 30; k++)
        sprintf(san + strlen(san), ",DNS:host%d.example", k);
    X509_set_subject_name(i.cert, n);
    extend(i.cert, NID_subject_alt_name, san);
    assert_true(X509_sign(i.cert, i.key, EVP_sha256()));
    struct sd_cert c = read_cert(i.cert);
    assert_true(printable(c.subject, sizeof c.subject));
    assert_int_equal(strlen(c.subject), sizeof c.subject - 1);
    assert_true(printable(c.names, sizeof c.names));
    assert_true(strlen(c.names) > 220);
    assert_string_equal(c.names + strlen(c.names) - 13, ".example, ...");
    X509_NAME_free(n);
    identity_free(i);
}

static void a_name_with_a_zero_byte_shows_it(void **state)
{
    struct identity i = issue((struct wish){.cn = "x"});
    static const uint8_t value[] = "\x30\x0c\x82\x0a"
                                   "a\0b.evil\x07\xff";
    ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
    (void)state;
    ASN1_OCTET_STRING_set(s, value, 14);
    X509_EXTENSION *e = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, s);
    assert_true(X509_add_ext(i.cert, e, -1));
    assert_true(X509_sign(i.cert, i.key, EVP_sha256()));
    assert_string_equal(read_cert(i.cert).names, "a?b.evil??");
    assert_false(names(i.cert, "a"));
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(s);
    identity_free(i);
}

static void what_is_no_certificate_is_told(void **state)
{
    struct identity i = issue((struct wish){.cn = "x"});
    struct der d = der_of(i.cert);
    struct sd_cert c;
    uint8_t *copy = malloc(d.len + 1);
    (void)state;
    for (size_t len = 0; len < d.len; len++) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact + 1, d.p, len);
        assert_false(hooks.read(hooks.arg, (struct sd_span){exact + 1, len}, &c));
        assert_int_equal(c.key_bits, 0);
        free(exact);
    }
    memcpy(copy, d.p, d.len);
    copy[d.len] = 0;
    struct sd_span more = {copy, d.len + 1}, huge = {calloc(1, 100000), 100000};
    assert_false(hooks.read(hooks.arg, more, &c));
    assert_false(hooks.names(hooks.arg, more, (struct sd_span){(const uint8_t *)"x", 1}));
    assert_false(hooks.issued(hooks.arg, more, span_of(d)));
    assert_false(hooks.issued(hooks.arg, span_of(d), more));
    assert_false(hooks.read(hooks.arg, huge, &c));
    assert_int_equal(ERR_peek_error(), 0);
    assert_true(hooks.read(hooks.arg, span_of(d), &c));
    for (size_t at = 0; at < d.len; at++) { /* whatever comes out, nothing breaks */
        copy[at] ^= 0x21;
        hooks.read(hooks.arg, (struct sd_span){copy, d.len}, &c);
        assert_true(printable(c.subject, sizeof c.subject) && printable(c.names, sizeof c.names));
        assert_true(printable(c.key, sizeof c.key) && printable(c.signature, sizeof c.signature));
        assert_int_equal(ERR_peek_error(), 0);
        copy[at] ^= 0x21;
    }
    free((void *)(uintptr_t)huge.p);
    free(copy);
    OPENSSL_free(d.p);
    identity_free(i);
}

/* More than are remembered, so that the issuer is pushed out again and again, once while
 * it is asked about. */
static void answers_stay_right_when_certificates_are_forgotten(void **state)
{
    enum { MANY = 300 };
    struct identity root = issue((struct wish){.cn = "Root", .is_ca = true});
    (void)state;
    assert_true(read_cert(root.cert).ca);
    for (int i = 0; i < MANY; i++) {
        char cn[32];
        snprintf(cn, sizeof cn, "CN=leaf %d", i);
        struct identity leaf = issue((struct wish){.cn = cn + 3, .ca = &root});
        if (i >= 254)
            assert_true(issued(leaf.cert, root.cert));
        assert_string_equal(read_cert(leaf.cert).subject, cn);
        assert_string_equal(read_cert(leaf.cert).subject, cn);
        identity_free(leaf);
    }
    assert_true(issued(root.cert, root.cert));
    identity_free(root);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(the_fields_of_a_certificate_are_read),
        EACH(a_fingerprint_is_that_of_the_bytes_sent),
        EACH(names_of_cas_are_read),
        EACH(a_chain_is_told_by_its_signatures),
        EACH(hosts_and_addresses_are_compared),
        EACH(weak_keys_and_digests_are_told),
        EACH(ed25519_has_its_name),
        EACH(texts_are_printable_and_cut_to_fit),
        EACH(a_name_with_a_zero_byte_shows_it),
        EACH(what_is_no_certificate_is_told),
        EACH(answers_stay_right_when_certificates_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
