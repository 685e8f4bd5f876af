/* SPDX-License-Identifier: MIT */
/* The server: stdin to every established client, or --echo, or --exec. */
#include "nc_dtls/nc.h"

static int open_server(struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    int adopted = nc_adopt_activated(n);
    if (adopted)
        return adopted < 0 ? adopted : 0;
    if (c->fd != UINT32_MAX)
        return sdtls_adopt(n->s, (int)c->fd);
    return sdtls_listen(n->s, c->target.host, c->target.port);
}

static void on_server_ready(struct nc *n, const sdtls_event *ev)
{
    if (n->cfg.once && !TAILQ_EMPTY(&n->peers)) {
        tool_say(&n->out, 1, "Closing client %s: --once serves one client only",
                 sdtls_peer_text(ev->conn));
        sdtls_close(ev->conn);
        return;
    }
    nc_report_ready(n, ev);
    nc_peer_add(n, ev->conn);
}

static void on_server_closed(struct nc *n, const sdtls_event *ev)
{
    struct nc_peer *p = nc_peer_of(ev);
    nc_report_closed(n, ev, p != NULL);
    if (!p)
        return;
    nc_peer_remove(n, p);
    if (n->cfg.once)
        nc_quit(n, tool_exit_of(ev->err, true));
}

static void on_server_event(struct nc *n, const sdtls_event *ev)
{
    switch (ev->type) {
    case SDTLS_EV_READY:
        on_server_ready(n, ev);
        break;
    case SDTLS_EV_DATA:
        nc_peer_data(n, ev);
        break;
    case SDTLS_EV_WRITABLE:
        nc_peer_writable(n, ev);
        break;
    case SDTLS_EV_CLOSED:
        on_server_closed(n, ev);
        break;
    default:
        nc_report_other(n, ev);
    }
}

int nc_server(struct nc *n)
{
    n->on_event = on_server_event;
    int rc = open_server(n);
    if (rc) {
        nc_report_error(n, rc);
        return tool_exit_of(rc, false);
    }
    if (!tool_signals_open(&n->signals)) {
        tool_error(&n->out, "cannot watch for signals: %m");
        return TOOL_EXIT_NETWORK;
    }
    nc_report_listening(n);
    if (!nc_team_start(n))
        return TOOL_EXIT_NETWORK;
    nc_loop(n);
    return n->status;
}
