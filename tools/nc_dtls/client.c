/* SPDX-License-Identifier: MIT */
/* The client, and the probe (-z): a client that stops at the first answer. */
#include "nc_dtls/nc.h"

static void on_client_ready(struct nc *n, const sdtls_event *ev)
{
    nc_report_ready(n, ev);
    nc_peer_add(n, ev->conn);
}

static void on_client_closed(struct nc *n, const sdtls_event *ev)
{
    struct nc_peer *p = nc_peer_of(ev);
    nc_report_closed(n, ev, p != NULL);
    int status = tool_exit_of(ev->err, p != NULL);
    if (p)
        nc_peer_remove(n, p);
    nc_quit(n, status);
}

static void on_client_event(struct nc *n, const sdtls_event *ev)
{
    switch (ev->type) {
    case SDTLS_EV_READY:
        on_client_ready(n, ev);
        break;
    case SDTLS_EV_DATA:
        nc_peer_data(n, ev);
        break;
    case SDTLS_EV_WRITABLE:
        nc_peer_writable(n, ev);
        break;
    case SDTLS_EV_CLOSED:
        on_client_closed(n, ev);
        break;
    default:
        nc_report_other(n, ev);
    }
}

static void on_probe_event(struct nc *n, const sdtls_event *ev)
{
    if (ev->type != SDTLS_EV_CLOSED) {
        nc_report_other(n, ev);
        return;
    }
    nc_report_probe(n, ev);
    /* An alert (status 4) shows that a server is there, but not that it would serve us. */
    nc_quit(n, (int)tool_exit_of(ev->err, false));
}

int nc_client(struct nc *n)
{
    n->on_event = n->cfg.role == NC_PROBE ? on_probe_event : on_client_event;
    nc_report_connecting(n);
    /* Resolving a name blocks. Until it is done a signal ends the program without our help. */
    int rc = sdtls_connect(n->s, n->cfg.target.host, n->cfg.target.port, NULL);
    if (rc) {
        nc_report_error(n, rc);
        return tool_exit_of(rc, false);
    }
    if (!tool_signals_open(&n->signals)) {
        tool_error(&n->out, "cannot watch for signals: %m");
        return TOOL_EXIT_NETWORK;
    }
    nc_loop(n);
    return n->status;
}
