#include "dtls_mtu/survey.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "mtu/sizes.h"

enum {
    V6_MIN = 1280,
    PART = 3,    /* of the time may be spent on first words */
    MOST = 16384 /* larger packets no DTLS needs: a record has 2^14 bytes at most */
};

/* --- one line of progress, on a terminal only --- */

static void show_progress(struct survey *s, const char *what, const struct sd_mtu *m)
{
    if (!s->progress)
        return;
    fprintf(stderr, "\r\033[K%s: %u bytes arrive, probe %u", what, m->confirmed, m->probes);
    fflush(stderr);
    s->shown = true;
}

static void end_progress(struct survey *s)
{
    if (s->shown)
        fputs("\r\033[K", stderr);
    s->shown = false;
}

static void on_progress_c2s(void *arg, const struct sd_mtu *m)
{
    show_progress(arg, "to the server", m);
}

static void on_progress_s2c(void *arg, const struct sd_mtu *m)
{
    show_progress(arg, "from the server", m);
}

/* --- probes as hellos --- */

static int hello_send(void *arg, uint32_t id, unsigned packet)
{
    struct survey *s = arg;
    tool_say(&s->out, 1, "probe %u: %u bytes", (unsigned)id, packet);
    return path_send(&s->path, id, packet, 0);
}

static void hello_hear(void *arg, struct heard *h, sd_time until)
{
    struct survey *s = arg;
    path_hear(&s->path, h, until);
}

static sd_time deadline(const struct survey *s)
{
    return s->begun + s->cfg->timeout_ms * SD_MS;
}

static struct measure_limits limits(struct survey *s, sd_time rtt)
{
    struct measure_limits l = {.ipv6 = s->path.ipv6,
                               .min = s->path.ipv6 ? V6_MIN : s->contact.small,
                               .max = s->local,
                               .rtt = rtt,
                               .max_probes = s->cfg->max_probes,
                               .deadline = deadline(s),
                               .progress = on_progress_c2s,
                               .arg = s};
    if (l.min > l.max)
        l.min = l.max;
    return l;
}

static bool stopped(const struct measured *m)
{
    return m->end == MEASURE_STOPPED;
}

static bool measure_hello(struct survey *s)
{
    struct carrier c = {.arg = s, .send = hello_send, .hear = hello_hear};
    struct measure_limits l = limits(s, s->contact.rtt);
    measure_run(&s->c2s, &c, &l);
    end_progress(s);
    s->has_c2s = true;
    return !stopped(&s->c2s);
}

/* --- the other end --- */

static sdtls *shake_hands(struct survey *s, sdtls_conn **conn)
{
    struct handshake_setup u = {.host = s->cfg->target.host,
                                .port = s->cfg->target.port,
                                .source = s->cfg->source,
                                .cert_file = s->cfg->cert_file,
                                .key_file = s->cfg->key_file,
                                .family = s->path.to.sa.sa_family,
                                .deadline = deadline(s),
                                .signals = s->signals.fd,
                                .to = s->path.to,
                                .headers = path_headers(&s->path)};
    return handshake_run(&s->handshake, &u, conn);
}

/* Hellos cannot tell whether they came in fragments; the responder does, and then a
 * search of its own shows what arrives whole. An echo, and a server without cookies, are
 * measured by messages from the start. */
static bool measure_there(struct survey *s)
{
    bool fragments = s->peer.kind == PEER_RESPONDER;
    struct carrier c = peer_carrier(&s->peer, false, fragments);
    struct measure_limits l = limits(s, s->peer.rtt);
    struct measured hello = s->c2s;
    if (s->has_c2s && (hello.end == MEASURE_NO_REPLY || !fragments))
        return true;
    measure_run(&s->c2s, &c, &l);
    if (!s->c2s.icmp_count) {
        memcpy(s->c2s.icmp, hello.icmp, sizeof hello.icmp);
        s->c2s.icmp_count = hello.icmp_count;
    }
    if (s->has_c2s && s->c2s.mtu == hello.mtu)
        s->c2s.limit = hello.limit;
    s->has_c2s = true;
    return !stopped(&s->c2s);
}

static bool measure_back(struct survey *s)
{
    struct carrier c = peer_carrier(&s->peer, true, true);
    struct measure_limits l = limits(s, s->peer.rtt);
    l.progress = on_progress_s2c;
    if (s->peer.kind != PEER_RESPONDER)
        return true;
    measure_run(&s->s2c, &c, &l);
    /* Its kernel was told so by a router: the limit is reported, not silent. */
    if (s->s2c.limit == SD_MTU_LIMIT_SILENT &&
        (s->peer.told == s->s2c.mtu || (s->peer.refused && s->peer.refused == s->s2c.mtu + 1)))
        s->s2c.limit = SD_MTU_LIMIT_ICMP;
    s->has_s2c = true;
    return !stopped(&s->s2c);
}

static bool measure_peer(struct survey *s, sdtls *d, sdtls_conn *conn)
{
    s->peer = (struct peer){.s = d,
                            .conn = conn,
                            .to = s->path.to,
                            .headers = path_headers(&s->path),
                            .signals = s->signals.fd};
    peer_identify(&s->peer, deadline(s));
    bool speaks = s->peer.kind == PEER_RESPONDER || s->peer.kind == PEER_ECHO;
    bool on = !speaks || (measure_there(s) && measure_back(s));
    end_progress(s);
    return on || s->peer.gone;
}

static bool with_handshake(struct survey *s)
{
    sdtls_conn *conn = NULL;
    sdtls *d = shake_hands(s, &conn);
    bool on = !d || !s->cfg->peer || measure_peer(s, d, conn);
    sdtls_free(d);
    return on;
}

/* --- all of it --- */

static bool hellos_work(const struct survey *s)
{
    return s->contact.end == CONTACT_OK;
}

static bool somebody_is_there(const struct survey *s)
{
    return hellos_work(s) || s->contact.end == CONTACT_NO_COOKIE ||
           s->contact.end == CONTACT_NO_PADDED || s->contact.end == CONTACT_ALERT;
}

static void reach(struct survey *s)
{
    unsigned most = s->cfg->max ? s->cfg->max : MOST;
    s->interface = path_local_limit(&s->path);
    s->kernel = path_kernel_mtu(&s->path);
    s->local = most < s->interface ? most : s->interface;
    contact_run(&s->contact, &s->path, s->cfg->timeout_ms * SD_MS / PART);
    if (s->contact.end == CONTACT_NO_COOKIE)
        path_goodbye(&s->path);
    if (s->cfg->pad >= 0)
        s->path.pad = (enum hello_pad)s->cfg->pad;
}

static bool beyond(struct survey *s)
{
    bool large_lost = s->has_c2s && s->c2s.mtu && s->c2s.mtu < s->local;
    if (s->cfg->reverse_ping)
        ping_run(&s->ping, &s->path.to, s->path.ipv6,
                 s->has_c2s && s->c2s.mtu ? s->c2s.mtu : s->local, deadline(s));
    if (!s->cfg->trace || !large_lost)
        return true;
    return trace_run(&s->trace, &s->path, s->contact.small, s->c2s.mtu + 1, s->contact.rtt,
                     deadline(s));
}

bool survey_run(struct survey *s)
{
    reach(s);
    bool on = s->contact.end != CONTACT_STOPPED;
    if (on && hellos_work(s))
        on = measure_hello(s);
    if (on && somebody_is_there(s) && (s->cfg->peer || s->cfg->handshake))
        on = with_handshake(s);
    if (on && somebody_is_there(s))
        on = beyond(s);
    s->ended = sd_clock_now();
    return on;
}

unsigned survey_c2s(const struct survey *s)
{
    return s->has_c2s ? s->c2s.mtu : 0;
}

unsigned survey_s2c(const struct survey *s)
{
    return s->has_s2c ? s->s2c.mtu : 0;
}

bool survey_same_host(const struct survey *s)
{
    return s->interface == UINT16_MAX;
}
