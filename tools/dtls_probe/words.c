/* SPDX-License-Identifier: MIT */
#include "dtls_probe/words.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "common/words.h"
#include "flow/icmp.h"
#include "wire/iana.h"
#include "wire/names.h"

static void add_handshake_words(struct tool_words *w, const struct sd_event *e)
{
    /* A ServerHello in the place of a request is one (RFC 8446 section 4.1.4). */
    if (e->message == SD_HS_SERVER_HELLO && e->flight == 2)
        tool_words_text(w, "Hello Retry Request");
    else
        tool_words_title(w, SD_NAME_HANDSHAKE, e->message);
    if (e->frag_off || e->frag_len != e->length)
        tool_words_add(w, " (Fragment %u+%u of %u)", e->frag_off, e->frag_len, e->length);
}

static void add_alert_words(struct tool_words *w, const struct sd_event *e)
{
    tool_words_text(w, "Alert (");
    tool_words_title(w, SD_NAME_LEVEL, e->level);
    tool_words_text(w, ": ");
    tool_words_title(w, SD_NAME_ALERT, e->message);
    tool_words_text(w, ")");
}

static void add_icmp_words(struct tool_words *w, const struct sd_event *e)
{
    bool v6 = sd_icmp_is_v6(e);
    const char *const what[] = {[SD_MEANS_OTHER] = "Error",
                                [SD_MEANS_PORT_CLOSED] = "Port Unreachable",
                                [SD_MEANS_TOO_BIG] = v6 ? "Packet Too Big" : "Fragmentation Needed",
                                [SD_MEANS_UNREACHABLE] = "Unreachable"};
    enum sd_icmp_meaning meaning = sd_icmp_meaning(e);
    tool_words_add(w, "ICMP%s %u/%u %s", v6 ? "v6" : "", e->icmp_type, e->icmp_code, what[meaning]);
    if (meaning == SD_MEANS_TOO_BIG)
        tool_words_add(w, " (MTU %u)", e->icmp_mtu);
}

static void add_encrypted_words(struct tool_words *w, const struct sd_event *e)
{
    if (e->flags & SD_EVF_UNIFIED)
        tool_words_text(w, e->epoch == 3 ? "Application Data" : "Encrypted Handshake Record");
    else if (e->content == SD_CT_HANDSHAKE)
        tool_words_text(w, "Encrypted Handshake Message");
    else if (e->content == SD_CT_ALERT)
        tool_words_text(w, "Encrypted Alert");
    else if (e->content == SD_CT_CID)
        tool_words_text(w, e->kind == SD_EV_APPDATA ? "Encrypted Record (CID)"
                                                    : "Encrypted Handshake Message (CID)");
    else
        tool_words_title(w, SD_NAME_CONTENT, e->content);
}

const char *probe_words_event(const struct sd_event *e, char *buf, size_t cap)
{
    struct tool_words w = tool_words_in(buf, cap);
    switch ((enum sd_event_kind)e->kind) {
    case SD_EV_HANDSHAKE:
        add_handshake_words(&w, e);
        break;
    case SD_EV_CCS:
        tool_words_text(&w, "Change Cipher Spec");
        break;
    case SD_EV_ALERT:
        add_alert_words(&w, e);
        break;
    case SD_EV_ACK:
        tool_words_text(&w, "ACK");
        break;
    case SD_EV_PROTECTED:
    case SD_EV_APPDATA:
        add_encrypted_words(&w, e);
        break;
    case SD_EV_ICMP:
        add_icmp_words(&w, e);
        break;
    case SD_EV_FOREIGN:
        tool_words_text(&w, "not DTLS");
        break;
    case SD_EV_IP_CUT:
        tool_words_add(&w, "IP fragment, the rest is missing (%u bytes arrived)", e->frag_len);
        break;
    case SD_EV_MALFORMED:
        tool_words_text(&w, "malformed");
        break;
    }
    return buf;
}

const char *probe_words_datagram(const struct sd_event *log, size_t from, size_t end, char *buf,
                                 size_t cap)
{
    struct tool_words w = tool_words_in(buf, cap);
    for (size_t i = from; i < end && w.len + PROBE_EVENT_TEXT < cap; i++) {
        if (i > from)
            tool_words_text(&w, ", ");
        probe_words_event(&log[i], buf + w.len, cap - w.len);
        w.len += strlen(buf + w.len);
    }
    return buf;
}

bool probe_is_record(const struct sd_event *e)
{
    return e->kind != SD_EV_ICMP && e->kind != SD_EV_FOREIGN && e->kind != SD_EV_IP_CUT;
}

size_t probe_datagram_end(const struct sd_event *log, size_t from, size_t count)
{
    size_t end = from + 1;
    while (end < count && !(log[end].flags & SD_EVF_FIRST) && log[end].number == log[from].number)
        end++;
    return end;
}

const char *probe_words_host(const struct sd_addr *a, char buf[static SD_ADDR_TEXT])
{
    const void *from =
        a->sa.sa_family == AF_INET6 ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr;
    if (!inet_ntop(a->sa.sa_family, from, buf, SD_ADDR_TEXT))
        memcpy(buf, "?", sizeof "?");
    return buf;
}

static void add_gap_words(struct tool_words *w, const struct sd_event *e)
{
    if (e->gap == 1)
        tool_words_add(w, " [GAP %llu]", (unsigned long long)e->seq - 1);
    else
        tool_words_add(w, " [GAP %llu-%llu]", (unsigned long long)(e->seq - e->gap),
                       (unsigned long long)e->seq - 1);
}

static const struct {
    uint16_t flag;
    const char *word;
} marks[] = {{SD_EVF_DUPLICATE, "[DUP]"},        {SD_EVF_REORDERED, "[REORDERED]"},
             {SD_EVF_REUSED, "[NUMBER REUSED]"}, {SD_EVF_CHANGED, "[BYTES CHANGED]"},
             {SD_EVF_SNAPPED, "[SNAPPED]"},      {SD_EVF_TRAILING, "[TRAILING ZEROS]"}};

static void add_marks(struct tool_words *w, const struct sd_event *log, size_t from, size_t end)
{
    unsigned flags = 0, copy = 0;
    for (size_t i = from; i < end; i++) {
        flags |= log[i].flags;
        copy = log[i].copy > copy ? log[i].copy : copy;
        if (log[i].gap)
            add_gap_words(w, &log[i]);
    }
    if (flags & SD_EVF_RETRANSMIT)
        tool_words_add(w, " [RETX #%u]", copy);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (flags & marks[i].flag)
            tool_words_add(w, " %s", marks[i].word);
}

const char *probe_words_marked(const struct sd_event *log, size_t from, size_t end,
                               char buf[static PROBE_MARKED_TEXT])
{
    probe_words_datagram(log, from, end, buf, PROBE_DATAGRAM_TEXT);
    size_t len = strlen(buf);
    struct tool_words w = tool_words_in(buf + len, PROBE_MARKED_TEXT - len);
    add_marks(&w, log, from, end);
    return buf;
}

const char *probe_words_seconds(int64_t ns, char buf[static PROBE_SECONDS_TEXT])
{
    enum { PLACES = 6 };
    const uint64_t second = SD_SEC / SD_US;
    uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / SD_US, rest = us % second;
    struct tool_words w = tool_words_in(buf, PROBE_SECONDS_TEXT);
    tool_words_text(&w, ns < 0 ? "-" : "");
    tool_words_number(&w, us / second);
    char places[] = ".000000";
    for (int i = PLACES; i; i--, rest /= 10)
        places[i] = (char)('0' + rest % 10);
    tool_words_text(&w, places);
    return buf;
}

/* --- findings --- */

const char *probe_words_packets(const struct sd_finding *f, char buf[static PROBE_PACKETS_TEXT])
{
    struct tool_words w = tool_words_in(buf, PROBE_PACKETS_TEXT);
    for (size_t i = 0; i < f->packet_count; i++) {
        tool_words_text(&w, i ? ", " : "packets ");
        tool_words_number(&w, f->packets[i]);
    }
    tool_words_text(&w, f->packet_count == SD_PACKETS_MAX ? ", ..." : "");
    return buf;
}

const char *probe_words_confidence(const struct sd_finding *f,
                                   char buf[static PROBE_CONFIDENCE_TEXT])
{
    struct tool_words w = tool_words_in(buf, PROBE_CONFIDENCE_TEXT);
    tool_words_text(&w, "confidence ");
    tool_words_text(&w, sd_confidence_name(f->confidence));
    tool_words_text(&w, f->runner_up ? "; may also be " : "");
    tool_words_text(&w, f->runner_up ? f->runner_up->id : "");
    return buf;
}
