/* SPDX-License-Identifier: MIT */
/* floor_server: nothing but the calls that OpenSSL and the kernel make unavoidable. What it leaves
 * out that a server needs: limits, deadlines, retransmissions, events, and any check of its own. */
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "serve.h"
#include "wire.h"

enum { COOKIE_LEN = 20, RECORD_MAX = 16384 };

struct client {
    struct wire wire; /* first */
    struct peer *peer;
    SSL *ssl;
    bool ready, listened; /* listened: DTLSv1_listen() has the datagram already */
};

static SSL_CTX *ctx;
static struct client *listening; /* for who comes next */
static uint8_t secret[32];
static struct server_options options;

static void send_out(struct wire *w, const uint8_t *data, size_t len)
{
    serve_send(((struct client *)w)->peer, data, len);
}

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    const struct client *c = SSL_get_app_data(ssl);
    uint8_t sum[EVP_MAX_MD_SIZE];
    if (!HMAC(EVP_sha256(), secret, sizeof secret, (const uint8_t *)&c->peer->address,
              sizeof c->peer->address, sum, NULL))
        return 0;
    memcpy(cookie, sum, COOKIE_LEN);
    *len = COOKIE_LEN;
    return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    uint8_t mine[COOKIE_LEN];
    unsigned n;
    return len == COOKIE_LEN && make_cookie(ssl, mine, &n) && !CRYPTO_memcmp(mine, cookie, len);
}

static unsigned give_psk(SSL *ssl, const char *identity, unsigned char *psk, unsigned size)
{
    (void)ssl, (void)identity, (void)size;
    memcpy(psk, options.psk, options.psk_len);
    return (unsigned)options.psk_len;
}

static struct client *new_client(void)
{
    struct client *c = calloc(1, sizeof *c);
    c->wire.send = send_out;
    c->ssl = SSL_new(ctx);
    wire_attach(c->ssl, &c->wire);
    SSL_set_app_data(c->ssl, c);
    SSL_set_options(c->ssl, SSL_OP_COOKIE_EXCHANGE);
    return c;
}

static bool init(const struct server_options *o)
{
    options = *o;
    ctx = SSL_CTX_new(DTLS_server_method());
    if (!ctx || RAND_bytes(secret, sizeof secret) != 1)
        return false;
    SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION);
    SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);
    SSL_CTX_set_cookie_verify_cb(ctx, check_cookie);
    SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"bench", 5);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets do without */
    if (o->psk_len) {
        SSL_CTX_set_psk_server_callback(ctx, give_psk);
        if (!SSL_CTX_set_cipher_list(ctx, WIRE_PSK_CIPHER))
            return false;
    } else if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
               SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1) {
        return false;
    }
    listening = new_client();
    return true;
}

static bool open_client(struct peer *p, const uint8_t *data, size_t len)
{
    static BIO_ADDR *nobody;
    struct client *c = listening;
    if (!nobody)
        nobody = BIO_ADDR_new();
    c->peer = p;
    c->wire.in = data;
    c->wire.in_len = len;
    int n = DTLSv1_listen(c->ssl, nobody);
    c->wire.in = NULL;
    if (n <= 0)
        return false;
    listening = new_client();
    c->listened = true;
    p->state = c;
    return true;
}

static bool shake(struct client *c)
{
    int n = SSL_do_handshake(c->ssl);
    if (n != 1)
        return SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
    c->ready = true;
    serve_ready();
    return true;
}

/* One datagram holds one message, as everybody sends them. */
static bool read_message(struct client *c)
{
    static uint8_t text[RECORD_MAX];
    int n = SSL_read(c->ssl, text, sizeof text);
    if (n > 0)
        serve_message(c->peer, text, (size_t)n);
    return n > 0 || SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ;
}

static bool input(struct peer *p, const uint8_t *data, size_t len)
{
    struct client *c = p->state;
    c->peer = p;
    c->wire.in = c->listened ? NULL : data;
    c->wire.in_len = len;
    c->listened = false;
    bool alive = c->ready ? read_message(c) : shake(c);
    c->wire.in = NULL;
    return alive;
}

static bool write_message(struct peer *p, const uint8_t *data, size_t len)
{
    return SSL_write(((struct client *)p->state)->ssl, data, (int)len) > 0;
}

static void close_client(struct peer *p)
{
    struct client *c = p->state;
    SSL_free(c->ssl);
    free(c);
}

int main(int argc, char **argv)
{
    return serve(argc, argv,
                 &(struct engine){init, open_client, input, write_message, close_client});
}
