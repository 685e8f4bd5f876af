/* SPDX-License-Identifier: MIT */
#include "net/errqueue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* After the headers of libc: those of the kernel give way to them. */
#include <linux/errqueue.h>

enum { CONTROL = 512 };

int sd_errqueue_enable(int fd, int family)
{
    const int on = 1;
    int rc = 0;
    if (family == AF_INET6)
        rc = setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    /* Also on IPv6 sockets, for mapped addresses: there it may be refused. */
    int four = setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    return (family == AF_INET6 ? rc : four) ? -errno : 0;
}

static void fill_report(struct sd_report *r, const struct cmsghdr *c)
{
    struct {
        struct sock_extended_err e;
        struct sockaddr_storage from;
    } all = {0};
    size_t len = c->cmsg_len - CMSG_LEN(0);
    memcpy(&all, CMSG_DATA(c), len < sizeof all ? len : sizeof all);
    r->error = (int)all.e.ee_errno;
    r->here = all.e.ee_origin == SO_EE_ORIGIN_LOCAL;
    r->type = all.e.ee_type;
    r->code = all.e.ee_code;
    r->mtu = all.e.ee_errno == EMSGSIZE ? all.e.ee_info : 0;
    sd_addr_from(&r->from, (const struct sockaddr *)&all.from, sizeof all.from);
}

static bool is_error(const struct cmsghdr *c)
{
    return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
           (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

int sd_errqueue_read(int fd, struct sd_report *r)
{
    union {
        struct cmsghdr align;
        char bytes[CONTROL];
    } control;
    memset(r, 0, offsetof(struct sd_report, quote));
    struct iovec iov = {.iov_base = r->quote, .iov_len = sizeof r->quote};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    r->quoted = (size_t)n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (is_error(c))
            fill_report(r, c);
    return r->error != 0;
}
