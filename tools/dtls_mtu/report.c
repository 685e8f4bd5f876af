/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dtls_mtu/advice.h"
#include "dtls_mtu/host.h"
#include "mtu/sizes.h"

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

enum {
    PER_MILLE_PER_PERCENT = 10,
    USUAL_FLIGHT = 5200 /* bytes: a chain of three RSA-4096 certificates */
};

static const char to_server[] = "to the server", from_server[] = "from the server";

struct report {
    const struct mtu_result *r;
    bool color;
};

static const char *paint(const struct report *p, const char *code)
{
    return p->color ? code : "";
}

static double ms_of(sd_time t)
{
    return (double)t / (double)SD_MS;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static const char *server_words(enum mtu_contact_end end)
{
    switch (end) {
    case MTU_CONTACT_OK:
        return "DTLS server with cookies";
    case MTU_CONTACT_NO_COOKIE:
        return "DTLS server without cookies";
    case MTU_CONTACT_ONE_CLIENT:
        return "DTLS server that serves one client at a time";
    case MTU_CONTACT_ALERT:
    case MTU_CONTACT_NO_PADDED:
        return "DTLS server";
    case MTU_CONTACT_FOREIGN:
        return "not a DTLS server";
    default:
        return "no answer";
    }
}

static void print_server(const struct report *p)
{
    const struct mtu_result *r = p->r;
    char text[SD_ADDR_TEXT];
    printf("%s%s%s  %s", paint(p, BOLD), sd_addr_text(&r->to, text), paint(p, PLAIN),
           server_words(r->contact.end));
    if (r->contact.end == MTU_CONTACT_OK)
        printf(", round trip %.1f ms", ms_of(r->has_c2s ? r->c2s.rtt : r->contact.rtt));
    if (r->has_c2s && r->c2s.small_lost)
        printf(", %u of %u probes that fit were lost", r->c2s.small_lost, r->c2s.small_sent);
    putchar('\n');
}

static void print_limit(const struct mtu_result *r, const struct mtu_measured *m)
{
    const char *cause = sd_mtu_reason(m->mtu);
    bool path = m->limit == SD_MTU_LIMIT_ICMP ||
                (m->limit == SD_MTU_LIMIT_SILENT && !mtu_result_same_host(r));
    if (m->limit == SD_MTU_LIMIT_LOCAL)
        puts(r->local < r->interface ? "the largest size tried (see --max)"
                                     : "the MTU of the local interface");
    else if (path)
        printf("limited by the path, which %s\n",
               m->limit == SD_MTU_LIMIT_ICMP ? "reports it by ICMP" : "does not report it");
    else if (m->limit == SD_MTU_LIMIT_SILENT)
        puts("limited by the server: it runs on this host, so there is no path");
    else
        puts("no clear limit found");
    if (path && cause)
        printf("    common cause: %s\n", cause);
}

static void print_tallies(const struct mtu_measured *m)
{
    const char *before = "    checked: ", *noun = " packets", *verb = " arrived", *end = "";
    for (unsigned i = 0; i < MTU_TALLIES; i++) {
        if (!m->tally[i].sent)
            continue;
        printf("%s%u of %u%s of %u bytes%s", before, m->tally[i].answered, m->tally[i].sent, noun,
               m->tally[i].size, verb);
        before = ", ";
        noun = verb = "";
        end = "\n";
    }
    fputs(end, stdout);
}

static const char *claim_words(const struct mtu_icmp_claim *c, const struct mtu_measured *m)
{
    if (c->refused == c->count)
        return "ignored, because it quotes no probe";
    return c->mtu == m->mtu ? "confirmed by probes" : "not confirmed by probes";
}

static void print_claims(const struct mtu_measured *m)
{
    char text[SD_ADDR_TEXT];
    for (unsigned i = 0; i < m->icmp_count; i++) {
        const struct mtu_icmp_claim *c = &m->icmp[i];
        printf("    ICMP error from %s: ", mtu_host_text(&c->from, text));
        if (c->mtu)
            printf("path MTU %u bytes (%s)\n", c->mtu, claim_words(c, m));
        else
            printf("no path MTU given\n");
    }
}

static void print_direction(const struct report *p, const char *name, const struct mtu_measured *m)
{
    if (!m->mtu) {
        printf("%-16s path MTU unknown: no probe was answered\n", name);
        return;
    }
    printf("%-16s %spath MTU %u bytes%s  ", name, paint(p, BOLD), m->mtu, paint(p, PLAIN));
    print_limit(p->r, m);
    print_tallies(m);
    printf("    ");
    if (m->limit != SD_MTU_LIMIT_LOCAL)
        printf("confidence %u.%u %%, ", m->confidence / PER_MILLE_PER_PERCENT,
               m->confidence % PER_MILLE_PER_PERCENT);
    printf("%u probes%s\n", m->probes, m->changes ? "; the path changed meanwhile" : "");
    print_claims(m);
}

/* What is known of the direction from the server without a peer. */
static void print_back_bounds(const struct mtu_result *r)
{
    const struct mtu_handshake *h = &r->handshake;
    if (h->done && h->above && h->below)
        printf("%-16s path MTU between %u and %u bytes, from the handshake\n", from_server,
               h->above, h->below - 1);
    else if (h->done && h->above)
        printf("%-16s path MTU at least %u bytes, the largest packet of the handshake\n",
               from_server, h->above);
    else if (!r->ping.mtu)
        printf("%-16s not measured: use --peer, --handshake or --reverse-ping\n", from_server);
}

static void print_ping(const struct mtu_ping *p)
{
    if (!p->done)
        return;
    if (p->error)
        printf("    ping: %s%s\n", strerror(p->error),
               p->error == EACCES ? " (allow it with sysctl net.ipv4.ping_group_range)" : "");
    else if (!p->answered)
        printf("    ping: no answer\n");
    else
        printf("%-16s path MTU probably %s%u bytes, as ping replies arrive %s\n", from_server,
               p->exact ? "" : "at least ", p->mtu,
               p->exact ? "in fragments above that size" : "whole at that size");
}

static const char *peer_words(enum mtu_peer_kind kind)
{
    switch (kind) {
    case MTU_PEER_ECHO:
        return "The peer is an echo server: only the direction to the server is measured. To "
               "measure both, run dtls_mtu --responder there.";
    case MTU_PEER_SILENT:
        return "The peer does not answer. Run dtls_mtu --responder there.";
    case MTU_PEER_OTHER:
        return "The peer is not dtls_mtu --responder, and not an echo server.";
    default:
        return NULL;
    }
}

static void print_handshake(const struct mtu_result *r)
{
    const struct mtu_handshake *h = &r->handshake;
    const char *peer = peer_words(r->peer.kind);
    if (!h->done)
        return;
    if (h->established)
        printf("%-16s %.1f ms, %s; largest flight from the server: %zu bytes in %u datagram%s\n",
               "handshake", h->ms, h->cipher, h->flight, h->datagrams, plural(h->datagrams));
    else
        printf("%-16s failed: %s\n", "handshake", h->text);
    if (peer)
        printf("    %s\n", peer);
}

static void print_trace(const struct mtu_trace *t)
{
    char text[SD_ADDR_TEXT];
    if (!t->done)
        return;
    printf("    trace with packets of %u bytes (small) and %u bytes (large), by the hops they "
           "reach:\n",
           t->small, t->large);
    for (unsigned i = 0; i < t->hops; i++)
        printf("    hop %u  %-24s%s%s\n", i + 1,
               t->hop[i].from.sa.sa_family ? mtu_host_text(&t->hop[i].from, text) : "no answer",
               t->hop[i].small ? " small" : "", t->hop[i].large ? " large" : "");
    if (t->last_large)
        printf("    Packets of %u bytes vanish after hop %u (%s)%s.\n", t->large, t->last_large,
               mtu_host_text(&t->hop[t->last_large - 1].from, text),
               t->last_large == t->hops && t->reached ? ", before the server" : "");
    else if (t->hops)
        printf("    Packets of %u bytes vanish before the first hop that answers.\n", t->large);
}

static const char *severity_color(enum sd_severity severity)
{
    return severity == SD_FATAL ? RED : severity == SD_WARNING ? YELLOW : GREEN;
}

static void print_findings(const struct report *p)
{
    const struct mtu_result *r = p->r;
    for (unsigned i = 0; i < r->finding_count; i++) {
        const struct mtu_finding *f = &r->findings[i];
        printf("%s%s%s %s\n", paint(p, severity_color(f->severity)), f->entry->id, paint(p, PLAIN),
               f->text);
    }
    if (!r->finding_count && r->exit == MTU_EXIT_OK)
        printf("%sok%s No defect found.\n", paint(p, GREEN), paint(p, PLAIN));
}

static void print_notes(const struct mtu_result *r)
{
    char text[SD_ADDR_TEXT];
    if (r->kernel && r->has_c2s && r->kernel < r->c2s.mtu)
        printf("note: the kernel has cached a path MTU of %u bytes (see ip route get %s)\n",
               r->kernel, mtu_host_text(&r->to, text));
    if (mtu_result_too_small(r, true))
        printf("The path to the server carries less than --require %u.\n", r->require);
    if (mtu_result_too_small(r, false))
        printf("The path from the server carries less than --require %u.\n", r->require);
}

static void print_effects(const struct report *p, unsigned packet, unsigned payload)
{
    const struct mtu_result *r = p->r;
    struct mtu_stack_effect effect[MTU_STACKS];
    const struct mtu_measured *m = mtu_result_s2c(r) == packet ? &r->s2c : &r->c2s;
    size_t flight = r->handshake.flight ? r->handshake.flight : USUAL_FLIGHT;
    size_t datagrams = (flight + payload - 1) / payload;
    mtu_advice_effects(effect, payload, sd_mtu_payload(r->local, r->ipv6),
                       m->limit == SD_MTU_LIMIT_ICMP);
    printf("\nOn this path a flight of %zu bytes takes %zu datagram%s of up to %u bytes.\n"
           "With default settings, a flight of several datagrams is sent like this:\n",
           flight, datagrams, plural(datagrams), payload);
    for (unsigned i = 0; i < MTU_STACKS; i++)
        printf("    %s%-12s%s %s\n", effect[i].bad ? paint(p, RED) : "", effect[i].stack,
               effect[i].bad ? paint(p, PLAIN) : "", effect[i].text);
}

static void print_settings(unsigned packet, unsigned payload)
{
    struct mtu_setting setting[MTU_SETTINGS];
    struct mtu_cipher_room room[MTU_CIPHERS];
    mtu_advice_settings(setting, payload, packet);
    mtu_advice_ciphers(room, payload);
    printf("Settings for this path:\n");
    for (unsigned i = 0; i < MTU_SETTINGS; i++)
        printf("    %-12s %s\n", setting[i].stack, setting[i].text);
    printf("Largest message in one datagram:\n");
    for (unsigned i = 0; i < MTU_CIPHERS; i++)
        printf("    %-34s %u bytes\n", room[i].ciphers, room[i].payload);
}

static void print_advice(const struct report *p)
{
    unsigned packet = mtu_result_least(p->r), payload = sd_mtu_payload(packet, p->r->ipv6);
    if (!packet)
        return;
    print_effects(p, packet, payload);
    print_settings(packet, payload);
}

void mtu_report(const struct mtu_result *r, bool color)
{
    struct report p = {r, color};
    print_server(&p);
    if (r->has_c2s)
        print_direction(&p, to_server, &r->c2s);
    if (r->has_s2c)
        print_direction(&p, from_server, &r->s2c);
    else if (r->has_c2s || r->handshake.done)
        print_back_bounds(r);
    print_ping(&r->ping);
    print_handshake(r);
    print_trace(&r->trace);
    print_findings(&p);
    print_notes(r);
    print_advice(&p);
    printf("%u probes in %.2f s\n", r->probes, (double)(r->ended - r->begun) / (double)SD_SEC);
}
