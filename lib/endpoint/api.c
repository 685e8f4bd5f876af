/* SPDX-License-Identifier: MIT */
/* The small functions of the public header. */
#include <string.h>

#include "endpoint/internal.h"

/* What the caller wants is possible between READY and CLOSED only. */
static int wrong_time(const struct sdtls_conn *c, const char *what)
{
    return sd_err_set(&c->ep->err, SDTLS_STATE, "%s: cannot %s: %s", c->remote_text, what,
                      c->state == SD_CONN_HANDSHAKE ? "the handshake is not complete"
                                                    : "the connection is closed");
}

/* The kernel has it, or the library keeps it until the kernel takes it. */
static int was_sent(struct sdtls_conn *c)
{
    sd_conn_touch(c, sd_endpoint_now(c->ep));
    c->told_again = false;
    c->retry_at = SD_NEVER;
    if (sd_session_unsent(c->session)) {
        sd_conn_blocked(c, c->active);
        sd_conn_wake(c); /* to set its timer */
        sd_endpoint_wake(c->ep);
    }
    return SDTLS_OK;
}

/* What became of a session's attempt to send. */
static int send_result(struct sdtls_conn *c, int rc, size_t len)
{
    if (rc == SDTLS_OK)
        return was_sent(c);
    if (rc == SDTLS_AGAIN) {
        c->told_again = true;
        return sd_err_set(&c->ep->err, rc, "%s: the socket takes no more datagrams now",
                          c->remote_text);
    }
    if (rc == SDTLS_IO)
        return sd_err_set(&c->ep->err, rc, "%s: this host refused a datagram: %s", c->remote_text,
                          strerror(sd_session_refused(c->session)));
    if (rc == SDTLS_TOOBIG)
        return sd_err_set(&c->ep->err, rc,
                          "%s: %zu bytes do not fit into one datagram; send at most %zu bytes",
                          c->remote_text, len, sd_session_max_payload(c->session));
    sd_conn_wake(c); /* a failed session reports through its events */
    sd_endpoint_wake(c->ep);
    return sd_err_set(&c->ep->err, rc, "%s: %s", c->remote_text,
                      sd_session_error(c->session)->text);
}

int sdtls_send(struct sdtls_conn *c, const void *data, size_t len)
{
    if (c->state != SD_CONN_ESTABLISHED)
        return wrong_time(c, "send");
    sd_conn_settle_asked(c);
    return send_result(c, sd_session_send(c->session, data, len), len);
}

int sdtls_send_padded(struct sdtls_conn *c, const void *data, size_t len, size_t size)
{
    if (c->state != SD_CONN_ESTABLISHED)
        return wrong_time(c, "send");
    sd_conn_settle_asked(c);
    int rc = sd_session_send_padded(c->session, data, len, size);
    if (rc == SDTLS_ARG)
        return sd_err_set(
            &c->ep->err, rc,
            "%s: cannot fill a datagram of exactly %zu bytes around %zu bytes of data",
            c->remote_text, size, len);
    if (rc == SDTLS_TOOBIG)
        return sd_err_set(&c->ep->err, rc, "%s: this host refuses to send a datagram of %zu bytes",
                          c->remote_text, size);
    return send_result(c, rc, len);
}

size_t sdtls_unsent(const struct sdtls_conn *c)
{
    return c->session ? sd_session_unsent(c->session) : 0;
}

int sdtls_pause(struct sdtls_conn *c)
{
    if (c->state != SD_CONN_ESTABLISHED)
        return wrong_time(c, "pause");
    sd_conn_settle_asked(c);
    c->paused = true;
    sd_conn_count_stored(c);
    sd_session_hold(c->session, true, sd_peer_batch(c->peer));
    sd_peer_hold(c->peer, true);
    return SDTLS_OK;
}

void sdtls_resume(struct sdtls_conn *c)
{
    if (!c->paused || c->state == SD_CONN_CLOSING)
        return;
    c->paused = false;
    sd_conn_touch(c, sd_endpoint_now(c->ep));
    sd_conn_count_stored(c);
    sd_session_hold(c->session, false, 0);
    sd_peer_hold(c->peer, false);
    sd_conn_wake(c);
    sd_endpoint_wake(c->ep);
}

void sdtls_close(struct sdtls_conn *c)
{
    if (c->state == SD_CONN_CLOSING)
        return;
    sd_session_shutdown(c->session);
    sd_conn_fail(c, SDTLS_OK, "this side closed the connection");
    sd_endpoint_wake(c->ep);
}

size_t sdtls_max_payload(const struct sdtls_conn *c)
{
    if (c->state != SD_CONN_ESTABLISHED)
        return 0;
    sd_conn_settle_asked(c);
    return sd_session_max_payload(c->session);
}

int sdtls_conn_fd(const struct sdtls_conn *c)
{
    sd_conn_settle_asked(c);
    return c->peer ? sd_peer_fd(c->peer) : -1;
}

/* With sockets there always is one, if only of zeros as long as the client has no socket. */
static const struct sockaddr *sockaddr_of(const struct sdtls *s, const struct sd_addr *a,
                                          socklen_t *len)
{
    bool known = !s->carried || a->sa.sa_family != AF_UNSPEC;
    if (len)
        *len = known ? sd_addr_len(a) : 0;
    return known ? &a->sa : NULL;
}

const struct sockaddr *sdtls_peer(const struct sdtls_conn *c, socklen_t *len)
{
    return sockaddr_of(c->ep, &c->remote, len);
}

const struct sockaddr *sdtls_conn_local(const struct sdtls_conn *c, socklen_t *len)
{
    return sockaddr_of(c->ep, &c->local, len);
}

const struct sockaddr *sdtls_local(const struct sdtls *s, unsigned index, socklen_t *len)
{
    for (unsigned i = 0; s->demux && i < sd_demux_listeners(s->demux); i++) {
        const struct sd_addr *a = sd_demux_local(s->demux, i);
        if (a && !index--)
            return sockaddr_of(s, a, len);
    }
    return NULL;
}

const char *sdtls_peer_text(const struct sdtls_conn *c)
{
    return c->remote_text;
}

void *sdtls_native(const struct sdtls_conn *c)
{
    return c->session ? sd_session_native(c->session) : NULL;
}

void sdtls_set_user(struct sdtls_conn *c, void *user)
{
    c->user = user;
}

void *sdtls_user(const struct sdtls_conn *c)
{
    return c->leader ? c->leader->user : c->user;
}

struct sdtls *sdtls_conn_endpoint(const struct sdtls_conn *c)
{
    return c->ep;
}

void sdtls_conn_info(const struct sdtls_conn *c, sdtls_info *info)
{
    memset(info, 0, sizeof *info);
    if (c->session) {
        sd_session_info(c->session, info);
        info->retransmits = sd_session_retransmits(c->session);
    }
    info->server = c->server;
    info->handshake_us = c->handshake_us;
}

int sdtls_export(const struct sdtls_conn *c, const char *label, void *out, size_t len)
{
    if (c->state != SD_CONN_ESTABLISHED)
        return wrong_time(c, "export keying material");
    int rc = sd_session_export(c->session, label, out, len);
    return rc ? sd_err_set(&c->ep->err, rc,
                           "%s: OpenSSL exports no keying material for the label \"%s\"",
                           c->remote_text, label)
              : SDTLS_OK;
}

const char *sdtls_fingerprint(struct sdtls *s)
{
    for (int role = SD_ROLE_SERVER; role >= SD_ROLE_CLIENT; role--)
        if (s->tls[role] && sd_tls_fingerprint(s->tls[role]))
            return sd_tls_fingerprint(s->tls[role]);
    return NULL;
}

const char *sdtls_errmsg(const struct sdtls *s)
{
    return s->err.text;
}

const char *sdtls_version(void)
{
    return SDTLS_VERSION;
}

const char *sdtls_tls_library(void)
{
    return sd_tls_library();
}
