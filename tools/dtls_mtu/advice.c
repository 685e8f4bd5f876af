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

static void fixed_size(struct stack_effect *e, const char *stack, unsigned size, unsigned payload)
{
    e->stack = stack;
    e->bad = payload < size;
    if (e->bad)
        snprintf(e->text, sizeof e->text, "never completes: its %u-byte datagrams never shrink",
                 size);
    else
        snprintf(e->text, sizeof e->text, "at once: its datagrams have %u bytes", size);
}

static void openssl(struct stack_effect *e, unsigned payload, unsigned local, bool told)
{
    e->stack = "OpenSSL";
    e->bad = payload < local;
    if (!e->bad)
        snprintf(e->text, sizeof e->text, "at once: datagrams as large as the interface takes");
    else if (told)
        snprintf(e->text, sizeof e->text,
                 "the first handshake fails (EMSGSIZE); another within 10 minutes works");
    else if (payload >= OPENSSL_FALLBACK)
        snprintf(e->text, sizeof e->text, "7 s: the third timer falls back to %d bytes",
                 OPENSSL_FALLBACK);
    else
        snprintf(e->text, sizeof e->text, "never completes: %d bytes is the least it tries",
                 OPENSSL_FALLBACK);
}

static void ours(struct stack_effect *e, unsigned payload)
{
    e->stack = "sukat_dtls";
    e->bad = payload < OURS_LEAST;
    if (payload >= OURS_SIZE)
        snprintf(e->text, sizeof e->text, "at once: datagrams of %d bytes", OURS_SIZE);
    else if (payload >= OURS_FALLBACK)
        snprintf(e->text, sizeof e->text, "3 s: the second timer falls back to %d bytes",
                 OURS_FALLBACK);
    else if (!e->bad)
        snprintf(e->text, sizeof e->text, "after timers: falls back to %d bytes", OURS_LEAST);
    else
        snprintf(e->text, sizeof e->text, "never completes");
}

void advice_effects(struct stack_effect out[static STACKS], unsigned payload, unsigned local,
                    bool told)
{
    openssl(&out[0], payload, local, told);
    fixed_size(&out[1], "GnuTLS", GNUTLS_SIZE, payload);
    fixed_size(&out[2], "wolfSSL", WOLFSSL_SIZE, payload);
    out[3] = (struct stack_effect){.stack = "Mbed TLS"};
    snprintf(out[3].text, sizeof out[3].text,
             "without an MTU set, one datagram in IP fragments: works where those pass");
    ours(&out[4], payload);
}

void advice_settings(struct setting out[static SETTINGS], unsigned payload, unsigned packet)
{
    static const char *const stacks[] = {"OpenSSL", "GnuTLS",      "Mbed TLS",
                                         "wolfSSL", "OpenConnect", "nc_dtls"};
    for (unsigned i = 0; i < SETTINGS; i++)
        out[i].stack = stacks[i];
    snprintf(out[0].text, ADVICE_TEXT,
             "SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU); DTLS_set_link_mtu(ssl, %u)", packet);
    snprintf(out[1].text, ADVICE_TEXT, "gnutls_dtls_set_mtu(session, %u)", payload);
    snprintf(out[2].text, ADVICE_TEXT, "mbedtls_ssl_set_mtu(&ssl, %u)", payload);
    snprintf(out[3].text, ADVICE_TEXT, "wolfSSL_dtls_set_mtu(ssl, %u)", payload);
    snprintf(out[4].text, ADVICE_TEXT, "openconnect --base-mtu=%u", packet);
    snprintf(out[5].text, ADVICE_TEXT, "nc_dtls --mtu %u", payload);
}

/* Header 13, explicit IV and tag, or CBC with its IV, MAC and padding (RFC 5246 section
 * 6.2.3, RFC 7366). */
void advice_ciphers(struct cipher_room out[static CIPHERS], unsigned payload)
{
    enum { HEADER = 13, BLOCK = 16, IV = 16, SHA1 = 20, SHA256 = 32 };
    unsigned p = payload;
    out[0] = (struct cipher_room){"aes-gcm", "AES-GCM, AES-CCM", p - HEADER - 8 - 16};
    out[1] = (struct cipher_room){"chacha20", "ChaCha20, AES-CCM8", p - HEADER - 16};
    out[2] = (struct cipher_room){"aes-cbc-sha", "AES-CBC-SHA, encrypt-then-MAC",
                                  (p - HEADER - IV - SHA1) / BLOCK * BLOCK - 1};
    out[3] = (struct cipher_room){"aes-cbc-sha256", "AES-CBC-SHA256, encrypt-then-MAC",
                                  (p - HEADER - IV - SHA256) / BLOCK * BLOCK - 1};
}
