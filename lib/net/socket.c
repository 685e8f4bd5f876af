/* SPDX-License-Identifier: MIT */
#include "net/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "net/errqueue.h"

/* After the headers of libc. */
#include <linux/sock_diag.h>

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) ? -errno : 0;
}

static int get_int(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

/* As much as is allowed: FORCE needs CAP_NET_ADMIN, the other is cut to rmem_max. */
static void set_rcvbuf(int fd, int bytes)
{
    if (bytes > 0 && set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes))
        set_int(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

/* DF on every datagram: DTLS fragments for itself, and a fragment lost is a
 * datagram lost (RFC 9147 section 4.4). PROBE, not DO: the kernel believes any ICMP
 * error that names the two ports, and would refuse for 10 minutes what is larger. */
static int set_path_mtu(int fd, const struct sd_socket_options *o)
{
    if (o->family == AF_INET)
        return set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    /* For mapped IPv4 addresses; refused by a V6ONLY socket on some kernels. */
    set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    int rc = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    return rc ? rc : set_int(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

static int set_pktinfo(int fd, const struct sd_socket_options *o)
{
    if (!o->pktinfo)
        return 0;
    if (o->family == AF_INET)
        return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
    return set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

/* Reports datagrams that arrived in fragments. Not vital. */
static void set_fragment_size(int fd, int family)
{
    set_int(fd, IPPROTO_IP, IP_RECVFRAGSIZE, 1);
    if (family == AF_INET6)
        set_int(fd, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1);
}

static void set_traffic_class(int fd, const struct sd_socket_options *o)
{
    if (o->tos && o->family == AF_INET)
        set_int(fd, IPPROTO_IP, IP_TOS, o->tos);
    else if (o->tos)
        set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, o->tos);
}

int sd_socket_set(int fd, const struct sd_socket_options *o)
{
    /* Never SO_REUSEADDR: with it a process of another user can bind to the
     * port too and take the new peers (measured: 10 of 10). */
    int rc = o->reuseport ? set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) : 0;
    if (!rc)
        rc = set_pktinfo(fd, o);
    if (!rc)
        rc = set_path_mtu(fd, o);
    if (!rc && o->reports)
        rc = sd_errqueue_keep(fd, o->family, true);
    if (rc)
        return rc;
    set_rcvbuf(fd, o->rcvbuf);
    set_fragment_size(fd, o->family);
    set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (o->freebind && o->family == AF_INET)
        set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
    else if (o->freebind)
        set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    set_traffic_class(fd, o);
    return 0;
}

static int set_before_bind(int fd, const struct sd_socket_options *o)
{
    int rc = 0;
    if (o->family == AF_INET6)
        rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, !o->dual);
    if (!rc && o->interface[0] &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface,
                   (socklen_t)strlen(o->interface) + 1))
        rc = -errno;
    return rc;
}

int sd_socket_open(const struct sd_socket_options *o)
{
    int fd = socket(o->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0)
        return -errno;
    int rc = set_before_bind(fd, o);
    if (!rc)
        rc = sd_socket_set(fd, o);
    if (!rc)
        return fd;
    close(fd);
    return rc;
}

int sd_socket_bind(int fd, const struct sd_addr *a)
{
    return bind(fd, &a->sa, sd_addr_len(a)) ? -errno : 0;
}

int sd_socket_connect(int fd, const struct sd_addr *a)
{
    return connect(fd, &a->sa, sd_addr_len(a)) ? -errno : 0;
}

int sd_socket_local(int fd, struct sd_addr *a)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    if (getsockname(fd, (struct sockaddr *)&ss, &len))
        return -errno;
    return sd_addr_from(a, (struct sockaddr *)&ss, len) ? 0 : -EAFNOSUPPORT;
}

int sd_socket_remote(int fd, struct sd_addr *a)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    if (getpeername(fd, (struct sockaddr *)&ss, &len))
        return -errno;
    return sd_addr_from(a, (struct sockaddr *)&ss, len) ? 0 : -EAFNOSUPPORT;
}

int sd_socket_inspect(int fd, struct sd_socket_options *o, struct sd_addr *local)
{
    int type = 0;
    socklen_t len = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
        return -errno;
    if (type != SOCK_DGRAM || get_int(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_UDP)
        return -EPROTOTYPE;
    struct sd_addr remote;
    if (!sd_socket_remote(fd, &remote))
        return -EISCONN;
    int rc = sd_socket_local(fd, local);
    if (rc)
        return rc;
    if (!sd_addr_port(local))
        return -EINVAL;
    o->family = local->sa.sa_family;
    o->dual = o->family == AF_INET6 && !get_int(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    o->tos = o->family == AF_INET ? get_int(fd, IPPROTO_IP, IP_TOS)
                                  : get_int(fd, IPPROTO_IPV6, IPV6_TCLASS);
    len = sizeof o->interface;
    if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface, &len))
        o->interface[0] = '\0';
    return 0;
}

/* Room for one PKTINFO of either family. */
union send_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void put_cmsg(struct msghdr *m, int level, int type, const void *data, size_t len)
{
    m->msg_controllen = CMSG_SPACE(len);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
}

static void put_source(struct msghdr *m, const struct sd_addr *from)
{
    if (from->sa.sa_family == AF_INET) {
        struct in_pktinfo info = {.ipi_spec_dst = from->in.sin_addr};
        put_cmsg(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
        return;
    }
    struct in6_pktinfo info = {.ipi6_addr = from->in6.sin6_addr,
                               .ipi6_ifindex = from->in6.sin6_scope_id};
    put_cmsg(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

int sd_socket_send(int fd, const void *data, size_t len, const struct sd_addr *to,
                   const struct sd_addr *from)
{
    union send_control control;
    memset(&control, 0, sizeof control);
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct sd_addr name;
    if (to) {
        name = *to;
        m.msg_name = &name;
        m.msg_namelen = sd_addr_len(&name);
    }
    if (from && !sd_addr_is_any(from)) {
        m.msg_control = &control;
        put_source(&m, from);
    }
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

bool sd_socket_state(int fd, uint32_t *dropped, bool *empty)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) ||
        len < (SK_MEMINFO_DROPS + 1) * sizeof *info)
        return false;
    *dropped = info[SK_MEMINFO_DROPS];
    *empty = !info[SK_MEMINFO_RMEM_ALLOC];
    return true;
}

bool sd_socket_dropped(int fd, uint32_t *count)
{
    bool empty;
    return sd_socket_state(fd, count, &empty);
}

bool sd_socket_empty(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool sd_socket_waits(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

size_t sd_socket_headers(const struct sd_addr *to)
{
    enum { IPV4 = 20, IPV6 = 40, UDP = 8 };
    /* A mapped address travels as IPv4. */
    bool six = to->sa.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&to->in6.sin6_addr);
    return (six ? IPV6 : IPV4) + UDP;
}

size_t sd_socket_payload_to(int fd, const struct sd_addr *remote)
{
    bool six = remote->sa.sa_family == AF_INET6;
    int mtu = six ? get_int(fd, IPPROTO_IPV6, IPV6_MTU) : get_int(fd, IPPROTO_IP, IP_MTU);
    size_t headers = sd_socket_headers(remote);
    return mtu > (int)headers ? (size_t)mtu - headers : 0;
}

size_t sd_socket_route_payload(int fd)
{
    struct sd_addr remote;
    return sd_socket_remote(fd, &remote) ? 0 : sd_socket_payload_to(fd, &remote);
}
