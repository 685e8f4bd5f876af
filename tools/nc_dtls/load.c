/* SPDX-License-Identifier: MIT */
/* --clients: many connections from one process, and a summary. All stay open until the last one has
 * connected or failed, so that N means N at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* At most BURST connections begin in one turn of the loop: answers are read between the turns. */
enum { BURST = 32, ERRORS = 128 };
enum { PROGRESS_EVERY_MS = 100 };

struct nc_load_conn {
    unsigned number, sent, received;
    bool ready;
    sdtls_conn *conn;
    TAILQ_ENTRY(nc_load_conn) next;
};

struct nc_load {
    uint32_t *us; /* handshake times of those that connected */
    unsigned started, connected, failed, lost;
    unsigned sent, received;
    unsigned failed_by[ERRORS]; /* by -enum sdtls_err */
    int status;                 /* of the first failure */
    uint64_t begun, shown;
    bool sending;
    TAILQ_HEAD(, nc_load_conn) conns;
};

void nc_load_free(struct nc_load *l)
{
    if (!l)
        return;
    struct nc_load_conn *c;
    while ((c = TAILQ_FIRST(&l->conns))) {
        TAILQ_REMOVE(&l->conns, c, next);
        free(c);
    }
    free(l->us);
    free(l);
}

static void count_failed_client(struct nc_load *l, int err)
{
    unsigned i = (unsigned)-err;
    l->failed++;
    l->failed_by[i < ERRORS ? i : 0]++;
    if (!l->status)
        l->status = tool_exit_of(err, false);
}

/* False when further attempts make no sense. */
static bool begin_client(struct nc *n)
{
    struct nc_load *l = n->load;
    sdtls_conn *conn;
    struct nc_load_conn *c = calloc(1, sizeof *c);
    int rc = c ? sdtls_connect(n->s, n->cfg.target.host, n->cfg.target.port, &conn) : SDTLS_NOMEM;
    l->started++;
    if (rc) {
        free(c);
        if (!l->status)
            nc_report_error(n, rc);
        count_failed_client(l, rc);
        return rc == SDTLS_IO;
    }
    c->number = l->started;
    c->conn = conn;
    sdtls_set_user(conn, c);
    TAILQ_INSERT_TAIL(&l->conns, c, next);
    return true;
}

/* How many should have begun by now. */
static unsigned clients_due(const struct nc *n, uint64_t now)
{
    if (!n->cfg.rate)
        return n->cfg.clients;
    uint64_t so_far = (now - n->load->begun) * n->cfg.rate / TOOL_MS_PER_SEC + 1;
    return so_far < n->cfg.clients ? (unsigned)so_far : n->cfg.clients;
}

static void begin_due_clients(struct nc *n, uint64_t now)
{
    struct nc_load *l = n->load;
    unsigned target = clients_due(n, now);
    for (int i = 0; i < BURST && l->started < target; i++)
        if (!begin_client(n)) {
            l->failed += n->cfg.clients - l->started;
            l->started = n->cfg.clients;
        }
    if (l->started < target)
        nc_wake_at(n, now);
    else if (l->started < n->cfg.clients)
        nc_wake_at(n, l->begun + (uint64_t)l->started * TOOL_MS_PER_SEC / n->cfg.rate + 1);
}

/* All of them, or those that the socket takes. */
static void send_messages(struct nc *n, struct nc_load_conn *c)
{
    char text[64];
    size_t done;
    int len = snprintf(text, sizeof text, "hello from client %u\n", c->number);
    for (; c->sent < n->cfg.count; c->sent++) {
        int rc = nc_send_piece(n, c->conn, text, (size_t)len, &done);
        if (rc == SDTLS_AGAIN)
            return;
        n->load->sent += !rc;
    }
}

static void show_load_progress(const struct nc *n, uint64_t now, bool last)
{
    struct nc_load *l = n->load;
    char text[128];
    if (n->out.quiet || n->out.json || n->out.verbose || !isatty(STDERR_FILENO))
        return;
    if (!last && now < l->shown + PROGRESS_EVERY_MS)
        return;
    l->shown = now;
    snprintf(text, sizeof text, "\rconnected %u of %u clients, failed %u%s", l->connected,
             n->cfg.clients, l->failed, last ? "\n" : "");
    tool_progress(&n->out, text);
}

/* All have connected or failed: send, and give the replies their time. */
static void send_all_messages(struct nc *n)
{
    struct nc_load_conn *c;
    n->load->sending = true;
    TAILQ_FOREACH(c, &n->load->conns, next)
    {
        if (c->ready)
            send_messages(n, c);
    }
    nc_quit_after_replies(n);
}

static bool all_messages_sent(const struct nc *n)
{
    const struct nc_load_conn *c;
    TAILQ_FOREACH(c, &n->load->conns, next)
    {
        if (c->ready && c->sent < n->cfg.count)
            return false;
    }
    return true;
}

static void on_load_writable(struct nc *n, struct nc_load_conn *c)
{
    send_messages(n, c);
    nc_quit_after_replies(n); /* their time begins again */
}

static void on_load_tick(struct nc *n, uint64_t now)
{
    struct nc_load *l = n->load;
    begin_due_clients(n, now);
    bool settled = l->connected + l->failed >= n->cfg.clients;
    if (!l->sending)
        show_load_progress(n, now, settled);
    if (settled && !l->sending)
        send_all_messages(n);
    if (l->sending && l->received >= l->sent && all_messages_sent(n))
        nc_quit(n, TOOL_EXIT_OK); /* every message has its reply */
}

static void on_load_ready(struct nc *n, const sdtls_event *ev, struct nc_load_conn *c)
{
    struct nc_load *l = n->load;
    sdtls_info info;
    sdtls_conn_info(ev->conn, &info);
    c->ready = true;
    nc_note_handshake(n, ev->conn);
    l->us[l->connected++] = (uint32_t)info.handshake_us;
    if (n->out.verbose || n->out.json)
        nc_report_ready(n, ev);
}

static void on_load_closed(struct nc *n, const sdtls_event *ev, struct nc_load_conn *c)
{
    struct nc_load *l = n->load;
    if (n->out.verbose || n->out.json)
        nc_report_closed(n, ev, c->ready);
    if (c->ready)
        l->lost++;
    else
        count_failed_client(l, ev->err);
    TAILQ_REMOVE(&l->conns, c, next);
    free(c);
}

static void on_load_event(struct nc *n, const sdtls_event *ev)
{
    struct nc_load_conn *c = ev->conn ? sdtls_user(ev->conn) : NULL;
    if (!c)
        return;
    switch (ev->type) {
    case SDTLS_EV_READY:
        on_load_ready(n, ev, c);
        break;
    case SDTLS_EV_DATA:
        c->received++;
        n->load->received++;
        break;
    case SDTLS_EV_WRITABLE:
        on_load_writable(n, c);
        break;
    case SDTLS_EV_CLOSED:
        on_load_closed(n, ev, c);
        break;
    default:
        nc_report_other(n, ev);
    }
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(const struct nc_load *l, unsigned percent)
{
    if (!l->connected)
        return 0;
    uint64_t rank = (uint64_t)(l->connected - 1) * percent / 100;
    return (double)l->us[rank] / NC_US_PER_MS;
}

static json_t *load_json(const struct nc *n)
{
    const struct nc_load *l = n->load;
    json_t *reasons = json_object();
    for (int i = 0; i < ERRORS; i++)
        if (l->failed_by[i])
            json_object_set_new(reasons, sdtls_errname(-i), json_integer(l->failed_by[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:{s:f, s:f, s:f, s:f}, s:o}", "clients",
                     (int)n->cfg.clients, "connected", (int)l->connected, "failed", (int)l->failed,
                     "lost", (int)l->lost, "sent", (int)l->sent, "received", (int)l->received,
                     "handshake_ms", "min", percentile_ms(l, 0), "median", percentile_ms(l, 50),
                     "p95", percentile_ms(l, 95), "max", percentile_ms(l, 100), "reasons", reasons);
}

/* The summary is what this role was run for: it goes to stdout. */
static void write_load(const struct nc *n, FILE *to)
{
    const struct nc_load *l = n->load;
    if (l->connected)
        fprintf(to, "handshake min/median/p95/max %.1f/%.1f/%.1f/%.1f ms\n", percentile_ms(l, 0),
                percentile_ms(l, 50), percentile_ms(l, 95), percentile_ms(l, 100));
    fprintf(to, "sent %u messages, received %u replies\n", l->sent, l->received);
    for (int i = 0; i < ERRORS; i++)
        if (l->failed_by[i])
            fprintf(to, "failed %u of %u clients: %s\n", l->failed_by[i], n->cfg.clients,
                    sdtls_strerror(-i));
    if (l->lost)
        fprintf(to, "lost %u of %u clients: closed by the server after the handshake\n", l->lost,
                n->cfg.clients);
    fprintf(to, "connected %u of %u clients\n", l->connected, n->cfg.clients);
}

static void print_load(struct nc *n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    if (!to)
        return;
    write_load(n, to);
    if (!fclose(to))
        nc_stdout(n, text, len);
    free(text);
}

static int finish_load(struct nc *n)
{
    struct nc_load *l = n->load;
    qsort(l->us, l->connected, sizeof *l->us, compare_times);
    if (n->out.json)
        tool_event(&n->out, "load", load_json(n));
    else if (!n->out.quiet)
        print_load(n);
    if (n->status)
        return n->status;
    return l->connected == n->cfg.clients ? TOOL_EXIT_OK
           : l->status                    ? l->status
                                          : TOOL_EXIT_NETWORK;
}

int nc_load(struct nc *n)
{
    n->on_event = on_load_event;
    n->on_tick = on_load_tick;
    n->load = calloc(1, sizeof *n->load);
    if (n->load) {
        TAILQ_INIT(&n->load->conns);
        n->load->us = calloc(n->cfg.clients, sizeof *n->load->us);
        n->load->begun = nc_now();
    }
    if (!n->load || !n->load->us || !tool_signals_open(&n->signals)) {
        tool_error(&n->out, "--clients %u: cannot start: %m", n->cfg.clients);
        return TOOL_EXIT_NETWORK;
    }
    nc_report_connecting(n);
    nc_loop(n);
    return finish_load(n);
}
