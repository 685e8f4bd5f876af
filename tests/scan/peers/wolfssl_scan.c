/* SPDX-License-Identifier: MIT */
/* wolfssl_scan: loop.h over wolfSSL, 5.5 to 5.9. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "loop.h"

struct state {
    WOLFSSL *ssl;
    time_t due; /* of the retransmission timer, in seconds; 0: it does not run */
};

static WOLFSSL_CTX *ctx;
static struct scan_options options;
static uint8_t secret[32] = "not a secret but for this test";

static int receive_one(WOLFSSL *ssl, char *out, int size, void *arg)
{
    size_t n = scan_take(arg, out, (size_t)size);
    (void)ssl;
    return n ? (int)n : WOLFSSL_CBIO_ERR_WANT_READ;
}

static int send_one(WOLFSSL *ssl, char *data, int len, void *arg)
{
    (void)ssl;
    scan_send(arg, data, (size_t)len);
    return len;
}

/* As the library's own does, but of an address that it cannot ask the kernel for. */
static int make_cookie(WOLFSSL *ssl, unsigned char *out, int size, void *arg)
{
    const struct scan_client *c = arg;
    uint8_t sum[WC_SHA256_DIGEST_SIZE];
    int n = size < (int)sizeof sum ? size : (int)sizeof sum;
    (void)ssl;
    wc_Sha256Hash((const uint8_t *)&c->address, sizeof c->address, sum);
    memcpy(out, sum, (size_t)n);
    return n;
}

#ifndef NO_PSK
static unsigned int give_psk(WOLFSSL *ssl, const char *identity, unsigned char *key,
                             unsigned int max)
{
    (void)ssl;
    if (strcmp(identity, "someone") || options.psk_len > max)
        return 0;
    memcpy(key, options.psk, options.psk_len);
    return (unsigned int)options.psk_len;
}
#endif

static WOLFSSL_METHOD *method(void)
{
#ifdef WOLFSSL_DTLS13
    if (options.only13)
        return wolfDTLSv1_3_server_method();
    if (options.v13)
        return wolfDTLS_server_method();
#endif
    return options.v13 ? NULL : wolfDTLSv1_2_server_method();
}

static bool use_identity(void)
{
    if (options.cert &&
        (wolfSSL_CTX_use_certificate_chain_file(ctx, options.cert) != WOLFSSL_SUCCESS ||
         wolfSSL_CTX_use_PrivateKey_file(ctx, options.key, WOLFSSL_FILETYPE_PEM) !=
             WOLFSSL_SUCCESS))
        return false;
    if (options.ca) {
        if (wolfSSL_CTX_load_verify_locations(ctx, options.ca, NULL) != WOLFSSL_SUCCESS)
            return false;
        wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                               NULL);
    }
    if (options.psk_len)
        wolfSSL_CTX_set_psk_server_callback(ctx, give_psk);
    return true;
}

/* What is built in; which of it fits the certificate is left to the reader. */
static void print_suites(void)
{
    static char names[16384];
    if (wolfSSL_get_ciphers_iana(names, sizeof names) == WOLFSSL_SUCCESS)
        printf("suites %s\n", names);
}

static bool init(const struct scan_options *o)
{
    options = *o;
    wolfSSL_Init();
    WOLFSSL_METHOD *m = method();
    if (!m || !(ctx = wolfSSL_CTX_new(m)) || !use_identity())
        return false;
    if (o->no_tickets)
        wolfSSL_CTX_NoTicketTLSv12(ctx);
    print_suites();
    wolfSSL_CTX_SetIORecv(ctx, receive_one);
    wolfSSL_CTX_SetIOSend(ctx, send_one);
    wolfSSL_CTX_SetGenCookie(ctx, make_cookie);
    return true;
}

static void *open_client(struct scan_client *c)
{
    struct state *s = calloc(1, sizeof *s);
    if (!s || !(s->ssl = wolfSSL_new(ctx)))
        return NULL;
    wolfSSL_SetIOReadCtx(s->ssl, c);
    wolfSSL_SetIOWriteCtx(s->ssl, c);
    wolfSSL_SetCookieCtx(s->ssl, c);
    wolfSSL_DTLS_SetCookieSecret(s->ssl, secret, sizeof secret);
    wolfSSL_dtls_set_peer(s->ssl, &c->address, sizeof c->address);
    wolfSSL_dtls_set_using_nonblock(s->ssl, 1);
#ifdef WOLFSSL_DTLS13
    if (options.v13)
        wolfSSL_send_hrr_cookie(s->ssl, secret, sizeof secret);
#ifdef WOLFSSL_DTLS_CH_FRAG
    if (options.v13)
        wolfSSL_dtls13_allow_ch_frag(s->ssl, 1);
#endif
#endif
#ifdef WOLFSSL_DTLS_CID
    if (options.cid &&
        (wolfSSL_dtls_cid_use(s->ssl) != WOLFSSL_SUCCESS ||
         wolfSSL_dtls_cid_set(s->ssl, (unsigned char *)"truth", 5) != WOLFSSL_SUCCESS))
        return NULL;
#endif
    return s;
}

static bool goes_on(struct state *s, int n)
{
    int error = wolfSSL_get_error(s->ssl, n);
    return error == WOLFSSL_ERROR_WANT_READ || error == WOLFSSL_ERROR_WANT_WRITE;
}

static bool shake(struct scan_client *c, struct state *s)
{
    int n = wolfSSL_accept(s->ssl);
    c->ready = n == WOLFSSL_SUCCESS;
    s->due = c->ready ? 0 : time(NULL) + wolfSSL_dtls_get_current_timeout(s->ssl);
    return c->ready || goes_on(s, n);
}

static bool step(struct scan_client *c)
{
    struct state *s = c->state;
    static uint8_t text[16384];
    int n;
    if (!c->ready && !shake(c, s))
        return false;
    if (!c->ready)
        return true;
    while ((n = wolfSSL_read(s->ssl, text, sizeof text)) > 0)
        wolfSSL_write(s->ssl, text, n);
    return goes_on(s, n);
}

static bool tick(struct scan_client *c)
{
    struct state *s = c->state;
    if (!s->due || time(NULL) < s->due)
        return true;
    if (wolfSSL_dtls_got_timeout(s->ssl) != WOLFSSL_SUCCESS)
        return false;
    s->due = time(NULL) + wolfSSL_dtls_get_current_timeout(s->ssl);
    return true;
}

static void close_client(struct scan_client *c)
{
    struct state *s = c->state;
    wolfSSL_free(s->ssl);
    free(s);
}

int main(int argc, char **argv)
{
    return scan_serve(argc, argv,
                      &(struct scan_engine){init, open_client, step, tick, close_client});
}
