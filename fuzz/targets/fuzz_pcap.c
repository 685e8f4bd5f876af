/* SPDX-License-Identifier: MIT */
/* A capture file up to its diagnosis: reader, decapsulation, tracker, rules. The input is the file.
 *
 * Reading in small pieces must give the same result, what our writer writes must read back, and
 * when memory or reading fails, nothing may be left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "capture/decap.h"
#include "capture/reader.h"
#include "capture/writer.h"
#include "harness/common.h"
#include "harness/file.h"
#include "harness/make.h"
#include "harness/pool.h"
#include "harness/watch.h"

enum {
    CAPTURE_MIN = 1024,
    HEAP_BASE = 2 << 20, /* windows of the reader and of zlib, a frame at its largest */
    HEAP_PER_BYTE = 64,
    PACKED_RATIO = 1032 /* the largest of deflate */
};

struct run {
    struct sd_reader *reader;
    struct sd_decap *decap;
    struct sd_tracker *tracker;
    struct watch watch;
    struct sd_unprotect unprotect;
    struct sd_cert_reader certs;
    unsigned keys_open;
    FILE *copy; /* what the writer makes of it */
    struct sd_writer *writer;
    uint64_t digest, frames, datagrams, keylog;
    enum sd_reader_status status;
    bool failing;  /* memory, reading or writing may fail */
    size_t window; /* of the reader at the beginning */
};

static void mix(struct run *r, const void *data, size_t len)
{
    r->digest = fuzz_sum(r->digest, data, len);
}

static void mix_number(struct run *r, uint64_t n)
{
    mix(r, &n, sizeof n);
}

static void on_datagram(void *arg, const struct sd_datagram *d)
{
    struct run *r = arg;
    r->datagrams++;
    fuzz_check(d->payload.len <= d->length, "a payload of %zu bytes, of which %u were sent",
               d->payload.len, d->length);
    fuzz_check(d->number && d->number <= r->frames, "a datagram without a frame");
    fuzz_check(d->src.sa.sa_family == d->dst.sa.sa_family,
               "a datagram between two address families");
    mix(r, d->payload.p, d->payload.len);
    mix_number(r, d->lane);
    mix_number(r, (uint64_t)d->kind << 32 | (uint64_t)d->carrier << 16 | d->fragments);
    sd_tracker_datagram(r->tracker, d);
}

static void on_icmp(void *arg, const struct sd_icmp *e)
{
    struct run *r = arg;
    mix_number(r, (uint64_t)e->type << 40 | (uint64_t)e->code << 32 | e->mtu);
    mix(r, e->quoted.p, e->quoted.len);
    sd_tracker_icmp(r->tracker, e);
}

static void on_incomplete(void *arg, const struct sd_ip_incomplete *e)
{
    struct run *r = arg;
    fuzz_check(!e->total || e->have < e->total, "a datagram with %u of %u bytes is not incomplete",
               e->have, e->total);
    mix(r, e->payload.p, e->payload.len);
    sd_tracker_ip_incomplete(r->tracker, e);
}

static void on_keylog(void *arg, struct sd_span text)
{
    struct run *r = arg;
    r->keylog += text.len;
    if (r->writer)
        sd_writer_keylog(r->writer, text);
    mix(r, text.p, text.len);
}

static void take_comments(struct run *r, const struct sd_frame *f)
{
    struct sd_span text[4];
    size_t n = 0;
    for (; n < 4 && sd_reader_comment(r->reader, &text[n]); n++)
        mix(r, text[n].p, text[n].len);
    if (r->writer)
        mix_number(r, sd_writer_frame(r->writer, f, text, n) == 0);
}

static void take(struct run *r, const struct sd_frame *f)
{
    const struct sd_reader_interface *i = sd_reader_interface(r->reader, f->interface);
    fuzz_check(i && i->linktype == f->linktype, "a frame without an interface");
    fuzz_check(f->number > r->frames, "frame %llu after %llu", (unsigned long long)f->number,
               (unsigned long long)r->frames);
    fuzz_check(f->data.len <= SD_FRAME_MAX, "a frame of %zu bytes is too long", f->data.len);
    r->frames = r->watch.frames = f->number;
    if (r->writer && f->number == 1)
        sd_writer_interface(r->writer, f->interface, f->linktype, i->snaplen, i->name);
    uint8_t *copy = fuzz_copy(f->data);
    struct sd_frame exact = *f;
    exact.data.p = copy;
    mix(r, copy, exact.data.len);
    mix_number(r, (uint64_t)f->time);
    mix_number(r, f->length);
    take_comments(r, &exact);
    sd_decap_frame(r->decap, &exact);
    free(copy);
}

static void check_end(struct run *r)
{
    struct sd_frame f;
    const char *reason = sd_reader_reason(r->reader);
    fuzz_check(sd_reader_next(r->reader, &f) == r->status, "the reader goes on after the end");
    fuzz_check(r->status == SD_READER_END || *reason || r->failing, "status %d without a reason",
               (int)r->status);
    mix(r, reason, strlen(reason));
    mix_number(r, r->status);
    mix_number(r, sd_reader_dropped(r->reader));
    struct sd_decap_counts c = sd_decap_counts(r->decap);
    fuzz_check(c.frames == c.datagrams + c.icmp + c.fragments + c.other + c.malformed,
               "the counts do not add up to the frames");
}

static void read_all(struct run *r)
{
    struct sd_frame f;
    while ((r->status = sd_reader_next(r->reader, &f)) == SD_READER_FRAME)
        take(r, &f);
    check_end(r);
    sd_decap_flush(r->decap);
    sd_tracker_finish(r->tracker);
}

static bool open_all(struct run *r)
{
    const struct sd_reader_config reading = {.keylog = on_keylog, .arg = r, .window = r->window};
    const struct sd_decap_config taking = {.sink = {r, on_datagram, on_icmp, on_incomplete},
                                           .key = {3, 4},
                                           .max_fragmented = 4,
                                           .max_bytes = 8192,
                                           .max_channels = 8};
    struct sd_tracker_config tracking = {.key = {5, 6}};
    struct sd_err err;
    watch_init(&r->watch, &tracking, 0);
    r->unprotect = watch_unprotect(&r->keys_open);
    r->certs = watch_certs();
    tracking.unprotect = &r->unprotect;
    tracking.certs = &r->certs;
    r->decap = sd_decap_new(&taking);
    r->tracker = sd_tracker_new(&tracking);
    bool ok = r->decap && r->tracker && !sd_reader_open(&r->reader, FILE_NAME, &reading, &err);
    if (ok)
        read_all(r);
    return ok;
}

static void run(struct run *r, const uint8_t *data, size_t size, size_t most, unsigned interrupt)
{
    struct fuzz_heap before = fuzz_heap_mark();
    r->digest = FUZZ_SUM;
    bool packed = size > 1 && data[0] == 0x1f && data[1] == 0x8b;
    file_set(data, size, most, interrupt);
    file_guard(!packed); /* unpacking writes there */
    bool ok = open_all(r);
    sd_reader_close(r->reader);
    sd_decap_free(r->decap);
    sd_tracker_free(r->tracker);
    watch_end(&r->watch);
    struct fuzz_heap after = fuzz_heap_now();
    size_t bound = HEAP_BASE + HEAP_PER_BYTE * size * (packed ? PACKED_RATIO : 1);
    fuzz_check(ok || r->failing, "the file could not be opened");
    fuzz_check(r->writer || (after.blocks == before.blocks && after.bytes == before.bytes),
               "%zd blocks and %zd bytes are left", (ssize_t)(after.blocks - before.blocks),
               (ssize_t)(after.bytes - before.bytes));
    fuzz_check(after.peak - before.bytes <= bound, "%zu bytes of heap for %zu read",
               after.peak - before.bytes, size);
    fuzz_check(!file_open_count(), "the file is left open");
    r->digest ^= r->watch.digest;
}

/* The file that the writer wrote in the first run must read back as the same frames. */
static void read_back(const struct run *first, char *image, size_t size)
{
    struct run again = {.window = size};
    run(&again, (uint8_t *)image, size, size, 0);
    fuzz_check(again.status == SD_READER_END, "our own file ends with status %d",
               (int)again.status);
    fuzz_check(again.datagrams <= first->datagrams, "our own file has more in it");
    fuzz_note(again.frames);
}

static void run_writing(const uint8_t *data, size_t size)
{
    struct run r = {.window = size};
    char *image = NULL;
    size_t length = 0;
    r.copy = open_memstream(&image, &length);
    r.writer = r.copy ? sd_writer_new(r.copy, "fuzz") : NULL;
    run(&r, data, size, size ? size : 1, 0);
    if (r.writer) {
        sd_writer_statistics(r.writer, 0, r.frames, 7);
        fuzz_check(!sd_writer_finish(r.writer), "the writer failed");
    }
    sd_writer_free(r.writer);
    if (r.copy)
        fclose(r.copy);
    if (image)
        read_back(&r, image, length);
    free(image);
}

/* The n-th allocation or read() fails, or the file does not exist, or the writer's disk is full.
 * Only frames may be lost. */
static void run_failing(const uint8_t *data, size_t size, uint64_t how)
{
    char disk[600];
    struct run r = {.failing = true, .window = 1 + how % 97};
    r.copy = fmemopen(disk, 64 + how % (sizeof disk - 64), "w");
    fuzz_heap_fail((unsigned)(how >> 8 & 63));
    r.writer = r.copy ? sd_writer_new(r.copy, "fuzz") : NULL;
    if (r.copy && how >> 14 & 1)
        setbuf(r.copy, NULL); /* a full disk must show at once, not at the end */
    file_fail((unsigned)(how >> 16 & 7));
    file_kind(how >> 20 & 15 ? FILE_PLAIN : how >> 24 & 1 ? FILE_MISSING : FILE_FOLDER);
    run(&r, data, size, 1 + how % 997, 0);
    fuzz_heap_fail(0);
    file_fail(0);
    file_kind(FILE_PLAIN);
    if (r.writer)
        fuzz_note((uint64_t)sd_writer_finish(r.writer));
    sd_writer_free(r.writer);
    if (r.copy)
        fclose(r.copy);
}

static void run_in_bites(const uint8_t *data, size_t size, uint64_t how)
{
    struct run whole = {.window = size}, bites = {.window = 1 + how % 67};
    size_t most = 1 + how % 61;
    run(&whole, data, size, size ? size : 1, 0);
    fuzz_note(whole.digest);
    run(&bites, data, size, most, 3);
    fuzz_check(whole.digest == bites.digest, "reading in pieces of %zu gives another file", most);
}

/* A hash of the input selects one of four ways, because speed is worth more than all four. Whole
 * captures, which are only replayed, go the way that reaches most. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pool_next_run();
    struct run whole = {.window = size};
    uint8_t *copy = fuzz_copy(make_span(data, size));
    uint64_t hash = sd_hash((struct sd_hash_key){0}, data, size), how = hash >> 8;
    if (hash % 8 == 0 || size > CAPTURE_MIN)
        run_in_bites(copy, size, how);
    else if (hash % 8 == 1)
        run_writing(copy, size);
    else if (hash % 8 <= 3)
        run_failing(copy, size, how);
    else
        run(&whole, copy, size, size ? size : 1, 0);
    fuzz_note(whole.digest);
    free(copy);
    return 0;
}
