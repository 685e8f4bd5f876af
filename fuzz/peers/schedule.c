/* SPDX-License-Identifier: MIT */
#include "peers/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/make.h"
#include "openssl/stock.h"
#include "peers/schedule_ops.h"
#include "wire/record.h"

enum { ROUNDS = 12, OPERATIONS = 400, LATER_UNIT_US = 20000 };

static int target(uint8_t arg)
{
    return arg & 1 ? OSSL_SERVER : OSSL_CLIENT;
}

static void split(struct schedule *run, int to, unsigned index)
{
    struct sim_packet *p = sim_take(&run->sim, to, index);
    if (!p)
        return;
    struct sd_records it = sd_records_init(p->data, p->len, 0);
    struct sd_record r;
    while (sd_record_next(&it, &r) == SD_RECORD_OK)
        sim_put(&run->sim, to, p->data + r.offset, r.header.len + r.body.len);
    fuzz_heap_free(p);
}

static void merge(struct schedule *run, int to, unsigned index)
{
    uint8_t both[SIM_DATAGRAM];
    struct sim_packet *a = sim_take(&run->sim, to, index), *b = sim_take(&run->sim, to, index);
    if (a && b && a->len + b->len <= sizeof both) {
        memcpy(both, a->data, a->len);
        memcpy(both + a->len, b->data, b->len);
        sim_put(&run->sim, to, both, a->len + b->len);
    } else if (a) {
        sim_put(&run->sim, to, a->data, a->len);
    }
    fuzz_heap_free(a);
    fuzz_heap_free(b);
}

/* Takes a datagram out of the queue and puts `copies` of it at the end. */
static void requeue(struct schedule *run, int to, unsigned index, unsigned copies)
{
    struct sim_packet *p = sim_take(&run->sim, to, index);
    for (unsigned i = 0; p && i < copies; i++)
        sim_put(&run->sim, to, p->data, p->len);
    fuzz_heap_free(p);
}

static void refuse(struct schedule *run, uint8_t arg)
{
    static const int why[] = {EAGAIN, EMSGSIZE, ENOBUFS, ECONNREFUSED};
    struct sim_side *e = &run->sim.side[target(arg)];
    e->failing = (arg >> 1 & 7) + 1U;
    e->with = why[arg >> 4 & (e->stack->ours ? 3 : 1)];
}

/* Fields of the first record and the message in it. */
static void set_field(struct sim_packet *p, uint8_t which, uint8_t value)
{
    static const struct {
        uint8_t at;
    } fields[] = {{0},  {1},  {2},  {4},  {5},  {10}, {11}, {12}, {13}, {14}, {16},
                  {17}, {18}, {19}, {21}, {22}, {24}, {25}, {26}, {59}, {60}};
    const size_t at = fields[which % (sizeof fields / sizeof *fields)].at;
    if (at < p->len)
        p->data[at] = value;
}

/* Takes a datagram, changes it, and puts it at the end of the queue. */
static void change(struct schedule *run, uint8_t op, uint8_t arg, struct sd_rd *in)
{
    const int to = target(arg);
    struct sim_packet *p = sim_take(&run->sim, to, arg >> 1 & 15);
    const uint8_t a = sd_rd_u8(in), b = op == OP_CUT ? 0 : sd_rd_u8(in);
    if (!p)
        return;
    if (op == OP_CUT)
        p->len = p->len * a / 256;
    else if (op == OP_FLIP && p->len)
        p->data[p->len * a / 256] ^= b ? b : 1;
    else if (op == OP_FIELD)
        set_field(p, a, b);
    sim_put(&run->sim, to, p->data, p->len);
    fuzz_heap_free(p);
}

static void again(struct schedule *run, uint8_t arg)
{
    const struct sim_side *from = &run->sim.side[!target(arg)];
    const struct sim_packet *p = from->history[arg >> 1 & 15];
    if (p)
        sim_put(&run->sim, target(arg), p->data, p->len);
}

static void reflect(struct schedule *run, uint8_t arg)
{
    struct sim_packet *p = sim_take(&run->sim, target(arg), arg >> 1 & 15);
    if (p)
        sim_put(&run->sim, !target(arg), p->data, p->len);
    fuzz_heap_free(p);
}

/* A forgery that the guard always keeps away from OpenSSL. */
static bool is_harmless(uint8_t type, unsigned epoch, struct sd_span body)
{
    enum { NO_CIPHER = 16 /* bytes: shorter than any tag */ };
    if (epoch)
        return body.len < NO_CIPHER;
    if (type == SD_CT_HANDSHAKE)
        return body.len && body.p[0] == SD_HS_HELLO_REQUEST;
    return type != SD_CT_CCS;
}

static void forge(struct schedule *run, uint8_t arg, struct sd_rd *in)
{
    uint8_t out[SD_RECORD_HEADER_LEN + 256];
    struct sd_wr w = sd_wr_init(out, sizeof out);
    const uint8_t type = sd_rd_u8(in), epoch = sd_rd_u8(in);
    const uint16_t seq = sd_rd_u16(in);
    const size_t len = sd_rd_u8(in);
    struct sd_span body = sd_rd_bytes(in, len < sd_rd_left(in) ? len : sd_rd_left(in));
    if (in->bad)
        return;
    const bool harmless = is_harmless(type, epoch & 3, body);
    run->annoyed |= harmless;
    run->hostile |= !harmless;
    make_record(&w, type, epoch & 3, seq, body);
    sim_arrive(&run->sim, target(arg), out, sd_wr_len(&w), false);
}

static void report(struct schedule *run, uint8_t arg, struct sd_rd *in)
{
    struct sim_side *e = &run->sim.side[target(arg)];
    const size_t limit = sd_rd_u16(in);
    const unsigned back = 1U + (arg >> 3 & 15);
    if (e->remembered < back)
        return;
    const struct sim_packet *p = e->history[(e->remembered - back) % SIM_HISTORY];
    const size_t most = e->witness.mtu; /* a report of this host is true */
    const struct sim_report r = {.error = arg & 2 ? EMSGSIZE : ECONNREFUSED,
                                 .here = arg & 4,
                                 .limit = !(arg & 2)                ? 0
                                          : arg & 4 && limit > most ? most
                                                                    : limit,
                                 .quote = p};
    sim_report(&run->sim, target(arg), &r);
}

static void deliver(struct schedule *run, int to, uint8_t arg)
{
    const unsigned count = (arg & 7U) + 1;
    if (arg & 8)
        sim_deliver(&run->sim, to, count);
    else
        for (unsigned i = 0; i < count; i++)
            sim_deliver(&run->sim, to, 1);
}

static void peaceful(struct schedule *run, uint8_t op, uint8_t arg)
{
    const int to = target(arg);
    const unsigned index = arg >> 1 & 15;
    switch (op) {
    case OP_TO_SERVER:
    case OP_TO_CLIENT:
        deliver(run, op == OP_TO_SERVER ? OSSL_SERVER : OSSL_CLIENT, arg);
        break;
    case OP_DROP:
    case OP_DOUBLE:
    case OP_TO_THE_BACK:
        requeue(run, to, index, op == OP_DROP ? 0 : op == OP_DOUBLE ? 2 : 1);
        break;
    case OP_SPLIT:
        split(run, to, index);
        break;
    case OP_MERGE:
        merge(run, to, index);
        break;
    case OP_TIMEOUT:
        run->timeouts += sim_timeout(&run->sim, to);
        break;
    case OP_LATER:
        sim_later(&run->sim, LATER_UNIT_US * (uint64_t)arg);
        break;
    case OP_REFUSE:
        refuse(run, arg);
        break;
    case OP_SEND:
        if (arg < 200)
            sim_send(&run->sim, to, 1 + 2U * (arg >> 1));
        else
            sim_send_padded(&run->sim, to, 9, 20U * (arg - 200U));
        break;
    case OP_GO_ON:
        sim_go_on(&run->sim, to);
        break;
    }
}

static void hostile(struct schedule *run, uint8_t op, uint8_t arg, struct sd_rd *in)
{
    switch (op) {
    case OP_CUT:
    case OP_FLIP:
    case OP_FIELD:
        change(run, op, arg, in);
        break;
    case OP_AGAIN:
        again(run, arg);
        break;
    case OP_REFLECT:
        reflect(run, arg);
        break;
    case OP_FORGE:
        forge(run, arg, in);
        break;
    case OP_ERROR:
        report(run, arg, in);
        break;
    }
}

static void operation(struct schedule *run, struct sd_rd *in)
{
    const uint8_t ops = run->sim.config.deployed ? OPS_DEPLOYED : OPS;
    const uint8_t op = sd_rd_u8(in) % ops, arg = sd_rd_u8(in);
    run->hostile |= op >= OP_CUT && op <= OP_ERROR && op != OP_FORGE;
    run->lossy |= op == OP_DROP || (op >= OP_TIMEOUT && op <= OP_REFUSE);
    run->refused |= op == OP_REFUSE;
    run->ended |= op >= OP_CLOSE;
    if (op < OP_CUT)
        peaceful(run, op, arg);
    else if (op <= OP_ERROR)
        hostile(run, op, arg, in);
    else if (op == OP_CLOSE)
        sim_close(&run->sim, target(arg));
    else if (op == OP_RENEGOTIATE)
        stock_renegotiate(&run->sim.side[target(arg)], run->sim.config.deployed && arg & 2);
    else if (op == OP_BEGIN_AGAIN)
        stock_begin_again(&run->sim, arg & 1, sd_rd_u32(in));
    else
        stock_scarce(&run->sim, arg);
}

size_t schedule_mtu(uint8_t byte)
{
    return byte >= 254 ? 0 : 300 + 5 * (size_t)byte;
}

bool schedule_ours(const struct schedule *run)
{
    const struct sim_config *c = &run->sim.config;
    return !c->odd && c->stack[OSSL_CLIENT]->ours && c->stack[OSSL_SERVER]->ours;
}

void schedule_settle(struct schedule *run)
{
    for (unsigned i = 0; i < 1000; i++)
        if (!sim_deliver(&run->sim, OSSL_SERVER, 1) && !sim_deliver(&run->sim, OSSL_CLIENT, 1))
            return;
    fuzz_check(!schedule_ours(run), "the two sides never stop sending");
}

/* From now on the network is perfect. */
static void calm(struct schedule *run)
{
    ossl_env_scarce(0);
    sim_go_on(&run->sim, OSSL_CLIENT);
    sim_go_on(&run->sim, OSSL_SERVER);
    schedule_settle(run);
    for (unsigned i = 0; i < ROUNDS && !sim_alive(&run->sim); i++) {
        run->late++;
        sim_timeout(&run->sim, OSSL_CLIENT);
        sim_timeout(&run->sim, OSSL_SERVER);
        schedule_settle(run);
    }
}

/* Known bugs of stock OpenSSL; anything else is a finding. */
static unsigned known_of_stock(const struct schedule *run, int id)
{
    const struct sim_config *c = &run->sim.config;
    unsigned known = 0;
    if (run->refused) /* CVE-2026-84782: a half-written flight is sent again from the wrong place */
        known |= WITNESS_TRANSCRIPT | WITNESS_FORM | WITNESS_NUMBER;
    if (id == OSSL_SERVER && c->cookie) /* #32063: DTLSv1_listen() begins with number 1 */
        known |= WITNESS_NUMBER;
    return known;
}

void schedule_check_stock(const struct schedule *run)
{
    const struct sim_config *c = &run->sim.config;
    for (int id = OSSL_CLIENT; id <= OSSL_SERVER; id++)
        if (!c->stack[id]->ours && !run->ended && !run->hostile) {
            const unsigned wrong = run->sim.side[id].witness.wrong & ~known_of_stock(run, id);
            fuzz_check(!wrong, "stock OpenSSL sent %s", witness_words(wrong));
        }
}

void schedule_run(struct schedule *run, const struct sim_config *c, struct sd_rd *in)
{
    *run = (struct schedule){0};
    sim_begin(&run->sim, c);
    for (unsigned i = 0; sd_rd_left(in) && i < OPERATIONS; i++) {
        operation(run, in);
        run->was_alive |= sim_alive(&run->sim);
    }
    calm(run);
    run->was_alive |= sim_alive(&run->sim);
}

void schedule_end(struct schedule *run)
{
    fuzz_note((uint64_t)run->late << 8 | sim_alive(&run->sim));
    sim_end(&run->sim);
}
