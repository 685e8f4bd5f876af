/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/internal.h"

enum { DEFAULT_RCVBUF = 4 << 20 };

static struct sd_socket_options listener_options(const struct sd_demux *d, int family)
{
    struct sd_socket_options o = {
        .family = family,
        .rcvbuf = d->config.rcvbuf ? d->config.rcvbuf : DEFAULT_RCVBUF,
        .pktinfo = true,
    };
    memcpy(o.interface, d->interface, sizeof o.interface);
    return o;
}

static bool same_service(const struct sd_addr *bound, const struct sd_addr *local)
{
    if (bound->sa.sa_family != local->sa.sa_family || sd_addr_port(bound) != sd_addr_port(local))
        return false;
    return sd_addr_is_any(bound) || sd_addr_eq(bound, local);
}

struct sd_source *sd_listener_for(const struct sd_demux *d, unsigned i, const struct sd_addr *local)
{
    if (d->listeners[i].source)
        return d->listeners[i].source;
    for (i = 0; i < d->listener_count; i++)
        if (d->listeners[i].source && same_service(&d->listeners[i].local, local))
            return d->listeners[i].source;
    return NULL;
}

static int add_listener(struct sd_demux *d, int fd, const struct sd_socket_options *o)
{
    return d->group ? sd_group_share(d, fd, o) : sd_listener_add(d, fd, o);
}

/* What a bound listener gets. An address may be routed to this machine without
 * any interface having it: then replying from it, and binding a peer's socket
 * to it, needs FREEBIND. Not before the listener's own bind(), or that would
 * accept every mistyped address. */
static int finish_listener(int fd, struct sd_socket_options *o)
{
    o->reuseport = true;
    o->freebind = true;
    return sd_socket_set(fd, o);
}

int sd_demux_listen(struct sd_demux *d, const struct sd_addr *local)
{
    struct sd_socket_options o = listener_options(d, local->sa.sa_family);
    /* With SO_REUSEPORT bind() accepts, and for port 0 the kernel may choose, a
     * port that another server of this user has; set afterwards it works as
     * well for our peers' sockets. */
    o.reuseport = d->config.take_over && sd_addr_port(local);
    int fd = sd_socket_open(&o);
    if (fd < 0)
        return fd;
    int rc = sd_socket_bind(fd, local);
    if (!rc)
        rc = finish_listener(fd, &o);
    if (!rc)
        return add_listener(d, fd, &o);
    close(fd);
    return rc;
}

int sd_demux_adopt(struct sd_demux *d, int fd)
{
    struct sd_socket_options o = listener_options(d, AF_UNSPEC);
    struct sd_addr local;
    int rc = sd_socket_inspect(fd, &o, &local);
    if (!rc)
        rc = finish_listener(fd, &o);
    if (rc)
        return rc;
    /* A copy, so that the caller keeps the fd when something fails. */
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return -errno;
    fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
    rc = add_listener(d, own, &o);
    if (!rc)
        close(fd);
    return rc;
}

const struct sd_addr *sd_demux_local(const struct sd_demux *d, unsigned i)
{
    const struct sd_source *s = i < d->listener_count ? d->listeners[i].source : NULL;
    return s && !s->dying ? &d->listeners[i].local : NULL;
}

unsigned sd_demux_listeners(const struct sd_demux *d)
{
    return d->listener_count;
}

void sd_demux_retire(struct sd_demux *d, unsigned listener)
{
    struct sd_source *s = listener < d->listener_count ? d->listeners[listener].source : NULL;
    if (s && !s->dying && d->group)
        sd_group_retire(d, listener);
    else if (s && !s->dying)
        sd_source_bury(d, s);
}
