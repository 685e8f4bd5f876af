/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clients.h"

enum {
    BATCH = 64,
    DATAGRAM_MAX = 17000,     /* a record of 16 kB and what is around it */
    SOCKET_BUFFER = 64 << 20, /* the driver must not be the one who loses */
    CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo))
};
#define FIRST_ADDRESS 0x7f010001u

struct batch {
    struct mmsghdr msg[BATCH];
    struct iovec iov[BATCH];
    union {
        struct cmsghdr align;
        uint8_t b[CONTROL];
    } control[BATCH];
    uint8_t data[BATCH][DATAGRAM_MAX];
    unsigned count;
};

static int fd = -1;
static struct sockaddr_in server;
static struct batch out, in;
static uint8_t psk_key[64];
static size_t psk_len;

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("drive: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void init_batch(struct batch *b, bool with_name)
{
    for (unsigned i = 0; i < BATCH; i++) {
        b->iov[i] = (struct iovec){b->data[i], DATAGRAM_MAX};
        b->msg[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i],
                                            .msg_iovlen = 1,
                                            .msg_control = &b->control[i],
                                            .msg_controllen = CONTROL};
        if (with_name) {
            b->msg[i].msg_hdr.msg_name = &server;
            b->msg[i].msg_hdr.msg_namelen = sizeof server;
        }
    }
}

static void open_socket(unsigned short port)
{
    int on = 1, size = SOCKET_BUFFER;
    struct sockaddr_in any = {.sin_family = AF_INET};
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) ||
        bind(fd, (struct sockaddr *)&any, sizeof any))
        die("socket: %m");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size))
        die("buffers of 64 MB for the driver: %m; run it as root");
}

static unsigned give_psk(SSL *ssl, const char *hint, char *identity, unsigned size, uint8_t *psk,
                         unsigned psk_size)
{
    (void)ssl, (void)hint, (void)psk_size;
    snprintf(identity, size, "bench");
    memcpy(psk, psk_key, psk_len);
    return (unsigned)psk_len;
}

static void use_psk(struct clients *s, const char *hex)
{
    for (; psk_len < sizeof psk_key && sscanf(hex + 2 * psk_len, "%2hhx", &psk_key[psk_len]) == 1;)
        psk_len++;
    SSL_CTX_set_psk_client_callback(s->ctx, give_psk);
}

void clients_init(struct clients *s, unsigned count, unsigned short port, const char *psk_hex)
{
    *s = (struct clients){.count = count, .ctx = SSL_CTX_new(DTLS_client_method())};
    s->client = calloc(count ? count : 1, sizeof *s->client);
    if (!s->client || !s->ctx)
        die("no memory for %u clients", count);
    for (unsigned i = 0; i < count; i++)
        s->client[i].number = i;
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(s->ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_proto_version(s->ctx, DTLS1_2_VERSION);
    if (psk_hex)
        use_psk(s, psk_hex);
    if (!SSL_CTX_set_cipher_list(s->ctx, psk_hex ? WIRE_PSK_CIPHER : WIRE_CIPHER) ||
        !SSL_CTX_set1_groups_list(s->ctx, "X25519:P-256"))
        die("OpenSSL refuses the cipher suite or the groups");
    open_socket(port);
    init_batch(&out, true);
    init_batch(&in, false);
}

static void send_as(struct wire *w, const uint8_t *data, size_t len)
{
    clients_send(((struct client *)w)->number, data, len);
}

void clients_prepare(struct clients *s, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct client *c = &s->client[i];
        c->wire.send = send_as;
        c->ready = false;
        c->ssl = SSL_new(s->ctx);
        if (!c->ssl || !wire_attach(c->ssl, &c->wire))
            die("client %u: no memory", i);
        SSL_set_connect_state(c->ssl);
        if (s->session)
            SSL_set_session(c->ssl, s->session);
    }
}

void clients_drop(struct clients *s, unsigned n)
{
    SSL_free(s->client[n].ssl);
    s->client[n].ssl = NULL;
    s->client[n].ready = false;
}

void clients_send(unsigned n, const uint8_t *data, size_t len)
{
    struct msghdr *m = &out.msg[out.count].msg_hdr;
    struct cmsghdr *c = m->msg_control;
    struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl(FIRST_ADDRESS + n)};
    if (len > DATAGRAM_MAX)
        die("a datagram of %zu bytes", len);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof from);
    memcpy(CMSG_DATA(c), &from, sizeof from);
    memcpy(out.data[out.count], data, len);
    out.iov[out.count].iov_len = len;
    if (++out.count == BATCH)
        clients_flush();
}

void clients_flush(void)
{
    for (unsigned done = 0; done < out.count;) {
        int n = sendmmsg(fd, out.msg + done, out.count - done, 0);
        if (n < 0 && errno != EINTR && errno != ECONNREFUSED)
            die("sending: %m");
        done += n > 0 ? (unsigned)n : 0;
    }
    out.count = 0;
}

static struct client *destination(struct clients *s, struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct in_pktinfo to = {0};
    if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
        memcpy(&to, CMSG_DATA(c), sizeof to);
    unsigned number = ntohl(to.ipi_addr.s_addr) - FIRST_ADDRESS;
    return number < s->count ? &s->client[number] : NULL;
}

unsigned clients_receive(struct clients *s, int timeout_ms, clients_on_datagram *f, void *arg)
{
    clients_flush();
    if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, timeout_ms) <= 0)
        return 0;
    for (unsigned i = 0; i < BATCH; i++) {
        in.msg[i].msg_hdr.msg_controllen = CONTROL;
        in.iov[i].iov_len = DATAGRAM_MAX;
    }
    int n = recvmmsg(fd, in.msg, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        f(arg, destination(s, &in.msg[i].msg_hdr), in.data[i], in.msg[i].msg_len);
    clients_flush();
    return n > 0 ? (unsigned)n : 0;
}

struct capture {
    struct wire wire; /* first */
    uint8_t *out;
    size_t size, len;
};

static void keep(struct wire *w, const uint8_t *data, size_t len)
{
    struct capture *c = (struct capture *)w;
    c->len = len < c->size ? len : c->size;
    memcpy(c->out, data, c->len);
}

size_t clients_hello(struct clients *s, uint8_t *hello, size_t size)
{
    struct capture c = {.wire.send = keep, .out = hello, .size = size};
    SSL *ssl = SSL_new(s->ctx);
    if (!ssl || !wire_attach(ssl, &c.wire))
        die("no memory");
    SSL_connect(ssl);
    SSL_free(ssl);
    return c.len;
}
