/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "common/trace.h"
#include "common/words.h"
#include "wire/alert.h"
#include "wire/handshake.h"
#include "wire/names.h"
#include "wire/record.h"

static void trace_name(struct tool_words *w, enum sd_registry registry, uint16_t value)
{
    tool_words_text(w, w->len ? ", " : "");
    tool_words_title(w, registry, value);
}

static void trace_messages(struct tool_words *w, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_handshake h;
    enum sd_handshake_status status;
    while ((status = sd_handshake_next(&r, &h)) == SD_HANDSHAKE_OK) {
        trace_name(w, SD_NAME_HANDSHAKE, h.type);
        if (!sd_handshake_whole(&h))
            tool_words_add(w, " (Fragment %u+%u of %u)", h.frag_off, h.frag_len, h.length);
    }
    if (status != SD_HANDSHAKE_END)
        tool_words_add(w, "%sMalformed Handshake Message", w->len ? ", " : "");
}

static void trace_alert(struct tool_words *w, struct sd_span body)
{
    struct sd_alert a;
    if (!sd_alert_parse(&a, body)) {
        tool_words_add(w, "%sMalformed Alert", w->len ? ", " : "");
        return;
    }
    tool_words_add(w, "%sAlert (", w->len ? ", " : "");
    tool_words_title(w, SD_NAME_LEVEL, a.level);
    tool_words_text(w, ": ");
    tool_words_title(w, SD_NAME_ALERT, a.description);
    tool_words_text(w, ")");
}

static void trace_record(struct tool_words *w, const struct sd_record *rec)
{
    const char *sep = w->len ? ", " : "";
    if (rec->unified)
        tool_words_add(w, "%sEncrypted Record", sep);
    else if (rec->type == SD_CT_HANDSHAKE && rec->epoch == 0)
        trace_messages(w, rec->body);
    else if (rec->type == SD_CT_ALERT && rec->epoch == 0)
        trace_alert(w, rec->body);
    else if (rec->type == SD_CT_HANDSHAKE)
        tool_words_add(w, "%sEncrypted Handshake Message", sep);
    else if (rec->type == SD_CT_ALERT)
        tool_words_add(w, "%sEncrypted Alert", sep);
    else
        trace_name(w, SD_NAME_CONTENT, rec->type);
}

static const char *why_records_end(enum sd_record_status status)
{
    switch (status) {
    case SD_RECORD_OK:
    case SD_RECORD_END:
        return NULL;
    case SD_RECORD_TYPE:
        return "not DTLS";
    case SD_RECORD_VERSION:
        return "unknown DTLS version";
    case SD_RECORD_NO_HEADER:
        return "ends inside a record header";
    case SD_RECORD_CUT:
        return "ends inside a record";
    case SD_RECORD_TOO_LONG:
        return "record longer than DTLS allows";
    case SD_RECORD_CID:
        return "record with a connection ID";
    }
    return NULL;
}

const char *tool_trace_info(const void *datagram, size_t len, char buf[static TOOL_TRACE_INFO])
{
    struct tool_words w = tool_words_in(buf, TOOL_TRACE_INFO);
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        trace_record(&w, &rec);
    const char *why = why_records_end(it.status);
    if (why)
        tool_words_add(&w, "%s[%s]", w.len ? ", " : "", why);
    return buf;
}

/* The protocol of the first record, as an analyser's column has it. */
static const char *protocol_of_first(const void *datagram, size_t len,
                                     char buf[static SD_NAME_TEXT])
{
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    if (sd_record_next(&it, &rec) != SD_RECORD_OK)
        return "UDP";
    return rec.unified ? "DTLS 1.3" : sd_name(SD_NAME_VERSION, rec.version, buf);
}

static void say_records(const struct tool_out *o, const void *datagram, size_t len)
{
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    char type[SD_NAME_TEXT], version[SD_NAME_TEXT];
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        if (rec.unified)
            tool_say(o, 3, "             | encrypted: epoch %u (low bits), %zu bytes", rec.epoch,
                     rec.length);
        else
            tool_say(o, 3, "             | %s: %s, epoch %u, seq %llu, %zu bytes",
                     sd_name(SD_NAME_CONTENT, rec.type, type),
                     sd_name(SD_NAME_VERSION, rec.version, version), rec.epoch,
                     (unsigned long long)rec.seq, rec.length);
    }
}

static void say_hex(const struct tool_out *o, const void *datagram, size_t len)
{
    enum { WIDTH = 16 };
    const uint8_t *p = datagram;
    for (size_t at = 0; at < len; at += WIDTH) {
        char hex[3 * WIDTH + 1] = "", ascii[WIDTH + 1] = "";
        for (size_t i = 0; i < WIDTH && at + i < len; i++) {
            snprintf(hex + 3 * i, 4, "%02x ", p[at + i]);
            ascii[i] = isprint(p[at + i]) ? (char)p[at + i] : '.';
        }
        tool_say(o, 4, "             | %04zx  %-48s %s", at, hex, ascii);
    }
}

void tool_trace(const struct tool_out *o, const char *peer, bool sent, const void *datagram,
                size_t len)
{
    enum { MESSAGES = 2, RECORDS, HEX };
    if (o->verbose < MESSAGES)
        return;
    char info[TOOL_TRACE_INFO], version[SD_NAME_TEXT];
    const char *proto = protocol_of_first(datagram, len, version);
    double at = (double)(sd_clock_now() - o->start) / (double)SD_SEC;
    tool_trace_info(datagram, len, info);
    tool_say(o, MESSAGES, "%12.6f %s %s %s %zu %s", at, sent ? "->" : "<-", peer, proto, len, info);
    tool_event(o, "datagram",
               json_pack("{s:s, s:s, s:s, s:I, s:s}", "peer", peer, "direction",
                         sent ? "sent" : "received", "version", proto, "bytes", (json_int_t)len,
                         "messages", info));
    if (o->verbose >= RECORDS)
        say_records(o, datagram, len);
    if (o->verbose >= HEX)
        say_hex(o, datagram, len);
}
