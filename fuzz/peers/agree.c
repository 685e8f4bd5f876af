/* SPDX-License-Identifier: MIT */
#include "peers/agree.h"

#include <string.h>

#include "harness/common.h"
#include "wire/certificate.h"
#include "wire/extension.h"
#include "wire/handshake.h"
#include "wire/hello.h"

static bool extensions_parse(struct sd_span block)
{
    struct sd_rd r = sd_rd_init(block.p, block.len);
    struct sd_ext e;
    enum sd_ext_status st;
    while ((st = sd_ext_next(&r, &e)) == SD_EXT_OK)
        ;
    return st == SD_EXT_END;
}

static bool client_hello(struct agree *a, struct sd_span body)
{
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE)
        return false;
    memcpy(a->random, ch.random.p, sizeof a->random);
    a->hello = true;
    return extensions_parse(ch.extensions);
}

static bool server_hello(struct agree *a, struct sd_span body)
{
    struct sd_server_hello sh;
    struct sd_span alpn, name = {0};
    struct sd_rd names;
    if (sd_server_hello_parse(&sh, body, body.len) != SD_HELLO_WHOLE)
        return false;
    memcpy(a->random, sh.random.p, sizeof a->random);
    a->hello = true;
    a->suite = sh.suite;
    if (sd_ext_find(sh.extensions, SD_EXT_ALPN, &alpn) && sd_ext_alpn(alpn, &names))
        sd_alpn_next(&names, &name);
    memcpy(a->protocol, name.len ? name.p : (const uint8_t *)"", name.len);
    a->protocol_len = name.len;
    return extensions_parse(sh.extensions);
}

static bool certificate(struct agree *a, struct sd_span body)
{
    struct sd_cert_chain chain;
    struct sd_span der;
    int count = 0;
    if (!sd_cert_chain_init(&chain, body, false))
        return false;
    while (sd_cert_next(&chain, &der))
        count++;
    a->certificates = count;
    a->counted = true;
    return sd_rd_done(&chain.rd);
}

/* OpenSSL ignores everything after the cookie. */
static bool verify_request(struct sd_span body)
{
    struct sd_hello_verify hv;
    struct sd_rd r = sd_rd_init(body.p, body.len);
    sd_rd_u16(&r);
    sd_rd_vec8(&r);
    body.len -= sd_rd_left(&r);
    return sd_hello_verify_parse(&hv, body);
}

static bool message(struct agree *a, const struct sd_handshake *h)
{
    switch (h->type) {
    case SD_HS_CLIENT_HELLO:
        return client_hello(a, h->body);
    case SD_HS_SERVER_HELLO:
        return server_hello(a, h->body);
    case SD_HS_HELLO_VERIFY_REQUEST:
        return verify_request(h->body);
    case SD_HS_CERTIFICATE:
        return certificate(a, h->body);
    default:
        return true;
    }
}

static void check_refused(const struct agree *a)
{
    fuzz_check(!a->refused, "OpenSSL accepts a message of type %d that our parsers refuse",
               a->refused);
}

/* A ClientHello or HelloVerifyRequest may come again before OpenSSL has read all of it: a server
 * that asks for a cookie reads only up to that. */
static bool may_be_refused_yet(int write_p, const struct sd_handshake *h)
{
    return h->type == (write_p ? SD_HS_HELLO_VERIFY_REQUEST : SD_HS_CLIENT_HELLO);
}

/* OpenSSL calls this for each message before it parses it. When the next message comes, it has
 * accepted the one before. A message that it sends in fragments is shown with other bytes than were
 * sent: a header replaces bytes at each cut. */
static void on_message(int write_p, int version, int type, const void *bytes, size_t len, SSL *ssl,
                       void *arg)
{
    struct agree *a = arg;
    struct sd_handshake h;
    (void)version;
    (void)ssl;
    if (type != SSL3_RT_HANDSHAKE)
        return;
    struct sd_rd r = sd_rd_init(bytes, len);
    const bool whole =
        sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK && sd_rd_done(&r) && sd_handshake_whole(&h);
    if (!may_be_refused_yet(write_p, &h))
        check_refused(a);
    if (!write_p)
        a->refused = whole && message(a, &h) ? 0 : h.type;
}

void agree_watch(struct agree *a, SSL *ssl)
{
    *a = (struct agree){0};
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, a);
}

/* What the server chose. */
static void check_choice(const struct agree *a, const SSL *ssl)
{
    const uint8_t *protocol = NULL;
    unsigned len = 0;
    fuzz_check(a->suite == SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)),
               "OpenSSL uses another suite than %04x", a->suite);
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    fuzz_check(len == a->protocol_len && (!len || !memcmp(protocol, a->protocol, len)),
               "OpenSSL reads another ALPN protocol");
}

/* A server's list does not contain the client's own certificate. */
static void check_certificates(const struct agree *a, const SSL *ssl)
{
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    const bool apart = SSL_is_server(ssl) && SSL_SESSION_get0_peer(SSL_get_session(ssl));
    const int theirs = (chain ? sk_X509_num(chain) : 0) + apart;
    fuzz_check(!a->counted || a->certificates == theirs, "%d certificates, but OpenSSL reads %d",
               a->certificates, theirs);
}

void agree_ready(struct agree *a, SSL *ssl)
{
    if (a->done)
        return;
    a->done = true;
    check_refused(a);
    fuzz_check(a->hello, "a handshake without a hello of the peer");
    uint8_t random[32];
    (SSL_is_server(ssl) ? SSL_get_client_random : SSL_get_server_random)(ssl, random,
                                                                         sizeof random);
    fuzz_check(!memcmp(a->random, random, sizeof random), "OpenSSL reads another random");
    check_certificates(a, ssl);
    if (!SSL_is_server(ssl))
        check_choice(a, ssl);
}
