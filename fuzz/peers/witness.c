/* SPDX-License-Identifier: MIT */
#include "peers/witness.h"

#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "wire/handshake.h"
#include "wire/record.h"

void witness_end(struct witness *w)
{
    for (unsigned i = 0; i < WITNESS_MESSAGES; i++) {
        fuzz_heap_free(w->messages[i].bytes);
        fuzz_heap_free(w->messages[i].known);
        w->messages[i] = (struct witness_message){0};
    }
}

const char *witness_words(unsigned wrong)
{
    if (wrong & WITNESS_FORM)
        return "a datagram that is no sequence of whole records";
    if (wrong & WITNESS_NUMBER)
        return "a record number for other bytes again";
    if (wrong & WITNESS_TRANSCRIPT)
        return "a handshake message again with other bytes";
    return wrong & WITNESS_LENGTH ? "a datagram longer than the MTU" : NULL;
}

/* A HelloVerifyRequest echoes numbers, and its cookie may change. */
static bool is_verify_request(const struct sd_record *r)
{
    return !r->epoch && r->type == SD_CT_HANDSHAKE && r->body.len &&
           r->body.p[0] == SD_HS_HELLO_VERIFY_REQUEST;
}

/* Junk that fills a datagram up to its size: every peer discards it, and its number means
 * nothing. */
static bool is_junk(const struct sd_record *r)
{
    return !r->epoch && r->type == SD_CT_APPDATA;
}

static void note_number(struct witness *w, const struct sd_record *r)
{
    const uint64_t number = (uint64_t)r->epoch << 48 | r->seq;
    const uint64_t hash = fuzz_sum(FUZZ_SUM ^ r->type, r->body.p, r->body.len);
    for (unsigned i = 0; i < w->count; i++)
        if (w->records[i].number == number) {
            if (w->records[i].hash != hash)
                w->wrong |= WITNESS_NUMBER;
            return;
        }
    if (w->count < WITNESS_RECORDS)
        w->records[w->count++] = (struct witness_record){number, hash};
}

static void begin_message(struct witness_message *m, const struct sd_handshake *h)
{
    const size_t kept = h->length < WITNESS_BYTES ? h->length : WITNESS_BYTES;
    *m = (struct witness_message){.used = true,
                                  .type = h->type,
                                  .seq = h->message_seq,
                                  .length = h->length,
                                  .kept = kept,
                                  .bytes = fuzz_heap_alloc(kept + 1),
                                  .known = fuzz_heap_alloc(kept + 1)};
    fuzz_check(m->bytes && m->known, "no memory");
    memset(m->known, 0, kept + 1);
}

static struct witness_message *message_of(struct witness *w, const struct sd_handshake *h)
{
    struct witness_message *free_one = NULL;
    for (unsigned i = 0; i < WITNESS_MESSAGES; i++) {
        struct witness_message *m = &w->messages[i];
        if (m->used && m->seq == h->message_seq)
            return m;
        if (!m->used && !free_one)
            free_one = m;
    }
    if (free_one)
        begin_message(free_one, h);
    return free_one;
}

/* Bytes that are known already must be the same. Mostly all or none of them are known. */
static void note_bytes(struct witness *w, struct witness_message *m, const struct sd_handshake *h)
{
    const size_t at = h->frag_off, most = m->kept - at;
    const size_t len = h->body.len < most ? h->body.len : most;
    const bool fresh = !memchr(m->known + at, true, len);
    for (size_t i = 0; !fresh && i < len; i++)
        if (m->known[at + i] && m->bytes[at + i] != h->body.p[i])
            w->wrong |= WITNESS_TRANSCRIPT;
    memcpy(m->bytes + at, h->body.p, len);
    memset(m->known + at, true, len);
}

static void note_fragment(struct witness *w, const struct sd_handshake *h)
{
    struct witness_message *m = message_of(w, h);
    if (!m)
        return;
    if (m->type != h->type || m->length != h->length) {
        w->wrong |= WITNESS_TRANSCRIPT;
        return;
    }
    if (h->frag_off < m->kept)
        note_bytes(w, m, h);
}

static void note_messages(struct witness *w, const struct sd_record *r)
{
    struct sd_rd body = sd_rd_init(r->body.p, r->body.len);
    struct sd_handshake h;
    enum sd_handshake_status st;
    while ((st = sd_handshake_next(&body, &h)) == SD_HANDSHAKE_OK)
        note_fragment(w, &h);
    if (st != SD_HANDSHAKE_END)
        w->wrong |= WITNESS_FORM;
}

void witness_datagram(struct witness *w, const uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record r;
    enum sd_record_status st;
    if (w->mtu && len > w->mtu)
        w->wrong |= WITNESS_LENGTH;
    while ((st = sd_record_next(&it, &r)) == SD_RECORD_OK) {
        if (is_verify_request(&r) || is_junk(&r))
            continue;
        note_number(w, &r);
        if (!r.epoch && r.type == SD_CT_HANDSHAKE)
            note_messages(w, &r);
    }
    if (st != SD_RECORD_END)
        w->wrong |= WITNESS_FORM;
}
