/* SPDX-License-Identifier: MIT */
#include "unseal/x509fields.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

/* Printable ASCII only: the text comes from the network and goes to terminals. */
static void put_printable(char *buf, size_t cap, const void *text, size_t len)
{
    const unsigned char *p = text;
    size_t n = len < cap ? len : cap - 1;
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(p[i] >= ' ' && p[i] <= '~' ? p[i] : '?');
    buf[n] = 0;
}

void sd_x509fields_dn(char *buf, size_t cap, const X509_NAME *name)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    long len = 0;
    if (bio && name && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
        len = BIO_get_mem_data(bio, &text);
    put_printable(buf, cap, text, len > 0 ? (size_t)len : 0);
    BIO_free(bio);
}

static bool read_date(int64_t *to, const ASN1_TIME *t)
{
    struct tm tm;
    if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *to = timegm(&tm);
    return true;
}

/* The text of a DNS name or an address; 0 for every other kind of name. */
static size_t alt_name(char *buf, size_t cap, const GENERAL_NAME *name)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (!value || (type != GEN_DNS && type != GEN_IPADD))
        return 0;
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
        put_printable(buf, cap, data, len > 0 ? (size_t)len : 0);
        for (char *p = buf; *p; p++)
            *p = *p == ',' ? '?' : *p; /* which separates the names */
        return strlen(buf);
    }
    int family = len == 4 ? AF_INET : AF_INET6;
    if ((len != 4 && len != 16) || !inet_ntop(family, data, buf, (socklen_t)cap))
        return 0;
    return strlen(buf);
}

/* Half a name would be another name, so the list is cut between two names. */
static void put_alt_names(char *buf, size_t cap, X509 *x)
{
    static const char more[] = ", ...";
    char one[254]; /* the longest DNS name is shorter (RFC 1035 section 2.3.4) */
    size_t at = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    buf[0] = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        size_t len = alt_name(one, sizeof one, sk_GENERAL_NAME_value(names, i));
        if (!len)
            continue;
        if (at + 2 + len + sizeof more > cap) {
            strcpy(buf + at, at ? more : more + 2);
            break;
        }
        if (at)
            at = (size_t)(stpcpy(buf + at, ", ") - buf);
        at = (size_t)(stpcpy(buf + at, one) - buf);
    }
    GENERAL_NAMES_free(names);
}

/* A short name where the field has one; otherwise OpenSSL's long name or the OID. */
static void put_algorithm(char *buf, size_t cap, const ASN1_OBJECT *oid)
{
    static const struct {
        int nid;
        const char *name;
    } known[] = {{NID_rsaEncryption, "RSA"},       {NID_rsassaPss, "RSA-PSS"},
                 {NID_X9_62_id_ecPublicKey, "EC"}, {NID_dsa, "DSA"},
                 {NID_ED25519, "Ed25519"},         {NID_ED448, "Ed448"}};
    int nid = oid ? OBJ_obj2nid(oid) : NID_undef;
    char text[80] = "";
    if (oid)
        OBJ_obj2txt(text, sizeof text, oid, 0);
    const char *name = text;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].nid == nid)
            name = known[i].name;
    put_printable(buf, cap, name, strlen(name));
}

struct nid_number {
    int nid;
    uint16_t number; /* on the wire */
};

static uint16_t find_nid(const struct nid_number *list, size_t count, const ASN1_OBJECT *oid)
{
    int nid = oid ? OBJ_obj2nid(oid) : NID_undef;
    for (size_t i = 0; i < count; i++)
        if (list[i].nid == nid)
            return list[i].number;
    return 0;
}

/* The curve stands in the parameters of the algorithm. */
static uint16_t curve_of(X509_ALGOR *algorithm)
{
    static const struct nid_number curves[] = {
        {NID_X9_62_prime192v1, 19}, {NID_secp224r1, 21},       {NID_secp256k1, 22},
        {NID_X9_62_prime256v1, 23}, {NID_secp384r1, 24},       {NID_secp521r1, 25},
        {NID_brainpoolP256r1, 26},  {NID_brainpoolP384r1, 27}, {NID_brainpoolP512r1, 28}};
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    return type == V_ASN1_OBJECT ? find_nid(curves, sizeof curves / sizeof *curves, value) : 0;
}

static uint16_t scheme_of(const ASN1_OBJECT *signature)
{
    static const struct nid_number schemes[] = {{NID_md5WithRSAEncryption, 0x0101},
                                                {NID_sha1WithRSAEncryption, 0x0201},
                                                {NID_ecdsa_with_SHA1, 0x0203},
                                                {NID_sha256WithRSAEncryption, 0x0401},
                                                {NID_ecdsa_with_SHA256, 0x0403},
                                                {NID_sha384WithRSAEncryption, 0x0501},
                                                {NID_ecdsa_with_SHA384, 0x0503},
                                                {NID_sha512WithRSAEncryption, 0x0601},
                                                {NID_ecdsa_with_SHA512, 0x0603},
                                                {NID_ED25519, 0x0807},
                                                {NID_ED448, 0x0808}};
    return find_nid(schemes, sizeof schemes / sizeof *schemes, signature);
}

/* Without the extension everything is allowed. */
static uint8_t forbidden_uses(X509 *x)
{
    uint32_t usage = X509_get_key_usage(x), purpose = X509_get_extended_key_usage(x);
    bool any = purpose & XKU_ANYEKU;
    return (uint8_t)((usage & KU_DIGITAL_SIGNATURE ? 0 : SD_CERT_NO_SIGNING) |
                     (usage & KU_KEY_ENCIPHERMENT ? 0 : SD_CERT_NO_ENCIPHERMENT) |
                     (usage & KU_KEY_CERT_SIGN ? 0 : SD_CERT_NO_ISSUING) |
                     (any || purpose & XKU_SSL_SERVER ? 0 : SD_CERT_NO_SERVER) |
                     (any || purpose & XKU_SSL_CLIENT ? 0 : SD_CERT_NO_CLIENT));
}

static void put_public_key(struct sd_cert *cert, X509 *x)
{
    ASN1_OBJECT *oid = NULL;
    const X509_PUBKEY *pub = X509_get_X509_PUBKEY(x);
    X509_ALGOR *algorithm = NULL;
    const EVP_PKEY *key = X509_get0_pubkey(x);
    if (pub)
        X509_PUBKEY_get0_param(&oid, NULL, NULL, &algorithm,
                               (X509_PUBKEY *)(uintptr_t)pub); /* not const before OpenSSL 3 */
    put_algorithm(cert->key, sizeof cert->key, oid);
    if (algorithm)
        cert->group = curve_of(algorithm);
    if (!key)
        return;
    int bits = EVP_PKEY_bits(key), security = EVP_PKEY_security_bits(key);
    cert->key_bits = bits > 0 ? (unsigned)bits : 0;
    cert->security_bits = security > 0 ? (unsigned)security : 0;
}

static bool weak_digest(X509 *x, int signature)
{
    int md = NID_undef;
    if (!OBJ_find_sigid_algs(signature, &md, NULL) || md == NID_undef)
        X509_get_signature_info(x, &md, NULL, NULL, NULL); /* PSS names it in a parameter */
    return md == NID_md2 || md == NID_md4 || md == NID_md5 || md == NID_sha1 || md == NID_sha;
}

static void put_signature(struct sd_cert *cert, X509 *x)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_OBJECT *oid = NULL;
    X509_get0_signature(NULL, &alg, x);
    if (alg)
        X509_ALGOR_get0(&oid, NULL, NULL, alg);
    char text[80] = "";
    if (oid)
        OBJ_obj2txt(text, sizeof text, oid, 0);
    put_printable(cert->signature, sizeof cert->signature, text, strlen(text));
    cert->scheme = scheme_of(oid);
    cert->weak_digest = weak_digest(x, oid ? OBJ_obj2nid(oid) : NID_undef);
}

static void put_serial(struct sd_cert *cert, const ASN1_INTEGER *serial)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = ASN1_STRING_get0_data(serial);
    int len = ASN1_STRING_length(serial);
    for (int i = 0; i < len && 2 * i + 2 < (int)sizeof cert->serial; i++) {
        cert->serial[2 * i] = digits[p[i] >> 4];
        cert->serial[2 * i + 1] = digits[p[i] & 15];
    }
}

/* RFC 5280 section 4.2.1.9. No chain reaches the largest depth. */
static uint8_t chain_depth(X509 *x)
{
    long limit = X509_get_pathlen(x);
    return limit < 0 || limit >= UINT8_MAX ? 0 : (uint8_t)(limit + 1);
}

bool sd_x509fields_read(X509 *x, struct sd_cert *cert)
{
    *cert = (struct sd_cert){0};
    if (!read_date(&cert->not_before, X509_get0_notBefore(x)) ||
        !read_date(&cert->not_after, X509_get0_notAfter(x)))
        return false;
    EVP_PKEY *key = X509_get0_pubkey(x);
    sd_x509fields_dn(cert->subject, sizeof cert->subject, X509_get_subject_name(x));
    sd_x509fields_dn(cert->issuer, sizeof cert->issuer, X509_get_issuer_name(x));
    put_alt_names(cert->names, sizeof cert->names, x);
    put_public_key(cert, x);
    put_serial(cert, X509_get0_serialNumber(x));
    X509_pubkey_digest(x, EVP_sha256(), cert->key_hash, NULL);
    put_signature(cert, x);
    cert->self_signed = key && X509_verify(x, key) == 1;
    cert->forbids = forbidden_uses(x);
    cert->ca = X509_get_extension_flags(x) & EXFLAG_CA;
    cert->depth = chain_depth(x);
    return true;
}
