/* SPDX-License-Identifier: MIT */
#include "session/guard.h"

#include <errno.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "wire/junk.h"
#include "wire/record.h"
#include "wire/refragment.h"

/* A datagram in the queue, with its own copy of the bytes. */
struct sd_datagram_kept {
    struct sd_datagram_in in;
    uint8_t copy[];
};

/* Puts a record number into a 13-byte header. */
static void set_seq(uint8_t *header, uint64_t seq)
{
    enum { SEQ = 5, SEQ_LEN = 6 }; /* RFC 6347 section 4.1 */
    struct sd_wr w = sd_wr_init(header + SEQ, SEQ_LEN);
    sd_wr_u48(&w, seq & UINT64_C(0xffffffffffff));
}

static struct sd_datagram_in *copy_datagram(const uint8_t *data, size_t len)
{
    struct sd_datagram_kept *d = malloc(sizeof *d + len);
    if (!d)
        return NULL;
    d->in = (struct sd_datagram_in){.data = d->copy, .len = len};
    if (len)
        memcpy(d->copy, data, len);
    return &d->in;
}

static void drop_head(struct sd_guard *g)
{
    struct sd_datagram_in *d = STAILQ_FIRST(&g->queue);
    STAILQ_REMOVE_HEAD(&g->queue, next);
    g->queued--;
    g->queued_bytes -= d->len;
    g->passed_some = false;
    if (d != &g->lent)
        free(sd_container(d, struct sd_datagram_kept, in));
}

static void enqueue(struct sd_guard *g, struct sd_datagram_in *d)
{
    STAILQ_INSERT_TAIL(&g->queue, d, next);
    g->queued++;
    g->queued_bytes += d->len;
}

void sd_guard_input(struct sd_guard *g, const uint8_t *data, size_t len)
{
    struct sd_datagram_in *d = NULL;
    if (g->queued < SD_GUARD_QUEUE && g->queued_bytes + len <= SD_GUARD_QUEUE_BYTES + g->more_room)
        d = copy_datagram(data, len);
    if (d)
        enqueue(g, d);
    else
        g->counters[SD_GUARD_QUEUE_FULL]++;
}

void sd_guard_lend(struct sd_guard *g, const uint8_t *data, size_t len)
{
    if (g->queued || g->early_count) { /* it has to wait for its turn */
        sd_guard_input(g, data, len);
        return;
    }
    g->lent = (struct sd_datagram_in){.data = data, .len = len};
    enqueue(g, &g->lent);
}

/* It is the first one: it was lent to an empty queue. */
void sd_guard_keep(struct sd_guard *g)
{
    struct sd_datagram_in *lent = STAILQ_FIRST(&g->queue);
    if (!lent || lent != &g->lent)
        return;
    struct sd_datagram_in *d = copy_datagram(lent->data, lent->len);
    if (!d) {
        g->counters[SD_GUARD_QUEUE_FULL]++;
        drop_head(g);
        return;
    }
    d->used = lent->used;
    STAILQ_REMOVE_HEAD(&g->queue, next);
    STAILQ_INSERT_HEAD(&g->queue, d, next);
}

static void keep_early(struct sd_guard *g, const struct sd_record *rec)
{
    size_t len = rec->header.len + rec->body.len;
    struct sd_datagram_in *d = NULL;
    if (g->early_count < SD_GUARD_EARLY_RECORDS && len <= SD_GUARD_EARLY_BYTES - g->early_bytes)
        d = copy_datagram(rec->header.p, len);
    if (!d) {
        g->counters[SD_GUARD_EARLY]++;
        return;
    }
    STAILQ_INSERT_TAIL(&g->early, d, next);
    g->early_count++;
    g->early_bytes += len;
}

/* The keys are there: what came too early is read next. */
static void release_early(struct sd_guard *g)
{
    STAILQ_CONCAT(&g->early, &g->queue);
    STAILQ_CONCAT(&g->queue, &g->early);
    g->queued += g->early_count;
    g->queued_bytes += g->early_bytes;
    g->early_count = 0;
    g->early_bytes = 0;
}

size_t sd_guard_kept(const struct sd_guard *g)
{
    return g->queued_bytes + g->early_bytes;
}

bool sd_guard_waits(struct sd_guard *g)
{
    const struct sd_datagram_in *d = STAILQ_FIRST(&g->queue);
    if (d && d->used == d->len)
        drop_head(g);
    return g->queued;
}

/* The next record of the datagram at the head; false when it holds no more. */
static bool next_record(struct sd_guard *g, struct sd_datagram_in *d, struct sd_record *rec)
{
    struct sd_records it = sd_records_init(d->data + d->used, d->len - d->used, 0);
    enum sd_record_status status = sd_record_next(&it, rec);
    if (status == SD_RECORD_OK) {
        d->used += rec->header.len + rec->body.len;
        return true;
    }
    if (status != SD_RECORD_END)
        g->counters[SD_GUARD_MALFORMED]++;
    return false;
}

static void note_alert(struct sd_guard *g)
{
    if (!g->filter.alert) {
        g->alert_at = SD_NEVER;
    } else if (g->alert_at == SD_NEVER) {
        g->alert_at = g->now;
        g->alert = g->filter.alert - 1;
    }
}

static bool admit_record(struct sd_guard *g, const struct sd_record *rec)
{
    struct sd_stage stage = g->stage(g->stage_arg);
    int verdict = sd_filter_record(&g->filter, &stage, rec);
    note_alert(g);
    if (verdict == SD_FILTER_PASS)
        return true;
    if (verdict == SD_FILTER_KEEP)
        keep_early(g, rec);
    else
        g->counters[verdict]++;
    return false;
}

static bool has_keys(const struct sd_guard *g)
{
    struct sd_stage stage = g->stage(g->stage_arg);
    return stage.keys || stage.established;
}

/* The next admitted record, or without a filter the next whole datagram. It stays in the queue
 * until the next call, so that the caller can copy it. *plain: the record is not protected. */
static struct sd_span next_input(struct sd_guard *g, bool *plain)
{
    struct sd_datagram_in *d;
    struct sd_record rec;
    if (g->early_count && has_keys(g))
        release_early(g);
    while ((d = STAILQ_FIRST(&g->queue))) {
        if (!g->stage && !d->used && d->len) {
            d->used = d->len;
            return (struct sd_span){d->data, d->len};
        }
        if (!g->stage || !next_record(g, d, &rec)) {
            drop_head(g);
            continue;
        }
        if (!admit_record(g, &rec))
            continue;
        *plain = !rec.unified && !rec.epoch;
        return (struct sd_span){rec.header.p, rec.header.len + rec.body.len};
    }
    return (struct sd_span){0};
}

/* One record in each read: OpenSSL 1.1.1 and 3.0 forget what follows the first record of the
 * datagram that DTLSv1_listen took, and the filter needs the state after the previous record.
 *
 * Plaintext records move OpenSSL's replay window as well, so one forged record with a high
 * number would make it ignore all that follow. The number of a plaintext record protects
 * nothing, so each gets the next one. */
static int guard_read(BIO *b, char *out, int cap)
{
    struct sd_guard *g = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    bool plain = false;
    struct sd_span in = next_input(g, &plain);
    g->starved = !in.len;
    if (!in.len || cap <= 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    if (!g->passed_some)
        g->heard++;
    g->passed_some = true;
    g->passed++;
    size_t n = in.len < (size_t)cap ? in.len : (size_t)cap;
    memcpy(out, in.p, n);
    if (plain && n >= SD_RECORD_HEADER_LEN)
        set_seq((uint8_t *)out, g->in_seq++);
    return (int)n;
}

/* Adds delta to the numbers of the epoch-0 records of a datagram. */
static void shift_numbers(struct sd_guard *g, uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        if (rec.unified || rec.epoch)
            continue;
        set_seq(data + rec.offset, rec.seq + g->delta);
        g->counters[SD_GUARD_SEQUENCE]++;
    }
}

/* A renumbered copy of an outgoing datagram, or NULL when its numbers are right. */
static uint8_t *renumber(struct sd_guard *g, const void *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    if (sd_record_next(&it, &rec) != SD_RECORD_OK || rec.unified || rec.epoch)
        return NULL;
    if (g->shim && !g->shim_started)
        g->delta = g->first_seq - rec.seq;
    g->shim_started = true;
    uint8_t *copy = g->delta ? malloc(len) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, data, len);
    shift_numbers(g, copy, len);
    return copy;
}

static void note_numbers(struct sd_guard *g, const uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        if (!rec.unified && !rec.epoch && rec.seq >= g->next_seq)
            g->next_seq = rec.seq + 1;
}

static void note_output(struct sd_guard *g, const uint8_t *data, size_t len, int rc)
{
    bool flight = len && (data[0] == SD_CT_HANDSHAKE || data[0] == SD_CT_CCS);
    if (len > g->largest)
        g->largest = len;
    if (len && data[0] == SD_CT_HANDSHAKE)
        g->handshake_out++;
    if (flight)
        note_numbers(g, data, len);
    sd_sent_note(&g->sent, data, len, flight && g->stage);
    if (rc < 0) {
        g->counters[SD_GUARD_WRITE_ERROR]++;
        g->refused = rc;
    }
    if (rc == -EMSGSIZE)
        g->too_big = true;
}

/* The queue of the socket (EAGAIN) or of the interface (ENOBUFS) is full. ECONNREFUSED is an ICMP
 * error that came between two sends: the datagram of such a send has not left either. */
static bool has_no_room(int rc)
{
    return rc == -EAGAIN || rc == -ENOBUFS || rc == -ENOMEM || rc == -ECONNREFUSED;
}

static bool put_into_slot(struct sd_guard *g, const uint8_t *data, size_t len)
{
    g->slot = malloc(len);
    if (!g->slot)
        return false;
    memcpy(g->slot, data, len);
    g->slot_len = len;
    g->counters[SD_GUARD_KEPT]++;
    return true;
}

static void put_out(void *arg, const uint8_t *data, size_t len)
{
    struct sd_guard *g = arg;
    int rc = g->send(g->arg, data, len);
    if (g->keep && has_no_room(rc) && put_into_slot(g, data, len))
        rc = 0;
    note_output(g, data, len, rc);
}

static void empty_slot(struct sd_guard *g, bool sent)
{
    g->counters[SD_GUARD_UNSENT] += g->slot && !sent;
    free(g->slot);
    g->slot = NULL;
    g->slot_len = 0;
}

bool sd_guard_flush(struct sd_guard *g)
{
    if (!g->slot)
        return true;
    int rc = g->send(g->arg, g->slot, g->slot_len);
    if (has_no_room(rc))
        return false;
    empty_slot(g, rc == 0);
    return true;
}

/* OpenSSL does not count ChangeCipherSpec and Finished against the MTU: their datagram may be 24
 * bytes too large. It is sent as two. */
static void put_fitting(struct sd_guard *g, const uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    size_t from = 0;
    while (len - from > g->mtu && sd_record_next(&it, &rec) == SD_RECORD_OK) {
        size_t end = rec.offset + rec.header.len + rec.body.len;
        if (rec.offset == from || end - from <= g->mtu)
            continue;
        put_out(g, data + from, rec.offset - from);
        from = rec.offset;
    }
    put_out(g, data + from, len - from);
}

void sd_guard_resend(struct sd_guard *g, size_t mtu)
{
    struct sd_sent_flight large;
    struct sd_sent_copy *c;
    uint64_t before = g->next_seq;
    struct sd_refragment r = {.mtu = mtu, .next_seq = before, .emit = put_out, .arg = g};
    sd_sent_take(&g->sent, mtu, &large);
    while ((c = STAILQ_FIRST(&large))) {
        STAILQ_REMOVE_HEAD(&large, next);
        sd_refragment(&r, c->data, c->len);
        free(c);
    }
    g->delta += r.next_seq - before;
    g->next_seq = r.next_seq;
}

/* From OpenSSL, as everything random in a session, so that a test can repeat all of it. */
static void random_bytes(void *buf, size_t len)
{
    RAND_bytes(buf, len > INT_MAX ? INT_MAX : (int)len);
}

/* `data`, filled up with junk to `size`; NULL when that is not possible. */
static uint8_t *make_padded(const void *data, size_t len, size_t size)
{
    if (size < len || !sd_junk_fits(size - len))
        return NULL;
    uint8_t *out = malloc(size ? size : 1);
    if (!out)
        return NULL;
    struct sd_wr w = sd_wr_init(out, size);
    sd_wr_bytes(&w, data, len);
    sd_junk_build(&w, size - len, random_bytes);
    return out;
}

static void put_padded_datagram(struct sd_guard *g, const void *data, size_t len)
{
    uint8_t *out = make_padded(data, len, g->pad);
    g->pad_failed = !out;
    if (out)
        put_out(g, out, g->pad);
    free(out);
}

void sd_guard_probe(struct sd_guard *g, size_t size)
{
    uint8_t *out = make_padded("", 0, size);
    if (out)
        put_out(g, out, size);
    free(out);
}

static int guard_write(BIO *b, const char *data, int len)
{
    struct sd_guard *g = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (len <= 0)
        return 0;
    if (g->passed != g->passed_at_write)
        sd_sent_forget(&g->sent); /* the peer has answered: a new flight */
    g->passed_at_write = g->passed;
    if (g->pad) {
        put_padded_datagram(g, data, (size_t)len);
        return len;
    }
    uint8_t *copy = g->shim || g->delta ? renumber(g, data, (size_t)len) : NULL;
    put_fitting(g, copy ? copy : (const uint8_t *)data, (size_t)len);
    free(copy);
    return len;
}

static long guard_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    struct sd_guard *g = BIO_get_data(b);
    (void)num;
    (void)ptr;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return (long)g->mtu;
    case BIO_CTRL_DGRAM_SET_MTU:
        return num;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return SD_GUARD_OVERHEAD;
    default:
        /* PENDING, WPENDING: nothing. MTU_EXCEEDED: never. GET_PEER: the session knows no
         * address. */
        return 0;
    }
}

static int guard_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

/* A type of its own would need BIO_get_new_index(), which has 127 numbers for a process. */
static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sukat_dtls guard");
    if (m && BIO_meth_set_read(m, guard_read) && BIO_meth_set_write(m, guard_write) &&
        BIO_meth_set_ctrl(m, guard_ctrl) && BIO_meth_set_create(m, guard_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

bool sd_guard_init(struct sd_guard *g)
{
    STAILQ_INIT(&g->queue);
    STAILQ_INIT(&g->early);
    sd_sent_init(&g->sent);
    g->alert = -1;
    g->alert_at = SD_NEVER;
    g->method = make_method();
    g->bio = g->method ? BIO_new(g->method) : NULL;
    if (!g->bio) {
        BIO_meth_free(g->method);
        g->method = NULL;
        return false;
    }
    BIO_set_data(g->bio, g);
    return true;
}

void sd_guard_clear(struct sd_guard *g)
{
    if (g->early_count)
        release_early(g);
    while (g->queued)
        drop_head(g);
}

void sd_guard_fini(struct sd_guard *g)
{
    sd_guard_clear(g);
    if (g->slot)
        empty_slot(g, false);
    sd_sent_forget(&g->sent);
    BIO_meth_free(g->method);
}
