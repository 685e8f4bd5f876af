/* The wrapped calls. */
#include "vk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <arpa/inet.h>
#include <linux/errqueue.h>

#include "common.h"
#include "poison.h"

#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(int, socket, int family, int type, int protocol);
WRAPPED(int, bind, int fd, const struct sockaddr *sa, socklen_t len);
WRAPPED(int, connect, int fd, const struct sockaddr *sa, socklen_t len);
WRAPPED(int, close, int fd);
WRAPPED(int, setsockopt, int fd, int level, int name, const void *value, socklen_t len);
WRAPPED(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len);
WRAPPED(int, getsockname, int fd, struct sockaddr *sa, socklen_t *len);
WRAPPED(int, getpeername, int fd, struct sockaddr *sa, socklen_t *len);
WRAPPED(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags);
WRAPPED(ssize_t, recv, int fd, void *to, size_t room, int flags);
WRAPPED(ssize_t, recvmsg, int fd, struct msghdr *m, int flags);
WRAPPED(int, recvmmsg, int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout);
WRAPPED(int, poll, struct pollfd *p, nfds_t n, int timeout);
WRAPPED(int, epoll_create1, int flags);
WRAPPED(int, epoll_ctl, int epoll, int op, int fd, struct epoll_event *ev);
WRAPPED(int, epoll_wait, int epoll, struct epoll_event *ev, int max, int timeout);
WRAPPED(int, timerfd_create, int clock, int flags);
WRAPPED(int, timerfd_settime, int fd, int flags, const struct itimerspec *to,
        struct itimerspec *old);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *ts);
WRAPPED(ssize_t, getrandom, void *to, size_t len, unsigned flags);
WRAPPED(int, fcntl, int fd, int op, ...);
WRAPPED(int, fchown, int fd, uid_t uid, gid_t gid);
WRAPPED(int, getaddrinfo, const char *host, const char *port, const struct addrinfo *hints,
        struct addrinfo **found);
WRAPPED(void, freeaddrinfo, struct addrinfo *ai);

static int fail_with(int error)
{
    errno = error;
    return -1;
}

/* --- a socket's life --- */

int __wrap_socket(int family, int type, int protocol)
{
    (void)type, (void)protocol;
    if (vk_fails(VK_SOCKET))
        return -1;
    int fd = vk_new(VK_UDP);
    if (fd >= 0)
        vk_file(fd)->local = sd_addr_any(family, 0);
    return fd;
}

static bool taken(const struct vk_file *f, const struct sd_addr *a)
{
    for (int i = 0; i < VK_FILES; i++) {
        const struct vk_file *o = &vk.file[i];
        if (o == f || o->kind != VK_UDP || !o->bound_at || (o->reuseport && f->reuseport))
            continue;
        if (o->local.sa.sa_family == a->sa.sa_family &&
            sd_addr_port(&o->local) == sd_addr_port(a) &&
            (sd_addr_is_any(&o->local) || sd_addr_is_any(a) || sd_addr_eq(&o->local, a)))
            return true;
    }
    return false;
}

int __wrap_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct vk_file *f = vk_file(fd);
    struct sd_addr a;
    if (!f)
        return fail_with(EBADF);
    if (vk_fails(VK_BIND))
        return -1;
    if (f->bound_at || !sd_addr_from(&a, sa, len))
        return fail_with(EINVAL);
    if (!sd_addr_port(&a))
        sd_addr_set_port(&a, vk.next_port++);
    if (taken(f, &a))
        return fail_with(EADDRINUSE);
    f->bound_at = ++vk.binds;
    f->local = a;
    return 0;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct vk_file *f = vk_file(fd);
    struct sd_addr a;
    if (!f)
        return fail_with(EBADF);
    if (vk_fails(VK_CONNECT))
        return -1;
    if (!sd_addr_from(&a, sa, len))
        return fail_with(EAFNOSUPPORT);
    vk_autobind(f, a.sa.sa_family);
    f->connected = true;
    f->remote = a;
    return 0;
}

int __wrap_close(int fd)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return fd >= VK_FD_FIRST ? fail_with(EBADF) : __real_close(fd);
    while (f->queued)
        vk_take_off(f);
    f->kind = VK_FREE;
    for (int i = 0; i < VK_FILES; i++)
        vk.file[i].watched[fd - VK_FD_FIRST].events = 0;
    return 0;
}

int vk_adopted(const struct sd_addr *a)
{
    int fd = __wrap_socket(a->sa.sa_family, SOCK_DGRAM, 0);
    if (fd >= 0 && __wrap_bind(fd, &a->sa, sd_addr_len(a))) {
        __wrap_close(fd);
        fd = -1;
    }
    return fd;
}

void vk_close(int fd)
{
    if (fd >= 0)
        __wrap_close(fd);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct vk_file *f = vk_file(fd);
    int on = 0;
    if (!f)
        return fail_with(EBADF);
    if (vk_fails(VK_OPTION))
        return -1;
    memcpy(&on, value, len < sizeof on ? len : sizeof on);
    if (level == SOL_SOCKET && name == SO_REUSEPORT)
        f->reuseport = on;
    else if ((level == IPPROTO_IP && name == IP_PKTINFO) ||
             (level == IPPROTO_IPV6 && name == IPV6_RECVPKTINFO))
        f->pktinfo = on;
    else if ((level == IPPROTO_IP && name == IP_RECVERR) ||
             (level == IPPROTO_IPV6 && name == IPV6_RECVERR))
        f->keeps_errors = on;
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    int v = 0;
    if (!f)
        return fail_with(EBADF);
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
        *len = 0;
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_TYPE)
        v = SOCK_DGRAM;
    else if (level == SOL_SOCKET && name == SO_PROTOCOL)
        v = IPPROTO_UDP;
    else if ((level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU))
        v = 1500;
    memcpy(value, &v, *len < sizeof v ? *len : sizeof v);
    return 0;
}

static int give_name(const struct sd_addr *a, struct sockaddr *sa, socklen_t *len)
{
    memcpy(sa, &a->sa, sd_addr_len(a));
    *len = sd_addr_len(a);
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    if (!f)
        return fail_with(EBADF);
    return vk_fails(VK_NAME) ? -1 : give_name(&f->local, sa, len);
}

int __wrap_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    if (!f || !f->connected)
        return fail_with(f ? ENOTCONN : EBADF);
    return vk_fails(VK_NAME) ? -1 : give_name(&f->remote, sa, len);
}

int __wrap_fcntl(int fd, int op, ...)
{
    const struct vk_file *f = vk_file(fd);
    va_list args;
    va_start(args, op);
    int arg = va_arg(args, int);
    va_end(args);
    if (!f)
        return __real_fcntl(fd, op, arg);
    if (op != F_DUPFD_CLOEXEC)
        return 0;
    int copy = vk_new(VK_UDP);
    if (copy >= 0)
        *vk_file(copy) = *f;
    return copy;
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid)
{
    (void)uid, (void)gid;
    return vk_file(fd) ? 0 : fail_with(EBADF);
}

/* --- datagrams --- */

/* Where it says to come from, as far as IP_PKTINFO does. */
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
    }
    return from;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct vk_file *f = vk_file(fd);
    struct sd_addr to;
    (void)flags;
    if (!f)
        return fail_with(EBADF);
    if (f->error) {
        errno = f->error;
        f->error = 0;
        return -1;
    }
    if (vk_fails(VK_SEND))
        return -1;
    if (m->msg_name && !sd_addr_from(&to, m->msg_name, m->msg_namelen))
        return fail_with(EAFNOSUPPORT);
    if (!m->msg_name && !f->connected)
        return fail_with(EDESTADDRREQ);
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
        return fail_with(EBADF);
    if (!f->queued)
        return fail_with(EAGAIN);
    size_t n = f->queue[0]->len < room ? f->queue[0]->len : room;
    memcpy(to, f->queue[0]->data, n);
    if (!(flags & MSG_PEEK))
        vk_take_off(f);
    return (ssize_t)n;
}

static void put_control(struct msghdr *m, size_t *used, int level, int type, const void *data,
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

static void tell_packet(const struct vk_file *f, const struct vk_packet *p, struct msghdr *m)
{
    size_t used = 0;
    struct in_pktinfo four = {.ipi_spec_dst = p->to.in.sin_addr, .ipi_addr = p->to.in.sin_addr};
    struct in6_pktinfo six = {.ipi6_addr = p->to.in6.sin6_addr};
    bool is_four = p->to.sa.sa_family == AF_INET;
    int piece = 1480;
    if (f->pktinfo && is_four)
        put_control(m, &used, IPPROTO_IP, IP_PKTINFO, &four, sizeof four);
    else if (f->pktinfo)
        put_control(m, &used, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof six);
    if (f->dropped)
        put_control(m, &used, SOL_SOCKET, SO_RXQ_OVFL, &f->dropped, sizeof f->dropped);
    if (p->traits & VK_PIECES)
        put_control(m, &used, IPPROTO_IP, IP_RECVFRAGSIZE, &piece, sizeof piece);
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
        ASAN_POISON_MEMORY_REGION(to + n, room - n); /* not a byte more may be looked at */
    give_name(&p->from, m->msg_name, &name_len);
    m->msg_namelen = name_len;
    m->msg_flags = p->traits & VK_HUGE ? MSG_TRUNC : 0;
    mm->msg_len = (unsigned)(p->traits & VK_HUGE ? room : n);
    tell_packet(f, p, m);
    vk_take_off(f);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *timeout)
{
    struct vk_file *f = vk_file(fd);
    (void)flags, (void)timeout;
    if (!f)
        return fail_with(EBADF);
    if (f->error) {
        errno = f->error;
        f->error = 0;
        return -1;
    }
    if (vk_fails(VK_RECV))
        return -1;
    unsigned got = 0;
    for (; got < n && f->queued; got++)
        take_packet(f, &m[got]);
    return got ? (int)got : fail_with(EAGAIN);
}

/* The error queue. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return fail_with(EBADF);
    if (!(flags & MSG_ERRQUEUE) || !f->errors)
        return fail_with(EAGAIN);
    const struct vk_error e = f->error_queue[0];
    memmove(f->error_queue, f->error_queue + 1, --f->errors * sizeof e);
    f->error = f->errors ? f->error_queue[0].error : 0;
    struct {
        struct sock_extended_err e;
        struct sockaddr_in6 from;
    } told = {
        .e = {.ee_errno = (uint32_t)e.error, .ee_origin = SO_EE_ORIGIN_ICMP, .ee_info = e.mtu}};
    bool four = e.from.sa.sa_family == AF_INET;
    memcpy(&told.from, &e.from.sa, sd_addr_len(&e.from));
    size_t used = 0;
    put_control(m, &used, four ? IPPROTO_IP : IPPROTO_IPV6, four ? IP_RECVERR : IPV6_RECVERR, &told,
                sizeof told);
    m->msg_controllen = used;
    size_t quoted = e.quoted < m->msg_iov[0].iov_len ? e.quoted : m->msg_iov[0].iov_len;
    memcpy(m->msg_iov[0].iov_base, e.quote, quoted);
    return (ssize_t)quoted;
}

/* --- waiting --- */

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
    int ready = 0;
    for (nfds_t i = 0; i < n; i++) {
        const struct vk_file *f = vk_file(p[i].fd);
        p[i].revents = f && vk_readable(f) ? POLLIN : 0;
        ready += p[i].revents != 0;
    }
    if (!ready && timeout > 0)
        vk_pass((sd_time)timeout * SD_MS);
    return ready;
}

int __wrap_epoll_create1(int flags)
{
    (void)flags;
    return vk_fails(VK_EPOLL) ? -1 : vk_new(VK_EPOLLED);
}

int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *ev)
{
    struct vk_file *e = vk_file(epoll);
    if (!e || !vk_file(fd))
        return fail_with(EBADF);
    struct epoll_event *slot = &e->watched[fd - VK_FD_FIRST];
    if (op == EPOLL_CTL_DEL) {
        slot->events = 0;
        return 0;
    }
    if (vk_fails(VK_EPOLL))
        return -1;
    fuzz_check(!slot->events, "a descriptor is watched twice");
    *slot = *ev;
    return 0;
}

static sd_time next_expiry(const struct vk_file *e)
{
    sd_time first = SD_NEVER;
    for (int i = 0; i < VK_FILES; i++)
        if (e->watched[i].events && vk.file[i].kind == VK_TIMER && vk.file[i].expires < first)
            first = vk.file[i].expires;
    return first;
}

/* Waiting takes no time, but moves the clock to where a timer or the timeout is. */
int __wrap_epoll_wait(int epoll, struct epoll_event *ev, int max, int timeout)
{
    const struct vk_file *e = vk_file(epoll);
    if (!e)
        return fail_with(EBADF);
    for (;;) {
        int n = 0;
        for (int i = 0; i < VK_FILES && n < max; i++)
            if (e->watched[i].events && vk_readable(&vk.file[i]))
                ev[n++] = e->watched[i];
        if (n || !timeout)
            return n;
        sd_time first = next_expiry(e), until = vk.now + (sd_time)timeout * SD_MS;
        fuzz_check(timeout > 0 || first != SD_NEVER, "it waits for ever");
        bool timer = timeout < 0 || first < until;
        vk.now = timer ? first : until;
        if (!timer)
            return 0;
    }
}

int __wrap_timerfd_create(int clock, int flags)
{
    (void)clock, (void)flags;
    return vk_fails(VK_EPOLL) ? -1 : vk_new(VK_TIMER);
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *old)
{
    struct vk_file *f = vk_file(fd);
    (void)flags, (void)old;
    if (!f)
        return fail_with(EBADF);
    sd_time when = (sd_time)to->it_value.tv_sec * SD_SEC + (sd_time)to->it_value.tv_nsec;
    f->expires = when ? when : SD_NEVER;
    return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime(clock, ts);
    *ts =
        (struct timespec){.tv_sec = (time_t)(vk.now / SD_SEC), .tv_nsec = (long)(vk.now % SD_SEC)};
    return 0;
}

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
    struct fuzz_rng r = {vk.random};
    (void)flags;
    fuzz_random_bytes(&r, to, len);
    vk.random = r.state;
    return (ssize_t)len;
}

/* --- numeric addresses only --- */

struct answer {
    struct addrinfo ai;
    struct sd_addr addr;
};

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    struct answer *a = calloc(1, sizeof *a);
    if (!a)
        return EAI_MEMORY;
    bool six = host ? strchr(host, ':') != NULL : hints->ai_family == AF_INET6;
    a->addr = sd_addr_any(six ? AF_INET6 : AF_INET, (uint16_t)strtoul(port, NULL, 10));
    void *to = six ? (void *)&a->addr.in6.sin6_addr : (void *)&a->addr.in.sin_addr;
    if (host && inet_pton(a->addr.sa.sa_family, host, to) != 1) {
        free(a);
        return EAI_NONAME;
    }
    a->ai.ai_family = a->addr.sa.sa_family;
    a->ai.ai_addr = &a->addr.sa;
    a->ai.ai_addrlen = sd_addr_len(&a->addr);
    *found = &a->ai;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *ai)
{
    free(ai);
}
