/* SPDX-License-Identifier: MIT */
#include "harness/watch.h"

#include <stdio.h>
#include <string.h>

#include "flow/rules/catalogue.h"
#include "flow/rules/diagnose.h"
#include "harness/common.h"
#include "harness/pool.h"

static void *resize(void *arg, void *old, size_t size)
{
    struct watch *w = arg;
    const size_t had = old ? pool_size(old) : 0;
    if (size && w->fail_in && !--w->fail_in)
        return NULL;
    void *fresh = fuzz_heap_realloc(old, size);
    if (size && !fresh) /* as fuzz_heap_fail() asked for */
        return NULL;
    w->blocks += (size_t)(size && !old) - (size_t)(!size && old);
    w->live += size - had;
    if (w->peak < w->live)
        w->peak = w->live;
    return fresh;
}

static void mix_number(struct watch *w, uint64_t n)
{
    w->digest = fuzz_mix(w->digest, n);
}

static void mix(struct watch *w, const void *data, size_t len)
{
    w->digest = fuzz_sum(w->digest, data, len);
}

static void mix_event(struct watch *w, const struct sd_event *e)
{
    mix_number(w, (uint64_t)e->time);
    mix_number(w, e->seq);
    mix_number(w, (uint64_t)e->kind << 56 | (uint64_t)e->message << 48 | (uint64_t)e->flight << 40 |
                      (uint64_t)e->copy << 32 | e->flags);
}

static void message(void *arg, const struct sd_exchange *x, const struct sd_event *last,
                    struct sd_span body)
{
    struct watch *w = arg;
    fuzz_check(last->kind == SD_EV_HANDSHAKE && body.len == last->length &&
                   last->frag_len <= body.len,
               "a message of %zu bytes, not %u", body.len, last->length);
    fuzz_check(last->number == w->frames, "a message of another frame");
    fuzz_check(!(last->flags & SD_EVF_DUPLICATE), "a message of a copy");
    w->digest = fuzz_mix(fuzz_sum(w->digest, body.p, body.len), x->id << 8 | last->message);
}

static void packet(void *arg, const struct sd_packet *p)
{
    struct watch *w = arg;
    w->packets++;
    fuzz_check(p->count > 0, "a packet without events");
    fuzz_check(p->number <= w->frames, "a packet says frame %llu of %llu",
               (unsigned long long)p->number, (unsigned long long)w->frames);
    for (size_t i = 0; i < p->count; i++)
        mix_event(w, &p->events[i]);
}

/* A sentence has an end, and no raw bytes of the network in it. */
static void check_text(const char *text, size_t room, const char *what)
{
    size_t len = strnlen(text, room);
    fuzz_check(len < room, "%s: a sentence without an end", what);
    for (size_t i = 0; i < len; i++)
        fuzz_check((uint8_t)text[i] >= ' ' && text[i] != 0x7f, "%s: a sentence with the byte %02x",
                   what, (uint8_t)text[i]);
}

static void check_finding(const struct watch *w, const struct sd_finding *f)
{
    fuzz_check(f->entry >= sd_catalogue && f->entry < sd_catalogue + sd_catalogue_count,
               "a finding that is not in the catalogue");
    fuzz_check(strcmp(sd_severity_name(f->severity), "unknown") != 0 &&
                   strcmp(sd_confidence_name(f->confidence), "unknown") != 0,
               "%s: neither sure nor unsure", f->entry->id);
    fuzz_check(f->packet_count <= SD_PACKETS_MAX, "%zu packets of evidence are too many",
               f->packet_count);
    for (size_t i = 0; i < f->packet_count; i++) {
        fuzz_check(f->packets[i] && f->packets[i] <= w->frames, "%s: evidence in frame %u of %llu",
                   f->entry->id, f->packets[i], (unsigned long long)w->frames);
        fuzz_check(!i || f->packets[i - 1] < f->packets[i], "%s: evidence is not in order",
                   f->entry->id);
    }
    fuzz_check(!f->mtu_below || f->mtu_above <= f->mtu_below, "%s: path MTU in (%u, %u]",
               f->entry->id, f->mtu_above, f->mtu_below);
    check_text(f->detail, sizeof f->detail, f->entry->id);
}

static void check_log(const struct sd_exchange *x)
{
    fuzz_check(x->count <= SD_LOG_MAX && x->count <= x->room, "a log of %u events is too long",
               x->count);
    for (size_t i = 0; i < x->count; i++)
        fuzz_check(x->log[i].flight <= 6, "flight %u", x->log[i].flight);
}

static void check_view(const struct sd_view *v)
{
    fuzz_check(v->burst_count <= SD_BURSTS_MAX && v->part_count <= SD_PARTS_MAX &&
                   v->gap_count <= SD_GAPS_MAX,
               "a view beyond its arrays");
    for (size_t i = 0; i < v->burst_count; i++)
        fuzz_check(v->bursts[i].first < v->bursts[i].end && v->bursts[i].end <= v->x->count,
                   "a burst beyond the log");
    for (size_t i = 0; i < v->part_count; i++) {
        const struct sd_part *p = &v->parts[i];
        fuzz_check(p->have_count <= SD_RANGES_MAX, "%zu ranges are too many", p->have_count);
        for (size_t n = 0; n < p->have_count; n++)
            fuzz_check(p->have[n].from <= p->have[n].to && p->have[n].to <= p->length &&
                           (!n || p->have[n - 1].to < p->have[n].from),
                       "ranges overlap or are not sorted");
    }
}

static void done(void *arg, const struct sd_result *r)
{
    struct watch *w = arg;
    w->first_words += !r->again;
    w->last = r->outcome;
    fuzz_check(r->count <= SD_FINDINGS_MAX, "%zu findings are too many", r->count);
    check_log(r->x);
    check_view(r->view);
    mix_number(w, r->x->id);
    mix_number(w, r->outcome);
    for (size_t i = 0; i < r->count; i++) {
        check_finding(w, &r->findings[i]);
        mix(w, r->findings[i].entry->id, strlen(r->findings[i].entry->id));
        mix(w, r->findings[i].detail, strlen(r->findings[i].detail));
    }
}

/* Not part of the digest: sessions share bits of a set, and the hash key decides which. */
static void lone(void *arg, const struct sd_lone *l)
{
    const struct watch *w = arg;
    fuzz_check(l->answers > 0 && l->first < l->last && l->first_number < l->last_number &&
                   l->last_number <= w->frames,
               "%u checks of ICE from frame %u to %u", l->answers, l->first_number, l->last_number);
    fuzz_check(!sd_addr_eq(l->one, l->other), "ICE between an address and itself");
}

void watch_init(struct watch *w, struct sd_tracker_config *config, unsigned fail_in)
{
    *w = (struct watch){.digest = FUZZ_SUM, .fail_in = fail_in};
    config->alloc = (struct sd_alloc){w, resize};
    config->arg = w;
    config->message = message;
    config->packet = packet;
    config->done = done;
    config->lone = lone;
    config->diagnose = sd_diagnose;
}

void watch_end(const struct watch *w)
{
    fuzz_check(!w->live && !w->blocks, "%zu bytes in %zu blocks are left", w->live, w->blocks);
}

/* --- keys --- */

static void *begin(void *arg, const struct sd_unprotect_params *params)
{
    uint64_t sum = FUZZ_SUM;
    fuzz_check(params->transcript_count <= SD_TRANSCRIPT_MAX, "a transcript of %zu messages",
               params->transcript_count);
    for (size_t i = 0; i < params->transcript_count; i++)
        sum = fuzz_sum(sum, params->transcript[i].body.p, params->transcript[i].body.len);
    if (params->client_random[0] & 1 || !sum) /* no secrets for this client */
        return NULL;
    ++*(unsigned *)arg;
    return arg;
}

static bool open_record(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                        struct sd_record *plain)
{
    (void)keys, (void)from_server;
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    if (sd_rd_u8(&r) != WATCH_SEALED)
        return false;
    *plain = *rec;
    if (rec->unified) {
        plain->type = sd_rd_u8(&r);
        plain->unified = false;
        plain->version = SD_DTLS_1_2;
    }
    plain->body = sd_rd_rest(&r);
    if (plain->body.len)
        memcpy(out, plain->body.p, plain->body.len);
    plain->body.p = out;
    return !r.bad;
}

static void end(void *keys)
{
    --*(unsigned *)keys;
}

static void take_message(void *keys, bool from_server, uint8_t type, struct sd_span body)
{
    (void)from_server;
    fuzz_check(*(unsigned *)keys, "a message for keys that were given back");
    fuzz_check(fuzz_sum(type, body.p, body.len) || !body.len, "a message without bytes");
}

static bool from_psk(const void *keys)
{
    return *(const unsigned *)keys;
}

struct sd_unprotect watch_unprotect(unsigned *open)
{
    return (struct sd_unprotect){.arg = open,
                                 .begin = begin,
                                 .open = open_record,
                                 .end = end,
                                 .psk = true,
                                 .message = take_message,
                                 .from_psk = from_psk};
}

/* --- certificates --- */

static bool read_cert(void *arg, struct sd_span der, struct sd_cert *cert)
{
    (void)arg;
    struct sd_rd r = sd_rd_init(der.p, der.len);
    *cert = (struct sd_cert){.subject = "CN=someone", .issuer = "CN=somebody", .key = "EC"};
    uint8_t kind = sd_rd_u8(&r), bits = sd_rd_u8(&r);
    cert->not_before = (int64_t)sd_rd_u32(&r);
    cert->not_after = (int64_t)sd_rd_u32(&r);
    cert->key_bits = bits * 16U;
    cert->security_bits = bits;
    cert->ca = kind & 1;
    cert->self_signed = kind & 2;
    cert->weak_digest = kind & 4;
    memcpy(cert->signature, "ecdsa-with-SHA1", sizeof "ecdsa-with-SHA1");
    const uint8_t flags = sd_rd_u8(&r);
    if (flags & (CERT_RSA | CERT_ED25519))
        snprintf(cert->key, sizeof cert->key, "%s", flags & CERT_RSA ? "RSA" : "Ed25519");
    if (!(flags & CERT_NAMELESS))
        memcpy(cert->names, "a.test", sizeof "a.test");
    cert->forbids = flags / CERT_FORBIDS;
    if (flags & CERT_VALUES) {
        cert->group = sd_rd_u16(&r);
        cert->scheme = sd_rd_u16(&r);
    }
    return kind < 0x40;
}

static bool names(void *arg, struct sd_span der, struct sd_span host)
{
    struct sd_cert c;
    return read_cert(arg, der, &c) && host.len == strlen(c.names) &&
           !memcmp(host.p, c.names, host.len);
}

static bool issued(void *arg, struct sd_span der, struct sd_span issuer)
{
    (void)arg;
    return der.len && issuer.len && (der.p[0] & 0x38) + 8 == (issuer.p[0] & 0x38);
}

static bool twin(void *arg, struct sd_span der, struct sd_cert *other)
{
    return read_cert(arg, der, other) && other->group == CERT_TWIN;
}

struct sd_cert_reader watch_certs(void)
{
    return (struct sd_cert_reader){NULL, read_cert, names, issued, twin, NULL};
}
