/* SPDX-License-Identifier: MIT */
/* What OpenSSL's state means for the filter. */
#include <openssl/objects.h>
#include <string.h>

#include "session/internal.h"

enum {
    /* Longest explicit IV plus tag of an AEAD, in bytes: OpenSSL without the fix of
     * CVE-2026-75806 ends the session when a record is shorter. */
    AEAD_MAX = 8 + 16,
    MESSAGE_MAX = 16384
};

static struct sd_protection aead(const SSL_CIPHER *c)
{
    struct sd_protection p = {AEAD_MAX, 0};
    if (SSL_CIPHER_get_cipher_nid(c) == NID_chacha20_poly1305)
        p.min = 16; /* RFC 7905: no explicit IV */
    else if (strstr(SSL_CIPHER_get_name(c), "CCM8"))
        p.min = 8 + 8; /* RFC 6655; the NID is that of CCM */
    return p;
}

static unsigned cipher_mac_len(const SSL_CIPHER *c)
{
    switch (SSL_CIPHER_get_digest_nid(c)) {
    case NID_md5:
        return 16;
    case NID_sha256:
        return 32;
    case NID_sha384:
        return 48;
    default:
        return 20;
    }
}

static unsigned block_len(const SSL_CIPHER *c)
{
    return SSL_CIPHER_get_cipher_nid(c) == NID_des_ede3_cbc ? 8 : 16;
}

/* MAC-then-encrypt, RFC 5246 section 6.2.3.2: sessions never negotiate encrypt-then-MAC. */
static struct sd_protection block_cipher(const SSL_CIPHER *c)
{
    unsigned block = block_len(c);
    unsigned padded = (cipher_mac_len(c) + 1 + block - 1) / block * block;
    return (struct sd_protection){(uint8_t)(block + padded), (uint8_t)block};
}

static struct sd_protection protection(const SSL_CIPHER *c)
{
    if (!c)
        return (struct sd_protection){AEAD_MAX, 0};
    if (SSL_CIPHER_is_aead(c))
        return aead(c);
    if (SSL_CIPHER_get_cipher_nid(c) == NID_undef) /* eNULL */
        return (struct sd_protection){(uint8_t)cipher_mac_len(c), 0};
    return block_cipher(c);
}

static bool keys_accepted(OSSL_HANDSHAKE_STATE state)
{
    return state == TLS_ST_SR_CHANGE || state == TLS_ST_SR_FINISHED || state == TLS_ST_CR_CHANGE ||
           state == TLS_ST_CR_FINISHED;
}

static bool before_flight(OSSL_HANDSHAKE_STATE state)
{
    return state == TLS_ST_BEFORE || state == TLS_ST_SR_CLNT_HELLO ||
           state == DTLS_ST_SW_HELLO_VERIFY_REQUEST;
}

static bool is_unified(const SSL *ssl)
{
#ifdef SD_HAVE_DTLS1_3
    return SSL_version(ssl) == DTLS1_3_VERSION;
#else
    (void)ssl;
    return false;
#endif
}

static size_t max_message(const struct sd_session *s, bool asks_cert)
{
    if (s->server && !asks_cert)
        return MESSAGE_MAX;
    size_t n = (size_t)SSL_get_max_cert_list(s->ssl);
    return n < MESSAGE_MAX ? MESSAGE_MAX : n;
}

struct sd_stage sd_stage_of(const struct sd_session *s)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(s->ssl);
    bool established = s->phase == SD_PHASE_ESTABLISHED;
    bool asks_cert = s->server && SSL_get_verify_mode(s->ssl) & SSL_VERIFY_PEER;
    return (struct sd_stage){
        .role = s->server ? SD_ROLE_SERVER : SD_ROLE_CLIENT,
        .established = established,
        .hello_done = !before_flight(state),
        .keys = keys_accepted(state),
        .resumed = SSL_session_reused(s->ssl) && !before_flight(state),
        .asks_cert = asks_cert,
        .unified = is_unified(s->ssl),
        .max_message = max_message(s, asks_cert),
        .protection = protection(established ? SSL_get_current_cipher(s->ssl)
                                             : SSL_get_pending_cipher(s->ssl)),
    };
}
