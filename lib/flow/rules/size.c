/* SPDX-License-Identifier: MIT */
/* Section E of the catalogue: sizes, fragments, path MTU. */
#include "flow/icmp.h"
#include "flow/rules/rule.h"
#include "wire/handshake.h"
#include "wire/names.h"
#include "wire/record.h"

enum {
    /* What a fragment needs around it: handshake and record header, UDP. */
    FRAGMENT_OVERHEAD = SD_HANDSHAKE_HEADER_LEN + SD_RECORD_HEADER_LEN + 8,
    OPENSSL_FLOOR_IP = 256, /* a datagram BIO that could not tell the MTU (measured) */
    FALLBACK_IP = 584,      /* 548 bytes of payload and the headers of IPv4 or IPv6, rounded up */
    SAFE_V6 = 1280,
    FULL_RECORD = 1200,    /* what fits no path, or nearly any */
    LARGE = 600,           /* what is smaller passes where anything does */
    MESSAGE_LIMIT = 16384, /* Mbed TLS, and others with one record's length as their buffer */
    HELLOS_MIN = 3,        /* without an answer */
    ETHERNET = 1500
};

/* Stacks send smaller datagrams after two or three timeouts, of 1 s and more (measured). */
#define FALLBACK_AFTER (2 * SD_NS_SECOND)

static bool is_v6(const struct sd_exchange *x)
{
    return x->client.sa.sa_family == AF_INET6;
}

static uint32_t ip_overhead(const struct sd_exchange *x)
{
    return is_v6(x) ? 40 : 20;
}

/* --- what of a flight never arrived --- */

struct missing {
    const struct sd_part *part;
    struct sd_range range; /* the largest piece */
    uint32_t packet;       /* the IP packet it would take, when it was one */
    unsigned parts;        /* messages that are not whole */
};

static void widest_hole(const struct sd_part *p, struct missing *m)
{
    uint32_t from = 0;
    for (size_t i = 0; i <= p->have_count; i++) {
        uint32_t to = i < p->have_count ? p->have[i].from : p->length;
        if (to - from > m->range.to - m->range.from) {
            m->range = (struct sd_range){from, to};
            m->part = p;
        }
        from = i < p->have_count ? p->have[i].to : to;
    }
}

static struct missing find_missing(const struct sd_view *v, enum sd_side side)
{
    struct missing m = {0};
    for (size_t i = 0; i < v->part_count; i++) {
        const struct sd_part *p = &v->parts[i];
        if (p->side != side || p->whole || p->crowded || p->flight < 4)
            continue;
        m.parts++;
        widest_hole(p, &m);
    }
    if (m.part)
        m.packet = m.range.to - m.range.from + FRAGMENT_OVERHEAD + ip_overhead(v->x);
    return m;
}

static bool repeated(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    return sd_view_bursts(v, side, flight) >= 2;
}

/* Small ones come, the large ones never do: a bracket for the path MTU. */
static bool hole_is_large(const struct sd_view *v, enum sd_side side, const struct missing *m)
{
    uint32_t arrived = v->x->side[side].largest_ip;
    return m->part && arrived && m->packet > arrived;
}

static void say_bracket(struct sd_finding *f, uint32_t above, uint32_t below)
{
    f->mtu_above = above;
    f->mtu_below = below > above ? below : 0;
}

/* Captured after the bottleneck: the pieces are missing each time. */
static bool hole_in_server_flight(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    struct missing m = find_missing(v, SD_SERVER);
    char name[SD_NAME_TEXT];
    if (!repeated(v, SD_SERVER, 4) || !v->lost[SD_SERVER])
        return false;
    if (!hole_is_large(v, SD_SERVER, &m) && !(sd_view_absent(v, SD_SERVER) && !m.part))
        return false;
    sd_prove_bursts(f, v, SD_SERVER, 4, SD_PACKETS_MAX);
    uint32_t arrived = c->x->side[SD_SERVER].largest_ip;
    say_bracket(f, arrived, m.packet);
    f->confidence = sd_view_bursts(v, SD_SERVER, 4) > 2 && m.part ? SD_HIGH : SD_MEDIUM;
    if (!m.part) {
        sd_say(
            f,
            "In %u attempts a whole message of the server's flight never arrived, but IP packets "
            "of up to %u bytes arrive.",
            sd_view_bursts(v, SD_SERVER, 4), arrived);
        return true;
    }
    sd_say(f,
           "In %u attempts bytes %u to %u of the server's %s (message_seq %u) never arrived; %u "
           "records are missing. IP packets of up to %u bytes arrive, so the path MTU is between "
           "%u and %u bytes.",
           sd_view_bursts(v, SD_SERVER, 4), m.range.from, m.range.to,
           sd_name(SD_NAME_HANDSHAKE, m.part->type, name), m.part->message_seq, v->lost[SD_SERVER],
           arrived, arrived, m.packet);
    return true;
}

static uint32_t largest_in_flight(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    uint32_t size = 0;
    for (size_t i = 0; i < v->burst_count; i++)
        if (v->bursts[i].side == side && v->bursts[i].flight == flight)
            size = v->bursts[i].largest > size ? v->bursts[i].largest : size;
    return size;
}

/* A whole message, longer than many receivers take. */
static const struct sd_part *message_above_limit(const struct sd_view *v)
{
    for (size_t i = 0; i < v->part_count; i++)
        if (v->parts[i].whole && v->parts[i].length > MESSAGE_LIMIT)
            return &v->parts[i];
    return NULL;
}

/* What shows that small packets reach the client; "" = only the large ones' size; or NULL. */
static const char *small_that_arrived(const struct sd_exchange *x, uint32_t largest)
{
    if (x->hellos_cookie)
        return "received the small HelloVerifyRequest but ";
    if (sd_rare(x)->beside[SD_CLIENT].stun_successes)
        return "answers small STUN requests from the same port but ";
    return largest > ETHERNET ? "" : NULL;
}

/* Captured before the bottleneck: all goes out, and the client keeps asking. */
static bool server_flight_unheard(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_exchange *x = c->x;
    const struct sd_burst *full = sd_view_burst(v, SD_SERVER, 4);
    uint8_t asking = x->hellos_cookie ? 3 : 1;
    uint32_t largest = largest_in_flight(v, SD_SERVER, 4);
    if (!full || !repeated(v, SD_SERVER, 4) || sd_view_bursts(v, SD_CLIENT, 5) ||
        v->lost[SD_SERVER] ||
        sd_view_caused(v, SD_CLIENT, asking, SD_CAUSE_FIRST) ==
            sd_view_bursts(v, SD_CLIENT, asking))
        return false;
    /* It heard the small HelloVerifyRequest; else nothing at all may reach it. */
    const struct sd_part *done = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    const char *small = small_that_arrived(x, largest);
    if (!small || largest < LARGE || sd_padded(x, SD_SERVER) || !done || !done->whole ||
        message_above_limit(v) || sd_record_above_limit(x))
        return false;
    sd_prove_bursts(f, v, SD_SERVER, 4, 6);
    sd_prove_bursts(f, v, SD_CLIENT, asking, 6);
    f->confidence = *small && !sd_server_flight_faulty(c) ? SD_MEDIUM : SD_LOW;
    sd_confuse(f, "reply-path-dead");
    say_bracket(f, 0, largest);
    sd_say(f,
           "The server sent its whole flight %u times (IP packets of up to %u bytes). The client %s"
           "keeps repeating its ClientHello, so the large packets probably do not reach it.%s",
           sd_view_bursts(v, SD_SERVER, 4), largest, small,
           largest > ETHERNET
               ? " Packets of this size travel as IP fragments, which many devices drop."
               : "");
    return true;
}

/* Captured after the bottleneck: of the server only small packets arrive, no flight. */
static bool server_flight_missing(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    const struct sd_rare *rare = sd_rare(x);
    uint32_t passed = rare->beside[SD_SERVER].stun + rare->beside[SD_SERVER].rtp;
    unsigned hellos = sd_view_bursts(c->view, SD_CLIENT, 1);
    if (x->side[SD_SERVER].datagrams || x->side[SD_SERVER].foreign || x->icmp_number ||
        x->on_sealed || rare->stranger_number || sd_answered_elsewhere(c) ||
        x->side[SD_CLIENT].largest_datagram >= LARGE || hellos < HELLOS_MIN || passed < hellos ||
        rare->beside[SD_SERVER].largest >= LARGE)
        return false;
    sd_prove_bursts(f, c->view, SD_CLIENT, 1, SD_PACKETS_MAX);
    f->confidence = SD_LOW;
    sd_confuse(f, "no-response");
    sd_say(
        f,
        "The client sent %u ClientHellos without an answer, but %u small STUN or RTP packets (up "
        "to %u bytes) came from the same port of the server. Probably only its large flight is "
        "lost; otherwise the server does not answer DTLS at all.",
        hellos, passed, rare->beside[SD_SERVER].largest);
    return true;
}

bool sd_rule_mtu_blackhole_s2c(const struct sd_case *c, struct sd_finding *f)
{
    if (c->outcome != SD_FAILED || c->x->server_randoms > 1)
        return false; /* two servers that take turns look as if each lost something */
    return hole_in_server_flight(c, f) || server_flight_unheard(c, f) ||
           server_flight_missing(c, f);
}

bool sd_rule_message_too_large(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_part *p = message_above_limit(v);
    char name[SD_NAME_TEXT];
    if (!p || c->outcome != SD_FAILED ||
        sd_view_bursts(v, sd_other(p->side), p->flight == 4 ? 5 : 6))
        return false;
    sd_prove_frame(f, p->number, p->first);
    sd_prove_bursts(f, v, p->side, p->flight, 6);
    f->confidence = v->lost[p->side] ? SD_LOW : SD_MEDIUM;
    sd_confuse(f, p->side == SD_SERVER ? "mtu-blackhole-s2c" : "mtu-blackhole-c2s");
    sd_say(f,
           "The %s's %s has %u bytes. All of it was captured, but the %s does not continue. Many "
           "stacks take at most %u bytes in one message, and some only 4096.",
           p->side == SD_SERVER ? "server" : "client", sd_name(SD_NAME_HANDSHAKE, p->type, name),
           p->length, p->side == SD_SERVER ? "client" : "server", (unsigned)MESSAGE_LIMIT);
    return true;
}

bool sd_rule_mtu_blackhole_c2s(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    struct missing m = find_missing(v, SD_CLIENT);
    uint32_t largest = largest_in_flight(v, SD_CLIENT, 5);
    if (c->outcome != SD_FAILED || !repeated(v, SD_SERVER, 4) || !c->x->negotiated)
        return false;
    bool hole = v->lost[SD_CLIENT] && repeated(v, SD_CLIENT, 5) &&
                (hole_is_large(v, SD_CLIENT, &m) || (sd_view_absent(v, SD_CLIENT) && !m.part));
    /* Before the bottleneck: both repeat, the server on its own clock, and something of ours
     * was large. */
    bool unheard = !v->lost[SD_CLIENT] && repeated(v, SD_CLIENT, 5) && largest > 1200 &&
                   sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_TIMER);
    if (!hole && !unheard)
        return false;
    sd_prove_bursts(f, v, SD_CLIENT, 5, 6);
    sd_prove_bursts(f, v, SD_SERVER, 4, 6);
    uint32_t arrived = hole ? c->x->side[SD_CLIENT].largest_ip : 0;
    say_bracket(f, arrived, hole ? m.packet : largest);
    f->confidence = hole && m.part ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, hole ? "flight5-lost" : "finished-mismatch");
    if (hole && m.part)
        sd_say(f,
               "The client's flight arrived %u times with the same part missing. IP packets of up "
               "to %u bytes arrive; the missing part needs a packet of %u bytes.",
               sd_view_bursts(v, SD_CLIENT, 5), arrived, m.packet);
    else if (hole)
        sd_say(f,
               "The client's flight arrived %u times with a whole message missing, but IP packets "
               "of up to %u bytes arrive.",
               sd_view_bursts(v, SD_CLIENT, 5), arrived);
    else
        sd_say(f,
               "The client sent its flight %u times (IP packets of up to %u bytes), but the server "
               "repeats its own flight on its timer, as if nothing had arrived.",
               sd_view_bursts(v, SD_CLIENT, 5), largest);
    return true;
}

/* --- ICMP says the packet is too big --- */

static const struct sd_event *find_too_big(const struct sd_exchange *x)
{
    for (size_t i = 0; x->icmp_number && i < x->count; i++)
        if (sd_icmp_meaning(&x->log[i]) == SD_MEANS_TOO_BIG)
            return &x->log[i];
    return NULL;
}

/* The same side sends again afterwards, and smaller. */
static bool resends_smaller(const struct sd_view *v, const struct sd_event *e)
{
    for (size_t i = 0; i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side == sd_event_side(e) && b->start > e->time && b->largest &&
            b->largest < e->length && b->flight >= 4)
            return true;
    }
    return false;
}

static bool spoof_like(const struct sd_exchange *x, const struct sd_event *e)
{
    return e->icmp_mtu && e->icmp_mtu < (is_v6(x) ? 1280U : 576U);
}

bool sd_rule_ptb_abort(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = find_too_big(c->x);
    if (!e || c->outcome != SD_FAILED || resends_smaller(c->view, e))
        return false;
    sd_prove(f, e);
    sd_prove_bursts(f, c->view, sd_event_side(e), sd_event_side(e) == SD_SERVER ? 4 : 5, 4);
    f->confidence = SD_HIGH;
    f->mtu_above = e->icmp_mtu ? e->icmp_mtu - 1 : 0;
    f->mtu_below = e->icmp_mtu;
    sd_say(f,
           "A router reported that a packet of %u bytes from the %s is too big (MTU %u%s), but the "
           "%s did not send the flight again in smaller packets.",
           e->length, sd_event_side(e) == SD_SERVER ? "server" : "client", e->icmp_mtu,
           spoof_like(c->x, e) ? ", suspiciously small" : "",
           sd_event_side(e) == SD_SERVER ? "server" : "client");
    return true;
}

bool sd_rule_ptb_ok(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_event *e = find_too_big(c->x);
    if (!e || (c->outcome != SD_OK && !resends_smaller(c->view, e)))
        return false;
    sd_prove(f, e);
    f->confidence = SD_HIGH;
    f->mtu_above = e->icmp_mtu ? e->icmp_mtu - 1 : 0;
    f->mtu_below = e->icmp_mtu;
    sd_say(f,
           "A router reported that a packet of %u bytes is too big (MTU %u%s). Smaller packets "
           "followed.",
           e->length, e->icmp_mtu, spoof_like(c->x, e) ? ", suspiciously small" : "");
    return true;
}

/* --- fallback --- */

/* Attempts at one flight: how large the packets were, and what was missing. */
struct attempts {
    const struct sd_burst *first, *before, *last; /* before: the last but one */
    unsigned count, lost;
    uint32_t largest; /* IP packet of those before the last */
};

static struct attempts attempts_at(const struct sd_view *v, enum sd_side side, uint8_t flight)
{
    struct attempts a = {0};
    for (size_t i = 0; i < v->burst_count; i++) {
        const struct sd_burst *b = &v->bursts[i];
        if (b->side != side || b->flight != flight)
            continue;
        a.first = a.first ? a.first : b;
        if (a.last && a.last->largest > a.largest)
            a.largest = a.last->largest;
        a.before = a.last;
        a.last = b;
        a.count++;
        a.lost += b->gap;
    }
    return a;
}

/* Some stacks pack the messages of a flight into one datagram at first, and send each alone
 * when they repeat it (OpenSSL): smaller, and yet no fallback. That cuts messages, or comes
 * after a repetition as large as the first attempt. */
static bool cuts(const struct sd_view *v, const struct attempts *a)
{
    if (a->count > 2 && a->before->largest * 10 >= a->largest * 9)
        return true;
    for (size_t i = a->last->first; i < a->last->end; i++) {
        const struct sd_event *e = &v->x->log[i];
        if (e->kind == SD_EV_HANDSHAKE && sd_event_side(e) == a->last->side &&
            e->frag_len < e->length)
            return true;
    }
    return false;
}

/* Where only one direction was captured, the sender's own next flight tells. */
static bool went_on(const struct sd_case *c, enum sd_side side, uint8_t flight)
{
    return c->outcome == SD_OK ||
           (c->view->one_way && sd_view_burst(c->view, side, (uint8_t)(flight + 2)));
}

/* First attempts of a flight lost pieces, a later one came in smaller packets and was
 * enough. What was lost is seen as gaps, or as the larger packets themselves. */
bool sd_rule_mtu_fallback(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    for (uint8_t flight = 3; flight <= 5; flight++) {
        enum sd_side side = flight % 2 ? SD_CLIENT : SD_SERVER;
        struct attempts a = attempts_at(v, side, flight);
        if (a.count < 2 || a.last->start - a.first->start < FALLBACK_AFTER ||
            !went_on(c, side, flight) || !cuts(v, &a))
            continue;
        if (sd_view_bursts(v, sd_other(side), (uint8_t)(flight + 1)) > 1)
            continue; /* it was answered each time: what is lost are the answers */
        bool shrank = a.last->largest * 10 < a.largest * 9;
        if ((!shrank && !(a.lost && a.last->largest <= FALLBACK_IP)) ||
            a.last->largest > FALLBACK_IP + 700)
            continue;
        sd_prove_bursts(f, v, side, flight, SD_PACKETS_MAX);
        f->confidence = v->one_way ? SD_MEDIUM : SD_HIGH;
        say_bracket(f, a.last->largest, shrank ? a.largest : 0);
        sd_say(f,
               "The %s's flight arrived only after %.2f s, in IP packets of at most %u bytes. The "
               "larger packets of the earlier attempts were lost.",
               side == SD_SERVER ? "server" : "client", sd_seconds(a.last->start - a.first->start),
               a.last->largest);
        return true;
    }
    return false;
}

bool sd_rule_sender_never_sent(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_part *hello = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO);
    const struct sd_part *done = sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    if (c->outcome != SD_FAILED || !hello || (done && done->whole) || hello->sent < 2 ||
        v->lost[SD_SERVER] || c->x->version == SD_DTLS_1_3 || c->x->resumed ||
        sd_view_alert(v, SD_SERVER, -1) || sd_view_alert(v, SD_CLIENT, -1))
        return false;
    sd_prove_bursts(f, v, SD_SERVER, 4, SD_PACKETS_MAX);
    f->confidence = hello->sent > 2 ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "mtu-blackhole-s2c");
    sd_say(f,
           "The server sent the beginning of its flight %u times but never the rest. No record "
           "number is missing, so the rest was not lost on the path: the server never sent it.",
           hello->sent);
    return true;
}

/* --- IP fragments --- */

bool sd_rule_ip_fragments_lost(const struct sd_case *c, struct sd_finding *f)
{
    unsigned cut = 0;
    for (size_t i = 0; i < c->x->count; i++) {
        const struct sd_event *e = &c->x->log[i];
        if (e->kind != SD_EV_IP_CUT)
            continue;
        sd_prove(f, e);
        cut++;
    }
    if (cut < (c->outcome == SD_FAILED ? 2U : 1U))
        return false;
    f->severity = c->outcome == SD_FAILED ? SD_FATAL : SD_WARNING;
    f->confidence = cut > 2 ? SD_HIGH : SD_MEDIUM;
    sd_confuse(f, "mtu-blackhole-s2c");
    sd_say(
        f,
        "Only the first fragment of %u IP packet%s of the handshake arrived. A device on the path "
        "probably drops IP fragments.",
        cut, sd_plural(cut));
    return true;
}

static unsigned datagrams_of(const struct sd_exchange *x, enum sd_side side, uint8_t flight,
                             uint32_t *largest, bool *cut)
{
    unsigned n = 0;
    *cut = false;
    for (size_t i = 0; i < x->count; i++) {
        const struct sd_event *e = &x->log[i];
        if (e->flight != flight || sd_event_side(e) != side ||
            e->flags & (SD_EVF_RETRANSMIT | SD_EVF_DUPLICATE))
            continue;
        *cut |= e->kind == SD_EV_HANDSHAKE && e->frag_len < e->length;
        n += (e->flags & SD_EVF_FIRST) != 0;
        *largest = e->ip_length > *largest ? e->ip_length : *largest;
    }
    return n;
}

/* Small messages make small datagrams: only a message that was cut shows a limit. A server that
 * is asked again may take a small size on purpose. */
bool sd_rule_tiny_fragments(const struct sd_case *c, struct sd_finding *f)
{
    uint32_t largest = 0;
    bool cut;
    unsigned n = datagrams_of(c->x, SD_SERVER, 4, &largest, &cut);
    if (c->outcome == SD_INCOMPLETE || !cut || n < 3 || !largest || largest > OPENSSL_FLOOR_IP ||
        repeated(c->view, SD_CLIENT, 1) || repeated(c->view, SD_CLIENT, 3))
        return false;
    sd_prove_bursts(f, c->view, SD_SERVER, 4, 1);
    f->confidence = SD_HIGH;
    sd_say(f,
           "The server's flight came in %u IP packets of at most %u bytes. The server's DTLS "
           "library probably did not know the MTU.",
           n, largest);
    return true;
}

bool sd_rule_oversize_first_flight(const struct sd_case *c, struct sd_finding *f)
{
    uint32_t limit = is_v6(c->x) ? SAFE_V6 : ETHERNET, worst = 0;
    const struct sd_event *found = NULL;
    for (size_t i = 0; i < c->x->count; i++) {
        const struct sd_event *e = &c->x->log[i];
        if (e->flight && e->ip_length > worst && e->ip_length > limit) {
            worst = e->ip_length;
            found = e;
        }
    }
    if (!found)
        return false;
    sd_prove(f, found);
    f->confidence = SD_HIGH;
    sd_say(
        f,
        "A handshake datagram from the %s makes an IP packet of %u bytes%s. Packets of more than "
        "%u bytes do not pass on every path.",
        sd_event_side(found) == SD_SERVER ? "server" : "client", worst,
        found->flags & SD_EVF_IP_FRAGMENTS ? " (sent in IP fragments)" : "", limit);
    return true;
}

/* --- retransmissions that differ --- */

bool sd_rule_refragmentation_intolerance(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_view *v = c->view;
    const struct sd_event *e = NULL;
    if (c->outcome != SD_FAILED || sd_view_bursts(v, SD_CLIENT, 5) || !v->lost[SD_SERVER] ||
        !sd_view_part(v, SD_SERVER, SD_HS_SERVER_HELLO_DONE) || !sd_view_whole(v, SD_SERVER))
        return false;
    for (size_t i = 0; i < c->x->count && !e; i++)
        if (c->x->log[i].flags & SD_EVF_REFRAGMENTED && sd_event_side(&c->x->log[i]) == SD_SERVER)
            e = &c->x->log[i];
    if (!e)
        return false;
    sd_prove(f, e);
    sd_prove_bursts(f, v, SD_SERVER, 4, 6);
    f->confidence = v->vantage == SD_NEAR_CLIENT ? SD_MEDIUM : SD_LOW;
    sd_confuse(f, "mtu-blackhole-s2c");
    sd_say(f, "In this capture the server's flight is complete only when attempts with different "
              "fragment boundaries are joined. The client does not continue.");
    return true;
}

bool sd_rule_bytes_changed(const struct sd_case *c, struct sd_finding *f)
{
    char name[SD_NAME_TEXT];
    for (size_t i = 0; i < c->x->count; i++) {
        const struct sd_event *e = &c->x->log[i];
        if (!(e->flags & SD_EVF_CHANGED))
            continue;
        sd_prove(f, e);
        f->confidence = SD_HIGH;
        sd_say(f,
               "The %s's %s (message_seq %u) was sent again with different bytes. A retransmission "
               "must not change (RFC 6347 section 4.2.4): the two sides now hash different "
               "transcripts.",
               sd_event_side(e) == SD_SERVER ? "server" : "client",
               sd_name(SD_NAME_HANDSHAKE, e->message, name), e->message_seq);
        return true;
    }
    return false;
}

/* --- after the handshake --- */

/* The records before which protected ones are missing. */
static void prove_gaps(struct sd_finding *f, const struct sd_exchange *x, enum sd_side side)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->log[i].gap && x->log[i].epoch && sd_event_side(&x->log[i]) == side)
            sd_prove(f, &x->log[i]);
}

bool sd_rule_appdata_size_loss(const struct sd_case *c, struct sd_finding *f)
{
    const struct sd_exchange *x = c->x;
    if (!x->established)
        return false;
    for (int s = SD_CLIENT; s < SD_SIDES; s++) {
        const struct sd_numbers *n = &x->side[s].sealed, *back = &x->side[1 - s].sealed;
        uint32_t missing = sd_numbers_missing(n);
        if (missing < 3 || missing < n->seen / 5 || sd_numbers_missing(back) > missing / 4)
            continue;
        if (n->largest >= FULL_RECORD || x->side[s].snapped)
            continue; /* large ones do arrive; or the capture has not all of them */
        prove_gaps(f, x, (enum sd_side)s);
        if (!f->packet_count)
            continue;
        f->confidence = missing > 5 ? SD_MEDIUM : SD_LOW;
        sd_confuse(f, "loss-recovered");
        sd_say(f,
               "%u of %u encrypted records from the %s are missing (%u from the %s). The largest "
               "that arrived has %llu bytes, so large records are probably dropped.",
               missing, missing + n->seen, s == SD_SERVER ? "server" : "client",
               sd_numbers_missing(back), s == SD_SERVER ? "client" : "server",
               (unsigned long long)n->largest);
        return true;
    }
    return false;
}
