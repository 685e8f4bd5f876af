/* SPDX-License-Identifier: MIT */
/* Where the endpoint listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"
#include "endpoint/resolve.h"

enum { SAME_PORT_TRIES = 16 };

static int listen_error(struct sdtls *s, const struct sd_addr *at, int error)
{
    char text[SD_ADDR_TEXT], reason[SD_ENDPOINT_TEXT];
    const char *advice = error == EADDRINUSE      ? " (another program uses this port)"
                         : error == EACCES        ? " (ports below 1024 need root)"
                         : error == EADDRNOTAVAIL ? " (no interface of this host has this address)"
                                                  : "";
    return sd_err_set(&s->err, SDTLS_IO, "cannot listen on %s: %s%s", sd_addr_text(at, text),
                      sd_endpoint_error_text(s, error, reason), advice);
}

/* Port 0 and no host: both families shall listen on the same port. The kernel picks it for the
 * first; it may be in use in the second. */
static int listen_everywhere_on_any_port(struct sdtls *s)
{
    struct sd_addr six = sd_addr_any(AF_INET6, 0), four = sd_addr_any(AF_INET, 0);
    int rc = -EADDRINUSE;
    for (int i = 0; i < SAME_PORT_TRIES && rc == -EADDRINUSE; i++) {
        sd_addr_set_port(&six, 0);
        unsigned index = sd_demux_listeners(s->demux);
        rc = sd_demux_listen(s->demux, &six);
        if (rc) { /* no IPv6 here */
            rc = sd_demux_listen(s->demux, &four);
            break;
        }
        sd_addr_set_port(&four, sd_addr_port(sd_demux_local(s->demux, index)));
        rc = sd_demux_listen(s->demux, &four);
        if (rc == -EADDRINUSE)
            sd_demux_retire(s->demux, index);
    }
    return rc ? listen_error(s, &four, -rc) : SDTLS_OK;
}

static bool family_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

/* All addresses; one family that the system lacks is no failure as long as
 * another one listens. */
static int listen_all(struct sdtls *s, const struct sd_addr *list, size_t n)
{
    size_t up = 0;
    int rc = SDTLS_OK;
    for (size_t i = 0; i < n; i++) {
        int e = sd_demux_listen(s->demux, &list[i]);
        up += !e;
        if (e && (!family_missing(-e) || (i + 1 == n && !up)))
            return listen_error(s, &list[i], -e);
        if (e)
            rc = listen_error(s, &list[i], -e);
    }
    return up ? SDTLS_OK : rc;
}

static int server_ready(struct sdtls *s)
{
    int rc = sd_endpoint_need_sockets(s);
    if (!rc)
        rc = sd_endpoint_tls(s, SD_ROLE_SERVER);
    return rc ? rc : sd_endpoint_open(s);
}

int sdtls_listen(struct sdtls *s, const char *host, const char *port)
{
    int rc = server_ready(s);
    if (rc)
        return rc;
    if (!port)
        port = "0";
    if (!host && !s->cfg.family && !strcmp(port, "0"))
        return listen_everywhere_on_any_port(s);
    struct sd_addr *list;
    int n = sd_resolve(&list, host, port, s->cfg.family, true, &s->err);
    if (n <= 0)
        return n;
    rc = listen_all(s, list, (size_t)n);
    free(list);
    return rc;
}

static int adopt_error(struct sdtls *s, int fd, int error)
{
    bool wrong_kind =
        error == EPROTOTYPE || error == EISCONN || error == EINVAL || error == ENOTSOCK;
    return sd_err_set(
        &s->err, SDTLS_IO, "cannot use fd %d as a listener: %s%s", fd, strerror(error),
        wrong_kind ? " (it must be a UDP socket that is bound and not connected)" : "");
}

int sdtls_adopt(struct sdtls *s, int fd)
{
    int rc = server_ready(s);
    if (rc)
        return rc;
    rc = sd_demux_adopt(s->demux, fd);
    return rc ? adopt_error(s, fd, -rc) : SDTLS_OK;
}
