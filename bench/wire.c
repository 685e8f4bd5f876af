/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "wire.h"

/* As a server on the Internet would choose; data up to 16 kB goes over loopback in one datagram. */
enum { HANDSHAKE_MTU = 1400, IP_UDP_HEADERS = 28 };

static int read_datagram(BIO *b, char *out, int size)
{
    struct wire *w = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (!w->in) {
        BIO_set_retry_read(b);
        return -1;
    }
    int n = (int)w->in_len < size ? (int)w->in_len : size;
    memcpy(out, w->in, (size_t)n);
    w->in = NULL;
    return n;
}

static int write_datagram(BIO *b, const char *data, int len)
{
    struct wire *w = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    w->send(w, (const uint8_t *)data, (size_t)len);
    return len;
}

static long control(BIO *b, int cmd, long num, void *ptr)
{
    (void)b, (void)ptr;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return HANDSHAKE_MTU;
    case BIO_CTRL_DGRAM_SET_MTU:
        return num;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return IP_UDP_HEADERS;
    default:
        return 0;
    }
}

static BIO_METHOD *method(void)
{
    static BIO_METHOD *m;
    if (!m && (m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bench"))) {
        BIO_meth_set_read(m, read_datagram);
        BIO_meth_set_write(m, write_datagram);
        BIO_meth_set_ctrl(m, control);
    }
    return m;
}

int wire_attach(SSL *ssl, struct wire *w)
{
    BIO *b = BIO_new(method());
    if (!b)
        return 0;
    BIO_set_data(b, w);
    BIO_set_init(b, 1);
    SSL_set_bio(ssl, b, b);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    return SSL_set_mtu(ssl, HANDSHAKE_MTU) > 0;
}
