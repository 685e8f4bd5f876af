/* --clients: many connections from one process, and how they fared. All stay
 * open until the last one is settled, so that N means N at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

/* Connections begun in one turn of the loop, so that answers are read between,
 * and how often the progress line changes. */
enum { BURST = 32, SHOW_MS = 100, ERRORS = 128, LINGER_MS = 200 };

struct load_conn {
    unsigned number, sent, received;
    bool ready;
    sdtls_conn *conn;
    TAILQ_ENTRY(load_conn) next;
};

struct nc_load {
    uint32_t *us; /* handshake times of those that connected */
    unsigned started, connected, failed, lost;
    unsigned sent, received;
    unsigned failed_by[ERRORS]; /* by -enum sdtls_err */
    int status;                 /* of the first failure */
    uint64_t begun, shown;
    bool sending;
    TAILQ_HEAD(, load_conn) conns;
};

void nc_load_free(struct nc_load *l)
{
    if (!l)
        return;
    struct load_conn *c;
    while ((c = TAILQ_FIRST(&l->conns))) {
        TAILQ_REMOVE(&l->conns, c, next);
        free(c);
    }
    free(l->us);
    free(l);
}

static void count_failure(struct nc_load *l, int err)
{
    unsigned i = (unsigned)-err;
    l->failed++;
    l->failed_by[i < ERRORS ? i : 0]++;
    if (!l->status)
        l->status = tool_exit_of(err, false);
}

/* False when it makes no sense to try any further. */
static bool begin_one(struct nc *n)
{
    struct nc_load *l = n->load;
    sdtls_conn *conn;
    struct load_conn *c = calloc(1, sizeof *c);
    int rc = c ? sdtls_connect(n->s, n->cfg.target.host, n->cfg.target.port, &conn) : SDTLS_NOMEM;
    l->started++;
    if (rc) {
        free(c);
        if (!l->status)
            nc_report_error(n, rc);
        count_failure(l, rc);
        return rc == SDTLS_IO;
    }
    c->number = l->started;
    c->conn = conn;
    sdtls_set_user(conn, c);
    TAILQ_INSERT_TAIL(&l->conns, c, next);
    return true;
}

/* How many should have begun by now. */
static unsigned due(const struct nc *n, uint64_t now)
{
    if (!n->cfg.rate)
        return n->cfg.clients;
    uint64_t so_far = (now - n->load->begun) * n->cfg.rate / 1000 + 1;
    return so_far < n->cfg.clients ? (unsigned)so_far : n->cfg.clients;
}

static void begin_more(struct nc *n, uint64_t now)
{
    struct nc_load *l = n->load;
    unsigned target = due(n, now);
    for (int i = 0; i < BURST && l->started < target; i++)
        if (!begin_one(n)) {
            l->failed += n->cfg.clients - l->started;
            l->started = n->cfg.clients;
        }
    if (l->started < target)
        nc_wake_at(n, now);
    else if (l->started < n->cfg.clients)
        nc_wake_at(n, l->begun + (uint64_t)l->started * 1000 / n->cfg.rate + 1);
}

static void send_messages(struct nc *n, struct load_conn *c)
{
    char text[64];
    int len = snprintf(text, sizeof text, "hello from client %u\n", c->number);
    for (; c->sent < n->cfg.count; c->sent++)
        nc_peer_send(n, c->conn, text, (size_t)len);
    n->load->sent += c->sent;
}

static void show_progress(const struct nc *n, uint64_t now, bool last)
{
    struct nc_load *l = n->load;
    if (n->out.quiet || n->out.json || n->out.verbose || !isatty(STDERR_FILENO))
        return;
    if (!last && now < l->shown + SHOW_MS)
        return;
    l->shown = now;
    fprintf(stderr, "\rconnected %u of %u, failed %u%s", l->connected, n->cfg.clients, l->failed,
            last ? "\n" : "");
    fflush(stderr);
}

/* All settled: send, and give the replies their time. */
static void all_settled(struct nc *n, uint64_t now)
{
    const struct nc_config *c = &n->cfg;
    struct load_conn *lc;
    n->load->sending = true;
    TAILQ_FOREACH(lc, &n->load->conns, next)
    {
        if (lc->ready)
            send_messages(n, lc);
    }
    n->quit_at = now + (c->close_at_eof                  ? 0
                        : c->quit_after_ms == UINT32_MAX ? LINGER_MS
                                                         : c->quit_after_ms);
    nc_wake_at(n, n->quit_at);
}

static void on_tick(struct nc *n, uint64_t now)
{
    struct nc_load *l = n->load;
    begin_more(n, now);
    bool settled = l->connected + l->failed >= n->cfg.clients;
    if (!l->sending)
        show_progress(n, now, settled);
    if (settled && !l->sending)
        all_settled(n, now);
    if (l->sending && l->received >= l->sent)
        nc_quit(n, TOOL_EXIT_OK); /* every message has its reply */
}

static void on_ready(struct nc *n, const sdtls_event *ev, struct load_conn *c)
{
    struct nc_load *l = n->load;
    sdtls_info info;
    sdtls_conn_info(ev->conn, &info);
    c->ready = true;
    l->us[l->connected++] = (uint32_t)info.handshake_us;
    if (n->out.verbose || n->out.json)
        nc_report_ready(n, ev);
}

static void on_closed(struct nc *n, const sdtls_event *ev, struct load_conn *c)
{
    struct nc_load *l = n->load;
    if (n->out.verbose || n->out.json)
        nc_report_closed(n, ev, c->ready);
    if (c->ready)
        l->lost++;
    else
        count_failure(l, ev->err);
    TAILQ_REMOVE(&l->conns, c, next);
    free(c);
}

static void on_event(struct nc *n, const sdtls_event *ev)
{
    struct load_conn *c = ev->conn ? sdtls_user(ev->conn) : NULL;
    if (!c)
        return;
    switch (ev->type) {
    case SDTLS_EV_READY:
        on_ready(n, ev, c);
        break;
    case SDTLS_EV_DATA:
        c->received++;
        n->load->received++;
        break;
    case SDTLS_EV_CLOSED:
        on_closed(n, ev, c);
        break;
    default:
        nc_report_other(n, ev);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double ms_at(const struct nc_load *l, unsigned percent)
{
    return l->connected ? l->us[(uint64_t)(l->connected - 1) * percent / 100] / 1000.0 : 0;
}

static json_t *summary_json(const struct nc *n)
{
    const struct nc_load *l = n->load;
    json_t *reasons = json_object();
    for (int i = 0; i < ERRORS; i++)
        if (l->failed_by[i])
            json_object_set_new(reasons, sdtls_errname(-i), json_integer(l->failed_by[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:{s:f, s:f, s:f, s:f}, s:o}", "clients",
                     (int)n->cfg.clients, "connected", (int)l->connected, "failed", (int)l->failed,
                     "lost", (int)l->lost, "sent", (int)l->sent, "received", (int)l->received,
                     "handshake_ms", "min", ms_at(l, 0), "median", ms_at(l, 50), "p95",
                     ms_at(l, 95), "max", ms_at(l, 100), "reasons", reasons);
}

/* The summary is what this role was run for: it goes to stdout. */
static void print_summary(const struct nc *n)
{
    const struct nc_load *l = n->load;
    if (l->connected)
        printf("handshake min/median/p95/max %.1f/%.1f/%.1f/%.1f ms\n", ms_at(l, 0), ms_at(l, 50),
               ms_at(l, 95), ms_at(l, 100));
    printf("sent %u, received %u\n", l->sent, l->received);
    for (int i = 0; i < ERRORS; i++)
        if (l->failed_by[i])
            printf("failed %u: %s\n", l->failed_by[i], sdtls_strerror(-i));
    if (l->lost)
        printf("lost %u: closed by the server\n", l->lost);
    printf("connected %u of %u\n", l->connected, n->cfg.clients);
    fflush(stdout);
}

static int finish(struct nc *n)
{
    struct nc_load *l = n->load;
    qsort(l->us, l->connected, sizeof *l->us, by_value);
    if (n->out.json)
        tool_event(&n->out, "load", summary_json(n));
    else if (!n->out.quiet)
        print_summary(n);
    if (n->status)
        return n->status;
    return l->connected == n->cfg.clients ? TOOL_EXIT_OK
           : l->status                    ? l->status
                                          : TOOL_EXIT_NETWORK;
}

int nc_load(struct nc *n)
{
    n->on_event = on_event;
    n->on_tick = on_tick;
    n->load = calloc(1, sizeof *n->load);
    if (n->load) {
        TAILQ_INIT(&n->load->conns);
        n->load->us = calloc(n->cfg.clients, sizeof *n->load->us);
        n->load->begun = nc_now();
    }
    if (!n->load || !n->load->us || !tool_signals_open(&n->signals)) {
        tool_error(&n->out, "cannot start: %m");
        return TOOL_EXIT_NETWORK;
    }
    nc_report_connecting(n);
    nc_loop(n);
    return finish(n);
}
