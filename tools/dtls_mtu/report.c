/* What was found, for people. */
#include <stdio.h>

#include "dtls_mtu/advice.h"
#include "dtls_mtu/survey.h"
#include "mtu/sizes.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum { PERCENT = 100, MILLE = 1000, USUAL_FLIGHT = 5200 }; /* a chain of three RSA-4096 */

static const char *paint(const struct survey *s, const char *code)
{
    return s->color ? code : "";
}

static const char *contact_words(const struct survey *s)
{
    switch (s->contact.end) {
    case CONTACT_OK:
        return "DTLS server with cookies";
    case CONTACT_NO_COOKIE:
        return "DTLS server without cookies";
    case CONTACT_ALERT:
    case CONTACT_NO_PADDED:
        return "DTLS server";
    case CONTACT_FOREIGN:
        return "not a DTLS server";
    default:
        return "no answer";
    }
}

static void put_head(const struct survey *s)
{
    char text[SD_ADDR_TEXT];
    printf("%s%s%s  %s", paint(s, BOLD), sd_addr_text(&s->path.to, text), paint(s, PLAIN),
           contact_words(s));
    if (s->contact.end == CONTACT_OK)
        printf(", round trip %.1f ms", (double)(s->has_c2s ? s->c2s.rtt : s->contact.rtt) / 1e6);
    if (s->has_c2s && s->c2s.small_lost)
        printf(", loss %u of %u", s->c2s.small_lost, s->c2s.small_sent);
    putchar('\n');
}

static const char *limit_words(const struct survey *s, const struct measured *m, char *buf,
                               size_t cap)
{
    const char *why = sd_mtu_reason(m->mtu);
    switch (m->limit) {
    case SD_MTU_LIMIT_LOCAL:
        return s->local < s->interface ? "as much as was tried, see --max"
                                       : "as much as the local interface takes";
    case SD_MTU_LIMIT_ICMP:
        snprintf(buf, cap, "limited by the path, which says so%s%s", why ? "; often " : "",
                 why ? why : "");
        return buf;
    case SD_MTU_LIMIT_SILENT:
        if (survey_same_host(s))
            return "limited by the server: there is no path on one host";
        snprintf(buf, cap, "limited by the path%s%s", why ? "; often " : "", why ? why : "");
        return buf;
    default:
        return "no sharp limit found";
    }
}

static void put_tally(const struct measured *m)
{
    const char *sep = "checked: ";
    for (unsigned i = 0; i < TALLIES; i++) {
        if (!m->tally[i].sent)
            continue;
        printf("%s%u bytes %u of %u", sep, m->tally[i].size, m->tally[i].answered,
               m->tally[i].sent);
        sep = ", ";
    }
}

static void put_icmp(const struct measured *m)
{
    char text[SD_ADDR_TEXT];
    for (unsigned i = 0; i < m->icmp_count; i++) {
        const struct icmp_word *w = &m->icmp[i];
        printf("    ICMP from %s: %u bytes%s\n", path_host_text(&w->from, text), w->mtu,
               w->refused == w->count ? ", ignored: it quotes nothing that was sent"
               : w->mtu == m->mtu     ? ", confirmed by probing"
                                      : ", not confirmed by probing");
    }
}

static void put_direction(const struct survey *s, const char *name, const struct measured *m)
{
    char words[200];
    if (!m->mtu) {
        printf("%-16s path MTU not known: not even the smallest size arrives\n", name);
        return;
    }
    printf("%-16s %spath MTU %u%s  %s\n    ", name, paint(s, BOLD), m->mtu, paint(s, PLAIN),
           limit_words(s, m, words, sizeof words));
    put_tally(m);
    if (m->limit != SD_MTU_LIMIT_LOCAL)
        printf("; sure to %u.%u %%", m->confidence * PERCENT / MILLE,
               m->confidence * PERCENT % MILLE / PERCENT);
    printf("; %u probes%s\n", m->probes, m->changes ? "; the path changed meanwhile" : "");
    put_icmp(m);
}

static void put_back_hints(const struct survey *s)
{
    const struct handshake *h = &s->handshake;
    if (s->has_s2c)
        return;
    if (h->done && h->above && h->below)
        printf("%-16s path MTU in (%u, %u], from the handshake\n", "from the server", h->above - 1,
               h->below - 1);
    else if (h->done && h->above)
        printf("%-16s path MTU at least %u, the largest packet of the handshake\n",
               "from the server", h->above);
    else if (!s->ping.mtu)
        printf("%-16s not measured: --peer, --handshake or --reverse-ping tell more\n",
               "from the server");
}

static void put_ping(const struct survey *s)
{
    const struct ping *p = &s->ping;
    if (!p->done)
        return;
    if (p->error)
        printf("    ping: not possible here (net.ipv4.ping_group_range)\n");
    else if (!p->answered)
        printf("    ping: not answered\n");
    else
        printf("%-16s path MTU %s%u: a hint, from the fragments of ping replies\n",
               "from the server", p->exact ? "" : "at least ", p->mtu);
}

static void put_handshake(const struct survey *s)
{
    const struct handshake *h = &s->handshake;
    if (!h->done)
        return;
    if (h->established)
        printf("%-16s %.1f ms, %s; largest flight from the server: %zu bytes in %u datagram%s\n",
               "handshake", h->ms, h->cipher, h->flight, h->datagrams,
               h->datagrams == 1 ? "" : "s");
    else
        printf("%-16s failed: %s\n", "handshake", h->text);
    if (s->cfg->peer && h->established && s->peer.kind != PEER_RESPONDER)
        printf("    %s\n", s->peer.kind == PEER_ECHO
                               ? "The peer echoes: the way there is measured, the way back needs "
                                 "dtls_mtu --responder."
                               : "The peer is neither dtls_mtu --responder nor an echo.");
}

static void put_trace(const struct survey *s)
{
    const struct trace *t = &s->trace;
    char text[SD_ADDR_TEXT];
    if (!t->done)
        return;
    for (unsigned i = 0; i < t->hops; i++)
        printf("    hop %u  %-24s%s%s\n", i + 1,
               t->hop[i].from.sa.sa_family ? path_host_text(&t->hop[i].from, text) : "no answer",
               t->hop[i].small ? " small" : "", t->hop[i].large ? " large" : "");
    if (t->last_large)
        printf("    Packets of %u bytes vanish behind hop %u (%s)%s.\n", t->large, t->last_large,
               path_host_text(&t->hop[t->last_large - 1].from, text),
               t->last_large == t->hops && t->reached ? ", before the server" : "");
    else if (t->hops)
        printf("    Packets of %u bytes vanish before the first hop that answers.\n", t->large);
}

static void put_verdicts(const struct survey *s)
{
    for (unsigned i = 0; i < s->verdict_count; i++) {
        const struct verdict *v = &s->verdicts[i];
        const char *color = v->severity == SD_FATAL     ? RED
                            : v->severity == SD_WARNING ? YELLOW
                                                        : GREEN;
        printf("%s%s%s %s\n", paint(s, color), v->entry->id, paint(s, PLAIN), v->text);
    }
    if (!s->verdict_count && s->has_c2s)
        printf("%sok%s Nothing wrong.\n", paint(s, GREEN), paint(s, PLAIN));
    if (s->kernel && s->has_c2s && s->kernel < s->c2s.mtu)
        printf("note: the kernel believes in %u bytes, by an old ICMP error or its route "
               "(ip route get).\n",
               s->kernel);
    if (s->cfg->require && s->has_c2s && s->c2s.mtu < s->cfg->require)
        printf("less than --require %u\n", s->cfg->require);
}

static void put_advice(const struct survey *s, unsigned packet)
{
    struct stack_effect effect[STACKS];
    struct setting setting[SETTINGS];
    struct cipher_room room[CIPHERS];
    unsigned payload = sd_mtu_payload(packet, s->path.ipv6);
    const struct measured *m = s->has_s2c && s->s2c.mtu == packet ? &s->s2c : &s->c2s;
    size_t flight = s->handshake.flight ? s->handshake.flight : USUAL_FLIGHT;
    advice_effects(effect, payload, sd_mtu_payload(s->local, s->path.ipv6),
                   m->limit == SD_MTU_LIMIT_ICMP);
    advice_settings(setting, payload, packet);
    advice_ciphers(room, payload);
    size_t datagrams = (flight + payload - 1) / payload;
    printf("\nA flight of %zu bytes takes %zu datagram%s of up to %u bytes.\n"
           "A flight that fills more than one meets, without settings:\n",
           flight, datagrams, datagrams == 1 ? "" : "s", payload);
    for (unsigned i = 0; i < STACKS; i++)
        printf("    %s%-12s%s %s\n", effect[i].bad ? paint(s, RED) : "", effect[i].stack,
               effect[i].bad ? paint(s, PLAIN) : "", effect[i].text);
    printf("Settings that fit:\n");
    for (unsigned i = 0; i < SETTINGS; i++)
        printf("    %-12s %s\n", setting[i].stack, setting[i].text);
    printf("Largest message:\n");
    for (unsigned i = 0; i < CIPHERS; i++)
        printf("    %-34s %u bytes\n", room[i].ciphers, room[i].payload);
}

void survey_report(const struct survey *s)
{
    unsigned c2s = survey_c2s(s), s2c = survey_s2c(s);
    put_head(s);
    if (s->has_c2s)
        put_direction(s, "to the server", &s->c2s);
    if (s->has_s2c)
        put_direction(s, "from the server", &s->s2c);
    else if (s->has_c2s || s->handshake.done)
        put_back_hints(s);
    put_ping(s);
    put_handshake(s);
    put_trace(s);
    put_verdicts(s);
    if (c2s)
        put_advice(s, s2c && s2c < c2s ? s2c : c2s);
    printf("%u probes, %.2f s\n", s->path.probes + (s->has_s2c ? s->s2c.probes : 0),
           (double)(s->ended - s->begun) / 1e9);
}
