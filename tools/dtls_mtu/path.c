/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/path.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/random.h"
#include "dtls_mtu/host.h"
#include "mtu/sizes.h"
#include "net/socket.h"

/* wolfSSL drops a ClientHello whose record number is 2^31 or more, or not above those before
 * (measured): the base has 30 bits, and the numbers count up from there. */
enum { BASES = 1 << 30 };

/* Which probe has this record number; false when it is none of the last of this path. */
static bool probe_of(const struct mtu_path *p, uint64_t seq, uint32_t *id)
{
    uint64_t n = seq - p->base;
    bool ours = seq >= p->base && n < p->probes && n + MTU_PATH_PROBES >= p->probes;
    *id = ours ? p->ids[n % MTU_PATH_PROBES] : 0;
    return ours;
}

static int bind_source(int fd, const struct mtu_path *p)
{
    struct sd_addr from;
    if (!p->source)
        return 0;
    if (mtu_host_resolve(&from, p->source, NULL, p->to.sa.sa_family))
        return -EADDRNOTAVAIL;
    return sd_socket_bind(fd, &from);
}

static int connect_to_server(const struct mtu_path *p)
{
    struct sd_socket_options o = {
        .family = p->to.sa.sa_family, .reports = true, .dual = !p->ipv6 /* a mapped address */};
    int fd = sd_socket_open(&o);
    if (fd < 0)
        return fd;
    int rc = bind_source(fd, p);
    if (!rc)
        rc = sd_socket_connect(fd, &p->to);
    if (!rc)
        return fd;
    close(fd);
    return rc;
}

/* To a server on this host the kernel may choose the server's own port for this end, if no
 * program has it: the socket would answer itself. The next one gets another port. */
static int open_probe_socket(const struct mtu_path *p)
{
    struct sd_addr here;
    int fd = connect_to_server(p);
    if (fd < 0 || sd_socket_local(fd, &here) || !sd_addr_eq(&here, &p->to))
        return fd;
    int other = connect_to_server(p);
    close(fd);
    return other;
}

int mtu_path_open(struct mtu_path *p, const struct sd_addr *to, const char *source, int signals)
{
    *p = (struct mtu_path){.to = *to,
                           .source = source,
                           .signals = signals,
                           .pad = MTU_HELLO_EXT,
                           .next = 1}; /* the first socket stays as long as possible */
    p->ipv6 = sd_socket_headers(to) > sd_mtu_packet(0, false);
    if (!sd_random(&p->base, sizeof p->base))
        return -EIO;
    p->base %= BASES;
    int fd = open_probe_socket(p);
    if (fd < 0)
        return fd;
    p->sock[0].fd = fd;
    p->open = 1;
    return 0;
}

void mtu_path_close(struct mtu_path *p)
{
    for (unsigned i = 0; i < p->open; i++)
        close(p->sock[i].fd);
    p->open = 0;
}

unsigned mtu_path_headers(const struct mtu_path *p)
{
    return sd_mtu_packet(0, p->ipv6);
}

/* The socket for the next probe: the only one, or a new one in place of the oldest. */
static unsigned choose_socket(struct mtu_path *p)
{
    if (!p->each)
        return 0;
    int fd = open_probe_socket(p);
    if (fd < 0)
        return 0;
    unsigned slot = p->next++ % MTU_PATH_SOCKETS;
    if (slot < p->open)
        close(p->sock[slot].fd);
    else
        p->open = slot + 1;
    p->sock[slot].fd = fd;
    return slot;
}

static void set_ttl(const struct mtu_path *p, int fd, int ttl)
{
    int value = ttl ? ttl : -1;
    if (p->to.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, sizeof value);
    setsockopt(fd, IPPROTO_IP, IP_TTL, &value, sizeof value);
}

int mtu_path_send(struct mtu_path *p, uint32_t id, unsigned packet, int ttl)
{
    uint8_t buf[MTU_PATH_DATAGRAM];
    size_t size = packet ? sd_mtu_payload(packet, p->ipv6) : mtu_hello_least();
    size_t len = mtu_hello_build(buf, sizeof buf, p->base + p->probes, size,
                                 packet ? p->pad : MTU_HELLO_PLAIN);
    if (!len)
        return -EINVAL;
    unsigned slot = choose_socket(p);
    p->sock[slot].id = p->ids[p->probes++ % MTU_PATH_PROBES] = id;
    if (ttl)
        set_ttl(p, p->sock[slot].fd, ttl);
    int rc = sd_socket_send(p->sock[slot].fd, buf, len, NULL, NULL);
    /* An ICMP error about an earlier probe fails this one, once, unsent. */
    if (rc && rc != -EAGAIN)
        rc = sd_socket_send(p->sock[slot].fd, buf, len, NULL, NULL);
    if (ttl)
        set_ttl(p, p->sock[slot].fd, 0);
    p->bytes += len + mtu_path_headers(p);
    return rc;
}

static bool take_report(struct mtu_path *p, unsigned slot, struct mtu_heard *h)
{
    uint64_t seq;
    if (sd_errqueue_read(p->sock[slot].fd, &h->report) <= 0)
        return false;
    h->kind = MTU_HEARD_REPORT;
    h->id = 0;
    h->known =
        mtu_hello_quoted(h->report.quote, h->report.quoted, &seq) && probe_of(p, seq, &h->id);
    return true;
}

static bool take_answer(struct mtu_path *p, unsigned slot, struct mtu_heard *h)
{
    uint8_t buf[MTU_PATH_DATAGRAM];
    uint64_t seq;
    ssize_t n = recv(p->sock[slot].fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n < 0)
        return false;
    h->kind = MTU_HEARD_ANSWER;
    h->size = (size_t)n;
    h->answer = mtu_hello_read(buf, (size_t)n, &seq, &h->alert);
    h->echoed = probe_of(p, seq, &h->id);
    if (!h->echoed)
        h->id = p->sock[slot].id;
    h->known = h->answer != MTU_HELLO_FOREIGN && (h->echoed || p->each);
    return true;
}

/* The first thing that waits in any socket; false when there is nothing within wait_ms. */
static bool poll_sockets(struct mtu_path *p, struct mtu_heard *h, int wait_ms)
{
    struct pollfd fds[MTU_PATH_SOCKETS + 1];
    for (unsigned i = 0; i < p->open; i++)
        fds[i] = (struct pollfd){.fd = p->sock[i].fd, .events = POLLIN};
    fds[p->open] = (struct pollfd){.fd = p->signals, .events = POLLIN};
    poll(fds, p->open + 1, wait_ms);
    h->at = sd_clock_now();
    for (unsigned i = 0; i < p->open; i++) {
        if ((fds[i].revents & POLLERR) && take_report(p, i, h))
            return true;
        if ((fds[i].revents & (POLLIN | POLLERR)) && take_answer(p, i, h))
            return true;
    }
    if (fds[p->open].revents)
        h->kind = MTU_HEARD_STOP;
    return h->kind == MTU_HEARD_STOP;
}

void mtu_path_hear(struct mtu_path *p, struct mtu_heard *h, sd_time until)
{
    h->kind = MTU_HEARD_NOTHING;
    h->known = h->echoed = false;
    do {
        int wait_ms = sd_clock_wait_ms(until);
        if (poll_sockets(p, h, wait_ms))
            return;
    } while (sd_clock_now() < until);
}

/* Sends a datagram of the largest size, which this host refuses, with the size that it would send.
 * On loopback the datagram leaves: it goes to the port of the discard service, not to the server.
 */
unsigned mtu_path_local_limit(const struct mtu_path *p)
{
    enum { DISCARD = 9 };
    static const uint8_t zeros[UINT16_MAX];
    struct mtu_path beside = *p;
    struct sd_report r;
    unsigned most = UINT16_MAX;
    sd_addr_set_port(&beside.to, DISCARD);
    int fd = open_probe_socket(&beside);
    if (fd < 0)
        return most;
    if (sd_socket_send(fd, zeros, sd_mtu_payload(most, p->ipv6), NULL, NULL))
        while (sd_errqueue_read(fd, &r) > 0)
            if (r.here && r.mtu && r.mtu < most)
                most = r.mtu;
    close(fd);
    return most;
}

unsigned mtu_path_kernel_mtu(const struct mtu_path *p)
{
    size_t payload = sd_socket_route_payload(p->sock[0].fd);
    return payload ? sd_mtu_packet((unsigned)payload, p->ipv6) : 0;
}

void mtu_path_goodbye(struct mtu_path *p)
{
    uint8_t buf[64];
    for (unsigned i = 0; i < p->open; i++) {
        size_t len = mtu_hello_goodbye(buf, sizeof buf, p->base + p->probes);
        sd_socket_send(p->sock[i].fd, buf, len, NULL, NULL);
    }
}
