/* SPDX-License-Identifier: MIT */
/* A handshake in virtual time: datagrams are built record by record, given to a
 * tracker, and what it reports is kept. Include after cmocka. */
#ifndef FLOW_TOOLS_H
#define FLOW_TOOLS_H

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "flow/tracker.h"
#include "wire/alert.h"
#include "wire/extension.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

enum { GRAM_MAX = 65535, REPORTS_MAX = 48, UDP_IP = 28, NO_FAILURE = -1 };

#define MS INT64_C(1000000)
#define EPOCH_2024 INT64_C(1704067200) /* the handshakes begin here */

/* --- memory: counted, and failing when told --- */

struct memory {
    size_t live, peak, blocks;
    long calls;
    long fail_at;      /* this call fails, from 0; NO_FAILURE = none */
    bool fail_forever; /* and all after it */
};

struct block {
    size_t size;
    max_align_t data[];
};

static inline void *memory_resize(void *arg, void *old, size_t size)
{
    struct memory *m = arg;
    struct block *b = old ? sd_container(old, struct block, data) : NULL;
    size_t had = b ? b->size : 0;
    if (!size) {
        m->live -= had;
        m->blocks -= b != NULL;
        free(b);
        return NULL;
    }
    long call = m->calls++;
    if (m->fail_at != NO_FAILURE && (call == m->fail_at || (m->fail_forever && call > m->fail_at)))
        return NULL;
    struct block *fresh = realloc(b, sizeof *fresh + size);
    if (!fresh)
        abort();
    fresh->size = size;
    m->blocks += b == NULL;
    m->live += size - had;
    m->peak = m->live > m->peak ? m->live : m->peak;
    return fresh->data;
}

/* --- a datagram --- */

struct gram {
    uint8_t bytes[GRAM_MAX];
    struct sd_wr w;
};

static inline struct gram *gram(void)
{
    static struct gram g;
    g.w = sd_wr_init(g.bytes, sizeof g.bytes);
    return &g;
}

static inline void put_record(struct gram *g, uint8_t type, uint16_t epoch, uint64_t seq,
                              const void *body, size_t len)
{
    struct sd_record rec = {
        .type = type, .version = SD_DTLS_1_2, .epoch = epoch, .seq = seq, .body = {body, len}};
    sd_record_build(&g->w, &rec);
}

/* A fragment in a record of its own; `message` is the whole one. */
static inline void put_fragment(struct gram *g, uint64_t seq, uint8_t type, uint16_t message_seq,
                                struct sd_span message, uint32_t off, uint32_t len)
{
    struct sd_handshake h = {.type = type,
                             .length = (uint32_t)message.len,
                             .message_seq = message_seq,
                             .frag_off = off,
                             .frag_len = len,
                             .body = {message.p + off, len}};
    size_t mark = sd_record_open(&g->w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, seq);
    sd_handshake_build(&g->w, &h);
    sd_record_close(&g->w, mark);
}

static inline void put_message(struct gram *g, uint64_t seq, uint8_t type, uint16_t message_seq,
                               const void *body, size_t len)
{
    put_fragment(g, seq, type, message_seq, (struct sd_span){body, len}, 0, (uint32_t)len);
}

static inline void put_ccs(struct gram *g, uint64_t seq)
{
    put_record(g, SD_CT_CCS, 0, seq, "\1", 1);
}

static inline void put_alert(struct gram *g, uint64_t seq, uint8_t level, uint8_t description)
{
    uint8_t body[] = {level, description};
    put_record(g, SD_CT_ALERT, 0, seq, body, sizeof body);
}

/* A record that nobody can open. */
static inline void put_sealed(struct gram *g, uint8_t type, uint64_t seq, size_t len)
{
    static const uint8_t noise[2048];
    put_record(g, type, 1, seq, noise, len);
}

static inline void put_finished(struct gram *g)
{
    put_sealed(g, SD_CT_HANDSHAKE, 0, 40);
}

static inline void put_data(struct gram *g, uint64_t seq)
{
    put_sealed(g, SD_CT_APPDATA, seq, 100);
}

/* --- hellos --- */

struct hello_body {
    uint8_t bytes[2048];
    size_t len;
};

struct hello_options {
    uint8_t random; /* 32 times */
    const char *cookie;
    struct sd_span suites, extensions, session_id;
    uint16_t version; /* 0 = DTLS 1.2 */
};

static inline struct sd_span literal(const char *text)
{
    return (struct sd_span){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline struct sd_span hello_span(const struct hello_body *b)
{
    return (struct sd_span){b->bytes, b->len};
}

static inline struct hello_body client_hello(const struct hello_options *o)
{
    static const uint8_t suites[] = {0xc0, 0x2b, 0x00, 0xff};
    uint8_t random[SD_RANDOM_LEN];
    struct hello_body b;
    memset(random, o->random, sizeof random);
    struct sd_client_hello ch = {.version = o->version ? o->version : SD_DTLS_1_2,
                                 .random = {random, sizeof random},
                                 .session_id = o->session_id,
                                 .cookie = literal(o->cookie),
                                 .suites = o->suites.len ? o->suites
                                                         : (struct sd_span){suites, sizeof suites},
                                 .compression = {(const uint8_t *)"", 1},
                                 .extensions = o->extensions};
    struct sd_wr w = sd_wr_init(b.bytes, sizeof b.bytes);
    sd_client_hello_build(&w, &ch);
    b.len = sd_wr_len(&w);
    assert_true(b.len > 0);
    return b;
}

static inline void put_vector(struct sd_wr *w, unsigned width, struct sd_span s)
{
    size_t mark = sd_wr_open(w, width);
    sd_wr_bytes(w, s.p, s.len);
    sd_wr_close(w, mark, width);
}

static inline struct hello_body server_hello(const struct hello_options *o)
{
    uint8_t random[SD_RANDOM_LEN];
    struct hello_body b;
    memset(random, o->random, sizeof random);
    struct sd_wr w = sd_wr_init(b.bytes, sizeof b.bytes);
    sd_wr_u16(&w, o->version ? o->version : SD_DTLS_1_2);
    sd_wr_bytes(&w, random, sizeof random);
    put_vector(&w, 1, o->session_id);
    sd_wr_u16(&w, 0xc02b);
    sd_wr_u8(&w, 0);
    if (o->extensions.len)
        put_vector(&w, 2, o->extensions);
    b.len = sd_wr_len(&w);
    assert_true(b.len > 0);
    return b;
}

static inline void put_client_hello(struct gram *g, uint64_t seq, uint16_t message_seq,
                                    uint8_t random, const char *cookie)
{
    struct hello_body b = client_hello(&(struct hello_options){.random = random, .cookie = cookie});
    put_message(g, seq, SD_HS_CLIENT_HELLO, message_seq, b.bytes, b.len);
}

static inline void put_server_hello(struct gram *g, uint64_t seq, uint16_t message_seq,
                                    uint8_t random)
{
    struct hello_body b = server_hello(&(struct hello_options){.random = random});
    put_message(g, seq, SD_HS_SERVER_HELLO, message_seq, b.bytes, b.len);
}

static inline void put_hello_verify(struct gram *g, uint64_t seq, const char *cookie)
{
    uint8_t body[64];
    struct sd_hello_verify hv = {.version = SD_DTLS_1_0, .cookie = literal(cookie)};
    struct sd_wr w = sd_wr_init(body, sizeof body);
    sd_hello_verify_build(&w, &hv);
    put_message(g, seq, SD_HS_HELLO_VERIFY_REQUEST, 0, body, sd_wr_len(&w));
}

/* A Certificate message with entries of so many bytes, each filled with its place. */
static inline size_t certificate(uint8_t *body, size_t room, const uint32_t *lengths, size_t count)
{
    struct sd_wr w = sd_wr_init(body, room);
    size_t list = sd_wr_open(&w, 3);
    for (size_t i = 0; i < count; i++) {
        size_t entry = sd_wr_open(&w, 3);
        for (uint32_t n = 0; n < lengths[i]; n++)
            sd_wr_u8(&w, (uint8_t)(i + 1));
        sd_wr_close(&w, entry, 3);
    }
    sd_wr_close(&w, list, 3);
    return sd_wr_len(&w);
}

/* --- the tracker, and what it said --- */

struct report {
    struct sd_exchange x;  /* without `kept`: see below */
    size_t kept[SD_KEPTS]; /* lengths */
    struct sd_rare rare;
    struct sd_event log[SD_LOG_MAX];
    struct sd_view view;
    enum sd_outcome outcome;
    struct sd_finding findings[SD_FINDINGS_MAX];
    size_t count;
};

struct rig {
    struct memory memory;
    struct sd_tracker *t;
    int64_t now;
    uint64_t frame;
    struct sd_addr client, server;
    uint8_t ttl[SD_SIDES];
    uint64_t packets; /* as told by the packet callback */
    size_t reports;
    struct report *report;
};

static inline void keep_report(void *arg, const struct sd_result *r)
{
    struct rig *rig = arg;
    if (rig->reports == REPORTS_MAX) {
        memmove(rig->report, rig->report + 1, (REPORTS_MAX - 1) * sizeof *rig->report);
        rig->reports--;
    }
    struct report *to = &rig->report[rig->reports++];
    to->x = *r->x;
    memset(to->log, 0, sizeof to->log);
    assert_in_range(r->x->count, 1, SD_LOG_MAX);
    memcpy(to->log, r->x->log, r->x->count * sizeof *to->log);
    to->x.log = to->log;
    for (int i = 0; i < SD_KEPTS; i++) {
        to->kept[i] = sd_kept(r->x, (enum sd_kept)i).len;
        to->x.kept[i] = NULL;
    }
    to->rare = *sd_rare(r->x);
    to->x.rare = &to->rare;
    to->view = *r->view;
    to->view.x = &to->x;
    to->outcome = r->outcome;
    memcpy(to->findings, r->findings, r->count * sizeof *r->findings);
    to->count = r->count;
}

static inline void count_packet(void *arg, const struct sd_packet *p)
{
    struct rig *rig = arg;
    assert_true(p->count > 0);
    rig->packets++;
}

static inline struct sd_addr host(uint8_t last, uint16_t port)
{
    struct sd_addr a = sd_addr_any(AF_INET, port);
    a.in.sin_addr.s_addr = htonl(0xc0000200U | last);
    return a;
}

/* `config` may be NULL; its allocator and callbacks are the rig's. */
static inline struct rig *rig_open_failing(const struct sd_tracker_config *config, long fail_at,
                                           bool forever)
{
    static struct report reports[REPORTS_MAX];
    static struct rig rig;
    rig = (struct rig){.now = EPOCH_2024 * 1000 * MS,
                       .client = host(1, 40000),
                       .server = host(2, 4433),
                       .ttl = {64, 64},
                       .report = reports,
                       .memory = {.fail_at = fail_at, .fail_forever = forever}};
    struct sd_tracker_config c = config ? *config : (struct sd_tracker_config){0};
    c.alloc = (struct sd_alloc){&rig.memory, memory_resize};
    c.key = (struct sd_hash_key){1, 2};
    c.arg = &rig;
    c.done = keep_report;
    c.packet = count_packet;
    rig.t = sd_tracker_new(&c);
    return &rig;
}

static inline struct rig *rig_open(const struct sd_tracker_config *config)
{
    struct rig *r = rig_open_failing(config, NO_FAILURE, false);
    assert_non_null(r->t);
    return r;
}

/* Ends the capture; nothing may be left of it. */
static inline void rig_close(struct rig *r)
{
    sd_tracker_finish(r->t);
    sd_tracker_free(r->t);
    r->t = NULL;
    assert_int_equal(r->memory.live, 0);
    assert_int_equal(r->memory.blocks, 0);
}

static inline void after(struct rig *r, int64_t ms)
{
    r->now += ms * MS;
}

static inline struct sd_datagram datagram_of(const struct rig *r, enum sd_side from,
                                             const struct gram *g)
{
    uint32_t len = (uint32_t)sd_wr_len(&g->w);
    assert_true(len > 0);
    return (struct sd_datagram){.number = r->frame,
                                .time = r->now,
                                .src = from == SD_CLIENT ? r->client : r->server,
                                .dst = from == SD_CLIENT ? r->server : r->client,
                                .payload = {g->bytes, len},
                                .length = len,
                                .ip_length = len + UDP_IP,
                                .kind = SD_PAYLOAD_DTLS,
                                .ttl = r->ttl[from]};
}

/* In a block of its own length, so that a byte too far is seen. */
static inline void give(struct rig *r, const struct sd_datagram *d)
{
    struct sd_datagram copy = *d;
    uint8_t *bytes = malloc(d->payload.len ? d->payload.len : 1);
    assert_non_null(bytes);
    if (d->payload.len)
        memcpy(bytes, d->payload.p, d->payload.len);
    copy.payload.p = bytes;
    copy.number = ++r->frame;
    sd_tracker_datagram(r->t, &copy);
    free(bytes);
}

static inline void send_gram(struct rig *r, enum sd_side from, const struct gram *g)
{
    struct sd_datagram d = datagram_of(r, from, g);
    give(r, &d);
}

static inline void send_snapped(struct rig *r, enum sd_side from, const struct gram *g, size_t len)
{
    struct sd_datagram d = datagram_of(r, from, g);
    d.payload.len = len < d.payload.len ? len : d.payload.len;
    give(r, &d);
}

static inline void send_icmp(struct rig *r, uint8_t type, uint8_t code)
{
    struct sd_icmp e = {.number = ++r->frame,
                        .time = r->now,
                        .from = host(2, 0),
                        .src = r->client,
                        .dst = r->server,
                        .type = type,
                        .code = code};
    sd_tracker_icmp(r->t, &e);
}

/* --- handshakes --- */

static inline void send_client_hello(struct rig *r, uint64_t seq, uint8_t random,
                                     const char *cookie)
{
    struct gram *g = gram();
    put_client_hello(g, seq, cookie ? 1 : 0, random, cookie);
    send_gram(r, SD_CLIENT, g);
}

static inline void send_server_flight(struct rig *r, uint64_t seq, uint16_t message_seq,
                                      uint8_t random)
{
    static const uint32_t one[] = {300};
    uint8_t chain[400];
    struct gram *g = gram();
    put_server_hello(g, seq, message_seq, random);
    size_t len = certificate(chain, sizeof chain, one, 1);
    put_message(g, seq + 1, SD_HS_CERTIFICATE, (uint16_t)(message_seq + 1), chain, len);
    put_message(g, seq + 2, SD_HS_SERVER_KEY_EXCHANGE, (uint16_t)(message_seq + 2), chain, 80);
    put_message(g, seq + 3, SD_HS_SERVER_HELLO_DONE, (uint16_t)(message_seq + 3), "", 0);
    send_gram(r, SD_SERVER, g);
}

static inline void send_client_flight(struct rig *r, uint64_t seq, uint16_t message_seq)
{
    static const uint8_t key[66];
    struct gram *g = gram();
    put_message(g, seq, SD_HS_CLIENT_KEY_EXCHANGE, message_seq, key, sizeof key);
    put_ccs(g, seq + 1);
    put_finished(g);
    send_gram(r, SD_CLIENT, g);
}

static inline void send_server_end(struct rig *r, uint64_t seq)
{
    struct gram *g = gram();
    put_ccs(g, seq);
    put_finished(g);
    send_gram(r, SD_SERVER, g);
}

static inline void send_other(struct rig *r, enum sd_side from, enum sd_payload kind)
{
    struct gram *g = gram();
    sd_wr_bytes(&g->w, "something else", 14);
    struct sd_datagram d = datagram_of(r, from, g);
    d.kind = kind;
    give(r, &d);
}

/* Of the server's Certificate. */
static inline void send_piece(struct rig *r, uint64_t seq, struct sd_span message, uint32_t from,
                              uint32_t to)
{
    struct gram *g = gram();
    put_fragment(g, seq, SD_HS_CERTIFICATE, 1, message, from, to - from);
    send_gram(r, SD_SERVER, g);
}

/* With a cookie, 10 ms between datagrams. */
static inline void full_handshake(struct rig *r, uint8_t random)
{
    struct gram *g;
    send_client_hello(r, 0, random, NULL);
    after(r, 10);
    g = gram();
    put_hello_verify(g, 0, "cookie");
    send_gram(r, SD_SERVER, g);
    after(r, 10);
    send_client_hello(r, 1, random, "cookie");
    after(r, 10);
    send_server_flight(r, 1, 1, (uint8_t)~random);
    after(r, 10);
    send_client_flight(r, 2, 2);
    after(r, 10);
    send_server_end(r, 5);
    after(r, 10);
}

static inline void send_data(struct rig *r, enum sd_side from, uint64_t seq)
{
    struct gram *g = gram();
    put_data(g, seq);
    send_gram(r, from, g);
}

/* --- answers --- */

/* The n-th event of the log of this kind, or NULL. */
static inline const struct sd_event *event(const struct report *r, enum sd_event_kind kind,
                                           uint8_t message, size_t n)
{
    for (size_t i = 0; i < r->x.count; i++)
        if (r->log[i].kind == kind && r->log[i].message == message && !n--)
            return &r->log[i];
    return NULL;
}

#endif
