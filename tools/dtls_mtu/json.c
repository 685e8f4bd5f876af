/* What was found, for programs: one object, the last line. */
#include <stdio.h>

#include "dtls_mtu/advice.h"
#include "dtls_mtu/survey.h"
#include "mtu/sizes.h"

enum { HUNDREDTHS = 10000000 };

static json_t *known(unsigned value)
{
    return value ? json_integer(value) : json_null();
}

static const char *limit_name(enum sd_mtu_limit limit)
{
    static const char *const names[] = {[SD_MTU_LIMIT_UNKNOWN] = "unknown",
                                        [SD_MTU_LIMIT_LOCAL] = "local",
                                        [SD_MTU_LIMIT_ICMP] = "icmp",
                                        [SD_MTU_LIMIT_SILENT] = "silent",
                                        [SD_MTU_LIMIT_NO_REPLY] = "no-reply"};
    return names[limit];
}

static json_t *icmp_of(const struct measured *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < m->icmp_count; i++) {
        char text[SD_ADDR_TEXT];
        const struct icmp_word *w = &m->icmp[i];
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:b, s:b}", "from", path_host_text(&w->from, text),
                            "mtu", (int)w->mtu, "count", (int)w->count, "validated",
                            w->refused < w->count, "confirmed", w->mtu == m->mtu));
    }
    return list;
}

static json_t *tally_of(const struct measured *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < TALLIES; i++)
        if (m->tally[i].sent)
            json_array_append_new(list, json_pack("{s:i, s:i, s:i}", "size", (int)m->tally[i].size,
                                                  "sent", (int)m->tally[i].sent, "arrived",
                                                  (int)m->tally[i].answered));
    return list;
}

static json_t *direction(const struct measured *m, unsigned fragment)
{
    double loss = m->small_sent ? (double)m->small_lost / m->small_sent : 0;
    return json_pack("{s:o, s:s, s:f, s:b, s:i, s:f, s:f, s:o, s:o, s:o, s:i, s:i}", "mtu",
                     known(m->mtu), "limit", limit_name(m->limit), "confidence",
                     m->confidence / 1000.0, "size_loss", m->size_loss, "largest", (int)m->largest,
                     "loss", loss, "rtt_ms", (double)m->rtt / 1e6, "icmp", icmp_of(m), "checked",
                     tally_of(m), "fragment", known(fragment), "changes", (int)m->changes, "probes",
                     (int)m->probes);
}

static json_t *verdicts(const struct survey *s)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < s->verdict_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", s->verdicts[i].entry->id,
                                              "severity", sd_severity_name(s->verdicts[i].severity),
                                              "text", s->verdicts[i].text));
    return list;
}

static json_t *handshake(const struct handshake *h)
{
    json_t *o = json_pack("{s:b, s:i, s:i, s:o, s:o}", "established", h->established, "flight",
                          (int)h->flight, "datagrams", (int)h->datagrams, "above", known(h->above),
                          "below", known(h->below));
    if (h->established)
        json_object_set_new(o, "ms", json_real(h->ms));
    tool_field(o, "cipher", h->cipher[0] ? h->cipher : NULL);
    tool_field(o, "error", h->text[0] ? h->text : NULL);
    return o;
}

static json_t *trace(const struct trace *t)
{
    json_t *hops = json_array();
    for (unsigned i = 0; i < t->hops; i++) {
        char text[SD_ADDR_TEXT];
        bool there = t->hop[i].from.sa.sa_family != AF_UNSPEC;
        json_array_append_new(hops, json_pack("{s:s?, s:b, s:b}", "from",
                                              there ? path_host_text(&t->hop[i].from, text) : NULL,
                                              "small", t->hop[i].small, "large", t->hop[i].large));
    }
    return json_pack("{s:i, s:b, s:i, s:o}", "size", (int)t->large, "reached", t->reached,
                     "last_hop", (int)t->last_large, "hops", hops);
}

static json_t *advice(unsigned payload, unsigned packet)
{
    struct cipher_room room[CIPHERS];
    json_t *o = json_pack("{s:i, s:i}", "udp_payload", (int)payload, "link_mtu", (int)packet);
    json_t *largest = json_object();
    advice_ciphers(room, payload);
    for (unsigned i = 0; i < CIPHERS; i++)
        json_object_set_new(largest, room[i].name, json_integer(room[i].payload));
    json_object_set_new(o, "largest_message", largest);
    return o;
}

static void add_parts(const struct survey *s, json_t *o)
{
    static const char *const kinds[] = {"unknown", "silent", "responder", "echo", "other"};
    unsigned c2s = survey_c2s(s), s2c = survey_s2c(s), least = s2c && s2c < c2s ? s2c : c2s;
    if (s->has_c2s)
        json_object_set_new(o, "c2s", direction(&s->c2s, s->peer.c2s_fragment));
    if (s->has_s2c)
        json_object_set_new(o, "s2c", direction(&s->s2c, s->peer.s2c_fragment));
    if (s->handshake.done)
        json_object_set_new(o, "handshake", handshake(&s->handshake));
    if (s->cfg->peer)
        json_object_set_new(o, "peer", json_string(kinds[s->peer.kind]));
    if (s->ping.done)
        json_object_set_new(o, "ping",
                            json_pack("{s:b, s:o, s:b}", "answered", s->ping.answered, "mtu",
                                      known(s->ping.mtu), "exact", s->ping.exact));
    if (s->trace.done)
        json_object_set_new(o, "trace", trace(&s->trace));
    if (least)
        json_object_set_new(o, "advice", advice(sd_mtu_payload(least, s->path.ipv6), least));
}

static double rounded(sd_time t)
{
    return (double)(t / HUNDREDTHS) / 100;
}

void survey_json(const struct survey *s)
{
    char text[SD_ADDR_TEXT];
    unsigned probes = s->path.probes + (s->has_s2c ? s->s2c.probes : 0);
    json_t *o = json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:i, s:f, s:o, s:o, s:o, s:i}", "type", "result", "target",
        sd_addr_text(&s->path.to, text), "c2s_mtu", known(survey_c2s(s)), "s2c_mtu",
        known(survey_s2c(s)), "verdict", s->verdict_count ? s->verdicts[0].entry->id : "ok",
        "probes", (int)probes, "seconds", rounded(s->ended - s->begun), "verdicts", verdicts(s),
        "local_mtu", known(s->interface), "kernel_mtu", known(s->kernel), "exit", s->exit);
    add_parts(s, o);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(o);
    putchar('\n');
    fflush(stdout);
}
