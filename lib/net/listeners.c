/* SPDX-License-Identifier: MIT */
/* The list of listeners, whoever opened their sockets. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/internal.h"

/* Once a family: what a kernel or a sandbox does is found out, not looked up. */
static void probe_once(struct sd_demux *d, int family)
{
    int i = family == AF_INET6;
    if (d->probed[i] || !d->config.max_connected)
        return;
    d->probed[i] = true;
    d->shared_only[i] = !sd_probe_connected(family);
}

int sd_listener_add(struct sd_demux *d, int fd, const struct sd_socket_options *o)
{
    struct sd_listener l = {.options = *o};
    int rc = fd < 0 ? 0 : sd_socket_local(fd, &l.local);
    struct sd_listener *list =
        rc ? NULL : realloc(d->listeners, (d->listener_count + 1) * sizeof *list);
    if (!list) {
        if (fd >= 0)
            close(fd);
        return rc ? rc : -ENOMEM;
    }
    d->listeners = list;
    l.source = fd < 0 ? NULL : sd_source_add(d, SD_LISTENER, fd);
    if (fd >= 0 && !l.source)
        return -ENOMEM;
    if (l.source) {
        l.source->local = l.local;
        l.source->listener = d->listener_count;
    }
    d->drain = d->drain == d->listener_count ? d->drain + 1 : d->drain;
    d->listeners[d->listener_count++] = l;
    probe_once(d, o->family);
    return 0;
}
