/* From numbers to verdicts, with the ids that dtls_probe has for the same things. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dtls_mtu/survey.h"
#include "flow/rules/catalogue.h"
#include "wire/names.h"

static void say(struct survey *s, const char *id, int severity, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* severity -1: as the catalogue has it. The worst comes first. */
static void say(struct survey *s, const char *id, int severity, const char *fmt, ...)
{
    const struct sd_entry *entry = sd_catalogue_find(id);
    unsigned at = 0;
    if (!entry || s->verdict_count == VERDICTS)
        return;
    enum sd_severity grade = severity < 0 ? entry->severity : (enum sd_severity)severity;
    while (at < s->verdict_count && s->verdicts[at].severity >= grade)
        at++;
    memmove(&s->verdicts[at + 1], &s->verdicts[at], (s->verdict_count - at) * sizeof *s->verdicts);
    s->verdict_count++;
    struct verdict *v = &s->verdicts[at];
    v->entry = entry;
    v->severity = grade;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(v->text, sizeof v->text, fmt, ap);
    va_end(ap);
}

static void judge_silence(struct survey *s)
{
    const struct contact *k = &s->contact;
    char from[SD_ADDR_TEXT] = "this host";
    if (k->from.sa.sa_family != AF_UNSPEC)
        path_host_text(&k->from, from);
    switch (k->end) {
    case CONTACT_SILENT:
        say(s, "no-response", -1, "No answer to %u ClientHellos of %u bytes.%s", k->probes,
            k->small, k->error ? " ICMP errors came, but quoted nothing that was sent." : "");
        break;
    case CONTACT_REFUSED:
        say(s, "icmp-port-unreachable", -1, "Nobody listens on this UDP port, says %s.", from);
        break;
    default:
        say(s, "icmp-unreachable", -1, "%s, says %s.", strerror(k->error), from);
    }
    s->exit = MTU_EXIT_NO_ANSWER;
}

static void judge_answer(struct survey *s)
{
    const struct contact *k = &s->contact;
    char name[SD_NAME_TEXT];
    s->exit = s->has_c2s ? MTU_EXIT_OK : MTU_EXIT_NOT_MEASURABLE;
    switch (k->end) {
    case CONTACT_FOREIGN:
        say(s, "not-dtls-peer", -1, "The answer, %zu bytes, is not DTLS.", k->foreign);
        break;
    case CONTACT_NO_COOKIE:
        say(s, "no-cookie-amplification", -1,
            "The server answers a first ClientHello with its flight, without a cookie: each probe "
            "would cost it a handshake, so it was asked once. A packet of %zu bytes came back.",
            k->answer + path_headers(&s->path));
        break;
    case CONTACT_ALERT:
        say(s, "unexplained-alert", -1, "The server refuses a usual ClientHello: alert %s.",
            sd_name(SD_NAME_ALERT, k->alert, name));
        break;
    default:
        say(s, "path-fingerprint-block", -1,
            "A plain ClientHello is answered, one padded to %u bytes is not, neither by an "
            "extension nor by junk records.",
            k->small);
    }
}

static void judge_contact(struct survey *s)
{
    switch (s->contact.end) {
    case CONTACT_OK:
    case CONTACT_STOPPED:
        return;
    case CONTACT_SILENT:
    case CONTACT_REFUSED:
    case CONTACT_UNREACHED:
        judge_silence(s);
        return;
    default:
        judge_answer(s);
    }
}

/* What routers said that probing does not confirm. */
static const struct icmp_word *contradiction(const struct measured *m)
{
    for (unsigned i = 0; i < m->icmp_count; i++)
        if (m->icmp[i].mtu != m->mtu && m->icmp[i].count > m->icmp[i].refused)
            return &m->icmp[i];
    return NULL;
}

static void judge_silent_limit(struct survey *s, const struct measured *m, bool there)
{
    const struct icmp_word *lie = contradiction(m);
    const char *id = there ? "mtu-blackhole-c2s" : "mtu-blackhole-s2c";
    const char *from = there ? "to" : "from";
    char router[SD_ADDR_TEXT] = "";
    if (lie)
        path_host_text(&lie->from, router);
    if (lie && lie->mtu && lie->mtu < m->mtu)
        say(s, "ptb-ok", SD_WARNING,
            "Larger packets than %u bytes draw an ICMP error from %s that announces %u, too "
            "little: "
            "who believes it sends smaller packets than needed.",
            m->mtu, router, lie->mtu);
    else if (lie)
        say(s, id, -1,
            "Packets above %u bytes %s the server vanish, and the ICMP error from %s announces %u: "
            "who believes it goes on losing them.",
            m->mtu, from, router, lie->mtu);
    else
        say(s, id, -1,
            "Packets of %u to %u bytes %s the server vanish without an ICMP error; up to %u they "
            "arrive.",
            m->mtu + 1, s->local, from, m->mtu);
}

static void judge_limit(struct survey *s, const struct measured *m, bool there)
{
    unsigned fragment = there ? s->peer.c2s_fragment : s->peer.s2c_fragment;
    const char *from = there ? "to" : "from";
    if (m->size_loss && m->largest == m->mtu)
        say(s, "appdata-size-loss", -1,
            "Packets of %u bytes %s the server arrive only now and then, small ones do: loss that "
            "depends on the size.",
            m->mtu, from);
    else if (m->size_loss)
        say(s, "appdata-size-loss", -1,
            "Packets up to %u bytes %s the server arrive, larger ones up to %u only now and then: "
            "loss that depends on the size.",
            m->mtu, from, m->largest);
    else if (fragment)
        say(s, "oversize-first-flight", -1,
            "Packets above %u bytes %s the server arrive in IP fragments of up to %u bytes, though "
            "sent with DF: something on the path clears it.",
            m->mtu, from, fragment);
    else if (m->limit == SD_MTU_LIMIT_SILENT && !survey_same_host(s))
        judge_silent_limit(s, m, there);
    else if (m->limit == SD_MTU_LIMIT_ICMP)
        say(s, "ptb-ok", -1, "The path %s the server carries %u bytes, and says so.", from, m->mtu);
}

static void judge_direction(struct survey *s, const struct measured *m, bool there)
{
    if (m->end == MEASURE_NO_REPLY)
        say(s, there ? "mtu-blackhole-c2s" : "mtu-blackhole-s2c", -1,
            "Not even the smallest size tried %s the server arrives.", there ? "to" : "from");
    else
        judge_limit(s, m, there);
    /* Where loss depends on the size there is no sharp limit: that is the finding. */
    if (m->end == MEASURE_UNSURE && !m->size_loss)
        s->exit = MTU_EXIT_UNSURE;
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

static void judge_handshake(struct survey *s)
{
    const struct handshake *h = &s->handshake;
    for (size_t i = 0; i < h->finding_count; i++)
        if (about_size(&h->findings[i]) && !s->has_s2c)
            say(s, h->findings[i].entry->id, (int)h->findings[i].severity, "In the handshake: %s",
                h->findings[i].detail);
}

static bool too_small(const struct survey *s, bool known, const struct measured *m)
{
    return known && m->mtu < s->cfg->require;
}

void survey_judge(struct survey *s)
{
    s->verdict_count = 0;
    s->exit = MTU_EXIT_OK;
    judge_contact(s);
    if (s->has_c2s)
        judge_direction(s, &s->c2s, true);
    if (s->has_s2c)
        judge_direction(s, &s->s2c, false);
    judge_handshake(s);
    bool defect = s->verdict_count && s->verdicts[0].severity > SD_INFO;
    bool less = too_small(s, s->has_c2s, &s->c2s) || too_small(s, s->has_s2c, &s->s2c);
    if ((s->exit == MTU_EXIT_OK && defect) || (less && s->exit != MTU_EXIT_UNSURE))
        s->exit = MTU_EXIT_DEFECT;
}
