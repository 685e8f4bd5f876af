/* SPDX-License-Identifier: MIT */
/* Sending and receiving, and what the kernel reports about a datagram. */
#include "kernel/vk_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "harness/poison.h"

WRAPPED(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags);
WRAPPED(ssize_t, recv, int fd, void *to, size_t room, int flags);
WRAPPED(int, recvmmsg, int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);

/* The source address that IP_PKTINFO asks for, if any. */
static struct sd_addr source_of(const struct vk_file *f, const struct msghdr *m)
{
    struct sd_addr from = f->local;
    struct msghdr copy = *m;
    struct cmsghdr *c = m->msg_control ? CMSG_FIRSTHDR(&copy) : NULL;
    if (c && c->cmsg_level == IPPROTO_IP) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        from.in.sin_addr = info.ipi_spec_dst;
    } else if (c) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        from.in6.sin6_addr = info.ipi6_addr;
        from.in6.sin6_scope_id = info.ipi6_ifindex;
    }
    return from;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct vk_file *f = vk_file(fd);
    struct sd_addr to;
    (void)flags;
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_pending(f) || vk_fails(VK_SEND))
        return -1;
    if (m->msg_name && !sd_addr_from(&to, m->msg_name, m->msg_namelen))
        return vk_fail_with(EAFNOSUPPORT);
    if (!m->msg_name && !f->connected)
        return vk_fail_with(EDESTADDRREQ);
    if (!m->msg_name)
        to = f->remote;
    vk_autobind(f, to.sa.sa_family);
    struct sd_addr from = source_of(f, m);
    struct sd_span data = {m->msg_iov[0].iov_base, m->msg_iov[0].iov_len};
    if (!vk_deliver(&from, &to, data, VK_PLAIN) && vk.on_send)
        vk.on_send(vk.on_send_arg, &from, &to, data);
    return (ssize_t)data.len;
}

ssize_t __wrap_recv(int fd, void *to, size_t room, int flags)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_pending(f) || vk_fails(VK_RECV))
        return -1;
    if (!f->queued)
        return vk_fail_with(EAGAIN);
    size_t n = f->queue[0]->len < room ? f->queue[0]->len : room;
    memcpy(to, f->queue[0]->data, n);
    if (!(flags & MSG_PEEK))
        vk_take_off(f);
    return (ssize_t)n;
}

void vk_put_control(struct msghdr *m, size_t *used, int level, int type, const void *data,
                    size_t len)
{
    if (*used + CMSG_SPACE(len) > m->msg_controllen)
        return;
    struct cmsghdr *c = (struct cmsghdr *)(void *)((char *)m->msg_control + *used);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    *used += CMSG_SPACE(len);
}

static void put_destination(struct msghdr *m, size_t *used, const struct vk_packet *p)
{
    if (p->to.sa.sa_family == AF_INET) {
        struct in_pktinfo four = {.ipi_spec_dst = p->to.in.sin_addr, .ipi_addr = p->to.in.sin_addr};
        if (p->traits & VK_EARLY)
            four.ipi_spec_dst.s_addr = htonl(INADDR_ANY);
        vk_put_control(m, used, IPPROTO_IP, IP_PKTINFO, &four, sizeof four);
        return;
    }
    struct in6_pktinfo six = {.ipi6_addr = p->to.in6.sin6_addr,
                              .ipi6_ifindex = p->to.in6.sin6_scope_id};
    vk_put_control(m, used, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof six);
}

/* An entry of each level that nobody asked for. */
static void put_others(struct msghdr *m, size_t *used)
{
    const int other = 64;
    vk_put_control(m, used, IPPROTO_IP, IP_TTL, &other, sizeof other);
    vk_put_control(m, used, IPPROTO_IPV6, IPV6_HOPLIMIT, &other, sizeof other);
    vk_put_control(m, used, SOL_SOCKET, SO_MARK, &other, sizeof other);
}

static void tell_packet(const struct vk_file *f, const struct vk_packet *p, struct msghdr *m)
{
    size_t used = 0;
    int piece = p->traits & VK_EARLY ? 0 : 1480;
    bool four = p->to.sa.sa_family == AF_INET;
    if (p->traits & VK_NAMELESS)
        put_others(m, &used);
    else if (f->pktinfo && !(p->traits & VK_SILENT))
        put_destination(m, &used, p);
    if (f->dropped)
        vk_put_control(m, &used, SOL_SOCKET, SO_RXQ_OVFL, &f->dropped, sizeof f->dropped);
    if (p->traits & VK_PIECES)
        vk_put_control(m, &used, four ? IPPROTO_IP : IPPROTO_IPV6,
                       four ? IP_RECVFRAGSIZE : IPV6_RECVFRAGSIZE, &piece, sizeof piece);
    m->msg_controllen = used;
}

static void take_packet(struct vk_file *f, struct mmsghdr *mm)
{
    const struct vk_packet *p = f->queue[0];
    struct msghdr *m = &mm->msg_hdr;
    uint8_t *to = m->msg_iov[0].iov_base;
    size_t room = m->msg_iov[0].iov_len, n = p->len < room ? p->len : room;
    socklen_t name_len;
    ASAN_UNPOISON_MEMORY_REGION(to, room);
    memcpy(to, p->data, n);
    if (!(p->traits & VK_HUGE))
        ASAN_POISON_MEMORY_REGION(to + n, room - n); /* the bytes after the datagram are poisoned */
    vk_give_name(&p->from, m->msg_name, &name_len);
    m->msg_namelen = p->traits & VK_NAMELESS ? 0 : name_len;
    m->msg_flags = p->traits & VK_HUGE ? MSG_TRUNC : 0;
    mm->msg_len = (unsigned)(p->traits & VK_HUGE ? room : n);
    tell_packet(f, p, m);
    vk_take_off(f);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
    struct vk_file *f = vk_file(fd);
    (void)timeout;
    if (!f)
        return vk_fail_with(EBADF);
    if (flags & MSG_ERRQUEUE)
        return vk_recv_errors(fd, m, n);
    if (vk_odd(VK_RECV))
        return 0;
    if (vk_pending(f) || vk_fails(VK_RECV))
        return -1;
    unsigned got = 0;
    for (; got < n && f->queued; got++)
        take_packet(f, &m[got]);
    return got ? (int)got : vk_fail_with(EAGAIN);
}
