/* SPDX-License-Identifier: MIT */
/* Section G of the catalogue: who is who, and more than one handshake. */
#include <string.h>

#include "flow/icmp.h"
#include "flow/index.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/record.h"

/* An application that tries again does so after this time: sooner, it has several connections;
 * later, it had given up. */
#define ATTEMPT_FROM (50 * SD_NS_MS)
#define ATTEMPT_TO (5 * SD_NS_SECOND)
/* A client that moved does not speak from its old address for longer. */
#define STRAGGLERS_FOR (1 * SD_NS_SECOND)

/* As a fatal alert, which others send as a warning (RFC 5246 section 7.2.2). */
static bool canceled_by_client(const struct sd_exchange *x)
{
    for (size_t i = x->count; i-- > 0;)
        if (x->log[i].kind == SD_EV_ALERT && x->log[i].message == SD_ALERT_USER_CANCELED &&
            x->log[i].level == 2 && sd_event_side(&x->log[i]) == SD_CLIENT)
            return true;
    return false;
}

bool sd_client_only_asks(const struct sd_case *c)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    size_t n = c->index ? sd_index_same_pair(c->index, c->x, found) : 0;
    for (size_t i = 0; i < n; i++)
        if (canceled_by_client(found[i]))
            return true;
    return canceled_by_client(c->x);
}

bool sd_rule_path_fingerprint_block(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    const struct sd_exchange *x = c->x, *good = NULL;
    if (!c->index || c->outcome != SD_FAILED || x->side[SD_SERVER].datagrams || x->icmp_number ||
        x->side[SD_SERVER].foreign || sd_view_bursts(c->view, SD_CLIENT, 1) < 2)
        return false;
    size_t size = sd_kept(x, SD_KEPT_CLIENT_HELLO).len;
    size_t n = sd_index_same_pair(c->index, x, found);
    bool before = false, after = false;
    for (size_t i = 0; i < n; i++) {
        if (!found[i]->established || sd_kept(found[i], SD_KEPT_CLIENT_HELLO).len == size)
            continue;
        good = found[i];
        before |= good->start < x->start;
        after |= good->start > x->start;
    }
    /* Both: else the server may just have been away for a while. */
    if (!good || !size || !before || !after)
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, 6);
    sd_prove(f, &good->log[0]);
    f->confidence = SD_MEDIUM;
    sd_confuse(f, "no-response");
    sd_say(
        f,
        "This ClientHello (%zu bytes) gets no answer, but another ClientHello (%zu bytes) from the "
        "same client to the same server gets one (handshake %llu). The two hellos differ.",
        size, sd_kept(good, SD_KEPT_CLIENT_HELLO).len, (unsigned long long)good->id);
    return true;
}

bool sd_rule_client_restart_same_tuple(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    bool answered = x->has_server_random || x->cookie_count;
    bool once = sd_view_bursts(c->view, SD_CLIENT, 1) < 2; /* a stray copy, if data goes on */
    if (!x->previous || !x->on_sealed || x->mid_session || x->swapped || x->likely_swapped ||
        (!answered && once && c->outcome == SD_OK))
        return false;
    sd_prove(f, &x->log[0]);
    f->confidence = SD_HIGH;
    f->severity = answered ? SD_INFO : c->outcome == SD_FAILED ? SD_FATAL : SD_WARNING;
    if (x->after_unknown && !answered) {
        f->confidence = SD_MEDIUM;
        sd_confuse(f, "role-conflict");
    }
    sd_say(f,
           "The client started again from the same port while the session of handshake %llu was "
           "open or had just been closed%s.%s",
           (unsigned long long)x->previous,
           answered ? "; the server answered" : ", but the server did not answer the ClientHello",
           x->after_unknown && !answered ? " The beginning of that session was not captured: this "
                                           "client may have been its server."
                                         : "");
    return true;
}

bool sd_rule_nat_rebinding(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_rare *moved = sd_rare(x);
    char was[SD_ADDR_TEXT], now[SD_ADDR_TEXT];
    if (!moved->moved_number)
        return false;
    /* Who still speaks from where it was has not moved: somebody else has such numbers. */
    if (!moved->moved_cid && x->side[SD_CLIENT].last - moved->moved_time > STRAGGLERS_FOR)
        return false;
    sd_prove_frame(f, moved->moved_number, 0);
    bool fine = moved->moved_cid && moved->moved_answers;
    f->severity = fine ? SD_INFO : SD_WARNING;
    f->confidence = moved->moved_records > 1 ? SD_HIGH : SD_MEDIUM;
    sd_say(f,
           "The session continues from another address: %s became %s (record numbers "
           "continue)%s.",
           sd_addr_text(&x->client, was), sd_addr_text(&moved->moved_to, now),
           fine                   ? "; the connection ID kept it alive"
           : moved->moved_answers ? "; the server answers to the new address"
           : moved->moved_cid
               ? "; the server does not answer there although the session has a connection ID"
               : "; without a connection ID the server cannot assign the records to the session");
    return true;
}

/* Established, then nothing more of the server while the client goes on. */
bool sd_rule_server_restart(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *sign = NULL;
    if (!x->established)
        return false;
    for (size_t i = 0; i < x->count && !sign; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->time <= x->established)
            continue;
        bool icmp = sd_icmp_meaning(e) == SD_MEANS_PORT_CLOSED && sd_event_side(e) == SD_CLIENT;
        bool alert = e->kind == SD_EV_ALERT && sd_event_side(e) == SD_SERVER && !e->epoch;
        if (icmp || alert)
            sign = e;
    }
    if (!sign || x->side[SD_SERVER].closing)
        return false;
    sd_prove(f, sign);
    f->severity = SD_WARNING; /* the handshake itself was good */
    f->confidence = SD_HIGH;
    sd_confuse(f, "icmp-port-unreachable");
    sd_say(f, "%.1f s after the handshake the server %s: it has lost the session.",
           sd_seconds(sign->time - x->established),
           sign->kind == SD_EV_ICMP ? "no longer has a socket on its port"
                                    : "answers with a plaintext alert");
    return true;
}

bool sd_rule_duplicate_handshake_new_port(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    const struct sd_exchange *x = c->x;
    char other[SD_ADDR_TEXT];
    size_t n = c->index && x->has_client_random ? sd_index_same_pair(c->index, x, found) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct sd_exchange *o = found[i];
        int64_t first_answer = o->side[SD_SERVER].first;
        bool answered = o->icmp_number || (first_answer && first_answer < x->start);
        int64_t later = x->start - o->start;
        if (answered || !o->has_client_random || later < ATTEMPT_FROM || later > ATTEMPT_TO ||
            !memcmp(o->client_random, x->client_random, sizeof x->client_random))
            continue;
        if (sd_client_only_asks(c))
            return false;
        sd_prove(f, &o->log[0]);
        sd_prove(f, &x->log[0]);
        f->confidence = SD_LOW;
        sd_say(f,
               "%.1f s earlier the same client started handshake %llu from %s, which had no answer "
               "yet. The application probably tries again before DTLS does%s.",
               sd_seconds(later), (unsigned long long)o->id, sd_addr_text(&o->client, other),
               o->established ? "; as that one finished too, it may want both connections" : "");
        return true;
    }
    return false;
}

bool sd_rule_port_reuse_collision(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    unsigned shown = 0;
    uint32_t before = 0;
    if (x->server_randoms < 2)
        return false;
    for (size_t i = 0; i < x->count && shown < 4; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->kind != SD_EV_HANDSHAKE || e->message != SD_HS_SERVER_HELLO || e->hash == before)
            continue;
        before = e->hash;
        sd_prove(f, e);
        shown++;
    }
    f->severity = c->outcome == SD_FAILED ? SD_FATAL : SD_WARNING;
    f->confidence = SD_HIGH;
    sd_say(f,
           "%llu different ServerHellos answer one ClientHello: several servers (or several "
           "workers on one port) answer the same client.",
           (unsigned long long)x->server_randoms);
    return true;
}

/* The server gave this session ID to a session that was established. */
static bool gave_session(const struct sd_exchange *o, struct sd_span id)
{
    struct sd_span body = sd_kept(o, SD_KEPT_SERVER_HELLO);
    struct sd_server_hello sh;
    return o->established && sd_server_hello_parse(&sh, body, body.len) == SD_HELLO_WHOLE &&
           sh.session_id.len == id.len && !memcmp(sh.session_id.p, id.p, id.len);
}

/* A ticket is always one that a server gave. A session ID may also be a mark of the application,
 * as VPN clients put it there, so it counts only where this capture shows whose it was. */
static bool offers_resumption(const struct sd_case *c)
{
    struct sd_span body = sd_kept(c->x, SD_KEPT_CLIENT_HELLO), ticket;
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE)
        return false;
    if (sd_ext_find(ch.extensions, SD_EXT_SESSION_TICKET, &ticket) && ticket.len)
        return true;
    for (size_t i = 0; ch.session_id.len && i < c->other_count; i++)
        if (c->others[i]->start < c->x->start && gave_session(c->others[i], ch.session_id))
            return true;
    return false;
}

bool sd_rule_resumption_refused(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_part *done = sd_view_part(c->view, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    if (!x->negotiated || x->version == SD_DTLS_1_3 || x->resumed || !done || !offers_resumption(c))
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, x->hellos_cookie ? 3 : 1, 1);
    sd_prove_frame(f, done->number, done->first);
    f->confidence = SD_HIGH;
    sd_say(f, "The client offered to resume a session, but the server made a full handshake.");
    return true;
}
