/* SPDX-License-Identifier: MIT */
/* Section B of the catalogue: the cookie exchange. */
#include "flow/index.h"
#include "flow/rules/hellos.h"
#include "flow/rules/rule.h"
#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/iana.h"
#include "wire/record.h"

/* A client keeps the random of its hello for no longer. */
#define REBOUND_WITHIN (60 * SD_NS_SECOND)

static unsigned cookies_kept(const struct sd_exchange *x)
{
    return x->cookie_count < SD_COOKIES_MAX ? x->cookie_count : SD_COOKIES_MAX;
}

static bool server_hello_seen(const struct sd_exchange *x)
{
    return x->has_server_random || sd_kept(x, SD_KEPT_RETRY).len;
}

static bool asked_again_after(const struct sd_view *v, int64_t time)
{
    for (size_t i = 0; i < v->burst_count; i++)
        if (v->bursts[i].side == SD_CLIENT && v->bursts[i].flight == 1 && v->bursts[i].start > time)
            return true;
    return false;
}

bool sd_rule_hvr_unanswered(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_exchange *x = c->x;
    unsigned asked = sd_view_bursts(v, SD_CLIENT, 1), verify = sd_view_bursts(v, SD_SERVER, 2);
    const struct sd_burst *first = sd_view_burst(v, SD_SERVER, 2);
    const struct sd_burst *cookie = sd_view_burst(v, SD_CLIENT, 3);
    if (!verify || (c->outcome == SD_INCOMPLETE && !cookie) || (cookie && asked < 2) ||
        x->verify_after_cookie || (!cookie && asked > 1 && verify > 1) ||
        (cookie && sd_timer_below_round_trip(v)))
        return false; /* asked and answered more than once: reply-path-dead */
    /* The cookie may be in what the capture lacks; who only asks does not return it. */
    if (!cookie && (x->side[SD_CLIENT].snapped || sd_client_only_asks(c)))
        return false;
    sd_prove_bursts(f, v, SD_CLIENT, 1, 4);
    sd_prove_bursts(f, v, SD_SERVER, 2, 4);
    f->confidence = SD_MEDIUM;
    if (!cookie) {
        sd_confuse(f, "reply-path-dead");
        sd_say(f,
               "The server sent a HelloVerifyRequest%s, but the client never returned the cookie.",
               asked > 1 ? " once" : "");
        return c->outcome == SD_FAILED;
    }
    f->severity = SD_WARNING;
    sd_say(f,
           "The client repeated its ClientHello %u time%s without the cookie of the "
           "HelloVerifyRequest. The client returned the cookie only after %.2f s.",
           asked - 1, asked == 2 ? "" : "s", sd_seconds(cookie->start - first->start));
    return asked_again_after(v, first->start);
}

/* Three different faults with one symptom. */
static const char *loop_reason(const struct sd_exchange *x)
{
    unsigned n = cookies_kept(x);
    bool same = true;
    for (unsigned i = 1; i < n; i++)
        same &= x->cookies[i].hash == x->cookies[0].hash;
    if (x->cookie_strangers)
        return "The server never gave this cookie to this address: the client's address probably "
               "changed (rebinding), or the cookie is stale";
    if (n > 1 && same)
        return "Each request carries the same cookie: the server probably does not recognise its "
               "own cookie (cookie callback, or a fragmented ClientHello)";
    return "Each request carries another cookie for the same ClientHello: probably several servers "
           "do not share the secret (cluster, restart), or the server sees another address each "
           "time";
}

bool sd_rule_cookie_loop(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    if (!x->verify_after_cookie || c->outcome == SD_INCOMPLETE)
        return false;
    if (c->outcome == SD_OK && x->verify_after_cookie < 2)
        return false; /* one more request with another cookie is legal (RFC 6347 section 4.2.1) */
    if (sd_client_only_asks(c))
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 3, 4);
    sd_prove_bursts(f, c->view, SD_SERVER, 2, 6);
    f->severity = c->outcome == SD_OK ? SD_WARNING : SD_FATAL;
    f->confidence = x->verify_after_cookie > 1 ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "rebinding-mid-handshake");
    sd_say(f, "The client returned a cookie, but the server asked for one again (%u time%s). %s.",
           x->verify_after_cookie, sd_plural(x->verify_after_cookie), loop_reason(x));
    return true;
}

bool sd_rule_rebinding_mid_handshake(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *found[SD_INDEX_MAX];
    const struct sd_exchange *x = c->x, *other = NULL;
    char one[SD_ADDR_TEXT], two[SD_ADDR_TEXT];
    if (c->outcome == SD_OK || !c->index)
        return false;
    size_t n = sd_index_same_random(c->index, x, found);
    for (size_t i = 0; i < n; i++) {
        int64_t apart = found[i]->start - x->start;
        if (sd_addr_eq(&found[i]->server, &x->server) && apart < REBOUND_WITHIN &&
            apart > -REBOUND_WITHIN && !sd_is_other_leg(x, found[i]))
            other = found[i];
    }
    if (!other || sd_client_only_asks(c))
        return false;
    sd_prove(f, &x->log[0]);
    sd_prove(f, &other->log[0]);
    f->confidence = n > 1 ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "cookie-loop");
    sd_say(f,
           "One ClientHello (same random) reaches the server from %zu addresses, among them %s and "
           "%s. A device on the path probably changes the client's address during the handshake.",
           n + 1, sd_addr_text(&x->client, one), sd_addr_text(&other->client, two));
    return true;
}

bool sd_rule_ch_cookie_unanswered(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    unsigned sent = sd_view_bursts(c->view, SD_CLIENT, 3);
    if (c->outcome != SD_FAILED || !x->cookie_count || sent < 2 || server_hello_seen(x) ||
        x->verify_after_cookie || x->hello_fragments > 1 || sd_view_alert(c->view, SD_SERVER, -1) ||
        x->side[SD_SERVER].foreign || sd_answered_elsewhere(c) || sd_padded(x, SD_CLIENT))
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 2, 2);
    sd_prove_bursts(f, c->view, SD_CLIENT, 3, 8);
    f->confidence = SD_MEDIUM;
    sd_confuse(f, c->view->vantage == SD_NEAR_SERVER ? "unexplained-silence" : "ptb-abort");
    sd_say(f,
           "The server asked for a cookie and the client returned it %u times, but the server sent "
           "nothing more for %.1f s.",
           sent, sd_seconds(c->view->now - x->side[SD_SERVER].last));
    return true;
}

/* Its share alone is larger than a whole ClientHello used to be. */
static uint16_t post_quantum_group(const struct sd_exchange *x)
{
    struct sd_span body = sd_kept(x, SD_KEPT_CLIENT_HELLO), ext;
    struct sd_client_hello ch;
    struct sd_rd shares;
    struct sd_key_share ks;
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE ||
        !sd_ext_find(ch.extensions, SD_EXT_KEY_SHARE, &ext) || !sd_ext_key_shares(ext, &shares))
        return 0;
    while (sd_key_share_next(&shares, &ks))
        if (ks.key.len > 1000)
            return ks.group;
    return 0;
}

bool sd_rule_listen_fragmented_hello(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *alert = sd_view_alert(c->view, SD_SERVER, SD_ALERT_DECODE_ERROR);
    if (!alert)
        alert = sd_view_alert(c->view, SD_SERVER, SD_ALERT_ILLEGAL_PARAMETER);
    if (!alert)
        alert = sd_view_alert(c->view, SD_SERVER, SD_ALERT_INTERNAL_ERROR);
    unsigned hellos = sd_view_bursts(c->view, SD_CLIENT, 1) + sd_view_bursts(c->view, SD_CLIENT, 3);
    /* Of a server that was never heard, nothing of the kind can be said. */
    if (c->outcome != SD_FAILED || x->hello_fragments < 2 || server_hello_seen(x) ||
        !x->side[SD_SERVER].datagrams || (!alert && hellos < 2))
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, 4);
    sd_prove_bursts(f, c->view, SD_CLIENT, 3, 4);
    if (alert)
        sd_prove(f, alert);
    f->confidence = alert ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "ch-cookie-unanswered");
    sd_say(f, "The ClientHello (%u bytes%s) came in %u fragments; the server %s.",
           (unsigned)sd_kept(x, SD_KEPT_CLIENT_HELLO).len,
           post_quantum_group(x) ? ", with a post-quantum key share" : "", x->hello_fragments,
           alert             ? "refused it with an alert"
           : x->cookie_count ? "answered only the first fragment"
                             : "did not continue the handshake");
    return true;
}

/* --- misfits that are no failure by themselves --- */

static const struct sd_event *first_message(const struct sd_exchange *x, enum sd_side side,
                                            uint8_t type, uint8_t flight)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->kind == SD_EV_HANDSHAKE && e->message == type && sd_event_side(e) == side &&
            (!flight || e->flight == flight))
            return e;
    }
    return NULL;
}

/* A HelloVerifyRequest came between the newest ClientHello and its answer. */
static bool verify_right_before(const struct sd_exchange *x, const struct sd_event *hello)
{
    for (const struct sd_event *e = hello; e-- > x->log;) {
        if (e->flags & SD_EVF_DUPLICATE)
            continue;
        if (sd_event_side(e) == SD_CLIENT)
            return false;
        if (e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_HELLO_VERIFY_REQUEST)
            return x->hellos_cookie > 0;
    }
    return false;
}

/* The network copies requests: they do not tell how many the server sent. */
static bool requests_copied(const struct sd_exchange *x)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].kind == SD_EV_HANDSHAKE && x->log[i].flags & SD_EVF_DUPLICATE &&
            x->log[i].message == SD_HS_HELLO_VERIFY_REQUEST)
            return true;
    return false;
}

bool sd_rule_hvr_then_flight4_immediately(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_event *hello = first_message(x, SD_SERVER, SD_HS_SERVER_HELLO, 4);
    const struct sd_event *again = first_message(x, SD_CLIENT, SD_HS_CLIENT_HELLO, 3);
    if (!x->cookie_count || x->version == SD_DTLS_1_3)
        return false;
    bool unasked = hello && !x->hellos_cookie && x->cookies[0].len && !c->view->one_way &&
                   !x->side[SD_CLIENT].snapped;
    bool twice = hello && x->cookie_count > x->hellos_plain + sd_hellos_unseen(x) &&
                 !requests_copied(x) && verify_right_before(x, hello);
    /* Each further round counts on. */
    bool one_round = !sd_hellos_unseen(x) && !x->verify_after_cookie;
    bool server = hello && hello->message_seq != 1 && one_round;
    bool client = again && again->message_seq != 1 && one_round;
    if (!unasked && !twice && !server && !client)
        return false;
    if (hello)
        sd_prove(f, hello);
    if (again && client)
        sd_prove(f, again);
    f->confidence = SD_HIGH;
    if (unasked || twice)
        sd_say(f, "The server sent a HelloVerifyRequest and also its whole flight for the same "
                  "ClientHello. The cookie then protects nothing, and some clients fail.");
    else
        sd_say(f,
               "After the HelloVerifyRequest the %s has message_seq %u instead of 1 (RFC 6347 "
               "section 4.2.2).",
               server ? "ServerHello" : "second ClientHello",
               server ? hello->message_seq : again->message_seq);
    return true;
}

static bool one_host(const struct sd_addr *a, const struct sd_addr *b)
{
    struct sd_addr one = sd_addr_host(a), two = sd_addr_host(b);
    return sd_addr_eq(&one, &two);
}

static const struct sd_exchange *shares_cookie(const struct sd_case *c)
{
    const struct sd_exchange *const *found = c->others;
    for (size_t i = 0; i < c->other_count; i++)
        for (unsigned j = 0; j < cookies_kept(found[i]); j++)
            for (unsigned k = 0; k < cookies_kept(c->x); k++)
                if (found[i]->cookies[j].hash == c->x->cookies[k].hash &&
                    !one_host(&found[i]->client, &c->x->client))
                    return found[i];
    return NULL;
}

bool sd_rule_cookie_weak(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    char other[SD_ADDR_TEXT];
    bool empty = false;
    for (unsigned i = 0; i < cookies_kept(x); i++)
        empty |= !x->cookies[i].len;
    const struct sd_exchange *twin = x->cookie_count && !empty ? shares_cookie(c) : NULL;
    if (!empty && !twin)
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 2, 4);
    f->confidence = SD_HIGH;
    if (empty)
        sd_say(f, "The server's cookie is empty: it proves nothing about the client's address.");
    else
        sd_say(f,
               "The server gave the same cookie to %s: the cookie does not depend on the client's "
               "address, so anybody who has one can use it from any address.",
               sd_addr_text(&twin->client, other));
    return true;
}

bool sd_rule_no_cookie_amplification(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    uint64_t in = x->client_bytes_unproven, out = x->server_bytes_unproven;
    if (x->cookie_count || sd_kept(x, SD_KEPT_RETRY).len || x->path_validated || !in ||
        x->hellos_cookie || out <= 3 * in || x->mid_session || x->reversed)
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, 2);
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 8);
    f->confidence = out >= 10 * in ? SD_HIGH : SD_MEDIUM;
    struct sd_span srtp;
    bool webrtc = sd_offer_ext(x, SD_EXT_USE_SRTP, &srtp);
    if (webrtc)
        f->confidence = SD_LOW;
    sd_say(f,
           "The server sent %llu bytes to an unverified address for %llu bytes from that address. "
           "An attacker with a forged address gains a factor of %.1f.%s",
           (unsigned long long)out, (unsigned long long)in, (double)out / (double)in,
           webrtc ? " The client offers use_srtp: ICE may have verified the address before the "
                    "capture began."
                  : "");
    return true;
}
