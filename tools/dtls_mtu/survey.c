/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/survey.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "dtls_mtu/host.h"
#include "dtls_mtu/path.h"
#include "dtls_mtu/progress.h"

enum {
    V6_MIN = 1280,
    TIMEOUT_MS = MTU_TIMEOUT_S * TOOL_MS_PER_SEC, /* without -w, or: */
    ROUND_TRIPS = 40,
};

/* The share of the time for a first answer: without -w 6 s, for round trips of up to 5 s. */
enum { CONTACT_PARTS = 2, ALL_PARTS = 5 };

struct survey {
    const struct mtu_config *cfg;
    const struct tool_out *out;
    int signals;
    struct mtu_path path;
    struct mtu_progress progress;
    struct mtu_result *r;
    sd_time deadline;
};

/* --- probes as hellos --- */

static int send_hello(void *arg, uint32_t id, unsigned packet)
{
    struct survey *s = arg;
    tool_say(s->out, 1, "probe %u: %u bytes", (unsigned)id, packet);
    return mtu_path_send(&s->path, id, packet, 0);
}

static void hear_hello(void *arg, struct mtu_heard *h, sd_time until)
{
    struct survey *s = arg;
    mtu_path_hear(&s->path, h, until);
}

/* Measures one direction. False: a signal came. */
static bool measure_direction(struct survey *s, struct mtu_measured *m, const struct mtu_carrier *c,
                              const char *direction, sd_time rtt)
{
    const struct mtu_result *r = s->r;
    unsigned min = r->ipv6 ? V6_MIN : r->contact.small;
    struct mtu_measure_limits l = {.ipv6 = r->ipv6,
                                   .min = min < r->local ? min : r->local,
                                   .max = r->local,
                                   .rtt = rtt,
                                   .max_probes = s->cfg->max_probes,
                                   .deadline = s->deadline,
                                   .progress = mtu_progress_show,
                                   .arg = &s->progress};
    s->progress.what = direction;
    mtu_measure_run(m, c, &l);
    mtu_progress_clear(&s->progress);
    return m->end != MTU_MEASURE_STOPPED;
}

/* Larger packets get no answer. Before the path gets the blame: is the same size answered from
 * another port? */
static bool port_is_to_blame(struct survey *s)
{
    const struct mtu_measured *m = &s->r->c2s;
    unsigned size = m->mtu ? m->mtu + 1 : m->smallest;
    bool silent = m->limit == SD_MTU_LIMIT_SILENT || m->limit == SD_MTU_LIMIT_NO_REPLY;
    return silent && !s->path.each && mtu_contact_elsewhere(&s->path, size, s->r->contact.rtt);
}

static bool measure_with_hellos(struct survey *s)
{
    struct mtu_carrier c = {.arg = s, .send = send_hello, .hear = hear_hello};
    struct mtu_measured *m = &s->r->c2s;
    s->r->has_c2s = true;
    bool on = measure_direction(s, m, &c, "to the server", s->r->contact.rtt);
    if (!on || !port_is_to_blame(s))
        return on;
    s->path.each = true;
    return measure_direction(s, m, &c, "to the server", s->r->contact.rtt);
}

/* --- probes as messages to the peer --- */

/* Hellos cannot show whether they came in fragments; the responder does, and then a
 * search of its own shows what arrives whole. An echo server, and a server without cookies, are
 * measured by messages from the start. */
static bool measure_there(struct survey *s, struct mtu_link *link)
{
    struct mtu_result *r = s->r;
    bool fragments = r->peer.kind == MTU_PEER_RESPONDER;
    struct mtu_carrier c = mtu_peer_carrier(link, false, fragments);
    struct mtu_measured hello = r->c2s;
    if (r->has_c2s && (hello.end == MTU_MEASURE_NO_REPLY || !fragments))
        return true;
    bool on = measure_direction(s, &r->c2s, &c, "to the server", r->peer.rtt);
    if (!r->c2s.icmp_count) {
        memcpy(r->c2s.icmp, hello.icmp, sizeof hello.icmp);
        r->c2s.icmp_count = hello.icmp_count;
    }
    if (r->has_c2s && r->c2s.mtu == hello.mtu)
        r->c2s.limit = hello.limit;
    r->has_c2s = true;
    return on;
}

/* The responder's host knows the limit, from a router: it is reported, not silent. */
static bool known_there(const struct mtu_peer *p, unsigned mtu)
{
    return p->kernel == mtu || (p->refused && p->refused == mtu + 1);
}

static bool measure_back(struct survey *s, struct mtu_link *link)
{
    struct mtu_result *r = s->r;
    struct mtu_carrier c = mtu_peer_carrier(link, true, true);
    if (r->peer.kind != MTU_PEER_RESPONDER)
        return true;
    bool on = measure_direction(s, &r->s2c, &c, "from the server", r->peer.rtt);
    if (r->s2c.limit == SD_MTU_LIMIT_SILENT && known_there(&r->peer, r->s2c.mtu))
        r->s2c.limit = SD_MTU_LIMIT_ICMP;
    r->has_s2c = true;
    r->probes += r->s2c.probes;
    return on;
}

static bool measure_peer(struct survey *s, const struct mtu_client *client)
{
    struct mtu_peer *peer = &s->r->peer;
    struct mtu_link link = {.peer = peer,
                            .s = client->s,
                            .conn = client->conn,
                            .to = s->path.to,
                            .headers = mtu_path_headers(&s->path),
                            .signals = s->signals};
    mtu_peer_identify(&link, s->deadline);
    bool speaks = peer->kind == MTU_PEER_RESPONDER || peer->kind == MTU_PEER_ECHO;
    return !speaks || (measure_there(s, &link) && measure_back(s, &link)) || link.gone;
}

static bool with_handshake(struct survey *s)
{
    struct mtu_client client;
    struct mtu_handshake_setup u = {.host = s->cfg->target.host,
                                    .port = s->cfg->target.port,
                                    .source = s->cfg->source,
                                    .cert_file = s->cfg->cert_file,
                                    .key_file = s->cfg->key_file,
                                    .family = s->path.to.sa.sa_family,
                                    .deadline = s->deadline,
                                    .signals = s->signals,
                                    .to = s->path.to,
                                    .headers = mtu_path_headers(&s->path)};
    bool ready = mtu_handshake_run(&s->r->handshake, &u, &client);
    bool on = !ready || !s->cfg->peer || measure_peer(s, &client);
    mtu_client_close(&client);
    return on;
}

/* --- all of it --- */

static bool hellos_work(const struct mtu_result *r)
{
    return r->contact.end == MTU_CONTACT_OK;
}

static bool server_is_there(const struct mtu_result *r)
{
    enum mtu_contact_end end = r->contact.end;
    return hellos_work(r) || end == MTU_CONTACT_NO_COOKIE || end == MTU_CONTACT_NO_PADDED ||
           end == MTU_CONTACT_ALERT || end == MTU_CONTACT_ONE_CLIENT;
}

static bool contact_server(struct survey *s)
{
    struct mtu_result *r = s->r;
    unsigned most = s->cfg->max ? s->cfg->max : MTU_MAX_DEFAULT;
    r->interface = mtu_path_local_limit(&s->path);
    r->kernel = mtu_path_kernel_mtu(&s->path);
    r->local = most < r->interface ? most : r->interface;
    mtu_contact_run(&r->contact, &s->path, (s->deadline - r->begun) * CONTACT_PARTS / ALL_PARTS);
    sd_time slow = sd_clock_now() + ROUND_TRIPS * r->contact.rtt;
    if (!s->cfg->timeout_ms && slow > s->deadline)
        s->deadline = slow;
    if (r->contact.end == MTU_CONTACT_NO_COOKIE)
        mtu_path_goodbye(&s->path);
    if (s->cfg->pad >= 0)
        s->path.pad = (enum mtu_hello_pad)s->cfg->pad;
    return r->contact.end != MTU_CONTACT_STOPPED;
}

/* --reverse-ping and --trace. */
static bool ping_and_trace(struct survey *s)
{
    struct mtu_result *r = s->r;
    unsigned c2s = mtu_result_c2s(r);
    if (s->cfg->reverse_ping)
        mtu_ping_run(&r->ping, &r->to, r->ipv6, c2s ? c2s : r->local, s->deadline);
    if (!s->cfg->trace || !c2s || c2s >= r->local)
        return true;
    return mtu_trace_run(&r->trace, &s->path, r->contact.small, c2s + 1, r->contact.rtt,
                         s->deadline);
}

static bool open_path(struct survey *s)
{
    const struct mtu_config *c = s->cfg;
    struct sd_addr to;
    int rc = mtu_host_resolve(&to, c->target.host, c->target.port, c->family);
    if (rc) {
        tool_error(s->out, "%s: %s", c->target.host,
                   rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
        return false;
    }
    rc = mtu_path_open(&s->path, &to, c->source, s->signals);
    if (rc)
        tool_error(s->out, "%s port %s: %s", c->target.host, c->target.port, strerror(-rc));
    return !rc;
}

static bool run_survey(struct survey *s)
{
    struct mtu_result *r = s->r;
    bool on = contact_server(s);
    if (on && hellos_work(r))
        on = measure_with_hellos(s);
    if (on && server_is_there(r) && (s->cfg->peer || s->cfg->handshake))
        on = with_handshake(s);
    if (on && server_is_there(r))
        on = ping_and_trace(s);
    r->probes += s->path.probes;
    r->ended = sd_clock_now();
    return on;
}

enum mtu_survey_end mtu_survey_run(struct mtu_result *r, const struct mtu_survey_setup *setup)
{
    const struct mtu_config *c = setup->cfg;
    struct survey s = {.cfg = c,
                       .out = setup->out,
                       .signals = setup->signals,
                       .progress = {.on = setup->progress},
                       .r = r};
    *r = (struct mtu_result){.begun = sd_clock_now(), .require = c->require, .peer_asked = c->peer};
    s.deadline = r->begun + (c->timeout_ms ? c->timeout_ms : TIMEOUT_MS) * SD_MS;
    if (!open_path(&s))
        return MTU_SURVEY_NO_PATH;
    r->to = s.path.to;
    r->ipv6 = s.path.ipv6;
    bool on = run_survey(&s);
    mtu_path_close(&s.path);
    return on ? MTU_SURVEY_DONE : MTU_SURVEY_STOPPED;
}
