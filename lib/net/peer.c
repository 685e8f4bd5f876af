/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"

void sd_peer_add(struct sd_demux *d, struct sd_peer *p)
{
    sd_table_add(&d->peers, &p->node, sd_peer_hash(d, &p->remote, &p->local));
    if (d->group)
        sd_group_count_peers(d);
}

static void test_window(const struct sd_demux *d, const struct sd_addr *bound)
{
    if (d->config.test_between_bind_and_connect)
        d->config.test_between_bind_and_connect(d->config.test_arg, bound);
}

/* bind() and connect() back to back: in between the socket gets whatever comes
 * to the port from nobody's peer. Everything slow is done before or after. */
static int connect_own(struct sd_demux *d, struct sd_peer *p, struct sd_source *s)
{
    int rc = sd_socket_bind(s->fd, &p->local);
    if (rc) {
        sd_source_close(d, s);
        return rc;
    }
    test_window(d, &p->local);
    rc = sd_socket_connect(s->fd, &p->remote);
    if (rc) /* with its neighbours' datagrams in the queue */
        sd_source_bury(d, s);
    return rc;
}

static void note_share(struct sd_demux *d, struct sd_source *s, int rcvbuf)
{
    s->rcvbuf = rcvbuf;
    __atomic_add_fetch(&d->sums->rcvbuf_given, rcvbuf, __ATOMIC_RELAXED);
}

static int open_own(struct sd_demux *d, struct sd_peer *p)
{
    struct sd_socket_options o = d->listeners[p->listener].options;
    o.pktinfo = false;
    o.reports = true;
    o.rcvbuf = sd_rcvbuf_share(d);
    int fd = sd_socket_open(&o);
    if (fd < 0)
        return fd;
    struct sd_source *s = sd_source_add(d, SD_PEER, fd);
    if (!s)
        return -ENOMEM;
    s->listener = p->listener;
    s->local = p->local;
    note_share(d, s, o.rcvbuf);
    int rc = connect_own(d, p, s);
    if (rc)
        return rc;
    s->peer = p;
    p->own = s;
    return 0;
}

static void return_own_place(struct sd_demux *d)
{
    __atomic_sub_fetch(&d->sums->connected, 1, __ATOMIC_RELAXED);
}

/* The place is taken before the socket is opened: another thread may want the last one as well. */
static bool take_own_place(struct sd_demux *d)
{
    size_t connected = __atomic_add_fetch(&d->sums->connected, 1, __ATOMIC_RELAXED);
    if (connected <= d->config.max_connected)
        return true;
    return_own_place(d);
    return false;
}

static void try_own_socket(struct sd_demux *d, struct sd_peer *p)
{
    bool may = !d->shared_only[p->local.sa.sa_family == AF_INET6] && take_own_place(d);
    if (may && open_own(d, p)) {
        d->counters[SD_NET_SOCKET_FAILED]++;
        return_own_place(d);
    }
    d->counters[p->own ? SD_NET_CONNECTED : SD_NET_SHARED]++;
}

void sd_peer_open(struct sd_peer *p)
{
    struct sd_demux *d = p->demux;
    if (p->settled)
        return;
    p->settled = true;
    try_own_socket(d, p);
    /* What the peer sent before its socket was connected is on a listener:
     * read that first, so that its datagrams keep their order. */
    if (p->own)
        d->drain = 0;
}

/* What a listener drops may be the answer of a client in its handshake. */
static bool is_lossy(const struct sd_demux *d, unsigned listener)
{
    const struct sd_source *s = d->config.output ? NULL : d->listeners[listener].source;
    return s && s->lossy_until && sd_clock_now() < s->lossy_until;
}

bool sd_demux_lossy(const struct sd_demux *d)
{
    for (unsigned i = 0; i < d->listener_count; i++)
        if (is_lossy(d, i))
            return true;
    return false;
}

struct sd_peer *sd_demux_admit(struct sd_demux *d, const struct sd_received *from, void *user)
{
    struct sd_peer *p = sd_peer_find(d, &from->peer, &from->local);
    if (p)
        return p;
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct sd_peer){.demux = d,
                          .listener = from->listener,
                          .remote = from->peer,
                          .local = from->local,
                          .payload = from->payload,
                          .user = user};
    sd_peer_add(d, p);
    /* Others of a group open sockets at the same time, and what such a new socket catches of this
     * peer's would come out of order: it must not be data. */
    if (d->group || is_lossy(d, p->listener))
        sd_peer_open(p);
    return p;
}

struct sd_peer *sd_demux_accept(struct sd_demux *d, const struct sd_received *from, void *user)
{
    struct sd_peer *p = sd_demux_admit(d, from, user);
    if (p)
        sd_peer_open(p);
    return p;
}

static int connect_client(struct sd_demux *d, int fd, const struct sd_addr *remote,
                          const struct sd_addr *source, struct sd_peer *p)
{
    int rc = source ? sd_socket_bind(fd, source) : 0;
    if (!rc && source && !sd_socket_local(fd, &p->local))
        test_window(d, &p->local);
    if (!rc)
        rc = sd_socket_connect(fd, remote);
    if (!rc)
        rc = sd_socket_local(fd, &p->local);
    /* Connecting to 0.0.0.0 is connecting to 127.0.0.1, and IPv6 knows more such cases. */
    p->remote = *remote;
    if (!rc && (remote->sa.sa_family != AF_INET || sd_addr_is_any(remote)))
        rc = sd_socket_remote(fd, &p->remote);
    if (rc) {
        close(fd);
        return rc;
    }
    p->own = sd_source_add(d, SD_CLIENT, fd);
    return p->own ? 0 : -ENOMEM;
}

int sd_demux_connect(struct sd_demux *d, const struct sd_addr *remote, const struct sd_addr *source,
                     void *user, struct sd_peer **pp)
{
    struct sd_socket_options o = {.family = remote->sa.sa_family,
                                  .rcvbuf = sd_rcvbuf_share(d),
                                  .reports = true,
                                  .dual = remote->sa.sa_family == AF_INET6};
    for (size_t i = 0; i < sizeof o.interface; i++)
        o.interface[i] = d->interface[i];
    struct sd_peer *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    int fd = sd_socket_open(&o);
    int rc = fd < 0 ? fd : connect_client(d, fd, remote, source, p);
    if (rc) {
        free(p);
        return rc;
    }
    p->demux = d;
    p->user = user;
    p->settled = true;
    p->own->peer = p;
    p->own->local = p->local;
    note_share(d, p->own, o.rcvbuf);
    d->counters[SD_NET_CONNECTED]++;
    *pp = p;
    return 0;
}

void sd_demux_close(struct sd_demux *d, struct sd_peer *peer)
{
    bool client = peer->own && peer->own->kind == SD_CLIENT;
    if (!client)
        sd_table_remove(&d->peers, &peer->node);
    if (!client && d->group) {
        sd_group_disclaim(d, peer->node.hash);
        sd_group_count_peers(d);
    }
    if (peer->own && !client)
        return_own_place(d);
    sd_demux_forget(d, peer);
    if (peer->own)
        sd_source_bury(d, peer->own);
    free(peer);
}

/* This host itself refuses so many bytes. */
static bool is_too_big(const struct sd_peer *p, size_t len)
{
    size_t fits = sd_peer_route_payload(p);
    return !fits || len > fits;
}

/* A send on a connected socket fails with the ICMP error that an earlier one
 * provoked, and sends nothing. That error is in the queue, for sd_demux_next().
 * EMSGSIZE is most often this host's own, and then each try adds a report; in a storm of forged
 * ones several tries can meet it. */
static int send_connected(struct sd_peer *p, const void *data, size_t len)
{
    enum { TRIES_TOO_BIG = 2 };
    int rc = -EAGAIN;
    for (int i = 0; i < SD_TRIES; i++) {
        rc = sd_socket_send(p->own->fd, data, len, NULL, NULL);
        bool certain =
            rc == -EMSGSIZE && !p->own->deaf && i + 1 == TRIES_TOO_BIG && is_too_big(p, len);
        if (!rc || rc == -EAGAIN || rc == -ENOBUFS || certain)
            break;
    }
    return rc;
}

static int count_sent(struct sd_demux *d, int rc)
{
    bool full = rc == -EAGAIN || rc == -ENOBUFS;
    d->counters[full ? SD_NET_SEND_FULL : rc ? SD_NET_SEND_FAILED : SD_NET_SENT]++;
    return rc;
}

static int send_shared(const struct sd_demux *d, unsigned listener, const struct sd_addr *to,
                       const struct sd_addr *from, struct sd_span data)
{
    if (d->config.output)
        return d->config.output(d->config.output_arg, to, from, data.p, data.len);
    const struct sd_source *s = sd_listener_for(d, listener, from);
    return s ? sd_socket_send(s->fd, data.p, data.len, to, from) : -ENOTCONN;
}

int sd_demux_reply(struct sd_demux *d, const struct sd_received *to, const void *data, size_t len)
{
    const struct sd_span bytes = {data, len};
    return count_sent(d, send_shared(d, to->listener, &to->peer, &to->local, bytes));
}

int sd_peer_send(struct sd_peer *p, const void *data, size_t len)
{
    struct sd_demux *d = p->demux;
    if (p->own)
        return count_sent(d, send_connected(p, data, len));
    const struct sd_span bytes = {data, len};
    return count_sent(d, send_shared(d, p->listener, &p->remote, &p->local, bytes));
}

void sd_peer_hold(struct sd_peer *p, bool hold)
{
    if (p->own)
        sd_source_hold(p->demux, p->own, hold);
}

size_t sd_peer_batch(const struct sd_peer *p)
{
    return p->demux->origin.peer == p ? sd_batch_left(&p->demux->batch) : 0;
}

void sd_peer_count_drops(struct sd_peer *p)
{
    if (p->own)
        sd_source_count_drops(p->demux, p->own);
}

bool sd_peer_waits(const struct sd_peer *p)
{
    const struct sd_source *s = p->own;
    if (p->demux->config.output)
        return false;
    if (!s)
        s = sd_listener_for(p->demux, p->listener, &p->local);
    return s && !s->held && (sd_demux_pending(p->demux) || sd_socket_waits(s->fd));
}

int sd_peer_fd(const struct sd_peer *p)
{
    return p->own ? p->own->fd : -1;
}

const struct sd_addr *sd_peer_remote(const struct sd_peer *p)
{
    return &p->remote;
}

const struct sd_addr *sd_peer_local(const struct sd_peer *p)
{
    return &p->local;
}

void *sd_peer_user(const struct sd_peer *p)
{
    return p->user;
}

void sd_peer_set_user(struct sd_peer *p, void *user)
{
    p->user = user;
}

/* The route is known to connected sockets only: one is made to ask. It gets a
 * port of its own, so no datagram can come to it, and no options. */
static size_t ask_route(const struct sd_peer *p)
{
    int fd = socket(p->remote.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0)
        return 0;
    size_t payload = sd_socket_connect(fd, &p->remote) ? 0 : sd_socket_payload_to(fd, &p->remote);
    close(fd);
    return payload;
}

bool sd_peer_ipv6(const struct sd_peer *p)
{
    const struct sd_addr four = {.sa.sa_family = AF_INET};
    return sd_socket_headers(&p->remote) > sd_socket_headers(&four);
}

size_t sd_peer_route_payload(const struct sd_peer *p)
{
    if (p->demux->config.output)
        return p->payload;
    return p->own ? sd_socket_payload_to(p->own->fd, &p->remote) : ask_route(p);
}
