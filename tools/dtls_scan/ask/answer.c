/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/answer.h"

#include <string.h>

#include "wire/handshake.h"
#include "wire/record.h"

void scan_answer_clear(struct scan_answer *a)
{
    memset(a, 0, offsetof(struct scan_answer, store));
}

static struct scan_message *message_of(struct scan_answer *a, const struct sd_handshake *h)
{
    for (unsigned i = 0; i < a->count; i++) {
        struct scan_message *m = &a->message[i];
        if (m->type == h->type && m->seq == h->message_seq && m->length == h->length)
            return m;
    }
    if (a->count == SCAN_MESSAGES || h->length > sizeof a->store - a->used)
        return NULL;
    struct scan_message *m = &a->message[a->count++];
    *m = (struct scan_message){h->type, h->message_seq, h->length, 0, a->used};
    memset(a->got + a->used, 0, h->length);
    a->used += h->length;
    return m;
}

static void keep_fragment(struct scan_answer *a, const struct sd_handshake *h)
{
    struct scan_message *m = message_of(a, h);
    if (!m)
        return;
    for (size_t i = 0; i < h->body.len; i++) {
        size_t at = m->at + h->frag_off + i;
        if (a->got[at])
            continue; /* what came first stays */
        a->got[at] = 1;
        a->store[at] = h->body.p[i];
        m->have++;
    }
}

static void keep_alert(struct scan_answer *a, struct sd_span body)
{
    struct sd_alert alert;
    if (!sd_alert_parse(&alert, body))
        return;
    if (!a->alerted || (a->alert.level != SD_ALERT_FATAL && alert.level == SD_ALERT_FATAL))
        a->alert = alert;
    a->alerted = true;
}

static void keep_record(struct scan_answer *a, const struct sd_record *rec)
{
    if (!a->records++) {
        a->record_version = rec->version;
        a->record_seq = rec->seq;
    }
    if (rec->body.len > a->largest_record)
        a->largest_record = rec->body.len;
    if (rec->unified || rec->epoch) {
        a->encrypted = true;
        return;
    }
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    struct sd_handshake h;
    if (rec->type == SD_CT_ALERT)
        keep_alert(a, rec->body);
    while (rec->type == SD_CT_HANDSHAKE && sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK)
        keep_fragment(a, &h);
}

void scan_answer_take(struct scan_answer *a, const void *datagram, size_t len)
{
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    unsigned before = a->records;
    a->datagrams++;
    a->bytes += len;
    if (len > a->largest)
        a->largest = len;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        keep_record(a, &rec);
    a->foreign += a->records == before;
}

static struct sd_span body_of(const struct scan_answer *a, const struct scan_message *m)
{
    return (struct sd_span){a->store + m->at, m->length};
}

bool scan_answer_message(const struct scan_answer *a, uint8_t type, struct sd_span *body)
{
    *body = (struct sd_span){0};
    for (unsigned i = a->count; i-- > 0;) {
        const struct scan_message *m = &a->message[i];
        if (m->type != type || m->have < m->length)
            continue;
        *body = body_of(a, m);
        return true;
    }
    return false;
}

bool scan_answer_hello(const struct scan_answer *a, bool retry, struct sd_server_hello *sh)
{
    for (unsigned i = 0; i < a->count; i++) {
        const struct scan_message *m = &a->message[i];
        if (m->type != SD_HS_SERVER_HELLO || m->have < m->length)
            continue;
        if (sd_server_hello_parse(sh, body_of(a, m), m->length) == SD_HELLO_WHOLE &&
            sh->retry == retry)
            return true;
    }
    *sh = (struct sd_server_hello){0};
    return false;
}

bool scan_answer_verify(const struct scan_answer *a, struct sd_hello_verify *hv)
{
    struct sd_span body;
    *hv = (struct sd_hello_verify){0};
    return scan_answer_message(a, SD_HS_HELLO_VERIFY_REQUEST, &body) &&
           sd_hello_verify_parse(hv, body);
}

/* A resumed handshake or DTLS 1.3 goes on with what is encrypted. */
bool scan_answer_flight(const struct scan_answer *a)
{
    struct sd_span body;
    return a->encrypted || scan_answer_message(a, SD_HS_SERVER_HELLO_DONE, &body) ||
           (a->alerted && a->alert.level == SD_ALERT_FATAL);
}
