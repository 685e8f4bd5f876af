/* SPDX-License-Identifier: MIT */
/* Why a session ended, for the user. The code comes from alerts, timers and OpenSSL's reason
 * codes; OpenSSL's texts differ between versions and only explain. */
#include <openssl/err.h>

#include "session/internal.h"
#include "tls/prepare.h"
#include "wire/names.h"

struct advice {
    int code;
    const char *text;
};

static const char *find_advice(const struct advice *list, size_t n, int code, const char *otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].code == code)
            return list[i].text;
    return otherwise;
}

#define FIND(list, code, otherwise)                                                                \
    find_advice(list, sizeof(list) / sizeof *(list), code, otherwise)

/* What the peer means by an alert, and what to try. */
static const struct advice alert_advice[] = {
    {SD_ALERT_CLOSE_NOTIFY, "it ended the handshake"},
    {SD_ALERT_UNEXPECTED_MESSAGE, "it did not expect the message that we sent"},
    {SD_ALERT_BAD_RECORD_MAC, "the two sides have different keys: compare the PSK"},
    {SD_ALERT_HANDSHAKE_FAILURE, "the two sides have nothing in common: compare ciphers, groups, "
                                 "and the kind of certificate or "
                                 "PSK; or it wants a client certificate"},
    {SD_ALERT_BAD_CERTIFICATE, "it rejected our certificate: check its name, dates and chain"},
    {SD_ALERT_UNSUPPORTED_CERTIFICATE, "it cannot use our kind of certificate"},
    {SD_ALERT_CERTIFICATE_REVOKED, "it says that our certificate is revoked"},
    {SD_ALERT_CERTIFICATE_EXPIRED, "our certificate has expired, or the peer's clock is wrong"},
    {SD_ALERT_CERTIFICATE_UNKNOWN, "it rejected our certificate: its log may say why"},
    {SD_ALERT_UNKNOWN_CA,
     "it does not trust the CA of our certificate: give it that CA, or send the whole chain"},
    {SD_ALERT_DECRYPT_ERROR,
     "the two sides have different keys: compare the PSK, or certificate and key"},
    {SD_ALERT_PROTOCOL_VERSION,
     "the two sides have no DTLS version in common: compare their lowest and highest version"},
    {SD_ALERT_INSUFFICIENT_SECURITY, "it wants stronger ciphers or keys"},
    {SD_ALERT_INTERNAL_ERROR,
     "it failed, or it serves as many clients as it may: its log may say which"},
    {SD_ALERT_UNRECOGNIZED_NAME,
     "it does not serve the name that we asked for: check the server name (SNI)"},
    {SD_ALERT_UNKNOWN_PSK_IDENTITY, "it does not know our PSK identity"},
    {SD_ALERT_CERTIFICATE_REQUIRED, "it wants a client certificate"},
    {SD_ALERT_NO_APPLICATION_PROTOCOL,
     "the two sides have no application protocol (ALPN) in common"},
};

/* Reasons that a user can do something about, in the same words for every OpenSSL. */
static const struct advice reason_words[] = {
    {SSL_R_NO_SHARED_CIPHER, "no cipher in common that fits our certificate or PSK"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "no DTLS version in common"},
    {SSL_R_VERSION_TOO_LOW, "no DTLS version in common"},
    {SSL_R_WRONG_SSL_VERSION, "no DTLS version in common"},
    {SSL_R_PSK_IDENTITY_NOT_FOUND, "the client's PSK identity is not known here"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "no signature algorithm in common"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "no application protocol (ALPN) in common"},
    {SSL_R_DH_KEY_TOO_SMALL, "the peer's DH key is too short for OpenSSL's security level"},
    {SSL_R_EE_KEY_TOO_SMALL,
     "the peer's certificate key is too short for OpenSSL's security level"},
    {SSL_R_DIGEST_CHECK_FAILED, "the two sides have different keys: compare the PSK"},
};

static const char *alert_name(int alert, char buf[static SD_NAME_TEXT])
{
    return sd_name(SD_NAME_ALERT, (uint16_t)alert, buf);
}

static const char *doing(const struct sd_session *s)
{
    return s->phase == SD_PHASE_ESTABLISHED ? "connection" : "handshake";
}

static void set_code(struct sd_session *s, int code, int alert)
{
    s->error.code = code;
    s->error.alert = alert;
}

static void alert_received(struct sd_session *s, const char *how)
{
    char buf[SD_NAME_TEXT];
    const char *name = alert_name(s->alert_received, buf);
    const char *why = FIND(alert_advice, s->alert_received, "its log may say why");
    sd_err_set(&s->error, SDTLS_ALERT_RECEIVED, "peer sent alert %s (%d)%s: %s", name,
               s->alert_received, how, why);
    set_code(s, SDTLS_ALERT_RECEIVED, s->alert_received);
}

void sd_reason_plain_alert(struct sd_session *s)
{
    s->alert_received = s->guard.alert;
    alert_received(s, ", unprotected, and nothing after it");
}

void sd_reason_timeout(struct sd_session *s)
{
    ERR_clear_error();
    sd_err_set(&s->error, SDTLS_TIMEOUT,
               "handshake failed: the peer did not answer a flight that was sent %u times",
               s->timeouts);
    set_code(s, SDTLS_TIMEOUT, -1);
}

static bool is_reason(unsigned long e, int reason)
{
    return ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == reason;
}

static void untrusted(struct sd_session *s)
{
    char why[192];
    sd_tls_verify_text(s->tls, s->ssl, why, sizeof why);
    sd_err_set(&s->error, SDTLS_VERIFY, "peer certificate not trusted: %s", why);
    set_code(s, SDTLS_VERIFY, s->alert_sent);
}

static void missing_certificate(struct sd_session *s)
{
    sd_err_set(&s->error, SDTLS_VERIFY, "the peer sent no certificate, but one is required");
    set_code(s, SDTLS_VERIFY, s->alert_sent);
}

static const char *words(unsigned long e)
{
    const char *own =
        ERR_GET_LIB(e) == ERR_LIB_SSL ? FIND(reason_words, ERR_GET_REASON(e), NULL) : NULL;
    const char *text = ERR_reason_error_string(e);
    /* OpenSSL #25698: messages that contradict each other leave an empty queue. */
    if (!e)
        return "the peer's messages contradict each other";
    return own ? own : text ? text : "unknown reason";
}

static void by_reason(struct sd_session *s, unsigned long e)
{
    char buf[SD_NAME_TEXT];
    int alert = s->alert_sent;
    if (alert < 0)
        sd_err_set(&s->error, SDTLS_PROTO, "%s failed: %s", doing(s), words(e));
    else
        sd_err_set(&s->error, SDTLS_ALERT_SENT, "%s failed: %s (this side sent alert %s)", doing(s),
                   words(e), alert_name(alert, buf));
    set_code(s, alert < 0 ? SDTLS_PROTO : SDTLS_ALERT_SENT, alert);
}

void sd_reason_openssl(struct sd_session *s)
{
    unsigned long e = ERR_peek_last_error(); /* libssl adds its own after libcrypto's */
    if (s->alert_received >= 0)
        alert_received(s, "");
    else if (is_reason(e, SSL_R_CERTIFICATE_VERIFY_FAILED))
        untrusted(s);
    else if (is_reason(e, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE))
        missing_certificate(s);
    else
        by_reason(s, e);
    ERR_clear_error();
}
