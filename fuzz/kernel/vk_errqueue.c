/* SPDX-License-Identifier: MIT */
/* Errors of the network: a socket's error queue and the form of its reports. */
#include "kernel/vk_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/errqueue.h>

WRAPPED(ssize_t, recvmsg, int fd, struct msghdr *m, int flags);

static void keep(struct vk_file *f, const struct sd_addr *remote, int error, struct sd_span report)
{
    struct sd_rd r = sd_rd_init(report.p, report.len);
    struct vk_error *e = &f->error_queue[f->errors++];
    sd_rd_u8(&r);
    *e = (struct vk_error){.error = error, .from = *remote};
    e->mtu = sd_rd_u16(&r);
    e->traits = sd_rd_u8(&r);
    e->quoted = report.len < VK_QUOTE ? report.len : VK_QUOTE;
    if (e->quoted)
        memcpy(e->quote, report.p, e->quoted);
}

bool vk_icmp(const struct sd_addr *local, const struct sd_addr *remote, struct sd_span report)
{
    static const int errors[] = {ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, EPROTO};
    int error = errors[report.len ? report.p[0] & 3 : 0];
    for (int i = 0; i < vk.top; i++) {
        struct vk_file *f = &vk.file[i];
        if (vk_fit(f, remote, local) != VK_FITS_CONNECTED)
            continue;
        f->error = error;
        if (f->keeps_errors && f->errors < VK_ERRORS)
            keep(f, remote, error, report);
        return true;
    }
    return false;
}

/* What the kernel puts into the control data: the error and its origin. */
static void put_report(struct msghdr *m, size_t *used, const struct vk_error *e)
{
    struct {
        struct sock_extended_err e;
        struct sockaddr_in6 from;
        uint8_t later[256];
    } told = {
        .e = {.ee_errno = (uint32_t)e->error, .ee_origin = SO_EE_ORIGIN_ICMP, .ee_info = e->mtu}};
    bool four = e->from.sa.sa_family == AF_INET;
    if (e->traits & VK_ICMP_HERE)
        told.e.ee_origin = SO_EE_ORIGIN_LOCAL;
    if (!(e->traits & VK_ICMP_NAMELESS))
        memcpy(&told.from, &e->from.sa, sd_addr_len(&e->from));
    size_t len = e->traits & VK_ICMP_LONG ? sizeof told : offsetof(__typeof__(told), later);
    vk_put_control(m, used, four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_RECVERR : IPV6_RECVERR,
                   &told, len);
}

static void put_others(struct msghdr *m, size_t *used)
{
    const int ttl = 64;
    const struct timespec when = {0};
    vk_put_control(m, used, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    vk_put_control(m, used, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof ttl);
    vk_put_control(m, used, SOL_SOCKET, SO_TIMESTAMPNS, &when, sizeof when);
}

int vk_recv_errors(int fd, struct mmsghdr *m, unsigned n)
{
    unsigned got = 0;
    for (; got < n; got++) {
        ssize_t len = __wrap_recvmsg(fd, &m[got].msg_hdr, MSG_ERRQUEUE);
        if (len < 0)
            break;
        m[got].msg_len = (unsigned)len;
    }
    return got ? (int)got : -1;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_fails(VK_REPORT))
        return -1;
    if (!(flags & MSG_ERRQUEUE) || !f->errors)
        return vk_fail_with(EAGAIN);
    const struct vk_error e = f->error_queue[0];
    memmove(f->error_queue, f->error_queue + 1, --f->errors * sizeof e);
    f->error = f->errors ? f->error_queue[0].error : 0;
    size_t used = 0;
    if (e.traits & VK_ICMP_CROWDED)
        put_others(m, &used);
    if (!(e.traits & VK_ICMP_EMPTY))
        put_report(m, &used, &e);
    m->msg_controllen = used;
    size_t quoted = e.quoted < m->msg_iov[0].iov_len ? e.quoted : m->msg_iov[0].iov_len;
    memcpy(m->msg_iov[0].iov_base, e.quote, quoted);
    return (ssize_t)quoted;
}
