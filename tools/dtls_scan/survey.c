/* SPDX-License-Identifier: MIT */
#include "dtls_scan/survey.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dtls_scan/exit.h"

#define CLEAR_LINE "\r\033[K"

static int resolve_target(struct sd_addr *to, const struct tool_target *t, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM}, *list;
    int rc = getaddrinfo(t->host, t->port, &hints, &list);
    if (rc)
        return rc;
    bool fits = sd_addr_from(to, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return fits ? 0 : EAI_FAMILY;
}

static bool is_loopback(const struct sd_addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohl(a->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static void set_pace(struct scan_line *l, const struct scan_config *c, int signals)
{
    unsigned seconds = c->quick ? SCAN_LIMIT_QUICK_S : SCAN_LIMIT_S;
    unsigned rate = is_loopback(&l->to) ? SCAN_RATE_LOOPBACK : SCAN_RATE;
    sd_time limit = c->timeout_ms ? c->timeout_ms * SD_MS : seconds * SD_SEC;
    l->source = c->source;
    l->signals = signals;
    l->gap = SD_SEC / (c->rate ? c->rate : rate);
    l->budget = c->budget ? c->budget : c->quick ? SCAN_BUDGET_QUICK : SCAN_BUDGET;
    l->deadline = sd_clock_now() + limit;
}

static void announce(const struct scan_survey_setup *u, const struct scan *s)
{
    char addr[SD_ADDR_TEXT];
    const struct scan_line *l = &s->line;
    if (u->cfg->quiet || u->cfg->json)
        return;
    tool_say(u->out, 0, "Scanning %s (%s): at most %u datagrams, %.0f a second, and %.0f s.",
             s->host, sd_addr_text(&l->to, addr), l->budget, (double)SD_SEC / (double)l->gap,
             (double)(l->deadline - sd_clock_now()) / (double)SD_SEC);
}

bool scan_wanted(const struct scan_config *c, const struct scan_check *check)
{
    if ((c->quick && !(check->flags & SCAN_QUICK)) ||
        (!c->intrusive && (check->flags & SCAN_INTRUSIVE)) ||
        (!c->app && (check->flags & SCAN_APP)))
        return false;
    for (unsigned i = 0; i < SCAN_ONLY && c->only[i]; i++)
        if (!strcmp(c->only[i], check->id) || !strcmp(c->only[i], scan_group_id(check->group)))
            return true;
    return !c->only[0];
}

static size_t count_checks(const struct scan_config *c)
{
    size_t n = 0;
    const struct scan_check *check;
    for (size_t i = 0; (check = scan_check_at(i)); i++)
        n += scan_wanted(c, check);
    return n;
}

static void show_progress(const struct scan_survey_setup *u, const struct scan_line *l, size_t at,
                          size_t of, const char *title)
{
    char line[160];
    snprintf(line, sizeof line, CLEAR_LINE "%zu of %zu: %s (%u datagrams sent)", at, of, title,
             l->sent);
    if (u->progress)
        tool_progress(u->out, line);
}

static void run_check(struct scan *s, struct scan_result *r)
{
    if (s->line.stop)
        scan_not_run(&r->outcome, "not asked: %s", scan_stop_text(s->line.stop));
    else
        r->check->run(s, &r->outcome);
}

static bool list_checks(struct scan_report *r, const struct scan_config *c)
{
    const struct scan_check *check;
    size_t count = count_checks(c);
    r->results = calloc(count ? count : 1, sizeof *r->results);
    for (size_t i = 0; r->results && (check = scan_check_at(i)); i++)
        if (scan_wanted(c, check))
            r->results[r->count++].check = check;
    return r->results;
}

/* The order of the report, but those that may leave the server stuck come last. */
static bool run_all_checks(struct scan *s, struct scan_report *r, const struct scan_survey_setup *u)
{
    size_t done = 0;
    if (!list_checks(r, u->cfg))
        return false;
    for (unsigned late = 0; late <= SCAN_LATE; late += SCAN_LATE)
        for (size_t i = 0; i < r->count; i++) {
            struct scan_result *result = &r->results[i];
            if ((result->check->flags & SCAN_LATE) != late)
                continue;
            show_progress(u, &s->line, ++done, r->count, result->check->title);
            run_check(s, result);
        }
    if (u->progress)
        tool_progress(u->out, CLEAR_LINE);
    return true;
}

static void count_up(struct scan_report *r, const struct scan *s, sd_time begun)
{
    const struct scan_line *l = &s->line;
    r->seconds = (double)(sd_clock_now() - begun) / (double)SD_SEC;
    r->to = l->to;
    r->sent = l->sent;
    r->received = l->received;
    r->sent_bytes = l->sent_bytes;
    r->received_bytes = l->received_bytes;
    r->asked = l->asked;
    r->repeated = l->repeated;
    r->stop = l->stop;
    r->quick = s->cfg->quick;
}

/* A service may speak TLS over TCP on this port, and nothing over UDP. */
static bool tcp_answers(const struct sd_addr *to)
{
    enum { TCP_MS = 1000 };
    int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = -1;
    socklen_t len = sizeof error;
    if (fd < 0)
        return false;
    bool begun = !connect(fd, &to->sa, sd_addr_len(to)) || errno == EINPROGRESS;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (begun && poll(&p, 1, TCP_MS) == 1)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    close(fd);
    return !error;
}

static void report_silence(const struct scan_survey_setup *u, const struct scan *s,
                           enum scan_reply reply, const char *addr)
{
    const char *tcp = tcp_answers(&s->line.to) ? "; a service answers on this TCP port" : "";
    if (reply == SCAN_REPLY_REFUSED)
        tool_error(u->out, "%s: port refused: no program listens on this UDP port%s", addr, tcp);
    else
        tool_error(u->out,
                   "%s: no answer to %u ClientHellos: no DTLS server, or a firewall drops them%s",
                   addr, s->line.sent, tcp);
}

/* There will be no report: says why, and gives the exit status. */
static int no_contact(const struct scan_survey_setup *u, const struct scan *s,
                      enum scan_reply reply)
{
    char addr[SD_ADDR_TEXT];
    sd_addr_text(&s->line.to, addr);
    if (s->line.stop == SCAN_STOP_SIGNAL)
        return SCAN_EXIT_UNFINISHED;
    if (s->line.stop == SCAN_STOP_LOCAL)
        tool_error(u->out, "%s: cannot send: %s", addr, strerror(s->line.error));
    else if (reply == SCAN_REPLY_ALERT)
        tool_error(u->out, "%s: the DTLS server refuses every hello with an alert", addr);
    else if (reply == SCAN_REPLY_FOREIGN)
        tool_error(u->out, "%s: the answer is not that of a DTLS server", addr);
    else if (reply == SCAN_REPLY_ECHO)
        tool_error(u->out, "%s: our own hello comes back: an echo service, not DTLS", addr);
    else if (reply == SCAN_REPLY_VERIFY)
        tool_error(u->out,
                   "%s: the server asks for a cookie again and again: no handshake is "
                   "possible",
                   addr);
    else
        report_silence(u, s, reply, addr);
    bool foreign = reply == SCAN_REPLY_FOREIGN || reply == SCAN_REPLY_ECHO;
    bool refuses = reply == SCAN_REPLY_ALERT || reply == SCAN_REPLY_VERIFY;
    return foreign ? SCAN_EXIT_FOREIGN : refuses ? SCAN_EXIT_UNFINISHED : SCAN_EXIT_NO_ANSWER;
}

/* True for a server that answered a hello as wished. */
static bool speaks_dtls(const struct scan *s, enum scan_reply reply)
{
    return reply == SCAN_REPLY_HELLO || reply == SCAN_REPLY_RETRY ||
           (s->line.stop && s->asker.has_control);
}

/* An address is no server name (RFC 6066 section 3). */
static const char *server_name_of(const struct scan_config *c, const char *host)
{
    struct in6_addr any;
    if (c->server_name)
        return strcmp(c->server_name, "none") ? c->server_name : NULL;
    bool address = strchr(host, ':') || inet_pton(AF_INET, host, &any) == 1;
    return address ? NULL : host;
}

static int scan_server(struct scan *s, struct scan_report *r, const struct scan_survey_setup *u)
{
    sd_time begun = sd_clock_now();
    set_pace(&s->line, u->cfg, u->signals);
    announce(u, s);
    r->when = tool_wall_clock();
    enum scan_reply reply = scan_contact(s);
    if (!speaks_dtls(s, reply))
        return no_contact(u, s, reply);
    if (!run_all_checks(s, r, u))
        return SCAN_EXIT_USAGE;
    count_up(r, s, begun);
    return s->line.stop ? SCAN_EXIT_UNFINISHED : SCAN_EXIT_OK;
}

int scan_survey_run(struct scan_report *r, const struct scan_survey_setup *u,
                    const struct tool_target *target)
{
    *r = (struct scan_report){.host = target->host, .port = target->port};
    struct scan *s = calloc(1, sizeof *s);
    if (!s) {
        tool_error(u->out, "out of memory");
        return SCAN_EXIT_USAGE;
    }
    s->cfg = u->cfg;
    s->login = u->login;
    s->host = target->host;
    s->server_name = server_name_of(u->cfg, target->host);
    s->asker.line = &s->line;
    int status = SCAN_EXIT_NO_ANSWER, rc = resolve_target(&s->line.to, target, u->cfg->family);
    if (rc)
        tool_error(u->out, "cannot resolve %s port %s: %s", target->host, target->port,
                   gai_strerror(rc));
    else
        status = scan_server(s, r, u);
    free(s);
    return status;
}

void scan_survey_free(struct scan_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        scan_outcome_free(&r->results[i].outcome);
    free(r->results);
    json_decref(r->changes);
    *r = (struct scan_report){0};
}
