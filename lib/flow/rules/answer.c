/* SPDX-License-Identifier: MIT */
/* Section A of the catalogue: nobody answers. */
#include <stdio.h>
#include <string.h>

#include "flow/icmp.h"
#include "flow/index.h"
#include "flow/rules/rule.h"
#include "wire/iana.h"

/* Before that, a server may still answer. */
#define NO_ANSWER_FOR (3 * SD_NS_SECOND)
/* An answer to another port comes this soon after the ClientHello, and more than once. */
#define ANSWER_WITHIN (1 * SD_NS_SECOND)
enum { ELSEWHERE_MIN = 2 };

static bool server_spoke(const struct sd_exchange *x)
{
    return x->side[SD_SERVER].datagrams > 0;
}

static unsigned hello_bursts(const struct sd_view *v)
{
    return sd_view_bursts(v, SD_CLIENT, 1) + sd_view_bursts(v, SD_CLIENT, 3);
}

/* The first ICMP error about a packet of `side` that means this. */
static const struct sd_event *find_icmp(const struct sd_exchange *x, enum sd_side side,
                                        enum sd_icmp_meaning meaning)
{
    for (size_t i = 0; x->icmp_number && i < x->count; i++)
        if (sd_icmp_meaning(&x->log[i]) == meaning && sd_event_side(&x->log[i]) == side)
            return &x->log[i];
    return NULL;
}

static const char *reason_v4(uint8_t code)
{
    switch (code) {
    case SD_ICMP_NETWORK:
        return "network unreachable";
    case SD_ICMP_HOST:
        return "host unreachable";
    case SD_ICMP_PROTOCOL:
        return "protocol unreachable";
    default:
        return code >= SD_ICMP_PROHIBITED_FIRST && code <= SD_ICMP_PROHIBITED_LAST
                   ? "administratively prohibited"
                   : "unreachable";
    }
}

static const char *reason_v6(uint8_t code)
{
    switch (code) {
    case SD_ICMPV6_NO_ROUTE:
        return "no route to destination";
    case SD_ICMPV6_PROHIBITED:
        return "administratively prohibited";
    case SD_ICMPV6_ADDRESS:
        return "address unreachable";
    default:
        return "unreachable";
    }
}

/* The hello that a ServerHello would answer. */
static bool is_last_hello(const struct sd_exchange *x, const struct sd_event *e)
{
    return e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_CLIENT_HELLO &&
           sd_event_side(e) == SD_CLIENT && e->flight == (x->hellos_cookie ? 3 : 1);
}

/* What the server sent to o's port within a second after this hello; NULL = nothing. */
static const struct sd_event *answer_elsewhere(const struct sd_exchange *o,
                                               const struct sd_event *hello)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->log[i].time >= hello->time && o->log[i].time - hello->time < ANSWER_WITHIN &&
            o->log[i].kind == SD_EV_HANDSHAKE && sd_event_side(&o->log[i]) == SD_SERVER)
            return &o->log[i];
    return NULL;
}

/* Hellos of x that were answered to the port of o, from where no hello came. Marks both when
 * `f` is given. */
static unsigned count_elsewhere(const struct sd_exchange *x, const struct sd_exchange *o,
                                struct sd_finding *f)
{
    unsigned count = 0;
    if (o->side[SD_CLIENT].datagrams || !o->reversed || o->start < x->start)
        return 0;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *answer =
            is_last_hello(x, &x->log[i]) ? answer_elsewhere(o, &x->log[i]) : NULL;
        count += answer != NULL;
        if (answer && f) {
            sd_prove(f, &x->log[i]);
            sd_prove(f, answer);
        }
    }
    return count;
}

const struct sd_exchange *sd_answered_elsewhere(const struct sd_case *c)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    size_t n = c->index ? sd_index_same_pair(c->index, c->x, found) : 0;
    for (size_t i = 0; i < n; i++)
        if (count_elsewhere(c->x, found[i], NULL) >= ELSEWHERE_MIN)
            return found[i];
    return NULL;
}

bool sd_passes_beside(const struct sd_exchange *x)
{
    const struct sd_rare *rare = sd_rare(x);
    return rare->beside[SD_SERVER].stun || rare->beside[SD_SERVER].rtp;
}

/* From which other port the silent host talks with this one: a device behind a NAT has a new one,
 * or listens there; 0 = none was seen. */
static uint16_t port_that_talks(const struct sd_case *c)
{
    const struct sd_exchange *found[SD_INDEX_MAX], *x = c->x;
    bool apart = !sd_same_machine(&x->client, &x->server);
    size_t n = c->index && apart ? sd_index_same_hosts(c->index, x, found) : 0;
    for (size_t i = 0; i < n; i++) {
        bool swapped = !sd_same_machine(&found[i]->server, &x->server);
        const struct sd_addr *there = swapped ? &found[i]->client : &found[i]->server;
        if (sd_addr_port(there) != sd_addr_port(&x->server) &&
            found[i]->side[swapped ? SD_CLIENT : SD_SERVER].datagrams)
            return sd_addr_port(there);
    }
    return 0;
}

bool sd_rule_no_response(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_direction *server = &x->side[SD_SERVER];
    unsigned hellos = hello_bursts(c->view);
    int64_t waited = c->view->now - x->start;
    if (c->outcome != SD_FAILED || server_spoke(x) || server->foreign || c->view->one_way ||
        hellos < 2 || waited < NO_ANSWER_FOR || x->icmp_number || sd_rare(x)->stranger_number ||
        sd_answered_elsewhere(c) || sd_passes_beside(x) || x->swapped || x->likely_swapped)
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, SD_PACKETS_MAX);
    /* Of a session that is still open the path works: the peer keeps it, or expects no hello. */
    bool sure = hellos > 2 && !sd_padded(x, SD_CLIENT) && !x->on_sealed;
    f->confidence = sure ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, x->on_sealed ? "client-restart-same-tuple" : "path-fingerprint-block");
    const char *stacks = c->view->stacks;
    char talks[80] = "";
    uint16_t port = port_that_talks(c);
    if (port)
        snprintf(talks, sizeof talks, " That host talks with this one from its port %u.", port);
    sd_say(f, "The client sent %u ClientHellos in %.1f s, but no packet came back.%s%s%s%s", hellos,
           sd_seconds(x->side[SD_CLIENT].last - x->start), *stacks ? " The client resembles " : "",
           stacks, *stacks ? "." : "", talks);
    return true;
}

bool sd_rule_reply_path_dead(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_exchange *x = c->x;
    unsigned asked = sd_view_bursts(v, SD_CLIENT, 1);
    unsigned verify = sd_view_bursts(v, SD_SERVER, 2);
    unsigned full = sd_view_bursts(v, SD_SERVER, 4);
    bool unheard =
        verify ? verify >= 2 && !x->hellos_cookie : full >= 2 && !sd_view_bursts(v, SD_CLIENT, 5);
    if (c->outcome == SD_FAILED && sd_reply_path_died(c, f))
        return true;
    /* What only the large datagrams of flight 4 suffer from is another matter. */
    if (c->outcome != SD_FAILED || asked < 2 || !unheard ||
        (!verify && (x->side[SD_SERVER].largest_datagram > 548 || v->lost[SD_SERVER])) ||
        x->verify_after_cookie || sd_padded(x, SD_SERVER))
        return false;
    sd_prove_bursts(f, v, SD_SERVER, verify ? 2 : 4, SD_PACKETS_MAX);
    f->confidence = asked > 2 ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "hvr-unanswered");
    sd_say(f,
           "The server answered %u of %u ClientHellos, but the client used none of the answers. "
           "The answers probably do not reach the client.",
           verify ? verify : full, asked);
    return true;
}

bool sd_rule_wrong_source_address(const struct sd_case *c, struct sd_finding *f)
{
    char asked[SD_ADDR_TEXT], came[SD_ADDR_TEXT];
    const struct sd_exchange *x = c->x;
    if (!sd_rare(x)->stranger_number || server_spoke(x) || c->outcome == SD_OK)
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, 4);
    sd_prove_frame(f, sd_rare(x)->stranger_number, 0);
    f->confidence = SD_HIGH;
    sd_confuse(f, "no-response");
    sd_say(f,
           "The client sent its ClientHello to %s, but the answer came from %s. A client with a "
           "connected socket does not receive such an answer.",
           sd_addr_text(&x->server, asked), sd_addr_text(&sd_rare(x)->stranger, came));
    return true;
}

/* The first answer that came to the client itself. */
static int64_t answered_at(const struct sd_exchange *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == SD_EV_HANDSHAKE && sd_event_side(&x->log[i]) == SD_SERVER &&
            x->log[i].message != SD_HS_HELLO_VERIFY_REQUEST)
            return x->log[i].time;
    return 0;
}

/* The client asked again before it got an answer, and the port of o got one meanwhile. */
static const struct sd_exchange *answered_elsewhere_first(const struct sd_case *c)
{
    const struct sd_exchange *found[SD_INDEX_MAX], *x = c->x;
    uint8_t asking = x->hellos_cookie ? 3 : 1;
    if (!c->index || sd_view_caused(c->view, SD_CLIENT, asking, SD_CAUSE_FIRST) ==
                         sd_view_bursts(c->view, SD_CLIENT, asking))
        return NULL;
    size_t n = sd_index_same_pair(c->index, x, found);
    for (size_t i = 0; i < n; i++)
        if (count_elsewhere(x, found[i], NULL) && found[i]->last < answered_at(x))
            return found[i];
    return NULL;
}

bool sd_rule_wrong_destination(const struct sd_case *c, struct sd_finding *f)
{
    char from[SD_ADDR_TEXT], to[SD_ADDR_TEXT];
    const struct sd_exchange *x = c->x, *o = NULL;
    if (c->outcome == SD_FAILED)
        o = sd_answered_elsewhere(c);
    else if (c->outcome == SD_OK)
        o = answered_elsewhere_first(c);
    if (!o)
        return false;
    unsigned answers = count_elsewhere(x, o, f);
    bool failed = c->outcome == SD_FAILED;
    f->severity = failed ? SD_FATAL : SD_WARNING;
    f->confidence = failed && answers > ELSEWHERE_MIN ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, failed ? "no-response" : "slow-peer");
    sd_say(f,
           "The client sent its ClientHello from %s, but the server sent its %s to %s (%u "
           "time%s). No ClientHello came from there.",
           sd_addr_text(&x->client, from), failed ? "answers" : "first answers",
           sd_addr_text(&o->client, to), answers, sd_plural(answers));
    return true;
}

bool sd_rule_icmp_port_unreachable(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *e = find_icmp(x, SD_CLIENT, SD_MEANS_PORT_CLOSED);
    if (e && !server_spoke(x)) {
        sd_prove(f, &x->log[0]);
        sd_prove(f, e);
        f->confidence = SD_HIGH;
        sd_say(
            f,
            "The server's host reported %.1f ms after the ClientHello that UDP port %u is closed.",
            sd_millis(e->time - x->start), sd_addr_port(&x->server));
        return c->outcome == SD_FAILED;
    }
    if (!e)
        e = find_icmp(x, SD_SERVER, SD_MEANS_PORT_CLOSED);
    if (!e)
        return false;
    bool server_gone = sd_event_side(e) == SD_CLIENT;
    if (x->side[server_gone ? SD_SERVER : SD_CLIENT].closing)
        return false; /* it said goodbye, and did not wait for the answer */
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    f->severity = c->outcome == SD_FAILED ? SD_FATAL : SD_WARNING;
    sd_say(f,
           "The %s answered before, but %.1f s after the first packet its UDP port is closed. The "
           "%s probably ended or %s.",
           server_gone ? "server" : "client", sd_seconds(e->time - x->start),
           server_gone ? "server" : "client", server_gone ? "restarted" : "closed its socket");
    return true;
}

bool sd_rule_icmp_unreachable(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *e = find_icmp(x, SD_CLIENT, SD_MEANS_UNREACHABLE);
    char from[SD_ADDR_TEXT];
    if (!e)
        e = find_icmp(x, SD_SERVER, SD_MEANS_UNREACHABLE);
    if (!e)
        return false;
    bool v6 = sd_icmp_is_v6(e);
    sd_prove(f, e);
    f->confidence = server_spoke(x) ? SD_MEDIUM : SD_HIGH;
    f->severity = c->outcome == SD_FAILED ? SD_FATAL : SD_WARNING;
    sd_addr_text(&sd_rare(x)->icmp_from, from);
    from[strcspn(from, sd_rare(x)->icmp_from.sa.sa_family == AF_INET6 ? "]" : ":")] = '\0';
    sd_say(f, "%s reports for packets from the %s: %s (ICMP%s type %u, code %u).",
           from + (from[0] == '['), sd_event_side(e) == SD_CLIENT ? "client" : "server",
           v6 ? reason_v6(e->icmp_code) : reason_v4(e->icmp_code), v6 ? "v6" : "", e->icmp_type,
           e->icmp_code);
    return true;
}

/* What it may be that answered; by its first bytes. */
static const char *guess_protocol(const uint8_t *p, size_t n)
{
    if (n >= 4 && (!memcmp(p, "HTTP", 4) || !memcmp(p, "GET ", 4) || !memcmp(p, "<htm", 4)))
        return "HTTP";
    if (n >= 3 && p[0] >= 20 && p[0] <= 23 && p[1] == 3)
        return "TLS over UDP (records without epoch and record number)";
    if (n >= 4 && p[0] >= 1 && p[0] <= 4 && !p[1] && !p[2] && !p[3])
        return "WireGuard";
    if (n >= 1 && p[0] >= 0xc0)
        return "QUIC";
    if (n >= 4 && p[0] >> 6 == 1 && (p[0] & 15) <= 8)
        return "CoAP without DTLS";
    if (n >= 1 && (p[0] >> 3 == 4 || p[0] >> 3 == 8))
        return "OpenVPN";
    return NULL;
}

bool sd_rule_not_dtls_peer(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_rare *rare = sd_rare(x);
    const uint8_t *sample = rare->beside[SD_SERVER].sample;
    size_t len = rare->beside[SD_SERVER].sample_len;
    char hex[2 * SD_SAMPLE + 1] = "", text[SD_SAMPLE + 1] = "";
    /* In the middle of a session the peer has spoken DTLS before the capture began. */
    if (!x->side[SD_SERVER].foreign || server_spoke(x) || c->outcome == SD_OK || x->mid_session)
        return false;
    for (size_t i = 0; i < len; i++) {
        static const char digits[] = "0123456789abcdef";
        hex[2 * i] = digits[sample[i] >> 4];
        hex[2 * i + 1] = digits[sample[i] & 15];
        text[i] = (char)(sample[i] >= ' ' && sample[i] < 127 ? sample[i] : '.');
    }
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == SD_EV_FOREIGN && sd_event_side(&x->log[i]) == SD_SERVER)
            sd_prove(f, &x->log[i]);
    const char *guess = guess_protocol(sample, len);
    f->confidence = SD_HIGH;
    sd_say(f, "The server answers, but not with DTLS. The first bytes are %s \"%s\"%s%s.", hex,
           text, guess ? ", which looks like " : "", guess ? guess : "");
    return true;
}

/* A ClientHello that comes from the server, with the client's own bytes or with others. */
static const struct sd_event *hello_from_server(const struct sd_exchange *x, bool same)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->kind != SD_EV_HANDSHAKE || e->message != SD_HS_CLIENT_HELLO ||
            sd_event_side(e) != SD_SERVER)
            continue;
        bool reflected = false;
        for (size_t j = 0; j < i; j++)
            reflected |= x->log[j].message == SD_HS_CLIENT_HELLO && x->log[j].hash == e->hash &&
                         sd_event_side(&x->log[j]) == SD_CLIENT;
        if (reflected == same && !(e->flags & SD_EVF_SNAPPED)) /* else nobody knows its bytes */
            return e;
    }
    return NULL;
}

bool sd_rule_reflected_hello(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = hello_from_server(c->x, true);
    if (!e || c->outcome == SD_OK)
        return false;
    sd_prove(f, &c->x->log[0]);
    sd_prove(f, e);
    const struct sd_event *alert = sd_view_alert(c->view, SD_CLIENT, SD_ALERT_UNEXPECTED_MESSAGE);
    if (alert)
        sd_prove(f, alert);
    f->confidence = SD_HIGH;
    sd_say(f, "The client's own ClientHello came back with the same bytes %.1f ms later%s.",
           sd_millis(e->time - c->x->start),
           alert ? "; the client answered with the alert unexpected_message" : "");
    return true;
}

/* In the session before, this client was the server. Peers may agree on that; here the other
 * side does not take part. */
static bool roles_swapped(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    if (!(x->swapped || x->likely_swapped) || c->outcome != SD_FAILED ||
        sd_view_bursts(c->view, SD_CLIENT, 1) < 2)
        return false;
    uint32_t foreign = x->foreign_before + x->side[SD_CLIENT].foreign + x->side[SD_SERVER].foreign;
    char beside[80] = "";
    if (foreign)
        snprintf(beside, sizeof beside, " %u datagram%s on these addresses %s not DTLS.", foreign,
                 sd_plural(foreign), foreign == 1 ? "is" : "are");
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, SD_PACKETS_MAX);
    f->confidence = x->swapped ? SD_HIGH : SD_LOW;
    if (!x->swapped)
        sd_confuse(f, "client-restart-same-tuple");
    sd_say(f,
           "The%s server of handshake %llu now acts as client: it sent %u ClientHellos to its "
           "former client, and no handshake came of it. The roles are swapped.%s%s",
           x->swapped ? "" : " probable", (unsigned long long)x->previous,
           sd_view_bursts(c->view, SD_CLIENT, 1), beside,
           x->swapped ? ""
                      : " The beginning of that session was not captured: the ports show who was "
                        "the server.");
    return true;
}

bool sd_rule_role_conflict(const struct sd_case *c, struct sd_finding *f)
{
    if (roles_swapped(c, f))
        return true;
    const struct sd_event *e = hello_from_server(c->x, false);
    if (!e || c->outcome == SD_OK || c->x->has_server_random)
        return false;
    sd_prove(f, &c->x->log[0]);
    sd_prove(f, e);
    for (int side = SD_CLIENT; side < SD_SIDES; side++) {
        const struct sd_event *a =
            sd_view_alert(c->view, (enum sd_side)side, SD_ALERT_UNEXPECTED_MESSAGE);
        if (a)
            sd_prove(f, a);
    }
    f->confidence = SD_HIGH;
    sd_say(f, "Both sides sent their own ClientHello: both act as client, neither as server.");
    return true;
}
