/* SPDX-License-Identifier: MIT */
#include "net/errqueue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* After the headers of libc: those of the kernel give way to them. */
#include <linux/errqueue.h>

enum { CONTROL = 512 };

union report_control {
    struct cmsghdr align;
    char bytes[CONTROL];
};

int sd_errqueue_keep(int fd, int family, bool keep)
{
    const int on = keep;
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

/* What a call has put into the buffers of prepare_report(). */
static void read_report(struct sd_report *r, struct msghdr *m, size_t quoted)
{
    memset(r, 0, offsetof(struct sd_report, quote));
    r->quoted = quoted;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (is_error(c))
            fill_report(r, c);
}

static struct msghdr prepare_report(struct sd_report *r, struct iovec *iov,
                                    union report_control *control)
{
    *iov = (struct iovec){.iov_base = r->quote, .iov_len = sizeof r->quote};
    return (struct msghdr){
        .msg_iov = iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof *control};
}

int sd_errqueue_read(int fd, struct sd_report *r)
{
    union report_control control;
    struct iovec iov;
    struct msghdr m = prepare_report(r, &iov, &control);
    ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    read_report(r, &m, (size_t)n);
    return r->error != 0;
}

void sd_errqueue_drain(int fd, struct sd_reports *r)
{
    union report_control control[SD_REPORTS];
    struct iovec iov[SD_REPORTS];
    struct mmsghdr m[SD_REPORTS];
    for (unsigned i = 0; i < SD_REPORTS; i++)
        m[i].msg_hdr = prepare_report(&r->list[i], &iov[i], &control[i]);
    int n = recvmmsg(fd, m, SD_REPORTS, MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
    r->at = 0;
    r->count = n > 0 ? (unsigned)n : 0;
    for (unsigned i = 0; i < r->count; i++)
        read_report(&r->list[i], &m[i].msg_hdr, m[i].msg_len);
}
