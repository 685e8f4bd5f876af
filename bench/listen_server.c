/* SPDX-License-Identifier: MIT */
/* listen_server: DTLSv1_listen() on a socket, as its manual page shows. It refuses hellos; a client
 * that comes back with its cookie ends it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "server.h"

enum { COOKIE_LEN = 20 };
static uint8_t secret[32];

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    struct {
        struct in_addr host;
        unsigned short port;
    } peer = {0};
    uint8_t sum[EVP_MAX_MD_SIZE];
    BIO_ADDR *a = BIO_ADDR_new();
    size_t size = sizeof peer.host;
    BIO_dgram_get_peer(SSL_get_rbio(ssl), a);
    BIO_ADDR_rawaddress(a, &peer.host, &size);
    peer.port = BIO_ADDR_rawport(a);
    BIO_ADDR_free(a);
    HMAC(EVP_sha256(), secret, sizeof secret, (const uint8_t *)&peer, sizeof peer, sum, NULL);
    memcpy(cookie, sum, COOKIE_LEN);
    *len = COOKIE_LEN;
    return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    uint8_t mine[COOKIE_LEN];
    unsigned n;
    return make_cookie(ssl, mine, &n) && n == len && !CRYPTO_memcmp(mine, cookie, n);
}

static SSL *make_listener(const struct server_options *o, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    if (!ctx || !o->cert || RAND_bytes(secret, sizeof secret) != 1 ||
        SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
        return NULL;
    SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);
    SSL_CTX_set_cookie_verify_cb(ctx, check_cookie);
    SSL *ssl = SSL_new(ctx);
    BIO *b = BIO_new_dgram(fd, BIO_NOCLOSE);
    if (!ssl || !b)
        return NULL;
    SSL_set_bio(ssl, b, b);
    return ssl;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct server_options o = server_options(argc, argv);
    struct server_count n = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    SSL *ssl = make_listener(&o, fd);
    if (!ssl || bind(fd, (struct sockaddr *)&at, len) ||
        getsockname(fd, (struct sockaddr *)&at, &len))
        return 1;
    server_say_port(ntohs(at.sin_port));
    BIO_ADDR *peer = BIO_ADDR_new();
    while (!server_ended() && DTLSv1_listen(ssl, peer) <= 0)
        ;
    server_say_count(&n);
    return 0;
}
