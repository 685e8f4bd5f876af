/* SPDX-License-Identifier: MIT */
/* wolfssl_server of the benchmarks: serve.c over wolfSSL, with its own cookies and sessions. */
#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "serve.h"

struct client {
    WOLFSSL *ssl;
    struct peer *peer;
    const uint8_t *in; /* read next, then NULL */
    size_t in_len;
    bool ready;
};

static WOLFSSL_CTX *ctx;

static int receive_one(WOLFSSL *ssl, char *out, int size, void *arg)
{
    struct client *c = arg;
    (void)ssl;
    if (!c->in)
        return WOLFSSL_CBIO_ERR_WANT_READ;
    int n = (int)c->in_len < size ? (int)c->in_len : size;
    memcpy(out, c->in, (size_t)n);
    c->in = NULL;
    return n;
}

static int send_one(WOLFSSL *ssl, char *data, int len, void *arg)
{
    (void)ssl;
    serve_send(((struct client *)arg)->peer, (const uint8_t *)data, (size_t)len);
    return len;
}

/* As the library's own does, but of an address that it cannot ask the kernel for. */
static int make_cookie(WOLFSSL *ssl, unsigned char *out, int size, void *arg)
{
    const struct client *c = arg;
    uint8_t sum[WC_SHA256_DIGEST_SIZE];
    (void)ssl;
    wc_Sha256Hash((const uint8_t *)&c->peer->address, sizeof c->peer->address, sum);
    int n = size < (int)sizeof sum ? size : (int)sizeof sum;
    memcpy(out, sum, (size_t)n);
    return n;
}

static bool init(const struct server_options *o)
{
    wolfSSL_Init();
    ctx = wolfSSL_CTX_new(wolfDTLSv1_2_server_method());
    if (!ctx || !o->cert ||
        wolfSSL_CTX_use_certificate_file(ctx, o->cert, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_use_PrivateKey_file(ctx, o->key, WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
        return false;
    wolfSSL_CTX_SetIORecv(ctx, receive_one);
    wolfSSL_CTX_SetIOSend(ctx, send_one);
    wolfSSL_CTX_SetGenCookie(ctx, make_cookie);
    return true;
}

static bool open_client(struct peer *p, const uint8_t *data, size_t len)
{
    struct client *c = calloc(1, sizeof *c);
    (void)data, (void)len;
    if (!c || !(c->ssl = wolfSSL_new(ctx)))
        exit(1);
    wolfSSL_SetIOReadCtx(c->ssl, c);
    wolfSSL_SetIOWriteCtx(c->ssl, c);
    wolfSSL_SetCookieCtx(c->ssl, c);
    wolfSSL_dtls_set_using_nonblock(c->ssl, 1);
    p->state = c;
    return true;
}

static bool goes_on(struct client *c, int n)
{
    int error = wolfSSL_get_error(c->ssl, n);
    return error == WOLFSSL_ERROR_WANT_READ;
}

static bool shake(struct client *c)
{
    int n = wolfSSL_accept(c->ssl);
    if (n != WOLFSSL_SUCCESS)
        return goes_on(c, n);
    c->ready = true;
    serve_ready();
    return true;
}

static bool read_message(struct client *c)
{
    static uint8_t text[16384];
    int n = wolfSSL_read(c->ssl, text, sizeof text);
    if (n > 0)
        serve_message(c->peer, text, (size_t)n);
    return n > 0 || goes_on(c, n);
}

static bool input(struct peer *p, const uint8_t *data, size_t len)
{
    struct client *c = p->state;
    c->peer = p;
    c->in = data;
    c->in_len = len;
    return c->ready ? read_message(c) : shake(c);
}

static bool write_message(struct peer *p, const uint8_t *data, size_t len)
{
    return wolfSSL_write(((struct client *)p->state)->ssl, data, (int)len) > 0;
}

static void close_client(struct peer *p)
{
    struct client *c = p->state;
    wolfSSL_free(c->ssl);
    free(c);
}

int main(int argc, char **argv)
{
    return serve(argc, argv,
                 &(struct engine){init, open_client, input, write_message, close_client});
}
