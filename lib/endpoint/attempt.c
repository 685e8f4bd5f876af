/* SPDX-License-Identifier: MIT */
/* A client's attempt to connect to one address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/internal.h"
#include "endpoint/resolve.h"

/* The local address that the user asked for, in the family of `to`; *from stays NULL
 * without such a wish. */
static int source_for(struct sdtls *s, const struct sd_addr *to, struct sd_addr *source,
                      const struct sd_addr **from, struct sd_err *err)
{
    if (!s->cfg.source && !s->cfg.source_port)
        return SDTLS_OK;
    *from = source;
    *source = sd_addr_any(to->sa.sa_family, s->cfg.source_port);
    if (!s->cfg.source)
        return SDTLS_OK;
    struct sd_addr *list;
    int n = sd_resolve(&list, s->cfg.source, "0", to->sa.sa_family, true, err);
    if (n <= 0)
        return n;
    *source = list[0];
    sd_addr_set_port(source, s->cfg.source_port);
    free(list);
    return SDTLS_OK;
}

static int connect_error(const struct sdtls *s, const struct sd_addr *to,
                         const struct sd_addr *from, int error, struct sd_err *err)
{
    char a[SD_ADDR_TEXT], b[SD_ADDR_TEXT], reason[SD_ENDPOINT_TEXT];
    const char *why = sd_endpoint_error_text(s, error, reason);
    if (!from)
        return sd_err_set(err, SDTLS_IO, "cannot reach %s: %s", sd_addr_text(to, a), why);
    return sd_err_set(err, SDTLS_IO, "cannot reach %s from %s: %s", sd_addr_text(to, a),
                      sd_addr_text(from, b), why);
}

static int attempt_path(struct sdtls_conn *c, struct sd_peer **peer, struct sd_err *err)
{
    char text[SD_ADDR_TEXT];
    const struct sd_path *path = &c->race->path;
    int rc = sd_demux_connect_path(c->ep->demux, path, c, peer);
    if (rc == -EADDRINUSE)
        return sd_err_set(err, SDTLS_STATE, "%s: the path has a connection",
                          sd_addr_text(&path->remote, text));
    return rc ? sd_err_set(err, SDTLS_NOMEM, "out of memory") : SDTLS_OK;
}

static int attempt_socket(struct sdtls_conn *c, const struct sd_addr *to, struct sd_peer **peer,
                          struct sd_err *err)
{
    struct sdtls *s = c->ep;
    struct sd_addr source;
    const struct sd_addr *from = NULL;
    int rc = source_for(s, to, &source, &from, err);
    if (rc)
        return rc;
    rc = sd_demux_connect(s->demux, to, from, c, peer);
    return rc ? connect_error(s, to, from, -rc, err) : SDTLS_OK;
}

int sd_connect_try(struct sdtls_conn *c, const struct sd_addr *to, sd_time now, struct sd_err *err)
{
    struct sd_peer *peer;
    int rc = c->ep->carried ? attempt_path(c, &peer, err) : attempt_socket(c, to, &peer, err);
    if (rc)
        return rc;
    sd_conn_set_peer(c, peer);
    rc = sd_conn_session(c, err);
    if (rc)
        return rc;
    rc = sd_session_connect(c->session, now);
    if (rc)
        *err = *sd_session_error(c->session);
    return rc;
}

void sd_connect_drop(struct sdtls_conn *c)
{
    sd_session_free(c->session);
    c->session = NULL;
    if (c->peer)
        sd_demux_close(c->ep->demux, c->peer);
    c->peer = NULL;
    c->retry_at = SD_NEVER;
    c->replies = (struct sd_replies){0};
}
