/* SPDX-License-Identifier: MIT */
/* The input is a list of operations: made-up datagrams, datagrams of the real peer, and time.
 *
 * Nobody completes a handshake without the peer's keys, all data is the peer's, memory is bounded
 * by what was received, and an established association stays. */
#include "peers/hostile.h"

#include <stdlib.h>
#include <string.h>

#include "harness/make.h"
#include "peers/ours.h"
#include "wire/handshake.h"
#include "wire/record.h"

enum code {
    CODE_CONFIG,   /* arg: bits 0 and 1 pair_kind, 2 and 3 the MTU; only at the beginning */
    CODE_REAL,     /* arg: how many of the peer's datagrams arrive, less one */
    CODE_DATAGRAM, /* the data are the datagram */
    CODE_RECORD,   /* arg: bits 0 to 2 the type from 20 on, 3 and 4 the epoch; number, body */
    CODE_MESSAGE,  /* arg: handshake type; number of the message, body: a whole one */
    CODE_FRAGMENT, /* arg: handshake type; number, three bytes of length, body: its beginning */
    CODE_COPY,     /* arg: which of the peer's next datagrams; data over its beginning */
    CODE_TIME,     /* arg: to the next timer, or in 100 ms */
    CODE_SEND,     /* arg: bytes of data, less one; even: the peer sends them */
    CODES
};

/* OpenSSL needs HEAP_HANDSHAKE bytes for a handshake with its buffers, and more for what arrives:
 * for a fragment it reserves the whole message. The guard allows messages of 16 KiB, eleven at a
 * time. */
enum { HEAP_HANDSHAKE = 400000, HEAP_PER_BYTE = 64, OPERATIONS = 200, TIME_UNIT_US = 100000 };

struct attack {
    struct sim sim;
    int id;
    uint64_t seq; /* of made-up records */
    bool was_alive, keys_shown;
    size_t before, made_up;
};

static struct attack a;

static void arrive(const uint8_t *data, size_t len)
{
    a.made_up += len;
    sim_arrive(&a.sim, a.id, data, len, false);
}

static void record(uint8_t type, uint16_t epoch, struct sd_span body)
{
    uint8_t out[SIM_DATAGRAM];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    make_record(&w, type, epoch, a.seq++, body);
    arrive(out, sd_wr_len(&w));
}

static void made_up_record(uint8_t arg, struct sd_span data)
{
    struct sd_rd r = sd_rd_init(data.p, data.len);
    a.seq = sd_rd_u8(&r);
    record((uint8_t)(20 + (arg & 7)), arg >> 3 & 3, sd_rd_rest(&r));
}

static void message(uint8_t type, struct sd_span data, bool whole)
{
    uint8_t out[SIM_DATAGRAM];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    struct sd_rd r = sd_rd_init(data.p, data.len);
    const uint16_t seq = sd_rd_u8(&r);
    const uint32_t claimed = whole ? 0 : sd_rd_u24(&r);
    struct sd_span body = sd_rd_rest(&r);
    const struct sd_handshake h = {.type = type,
                                   .message_seq = seq,
                                   .length = whole ? (uint32_t)body.len : claimed,
                                   .frag_len = (uint32_t)body.len,
                                   .body = body};
    sd_handshake_build(&w, &h);
    if (!w.bad && !r.bad)
        record(SD_CT_HANDSHAKE, 0, make_span(out, sd_wr_len(&w)));
}

static bool is_sealed(const struct sim_packet *p)
{
    struct sd_records it = sd_records_init(p->data, p->len, 0);
    struct sd_record r;
    while (sd_record_next(&it, &r) == SD_RECORD_OK)
        if (r.epoch)
            return true;
    return false;
}

/* The peer's datagram stays where it is; a changed copy overtakes it. */
static void changed_copy(uint8_t arg, struct sd_span over)
{
    const struct sim_side *e = &a.sim.side[a.id];
    uint8_t out[SIM_DATAGRAM];
    if (!e->queued)
        return;
    const struct sim_packet *p = e->queue[arg % e->queued];
    const size_t n = over.len < p->len ? over.len : p->len;
    memcpy(out, p->data, p->len);
    for (size_t i = 0; i < n; i++) /* zero changes nothing, so a mutation keeps its place */
        out[i] ^= over.p[i];
    a.keys_shown |= is_sealed(p); /* the records that stay as they were show its keys */
    arrive(out, p->len);
}

/* The peer's own next datagram; from the first sealed one on it has shown its keys. */
static void real(void)
{
    const struct sim_side *e = &a.sim.side[a.id];
    if (!e->queued)
        return;
    a.keys_shown |= is_sealed(e->queue[0]);
    sim_deliver(&a.sim, a.id, 1);
}

static void operation(const struct fuzz_op *op)
{
    switch (op->code % CODES) {
    case CODE_REAL:
        for (unsigned i = 0; i <= (op->arg & 7U); i++)
            real();
        break;
    case CODE_DATAGRAM:
        if (op->data.len <= SIM_DATAGRAM)
            arrive(op->data.p, op->data.len);
        break;
    case CODE_RECORD:
        made_up_record(op->arg, op->data);
        break;
    case CODE_MESSAGE:
    case CODE_FRAGMENT:
        message(op->arg, op->data, op->code % CODES == CODE_MESSAGE);
        break;
    case CODE_COPY:
        changed_copy(op->arg, op->data);
        break;
    case CODE_TIME:
        if (!op->arg)
            sim_timeout(&a.sim, a.id);
        else
            sim_later(&a.sim, TIME_UNIT_US * (uint64_t)op->arg);
        break;
    case CODE_SEND:
        sim_send(&a.sim, op->arg & 1 ? a.id : !a.id, 1U + op->arg);
        break;
    }
    while (sim_deliver(&a.sim, !a.id, 1)) /* the path to the peer loses nothing */
        ;
}

static void check(void)
{
    const struct sim_side *e = &a.sim.side[a.id];
    fuzz_check(!e->ready || a.keys_shown, "a handshake completed without the peer's keys");
    const size_t now = fuzz_heap_now().bytes;
    fuzz_check(now < a.before + HEAP_HANDSHAKE + HEAP_PER_BYTE * a.made_up,
               "%zu bytes of heap for %zu made-up bytes", now - a.before, a.made_up);
    a.was_alive |= sim_alive(&a.sim);
    fuzz_check(!a.was_alive || sim_alive(&a.sim), "an association was ended from outside");
}

static struct sim_config config_of(uint8_t arg)
{
    static const size_t mtus[] = {1200, 600, 1452, 300};
    return (struct sim_config){.stack = {&ours_stack, &ours_stack},
                               .kind = (enum pair_kind)(arg & 3),
                               .mtu = mtus[arg >> 2 & 3]};
}

void hostile_run(int id, const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_op op;
    bool any = fuzz_op_next(&in, &op);
    const struct sim_config c = config_of(any && op.code % CODES == CODE_CONFIG ? op.arg : 0);
    a = (struct attack){.id = id, .seq = 100};
    sim_begin(&a.sim, &c);
    a.before = fuzz_heap_now().bytes;
    for (unsigned i = 0; any && i < OPERATIONS; i++, any = fuzz_op_next(&in, &op)) {
        operation(&op);
        check();
    }
    fuzz_note((uint64_t)a.sim.side[id].ready << 1 | sim_alive(&a.sim));
    sim_end(&a.sim);
}

static void put_real(struct sd_wr *w, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        fuzz_op_put(w, CODE_REAL, 7, NULL, 0);
}

/* An attack after `steps` steps of the real handshake. */
static void seed(struct fuzz_seeder *s, unsigned config, unsigned steps, uint8_t code, uint8_t arg,
                 const void *data, size_t len)
{
    uint8_t out[4096];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    fuzz_op_put(&w, CODE_CONFIG, (uint8_t)config, NULL, 0);
    put_real(&w, steps);
    fuzz_op_put(&w, code, arg, data, len);
    put_real(&w, 4);
    fuzz_op_put(&w, CODE_SEND, 20, NULL, 0);
    fuzz_op_put(&w, CODE_SEND, 21, NULL, 0);
    put_real(&w, 2);
    fuzz_seed(s, out, sd_wr_len(&w));
}

static void seed_datagrams(struct fuzz_seeder *s, unsigned config, unsigned steps, int id)
{
    uint8_t out[2048];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    if (id == OSSL_SERVER)
        make_client_hello(&w, &(struct make_hello){.seq = 50, .message_seq = 1});
    else
        make_server_hello(&w, 50, 1, 7, 0xc02b, (struct sd_span){0});
    seed(s, config, steps, CODE_DATAGRAM, 0, out, sd_wr_len(&w));
}

void hostile_seeds(struct fuzz_seeder *s, int id)
{
    static const uint8_t alert[] = {60, 2, 40}, ccs[] = {61, 1}, shorter[] = {62, 0};
    static const uint8_t key[] = {2, 1, 2, 3, 4}, fragment[] = {3, 0, 0x3f, 0, 1};
    uint8_t over[40] = {0}, sealed[48] = {62};
    over[30] = 1;
    for (unsigned config = 0; config < 16; config += config < 4 ? 1 : 4)
        for (unsigned steps = 0; steps < 5; steps++) {
            seed(s, config, steps, CODE_RECORD, 1, alert, sizeof alert);
            seed(s, config, steps, CODE_RECORD, 0, ccs, sizeof ccs);
            seed(s, config, steps, CODE_RECORD, 3 | 8, shorter, sizeof shorter);
            seed(s, config, steps, CODE_RECORD, 2 | 8, sealed, sizeof sealed);
            seed(s, config, steps, CODE_MESSAGE, id == OSSL_SERVER ? 16 : 12, key, sizeof key);
            seed(s, config, steps, CODE_FRAGMENT, 11, fragment, sizeof fragment);
            seed(s, config, steps, CODE_COPY, 0, over, sizeof over);
            seed_datagrams(s, config, steps, id);
        }
}
