/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/json.h"

#include <stdio.h>

#include "common/output.h"
#include "dtls_mtu/advice.h"
#include "dtls_mtu/host.h"
#include "mtu/sizes.h"

static const sd_time hundredth = 10 * SD_MS;

static json_t *size_or_null(unsigned value)
{
    return value ? json_integer(value) : json_null();
}

static const char *limit_id(enum sd_mtu_limit limit)
{
    static const char *const names[] = {[SD_MTU_LIMIT_UNKNOWN] = "unknown",
                                        [SD_MTU_LIMIT_LOCAL] = "local",
                                        [SD_MTU_LIMIT_ICMP] = "icmp",
                                        [SD_MTU_LIMIT_SILENT] = "silent",
                                        [SD_MTU_LIMIT_NO_REPLY] = "no-reply"};
    return names[limit];
}

static json_t *claims_json(const struct mtu_measured *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < m->icmp_count; i++) {
        char text[SD_ADDR_TEXT];
        const struct mtu_icmp_claim *c = &m->icmp[i];
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:b, s:b}", "from", mtu_host_text(&c->from, text),
                            "mtu", (int)c->mtu, "count", (int)c->count, "validated",
                            c->refused < c->count, "confirmed", c->mtu == m->mtu));
    }
    return list;
}

static json_t *tallies_json(const struct mtu_measured *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < MTU_TALLIES; i++)
        if (m->tally[i].sent)
            json_array_append_new(list, json_pack("{s:i, s:i, s:i}", "size", (int)m->tally[i].size,
                                                  "sent", (int)m->tally[i].sent, "arrived",
                                                  (int)m->tally[i].answered));
    return list;
}

static json_t *direction_json(const struct mtu_measured *m, unsigned fragment)
{
    double loss = m->small_sent ? (double)m->small_lost / m->small_sent : 0;
    return json_pack("{s:o, s:s, s:f, s:b, s:i, s:f, s:f, s:o, s:o, s:o, s:i, s:i}", "mtu",
                     size_or_null(m->mtu), "limit", limit_id(m->limit), "confidence",
                     m->confidence / 1000.0, "size_loss", m->size_loss, "largest", (int)m->largest,
                     "loss", loss, "rtt_ms", (double)m->rtt / (double)SD_MS, "icmp", claims_json(m),
                     "checked", tallies_json(m), "fragment", size_or_null(fragment), "changes",
                     (int)m->changes, "probes", (int)m->probes);
}

static json_t *findings_json(const struct mtu_result *r)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < r->finding_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "id", r->findings[i].entry->id,
                                              "severity", sd_severity_name(r->findings[i].severity),
                                              "text", r->findings[i].text));
    return list;
}

static json_t *handshake_json(const struct mtu_handshake *h)
{
    json_t *o = json_pack("{s:b, s:i, s:i, s:o, s:o}", "established", h->established, "flight",
                          (int)h->flight, "datagrams", (int)h->datagrams, "above",
                          size_or_null(h->above), "below", size_or_null(h->below));
    if (h->established)
        json_object_set_new(o, "ms", json_real(h->ms));
    tool_field(o, "cipher", h->cipher[0] ? h->cipher : NULL);
    tool_field(o, "error", h->text[0] ? h->text : NULL);
    return o;
}

static json_t *trace_json(const struct mtu_trace *t)
{
    json_t *hops = json_array();
    for (unsigned i = 0; i < t->hops; i++) {
        char text[SD_ADDR_TEXT];
        bool there = t->hop[i].from.sa.sa_family != AF_UNSPEC;
        json_array_append_new(hops, json_pack("{s:s?, s:b, s:b}", "from",
                                              there ? mtu_host_text(&t->hop[i].from, text) : NULL,
                                              "small", t->hop[i].small, "large", t->hop[i].large));
    }
    return json_pack("{s:i, s:b, s:i, s:o}", "size", (int)t->large, "reached", t->reached,
                     "last_hop", (int)t->last_large, "hops", hops);
}

static json_t *advice_json(unsigned payload, unsigned packet)
{
    struct mtu_cipher_room room[MTU_CIPHERS];
    json_t *o = json_pack("{s:i, s:i}", "udp_payload", (int)payload, "link_mtu", (int)packet);
    json_t *largest = json_object();
    mtu_advice_ciphers(room, payload);
    for (unsigned i = 0; i < MTU_CIPHERS; i++)
        json_object_set_new(largest, room[i].name, json_integer(room[i].payload));
    json_object_set_new(o, "largest_message", largest);
    return o;
}

static void add_parts_json(const struct mtu_result *r, json_t *o)
{
    static const char *const kinds[] = {"unknown", "silent", "responder", "echo", "other"};
    unsigned least = mtu_result_least(r);
    if (r->has_c2s)
        json_object_set_new(o, "c2s", direction_json(&r->c2s, r->peer.c2s_fragment));
    if (r->has_s2c)
        json_object_set_new(o, "s2c", direction_json(&r->s2c, r->peer.s2c_fragment));
    if (r->handshake.done)
        json_object_set_new(o, "handshake", handshake_json(&r->handshake));
    if (r->peer_asked)
        json_object_set_new(o, "peer", json_string(kinds[r->peer.kind]));
    if (r->ping.done)
        json_object_set_new(o, "ping",
                            json_pack("{s:b, s:o, s:b}", "answered", r->ping.answered, "mtu",
                                      size_or_null(r->ping.mtu), "exact", r->ping.exact));
    if (r->trace.done)
        json_object_set_new(o, "trace", trace_json(&r->trace));
    if (least)
        json_object_set_new(o, "advice", advice_json(sd_mtu_payload(least, r->ipv6), least));
}

static double seconds_of(sd_time t)
{
    return (double)(t - t % hundredth) / (double)SD_SEC;
}

void mtu_json(const struct mtu_result *r)
{
    char text[SD_ADDR_TEXT];
    json_t *o = json_pack(
        "{s:s, s:s, s:o, s:o, s:s, s:i, s:f, s:o, s:o, s:o, s:i}", "type", "result", "target",
        sd_addr_text(&r->to, text), "c2s_mtu", size_or_null(mtu_result_c2s(r)), "s2c_mtu",
        size_or_null(mtu_result_s2c(r)), "verdict",
        r->finding_count ? r->findings[0].entry->id : "ok", "probes", (int)r->probes, "seconds",
        seconds_of(r->ended - r->begun), "verdicts", findings_json(r), "local_mtu",
        size_or_null(r->interface), "kernel_mtu", size_or_null(r->kernel), "exit", (int)r->exit);
    add_parts_json(r, o);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(o);
    putchar('\n');
}
