/* SPDX-License-Identifier: MIT */
/* A socket's life: the wrapped calls that make, bind, connect, ask and close it. */
#include "kernel/vk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

WRAPPED(int, socket, int family, int type, int protocol);
WRAPPED(int, bind, int fd, const struct sockaddr *sa, socklen_t len);
WRAPPED(int, connect, int fd, const struct sockaddr *sa, socklen_t len);
WRAPPED(int, close, int fd);
WRAPPED(int, setsockopt, int fd, int level, int name, const void *value, socklen_t len);
WRAPPED(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len);
WRAPPED(int, getsockname, int fd, struct sockaddr *sa, socklen_t *len);
WRAPPED(int, getpeername, int fd, struct sockaddr *sa, socklen_t *len);
WRAPPED(int, fcntl, int fd, int op, ...);

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
    for (int i = 0; i < vk.top; i++) {
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
        return vk_fail_with(EBADF);
    if (vk_fails(VK_BIND))
        return -1;
    if (f->bound_at || !sd_addr_from(&a, sa, len))
        return vk_fail_with(EINVAL);
    if (!sd_addr_port(&a))
        sd_addr_set_port(&a, vk.next_port++);
    if (taken(f, &a))
        return vk_fail_with(EADDRINUSE);
    f->bound_at = ++vk.binds;
    f->local = a;
    return 0;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct vk_file *f = vk_file(fd);
    struct sd_addr a;
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_fails(VK_CONNECT))
        return -1;
    if (!sd_addr_from(&a, sa, len))
        return vk_fail_with(EAFNOSUPPORT);
    vk_autobind(f, a.sa.sa_family);
    f->connected = true;
    f->remote = a;
    return 0;
}

int __wrap_close(int fd)
{
    struct vk_file *f = vk_file(fd);
    if (!f)
        return fd >= VK_FD_FIRST ? vk_fail_with(EBADF) : __real_close(fd);
    vk_free(f);
    return 0;
}

int vk_adopted(const struct sd_addr *a, int tos)
{
    int fd = __wrap_socket(a->sa.sa_family, SOCK_DGRAM, 0);
    if (fd < 0)
        return -1;
    vk_file(fd)->tos = tos;
    if (!sd_addr_port(a) || !__wrap_bind(fd, &a->sa, sd_addr_len(a)))
        return fd;
    __wrap_close(fd);
    return -1;
}

void vk_close(int fd)
{
    if (fd >= 0)
        __wrap_close(fd);
}

/* --- options --- */

static void keep_errors(struct vk_file *f, bool on)
{
    f->keeps_errors = on;
    f->errors = on ? f->errors : 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct vk_file *f = vk_file(fd);
    int on = 0;
    if (!f)
        return vk_fail_with(EBADF);
    if (vk_fails(VK_OPTION))
        return -1;
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE && !strcmp(value, VK_NO_INTERFACE))
        return vk_fail_with(ENODEV);
    memcpy(&on, value, len < sizeof on ? len : sizeof on);
    if (level == SOL_SOCKET && name == SO_REUSEPORT)
        f->reuseport = on;
    else if ((level == IPPROTO_IP && name == IP_PKTINFO) ||
             (level == IPPROTO_IPV6 && name == IPV6_RECVPKTINFO))
        f->pktinfo = on;
    else if ((level == IPPROTO_IP && name == IP_RECVERR) ||
             (level == IPPROTO_IPV6 && name == IPV6_RECVERR))
        keep_errors(f, on);
    return 0;
}

static int option(const struct vk_file *f, int level, int name)
{
    if (level == SOL_SOCKET)
        return name == SO_TYPE ? SOCK_DGRAM : name == SO_PROTOCOL ? IPPROTO_UDP : 0;
    if ((level == IPPROTO_IP && name == IP_TOS) || (level == IPPROTO_IPV6 && name == IPV6_TCLASS))
        return f->tos;
    bool mtu =
        (level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU);
    return mtu ? 1500 : 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    if (!f)
        return vk_fail_with(EBADF);
    bool odd = vk_odd(VK_ASK);
    if (vk_fails(VK_ASK))
        return -1;
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
        *len = 0;
        return 0;
    }
    int v = odd ? 1 : option(f, level, name);
    *len = *len < sizeof v ? *len : sizeof v;
    memcpy(value, &v, *len);
    return 0;
}

/* --- names --- */

void vk_give_name(const struct sd_addr *a, struct sockaddr *sa, socklen_t *len)
{
    memcpy(sa, &a->sa, sd_addr_len(a));
    *len = sd_addr_len(a);
}

static int tell_name(const struct sd_addr *a, struct sockaddr *sa, socklen_t *len)
{
    if (vk_odd(VK_NAME)) /* a family, and less than it needs */
        *len = (socklen_t)sizeof sa->sa_family;
    else if (vk_fails(VK_NAME))
        return -1;
    else
        *len = sd_addr_len(a);
    memcpy(sa, &a->sa, *len);
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    return f ? tell_name(&f->local, sa, len) : vk_fail_with(EBADF);
}

int __wrap_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
    const struct vk_file *f = vk_file(fd);
    if (!f || !f->connected)
        return vk_fail_with(f ? ENOTCONN : EBADF);
    return tell_name(&f->remote, sa, len);
}

/* --- descriptors --- */

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
    if (vk_fails(VK_PROCESS))
        return -1;
    int copy = vk_new(VK_UDP);
    if (copy < 0)
        return -1;
    *vk_file(copy) = *f;
    vk_file(copy)->queued = 0; /* datagrams that are queued stay with the first socket */
    return copy;
}
