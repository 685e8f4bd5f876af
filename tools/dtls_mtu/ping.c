/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/ping.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"

enum { IP_HEADER_V4 = 20, IP_HEADER_V6 = 40, ICMP_HEADER = 8, TRIES = 3, WAIT_MS = 600, ROUND = 8 };

static int open_ping_socket(const struct sd_addr *to, bool ipv6)
{
    int one = 1, probe = ipv6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
    int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
                    ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    if (fd < 0)
        return -errno;
    struct sd_addr name = *to;
    sd_addr_set_port(&name, 0);
    int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    setsockopt(fd, level, ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &probe, sizeof probe);
    setsockopt(fd, level, ipv6 ? IPV6_RECVFRAGSIZE : IP_RECVFRAGSIZE, &one, sizeof one);
    if (!connect(fd, &name.sa, sd_addr_len(&name)))
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}

static int send_ping(int fd, bool ipv6, unsigned packet, uint16_t seq)
{
    static const uint8_t zeros[UINT16_MAX];
    uint8_t header[ICMP_HEADER];
    struct sd_wr w = sd_wr_init(header, sizeof header);
    sd_wr_u8(&w, ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO);
    sd_wr_u8(&w, 0);
    sd_wr_u16(&w, 0); /* the kernel makes the checksum, */
    sd_wr_u16(&w, 0); /* and the identifier */
    sd_wr_u16(&w, seq);
    unsigned headers = (ipv6 ? IP_HEADER_V6 : IP_HEADER_V4) + ICMP_HEADER;
    struct iovec iov[] = {{header, sizeof header}, {(void *)(uintptr_t)zeros, packet - headers}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    return sendmsg(fd, &m, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static unsigned reply_fragment(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int size;
        bool four = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVFRAGSIZE;
        bool six = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVFRAGSIZE;
        if (!four && !six)
            continue;
        memcpy(&size, CMSG_DATA(c), sizeof size);
        return size > 0 ? (unsigned)size : 0;
    }
    return 0;
}

/* Takes the reply to `seq`: false when none is there. *fragment: 0 = it came whole. */
static bool take_reply(int fd, uint16_t seq, unsigned *fragment)
{
    uint8_t buf[UINT16_MAX];
    union {
        struct cmsghdr align;
        char bytes[256];
    } control;
    struct iovec iov = {buf, sizeof buf};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    struct sd_rd r = sd_rd_init(buf, n > 0 ? (size_t)n : 0);
    sd_rd_bytes(&r, ICMP_HEADER - 2);
    bool ours = sd_rd_u16(&r) == seq && !r.bad;
    *fragment = ours ? reply_fragment(&m) : 0;
    return ours;
}

static bool ping_once(struct mtu_ping *p, int fd, bool ipv6, unsigned packet, sd_time deadline,
                      unsigned *fragment)
{
    for (unsigned i = 0; i < TRIES && sd_clock_now() < deadline; i++) {
        uint16_t seq = (uint16_t)++p->sent;
        if (send_ping(fd, ipv6, packet, seq))
            return false;
        for (sd_time until = sd_clock_now() + WAIT_MS * SD_MS; sd_clock_now() < until;) {
            struct pollfd in = {.fd = fd, .events = POLLIN};
            if (poll(&in, 1, sd_clock_wait_ms(until)) > 0 && take_reply(fd, seq, fragment))
                return true;
        }
    }
    return false;
}

void mtu_ping_run(struct mtu_ping *p, const struct sd_addr *to, bool ipv6, unsigned largest,
                  sd_time deadline)
{
    unsigned fragment = 0, none;
    *p = (struct mtu_ping){.done = true};
    int fd = open_ping_socket(to, ipv6);
    if (fd < 0) {
        p->error = -fd;
        return;
    }
    p->answered = ping_once(p, fd, ipv6, largest, deadline, &fragment);
    if (p->answered)
        p->mtu = fragment ? fragment : largest;
    /* A fragment carries a multiple of 8 bytes: the limit is up to 7 above it. */
    for (unsigned more = 1; fragment && more < ROUND && fragment + more < largest; more++) {
        if (!ping_once(p, fd, ipv6, fragment + more, deadline, &none) || none)
            break;
        p->mtu = fragment + more;
    }
    p->exact = fragment != 0;
    close(fd);
}
