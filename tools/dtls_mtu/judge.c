/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dtls_mtu/host.h"
#include "flow/rules/catalogue.h"
#include "mtu/sizes.h"
#include "wire/names.h"

enum { BY_CATALOGUE = -1 };

/* severity: enum sd_severity, or BY_CATALOGUE. */
static void add_finding(struct mtu_result *r, const char *id, int severity, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void add_finding(struct mtu_result *r, const char *id, int severity, const char *fmt, ...)
{
    const struct sd_entry *entry = sd_catalogue_find(id);
    unsigned at = 0;
    if (!entry || r->finding_count == MTU_FINDINGS)
        return;
    enum sd_severity grade =
        severity == BY_CATALOGUE ? entry->severity : (enum sd_severity)severity;
    while (at < r->finding_count && r->findings[at].severity >= grade)
        at++;
    struct mtu_finding *f = &r->findings[at];
    memmove(f + 1, f, (r->finding_count - at) * sizeof *f);
    r->finding_count++;
    f->entry = entry;
    f->severity = grade;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
}

static void judge_silence(struct mtu_result *r)
{
    const struct mtu_contact *k = &r->contact;
    char from[SD_ADDR_TEXT] = "This host";
    if (k->from.sa.sa_family != AF_UNSPEC)
        mtu_host_text(&k->from, from);
    switch (k->end) {
    case MTU_CONTACT_SILENT:
        add_finding(
            r, "no-response", BY_CATALOGUE,
            "The server answers none of %u ClientHellos.%s Probably no server listens there, "
            "a firewall drops the packets, or a VPN gateway (ocserv, AnyConnect) answers "
            "known sessions only.",
            k->probes,
            k->error ? " ICMP errors arrived, but they quote none of the ClientHellos and "
                       "may be forged."
                     : "");
        break;
    case MTU_CONTACT_REFUSED:
        add_finding(r, "icmp-port-unreachable", BY_CATALOGUE,
                    "%s reports that no program listens on UDP port %u.", from,
                    sd_addr_port(&r->to));
        break;
    default:
        add_finding(r, "icmp-unreachable", BY_CATALOGUE, "%s reports: %s.", from,
                    strerror(k->error));
    }
    r->exit = MTU_EXIT_NO_ANSWER;
}

static void judge_answer(struct mtu_result *r)
{
    const struct mtu_contact *k = &r->contact;
    char name[SD_NAME_TEXT];
    r->exit = r->has_c2s ? MTU_EXIT_OK : MTU_EXIT_NOT_MEASURABLE;
    switch (k->end) {
    case MTU_CONTACT_FOREIGN:
        add_finding(r, "not-dtls-peer", BY_CATALOGUE,
                    k->echo ? "Our own ClientHello (%zu bytes) comes back: an echo service, not a "
                              "DTLS server."
                            : "The server's answer (%zu bytes) is not DTLS.",
                    k->foreign);
        break;
    case MTU_CONTACT_ONE_CLIENT:
        add_finding(r, "no-response", SD_WARNING,
                    "The server answers the first port of this host, but no ClientHello from "
                    "another port: it probably serves one client at a time. Its answers do not "
                    "say which probe they are for, so no size was measured. Try --peer when the "
                    "server is idle.");
        break;
    case MTU_CONTACT_NO_COOKIE:
        add_finding(r, "no-cookie-amplification", BY_CATALOGUE,
                    "The server answers a first ClientHello with its flight, without a cookie. "
                    "Each probe would cost it a handshake, so only one was sent. The answer came "
                    "in a packet of %u bytes.",
                    sd_mtu_packet((unsigned)k->answer, r->ipv6));
        break;
    case MTU_CONTACT_ALERT:
        add_finding(r, "unexplained-alert", BY_CATALOGUE,
                    "The server rejects a common ClientHello with the alert %s.",
                    sd_name(SD_NAME_ALERT, k->alert, name));
        break;
    default:
        add_finding(r, "path-fingerprint-block", BY_CATALOGUE,
                    "The server answers a plain ClientHello, but not one that is padded to a "
                    "packet of %u bytes, neither by an extension nor by junk records.",
                    k->small);
    }
}

static void judge_contact(struct mtu_result *r)
{
    switch (r->contact.end) {
    case MTU_CONTACT_OK:
    case MTU_CONTACT_STOPPED:
        return;
    case MTU_CONTACT_SILENT:
    case MTU_CONTACT_REFUSED:
    case MTU_CONTACT_UNREACHED:
        judge_silence(r);
        return;
    default:
        judge_answer(r);
    }
}

/* What a router announced and probes do not confirm. */
static const struct mtu_icmp_claim *false_claim(const struct mtu_measured *m)
{
    for (unsigned i = 0; i < m->icmp_count; i++)
        if (m->icmp[i].mtu != m->mtu && m->icmp[i].count > m->icmp[i].refused)
            return &m->icmp[i];
    return NULL;
}

static void judge_false_claim(struct mtu_result *r, const struct mtu_measured *m,
                              const struct mtu_icmp_claim *claim, bool there)
{
    const char *id = there ? "mtu-blackhole-c2s" : "mtu-blackhole-s2c";
    const char *way = there ? "to" : "from";
    char router[SD_ADDR_TEXT];
    mtu_host_text(&claim->from, router);
    if (!claim->mtu)
        add_finding(r, id, BY_CATALOGUE,
                    "Packets above %u bytes %s the server vanish. The ICMP error from %s does not "
                    "say which size fits.",
                    m->mtu, way, router);
    else if (claim->mtu > m->mtu)
        add_finding(r, id, BY_CATALOGUE,
                    "Packets above %u bytes %s the server vanish. The ICMP error from %s "
                    "announces %u bytes, which is too much: a sender that believes it continues "
                    "to lose packets.",
                    m->mtu, way, router, claim->mtu);
    else
        add_finding(r, "ptb-ok", SD_WARNING,
                    "Packets above %u bytes %s the server cause an ICMP error from %s, which "
                    "announces %u bytes. That is too little: a sender that believes it sends "
                    "smaller packets than necessary.",
                    m->mtu, way, router, claim->mtu);
}

static void judge_silent_limit(struct mtu_result *r, const struct mtu_measured *m, bool there)
{
    const struct mtu_icmp_claim *claim = false_claim(m);
    if (claim) {
        judge_false_claim(r, m, claim, there);
        return;
    }
    add_finding(r, there ? "mtu-blackhole-c2s" : "mtu-blackhole-s2c", BY_CATALOGUE,
                "Packets of %u to %u bytes %s the server vanish without an ICMP error. Packets up "
                "to %u bytes arrive.",
                m->mtu + 1, r->local, there ? "to" : "from", m->mtu);
}

static void judge_limit(struct mtu_result *r, const struct mtu_measured *m, bool there)
{
    unsigned fragment = there ? r->peer.c2s_fragment : r->peer.s2c_fragment;
    const char *way = there ? "to" : "from";
    if (m->size_loss && m->largest == m->mtu)
        add_finding(r, "appdata-size-loss", BY_CATALOGUE,
                    "Only some packets of %u bytes %s the server arrive, but small packets "
                    "arrive: loss depends on the size.",
                    m->mtu, way);
    else if (m->size_loss)
        add_finding(r, "appdata-size-loss", BY_CATALOGUE,
                    "Packets up to %u bytes %s the server arrive, but only some of the larger "
                    "packets up to %u bytes: loss depends on the size.",
                    m->mtu, way, m->largest);
    else if (fragment)
        add_finding(r, "oversize-first-flight", BY_CATALOGUE,
                    "Packets above %u bytes %s the server arrive in IP fragments of up to %u "
                    "bytes, although DF is set: something on the path clears DF.",
                    m->mtu, way, fragment);
    else if (m->limit == SD_MTU_LIMIT_SILENT && !mtu_result_same_host(r))
        judge_silent_limit(r, m, there);
    else if (m->limit == SD_MTU_LIMIT_ICMP)
        add_finding(r, "ptb-ok", BY_CATALOGUE,
                    "The path %s the server carries packets of up to %u bytes, and ICMP errors "
                    "report this limit correctly.",
                    way, m->mtu);
}

static void judge_direction(struct mtu_result *r, const struct mtu_measured *m, bool there)
{
    if (m->end == MTU_MEASURE_NO_REPLY && there)
        add_finding(r, "mtu-blackhole-c2s", BY_CATALOGUE,
                    "Even the smallest packet (%u bytes) does not reach the server.", m->smallest);
    else if (m->end == MTU_MEASURE_NO_REPLY)
        add_finding(r, "mtu-blackhole-s2c", BY_CATALOGUE,
                    "Even the smallest packet (%u bytes) from the server does not arrive.",
                    m->smallest);
    else
        judge_limit(r, m, there);
    /* Where loss depends on the size there is no clear limit: that is the finding. */
    if (m->end == MTU_MEASURE_UNSURE && !m->size_loss)
        r->exit = MTU_EXIT_UNSURE;
}

static bool about_size(const struct sd_finding *f)
{
    static const char *const ids[] = {"ptb-abort",         "sender-never-sent",
                                      "ip-fragments-lost", "tiny-fragments",
                                      "mtu-fallback",      "refragmentation-intolerance"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (!strcmp(f->entry->id, ids[i]))
            return true;
    return f->mtu_below != 0;
}

static void judge_handshake(struct mtu_result *r)
{
    const struct mtu_handshake *h = &r->handshake;
    for (size_t i = 0; i < h->finding_count; i++)
        if (about_size(&h->findings[i]) && !r->has_s2c)
            add_finding(r, h->findings[i].entry->id, (int)h->findings[i].severity,
                        "In the handshake: %s", h->findings[i].detail);
}

void mtu_judge(struct mtu_result *r)
{
    r->finding_count = 0;
    r->exit = MTU_EXIT_OK;
    judge_contact(r);
    if (r->has_c2s)
        judge_direction(r, &r->c2s, true);
    if (r->has_s2c)
        judge_direction(r, &r->s2c, false);
    judge_handshake(r);
    bool defect = r->finding_count && r->findings[0].severity > SD_INFO;
    bool less = mtu_result_too_small(r, true) || mtu_result_too_small(r, false);
    if ((r->exit == MTU_EXIT_OK && defect) || (less && r->exit != MTU_EXIT_UNSURE))
        r->exit = MTU_EXIT_DEFECT;
}
