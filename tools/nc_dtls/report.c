/* SPDX-License-Identifier: MIT */
/* Events as lines for people, or as JSON for programs. Scripts read "Hosting at:", "Connecting
 * to:", "Connected to:", "Client connected from:", "Client established from:" and "Removing peer":
 * these words stay. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/fields.h"
#include "nc_dtls/nc.h"

/* Room for text from the network without what could command a terminal. */
enum { WORDS = 512 };

static bool is_numeric(const char *host)
{
    struct in6_addr a;
    return host && (inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1);
}

/* What the user can do about it; NULL when the error needs no explanation. */
static const char *error_advice(const struct nc_config *c, int err)
{
    switch (err) {
    case SDTLS_RESOLVE:
        return is_numeric(c->target.host) ? NULL : "check the name, or give a numeric address";
    case SDTLS_REFUSED:
        return "check the port, and whether the server is running";
    case SDTLS_VERIFY: /* the sentence itself says what would make it trusted */
        return c->role == NC_SERVER ? NULL : "use --insecure to connect anyway";
    default:
        return NULL;
    }
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

void nc_report_error(const struct nc *n, int err)
{
    const char *advice = error_advice(&n->cfg, err), *text = sdtls_errmsg(n->s);
    char words[WORDS];
    tool_library_text(*text ? text : sdtls_strerror(err), words, sizeof words);
    json_t *f = json_object();
    tool_field(f, "error", sdtls_errname(err));
    tool_field(f, "text", words);
    tool_event(&n->out, "error", f);
    if (!n->out.json)
        tool_error(&n->out, "%s%s%s", words, advice ? "; " : "", or_empty(advice));
}

void nc_report_listening(const struct nc *n)
{
    const struct nc_config *c = &n->cfg;
    const char *port = c->target.port, *print = sdtls_fingerprint(n->s);
    bool picked = (!port || !strcmp(port, "0")) && c->fd == UINT32_MAX;
    socklen_t len = 0;
    const struct sockaddr *sa;
    for (unsigned i = 0; (sa = sdtls_local(n->s, i, &len)); i++) {
        char addr[TOOL_ADDR_TEXT];
        tool_addr_text(sa, len, addr);
        tool_say(&n->out, picked ? 0 : 1, "Hosting at: %s", addr);
        json_t *f = json_pack("{s:s}", "address", addr);
        tool_field(f, "fingerprint", print);
        tool_event(&n->out, "listening", f);
    }
    bool made = c->tls.flags & SDTLS_F_SELF_SIGNED;
    if (print)
        tool_say(&n->out, made && !n->out.quiet ? 0 : 1, "%s certificate, SHA-256: %s",
                 made ? "Throw-away" : "Own", print);
}

void nc_report_connecting(const struct nc *n)
{
    const struct tool_target *t = &n->cfg.target;
    bool v6 = strchr(t->host, ':');
    tool_say(&n->out, 1, "Connecting to: %s%s%s:%s", v6 ? "[" : "", t->host, v6 ? "]" : "",
             t->port);
    json_t *f = json_object();
    tool_field(f, "host", t->host);
    tool_field(f, "port", t->port);
    tool_event(&n->out, "connecting", f);
}

static void say_exported(const struct nc *n, sdtls_conn *c)
{
    uint8_t key[256];
    char hex[2 * sizeof key + 1] = "";
    int rc = sdtls_export(c, n->cfg.export_label, key, n->cfg.export_len);
    if (rc) {
        tool_error(&n->out, "--export %s: %s", n->cfg.export, sdtls_errmsg(n->s));
        return;
    }
    for (unsigned i = 0; i < n->cfg.export_len; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", key[i]);
    tool_say(&n->out, 0, "Exported %s: %s", n->cfg.export_label, hex);
    json_t *f = json_pack("{s:s, s:s}", "peer", sdtls_peer_text(c), "key", hex);
    tool_field(f, "label", n->cfg.export_label);
    tool_event(&n->out, "export", f);
}

static void warn_unverified(const struct nc *n, const sdtls_info *info)
{
    char words[WORDS];
    if (n->cfg.role == NC_SERVER || n->cfg.insecure || info->verified || !info->fingerprint)
        return;
    tool_library_text(info->verify_text ? info->verify_text : "not trusted", words, sizeof words);
    tool_warn(&n->out,
              "certificate not verified: %s; use --insecure to hide this warning, or trust this "
              "certificate alone with --pin %s",
              words, info->fingerprint);
}

static json_t *info_json(const sdtls_conn *c, const sdtls_info *i)
{
    char words[WORDS];
    json_t *f = json_pack("{s:s, s:b, s:b, s:i, s:f}", "peer", sdtls_peer_text(c), "resumed",
                          i->resumed, "verified", i->verified, "retransmits", (int)i->retransmits,
                          "handshake_ms", (double)i->handshake_us / NC_US_PER_MS);
    tool_field(f, "version", nc_version_text(i->version));
    tool_field(f, "cipher", i->cipher);
    tool_field(f, "group", i->group);
    tool_field(f, "alpn", i->alpn);
    tool_field(f, "srtp", i->srtp);
    tool_field(f, "sni", i->server_name);
    tool_field(f, "psk_identity", i->psk_identity);
    if (i->verify_text)
        tool_field(f, "verify_text", tool_library_text(i->verify_text, words, sizeof words));
    tool_field(f, "subject", i->subject);
    tool_field(f, "issuer", i->issuer);
    tool_field(f, "fingerprint", i->fingerprint);
    return f;
}

static void say_details(const struct nc *n, const sdtls_info *i)
{
    const struct {
        const char *label, *text;
    } lines[] = {{"subject", i->subject},
                 {"issuer", i->issuer},
                 {"SHA-256", i->fingerprint},
                 {"ALPN", i->alpn},
                 {"SRTP", i->srtp},
                 {"SNI", i->server_name},
                 {"PSK identity", i->psk_identity}};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        if (lines[k].text)
            tool_say(&n->out, 1, "  %s: %s", lines[k].label, lines[k].text);
}

void nc_report_ready(const struct nc *n, const sdtls_event *ev)
{
    sdtls_info info;
    sdtls_conn_info(ev->conn, &info);
    tool_say(&n->out, 1, "%s: %s (%s, %s%s%s%s, %.1f ms)",
             n->cfg.role == NC_SERVER ? "Client established from" : "Connected to",
             sdtls_peer_text(ev->conn), or_empty(nc_version_text(info.version)),
             or_empty(info.cipher), info.group ? ", " : "", or_empty(info.group),
             info.resumed ? ", resumed" : "", (double)info.handshake_us / NC_US_PER_MS);
    say_details(n, &info);
    tool_event(&n->out, "ready", info_json(ev->conn, &info));
    warn_unverified(n, &info);
    if (n->cfg.export)
        say_exported(n, ev->conn);
}

static void report_number(const struct nc *n, const sdtls_event *ev, const char *event,
                          const char *key)
{
    tool_event(
        &n->out, event,
        json_pack("{s:s, s:I}", "peer", sdtls_peer_text(ev->conn), key, (json_int_t)ev->value));
}

static void report_finding(const struct nc *n, const sdtls_event *ev)
{
    const char *peer = ev->conn ? sdtls_peer_text(ev->conn) : NULL;
    bool connecting = n->cfg.role == NC_CLIENT || n->cfg.role == NC_PROBE;
    /* What may end the attempt later: nobody shall have to wait for it without a word. */
    if (connecting && TAILQ_EMPTY(&n->peers) && !n->out.json)
        tool_warn(&n->out, "%s [%s]", or_empty(ev->text), or_empty(ev->finding));
    else
        tool_say(&n->out, 1, "%s%s%s [%s]", or_empty(peer), peer ? ": " : "", or_empty(ev->text),
                 or_empty(ev->finding));
    json_t *f = json_object();
    tool_field(f, "peer", peer);
    tool_field(f, "id", ev->finding);
    tool_field(f, "text", ev->text);
    tool_event(&n->out, "finding", f);
}

static void report_mtu(const struct nc *n, const sdtls_event *ev)
{
    tool_say(&n->out, 1, "Datagrams to %s carry %llu bytes now: %s", sdtls_peer_text(ev->conn),
             (unsigned long long)ev->value, or_empty(ev->text));
    json_t *f =
        json_pack("{s:s, s:I}", "peer", sdtls_peer_text(ev->conn), "bytes", (json_int_t)ev->value);
    tool_field(f, "text", ev->text);
    tool_event(&n->out, "mtu", f);
}

/* ICMP errors are reported and counted from the first flight on, which takes an own socket. */
static void hear_network(const struct nc *n, const sdtls_event *ev)
{
    if (n->out.verbose || n->out.json || n->cfg.stats)
        sdtls_conn_fd(ev->conn);
}

void nc_report_other(const struct nc *n, const sdtls_event *ev)
{
    unsigned long long value = ev->value;
    switch (ev->type) {
    case SDTLS_EV_ACCEPTED:
        hear_network(n, ev);
        tool_say(&n->out, 1, "Client connected from: %s", sdtls_peer_text(ev->conn));
        tool_event(&n->out, "accepted", json_pack("{s:s}", "peer", sdtls_peer_text(ev->conn)));
        break;
    case SDTLS_EV_RETRANSMIT:
        tool_say(&n->out, 1, "Retransmission %llu to %s", value, sdtls_peer_text(ev->conn));
        report_number(n, ev, "retransmit", "count");
        break;
    case SDTLS_EV_MTU:
        report_mtu(n, ev);
        break;
    case SDTLS_EV_FINDING:
        report_finding(n, ev);
        break;
    default:
        break;
    }
}

/* Who ended the connection. */
static const char *closed_by(const sdtls_event *ev)
{
    switch (ev->err) {
    case SDTLS_OK:
        return ev->alert < 0 ? "us" : "peer";
    case SDTLS_ALERT_RECEIVED:
    case SDTLS_RESTARTED:
        return "peer";
    case SDTLS_REFUSED:
    case SDTLS_IO:
        return "network";
    default:
        return "us";
    }
}

static void closed_json(const struct nc *n, const sdtls_event *ev, bool established,
                        const char *words)
{
    json_t *f = json_pack("{s:s, s:b, s:i}", "peer", sdtls_peer_text(ev->conn), "established",
                          established, "status", tool_exit_of(ev->err, established));
    tool_field(f, "by", closed_by(ev));
    tool_field(f, "error", sdtls_errname(ev->err));
    tool_field(f, "alert", ev->alert >= 0 ? sdtls_alert_name(ev->alert) : NULL);
    tool_field(f, "text", words);
    tool_event(&n->out, "closed", f);
}

/* RFC 6347 section 4.1.2.7: records with a wrong MAC are dropped in silence, so a
 * wrong key shows as a handshake that gets as far as the ServerHello. */
static const char *closed_advice(const struct nc *n, const sdtls_event *ev)
{
    sdtls_info info;
    sdtls_conn_info(ev->conn, &info);
    if (ev->err == SDTLS_TIMEOUT && n->cfg.psk && info.version)
        return "or the two ends have different --psk keys";
    return error_advice(&n->cfg, ev->err);
}

void nc_report_closed(const struct nc *n, const sdtls_event *ev, bool established)
{
    const char *peer = sdtls_peer_text(ev->conn);
    char words[WORDS];
    tool_library_text(ev->text ? ev->text : sdtls_strerror(ev->err), words, sizeof words);
    closed_json(n, ev, established, words);
    bool ordinary = ev->err == SDTLS_OK || ev->err == SDTLS_RESTARTED ||
                    ((ev->err == SDTLS_IDLE || ev->err == SDTLS_LIMIT) && n->cfg.role == NC_SERVER);
    tool_say(&n->out, 1, "Removing peer %s%s%s", peer, ordinary ? ": " : "", ordinary ? words : "");
    if (ordinary || n->out.json)
        return;
    const char *advice = closed_advice(n, ev);
    tool_error(&n->out, "%s: %s%s%s", peer, words, advice ? "; " : "", or_empty(advice));
}

void nc_report_leaving(const struct nc *n, sdtls_conn *c)
{
    char why[WORDS];
    snprintf(why, sizeof why, "this side closed the connection%s%s", n->leaving ? ": " : "",
             or_empty(n->leaving));
    const sdtls_event ev = {.type = SDTLS_EV_CLOSED, .conn = c, .alert = -1, .text = why};
    nc_report_closed(n, &ev, true);
}

void nc_report_data(const struct nc *n, const char *peer, bool sent, size_t len)
{
    tool_say(&n->out, 2, "%s %zu bytes %s %s", sent ? "Sent" : "Received", len,
             sent ? "to" : "from", peer);
    if (!n->out.json)
        return; /* for every message: an object that nobody prints costs more than the message */
    tool_event(&n->out, "data",
               json_pack("{s:s, s:s, s:I}", "peer", peer, "direction", sent ? "sent" : "received",
                         "bytes", (json_int_t)len));
}

void nc_report_command(const struct nc *n, const char *peer, int status)
{
    int signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    json_t *f = json_pack("{s:s}", "peer", peer);
    if (signo) {
        tool_say(&n->out, 1, "%s: the command of --exec was ended by signal %d (%s)", peer, signo,
                 strsignal(signo));
        json_object_set_new(f, "signal", json_integer(signo));
    } else {
        tool_say(&n->out, 1, "%s: the command of --exec ended with exit status %d", peer,
                 WEXITSTATUS(status));
        json_object_set_new(f, "status", json_integer(WEXITSTATUS(status)));
    }
    tool_event(&n->out, "command", f);
}

void nc_report_counters(const struct nc *n)
{
    uint64_t *sums = nc_counters_sum(n);
    if (sums)
        nc_report_sums(n, sums);
    free(sums);
}

void nc_report_sums(const struct nc *n, const uint64_t *sums)
{
    const char *name;
    json_t *all = json_object();
    for (unsigned i = 0; sdtls_counter(n->s, i, &name), name; i++) {
        uint64_t value = sums[i];
        if (value)
            tool_say(&n->out, 0, "%-24s %llu", name, (unsigned long long)value);
        json_object_set_new(all, name, json_integer((json_int_t)value));
    }
    tool_event(&n->out, "counters", all);
}

void nc_report_probe(struct nc *n, const sdtls_event *ev)
{
    const char *peer = sdtls_peer_text(ev->conn);
    bool answered = ev->err == SDTLS_OK || ev->err == SDTLS_ALERT_RECEIVED;
    char words[WORDS], line[WORDS + TOOL_ADDR_TEXT];
    tool_library_text(ev->text ? ev->text : sdtls_strerror(ev->err), words, sizeof words);
    json_t *f = json_pack("{s:s, s:b, s:i}", "peer", peer, "answered", answered, "status",
                          tool_exit_of(ev->err, false));
    tool_field(f, "error", sdtls_errname(ev->err));
    tool_field(f, "text", words);
    tool_event(&n->out, "probe", f);
    if (n->out.json || n->out.quiet)
        return;
    if (answered) {
        int len = snprintf(line, sizeof line, "%s: %s\n", peer, words);
        nc_stdout(n, line, (size_t)len);
    } else {
        tool_error(&n->out, "%s: %s", peer, words);
    }
}
