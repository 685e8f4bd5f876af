/* SPDX-License-Identifier: MIT */
/* Why a certificate is not trusted, for people. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/internal.h"
#include "tls/verify.h"

/* The certificate to talk about: the one that is not trusted, or the peer's. A reference. */
static X509 *subject_of_talk(const SSL *ssl)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    if (link && link->culprit && X509_up_ref(link->culprit))
        return link->culprit;
#ifdef SD_HAVE_GET0_PEER_CERTIFICATE
    return SSL_get1_peer_certificate(ssl);
#else
    return SSL_get_peer_certificate(ssl);
#endif
}

/* Printable ASCII only: the peer wrote the text, and it goes to terminals and logs. */
static void append(char *buf, size_t cap, const char *text, size_t len)
{
    size_t at = strlen(buf);
    for (size_t i = 0; i < len && at + 1 < cap; i++)
        buf[at++] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
    buf[at] = 0;
}

static void append_name(char *buf, size_t cap, const GENERAL_NAME *name)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (!value || (type != GEN_DNS && type != GEN_IPADD))
        return;
    const unsigned char *data = ASN1_STRING_get0_data(value);
    int len = ASN1_STRING_length(value);
    char ip[INET6_ADDRSTRLEN];
    if (type == GEN_IPADD) {
        int family = len == 4 ? AF_INET : AF_INET6;
        if ((len != 4 && len != 16) || !inet_ntop(family, data, ip, sizeof ip))
            return;
        data = (unsigned char *)ip;
        len = (int)strlen(ip);
    }
    if (*buf)
        append(buf, cap, ", ", 2);
    append(buf, cap, (const char *)data, (size_t)len);
}

/* The CommonName, or nothing. */
static void append_cn(char *buf, size_t cap, const X509_NAME *name)
{
    X509_NAME *plain = (X509_NAME *)(uintptr_t)name; /* not const before OpenSSL 3 */
    int i = name ? X509_NAME_get_index_by_NID(plain, NID_commonName, -1) : -1;
    if (i < 0)
        return;
    const ASN1_STRING *cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
    append(buf, cap, (const char *)ASN1_STRING_get0_data(cn), (size_t)ASN1_STRING_length(cn));
}

/* The names of a certificate: "localhost, 127.0.0.1"; "" when it has none. */
static void names_of(X509 *x, char *buf, size_t cap)
{
    buf[0] = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        append_name(buf, cap, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    if (!*buf)
        append_cn(buf, cap, X509_get_subject_name(x));
}

/* "2 hours", "3 days". */
static void span(char *buf, size_t cap, const ASN1_TIME *from, const ASN1_TIME *to)
{
    int days = 0, seconds = 0;
    ASN1_TIME_diff(&days, &seconds, from, to);
    long total = labs(days * 86400L + seconds);
    const char *unit = total >= 86400 ? "day" : total >= 3600 ? "hour" : "minute";
    long n = total / (total >= 86400 ? 86400 : total >= 3600 ? 3600 : 60);
    snprintf(buf, cap, "%ld %s%s", n, unit, n == 1 ? "" : "s");
}

static void expired_text(X509 *x, char *buf, size_t len)
{
    char ago[32];
    span(ago, sizeof ago, X509_get0_notAfter(x), NULL);
    snprintf(buf, len, "certificate expired %s ago (or this machine's clock is wrong)", ago);
}

static void not_yet_text(X509 *x, char *buf, size_t len)
{
    char until[32];
    span(until, sizeof until, NULL, X509_get0_notBefore(x));
    snprintf(buf, len, "certificate becomes valid in %s (or this machine's clock is wrong)", until);
}

static void issuer_text(X509 *x, char *buf, size_t len)
{
    char issuer[80] = "";
    append_cn(issuer, sizeof issuer, X509_get_issuer_name(x));
    if (*issuer)
        snprintf(buf, len,
                 "certificate issued by \"%s\", which is not trusted: add this CA to ca_file",
                 issuer);
    else
        snprintf(buf, len,
                 "certificate issued by a CA that is not trusted: add that CA to ca_file");
}

static void name_mismatch_text(X509 *x, const char *expected, char *buf, size_t len)
{
    char names[120];
    names_of(x, names, sizeof names);
    if (*names)
        snprintf(buf, len, "certificate is not for %s; it is for %s", expected, names);
    else
        snprintf(buf, len, "certificate is not for %s: it contains no name", expected);
}

static void unpinned_text(const X509 *x, char *buf, size_t len)
{
    char own[SD_FINGERPRINT_TEXT];
    if (!sd_credentials_fingerprint(x, own))
        own[0] = '\0';
    snprintf(buf, len, "certificate is not pinned; its SHA-256 is %s", own);
}

/* Errors that need no detail of the certificate. */
static const char *plain_text(long result)
{
    switch (result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self-signed certificate: to trust it, add it to ca_file";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "certificate chain ends in a root CA that is not trusted: add that CA to ca_file";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return "certificate has a wrong signature";
    case X509_V_ERR_CERT_REVOKED:
        return "certificate has been revoked";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return "ca_file contains a revocation list (CRL), but not the one of this certificate's "
               "CA: add it";
    case X509_V_ERR_INVALID_PURPOSE:
        return "certificate is not valid for this purpose (extended key usage)";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return "the key of the certificate or of its CA is too short for OpenSSL's security level";
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return "certificate is signed with a hash that is too weak for OpenSSL's security level";
    default:
        return X509_verify_cert_error_string(result);
    }
}

/* A caller's SSL_CTX may compare the certificate with a name that we do not know. */
static const char *expected_of(const SSL *ssl)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    return link && link->expected ? link->expected : "the expected host";
}

static void describe(const SSL *ssl, long result, X509 *x, char *buf, size_t len)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    if (link && link->unpinned) {
        unpinned_text(x, buf, len);
        return;
    }
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        expired_text(x, buf, len);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        not_yet_text(x, buf, len);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        issuer_text(x, buf, len);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        name_mismatch_text(x, expected_of(ssl), buf, len);
        break;
    default:
        snprintf(buf, len, "%s", plain_text(result));
    }
}

static bool by_psk(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    return cipher && SSL_CIPHER_get_auth_nid(cipher) == NID_auth_psk;
}

/* A caller's SSL_CTX has no callback of ours, so a failed verification may have
 * left a result without a certificate. */
static const char *no_certificate_text(const SSL *ssl)
{
    long result = SSL_get_verify_result(ssl);
    return result == X509_V_OK ? "the peer sent no certificate" : plain_text(result);
}

/* OpenSSL keeps the last error when a callback continues after one. */
static long first_error(const SSL *ssl)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    return link && link->culprit ? link->error : SSL_get_verify_result(ssl);
}

/* Trusted, except that the name could not be compared. */
static bool name_open(const SSL *ssl)
{
    const struct sd_ssl_link *link = sd_ssl_link_of(ssl);
    return link && link->name_open;
}

bool sd_verify_text(SSL *ssl, char *buf, size_t len)
{
    X509 *x = subject_of_talk(ssl);
    long result = SSL_get_verify_result(ssl);
    bool trusted = x ? result == X509_V_OK && !name_open(ssl) : by_psk(ssl);
    buf[0] = 0;
    if (!trusted && x && result == X509_V_OK)
        snprintf(buf, len, "OpenSSL cannot check whether the certificate is for %s",
                 expected_of(ssl));
    else if (!trusted && x)
        describe(ssl, first_error(ssl), x, buf, len);
    else if (!trusted)
        snprintf(buf, len, "%s", no_certificate_text(ssl));
    X509_free(x);
    ERR_clear_error();
    return trusted;
}
