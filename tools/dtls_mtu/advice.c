/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/advice.h"

#include <stdio.h>

/* UDP payload of a datagram as each stack makes it, and where it falls back to. */
enum {
    OPENSSL_FALLBACK = 548,
    GNUTLS_SIZE = 1300,
    WOLFSSL_SIZE = 1400,
    OURS_SIZE = 1232,
    OURS_FALLBACK = 548,
    OURS_LEAST = 228
};

static void fixed_size_effect(struct mtu_stack_effect *e, const char *stack, unsigned size,
                              unsigned payload)
{
    e->stack = stack;
    e->bad = payload < size;
    if (e->bad)
        snprintf(e->text, sizeof e->text,
                 "never arrives: its datagrams have %u bytes and do not shrink", size);
    else
        snprintf(e->text, sizeof e->text, "arrives at once, in datagrams of %u bytes", size);
}

static void openssl_effect(struct mtu_stack_effect *e, unsigned payload, unsigned local,
                           bool reported)
{
    e->stack = "OpenSSL";
    e->bad = payload < local;
    if (!e->bad)
        snprintf(e->text, sizeof e->text,
                 "arrives at once, in datagrams as large as the interface allows");
    else if (reported)
        snprintf(e->text, sizeof e->text,
                 "the first handshake fails (EMSGSIZE); another one within 10 minutes works");
    else if (payload >= OPENSSL_FALLBACK)
        snprintf(e->text, sizeof e->text,
                 "arrives after 7 s: at the third timeout the datagrams shrink to %d bytes",
                 OPENSSL_FALLBACK);
    else
        snprintf(e->text, sizeof e->text,
                 "never arrives: its datagrams do not shrink below %d bytes", OPENSSL_FALLBACK);
}

static void sukat_dtls_effect(struct mtu_stack_effect *e, unsigned payload)
{
    e->stack = "sukat_dtls";
    e->bad = payload < OURS_LEAST;
    if (payload >= OURS_SIZE)
        snprintf(e->text, sizeof e->text, "arrives at once, in datagrams of %d bytes", OURS_SIZE);
    else if (payload >= OURS_FALLBACK)
        snprintf(e->text, sizeof e->text,
                 "arrives after 3 s: at the second timeout the datagrams shrink to %d bytes",
                 OURS_FALLBACK);
    else if (!e->bad)
        snprintf(e->text, sizeof e->text,
                 "arrives after several timeouts: the datagrams shrink to %d bytes", OURS_LEAST);
    else
        snprintf(e->text, sizeof e->text,
                 "never arrives: its datagrams do not shrink below %d bytes", OURS_LEAST);
}

void mtu_advice_effects(struct mtu_stack_effect out[static MTU_STACKS], unsigned payload,
                        unsigned local, bool reported)
{
    openssl_effect(&out[0], payload, local, reported);
    fixed_size_effect(&out[1], "GnuTLS", GNUTLS_SIZE, payload);
    fixed_size_effect(&out[2], "wolfSSL", WOLFSSL_SIZE, payload);
    out[3] = (struct mtu_stack_effect){.stack = "Mbed TLS"};
    snprintf(out[3].text, sizeof out[3].text,
             "in IP fragments, unless an MTU is set: arrives only where fragments pass");
    sukat_dtls_effect(&out[4], payload);
}

void mtu_advice_settings(struct mtu_setting out[static MTU_SETTINGS], unsigned payload,
                         unsigned packet)
{
    static const char *const stacks[] = {"OpenSSL", "GnuTLS",      "Mbed TLS",
                                         "wolfSSL", "OpenConnect", "nc_dtls"};
    for (unsigned i = 0; i < MTU_SETTINGS; i++)
        out[i].stack = stacks[i];
    snprintf(out[0].text, MTU_ADVICE_TEXT,
             "SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU); DTLS_set_link_mtu(ssl, %u)", packet);
    snprintf(out[1].text, MTU_ADVICE_TEXT, "gnutls_dtls_set_mtu(session, %u)", payload);
    snprintf(out[2].text, MTU_ADVICE_TEXT, "mbedtls_ssl_set_mtu(&ssl, %u)", payload);
    snprintf(out[3].text, MTU_ADVICE_TEXT, "wolfSSL_dtls_set_mtu(ssl, %u)", payload);
    snprintf(out[4].text, MTU_ADVICE_TEXT, "openconnect --base-mtu=%u", packet);
    snprintf(out[5].text, MTU_ADVICE_TEXT, "nc_dtls --mtu %u", payload);
}

/* Header 13, explicit IV and tag, or CBC with its IV, MAC and padding (RFC 5246 section
 * 6.2.3, RFC 7366). */
void mtu_advice_ciphers(struct mtu_cipher_room out[static MTU_CIPHERS], unsigned payload)
{
    enum { HEADER = 13, BLOCK = 16, IV = 16, SHA1 = 20, SHA256 = 32 };
    unsigned p = payload;
    out[0] = (struct mtu_cipher_room){"aes-gcm", "AES-GCM, AES-CCM", p - HEADER - 8 - 16};
    out[1] = (struct mtu_cipher_room){"chacha20", "ChaCha20, AES-CCM8", p - HEADER - 16};
    out[2] = (struct mtu_cipher_room){"aes-cbc-sha", "AES-CBC-SHA, encrypt-then-MAC",
                                      (p - HEADER - IV - SHA1) / BLOCK * BLOCK - 1};
    out[3] = (struct mtu_cipher_room){"aes-cbc-sha256", "AES-CBC-SHA256, encrypt-then-MAC",
                                      (p - HEADER - IV - SHA256) / BLOCK * BLOCK - 1};
}
