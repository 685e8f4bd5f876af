/* A real client, a hostile network, a real server. The input is a schedule: what the network does,
 * when timers fire, when a socket refuses, when somebody forges.
 *
 * A side of ours sends what a correct peer sends, survives everything once the handshake is
 * complete, and after nothing but loss, disorder and refused writes the handshake completes. A side
 * of stock OpenSSL may fail in ways that are known: its verdict is told, not punished. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "make.h"
#include "netsim.h"
#include "ossl_env.h"
#include "sim.h"
#include "wire/record.h"

enum { ROUNDS = 12, MANY_TIMEOUTS = 6, OPERATIONS = 400, LIVE_LENGTH = 20 };

struct run {
    struct sim sim;
    bool hostile, ended; /* an operation of those kinds was done, */
    bool lossy, annoyed; /* one that costs time, forgeries that are harmless, */
    bool refused;        /* a write that was refused */
    bool was_alive;
    unsigned timeouts, late; /* in the schedule; behind it, on a perfect network */
};

static struct run run;

static int target(uint8_t arg)
{
    return arg & 1 ? SIM_SERVER : SIM_CLIENT;
}

static void split(int to, unsigned index)
{
    struct sim_packet *p = sim_take(&run.sim, to, index);
    if (!p)
        return;
    struct sd_records it = sd_records_init(p->data, p->len, 0);
    struct sd_record r;
    while (sd_record_next(&it, &r) == SD_RECORD_OK)
        sim_put(&run.sim, to, p->data + r.offset, r.header.len + r.body.len);
    fuzz_heap_free(p);
}

static void merge(int to, unsigned index)
{
    uint8_t both[SIM_DATAGRAM];
    struct sim_packet *a = sim_take(&run.sim, to, index), *b = sim_take(&run.sim, to, index);
    if (a && b && a->len + b->len <= sizeof both) {
        memcpy(both, a->data, a->len);
        memcpy(both + a->len, b->data, b->len);
        sim_put(&run.sim, to, both, a->len + b->len);
    } else if (a) {
        sim_put(&run.sim, to, a->data, a->len);
    }
    fuzz_heap_free(a);
    fuzz_heap_free(b);
}

/* Out of the queue, and behind the others so many times. */
static void requeue(int to, unsigned index, unsigned copies)
{
    struct sim_packet *p = sim_take(&run.sim, to, index);
    for (unsigned i = 0; p && i < copies; i++)
        sim_put(&run.sim, to, p->data, p->len);
    fuzz_heap_free(p);
}

static void refuse(uint8_t arg)
{
    static const int why[] = {EAGAIN, EMSGSIZE, ENOBUFS, ECONNREFUSED};
    struct sim_side *e = &run.sim.side[target(arg)];
    e->failing = (arg >> 1 & 7) + 1U;
    e->with = why[arg >> 4 & (e->ours ? 3 : 1)];
}

static void go_on(int id)
{
    struct sim_side *e = &run.sim.side[id];
    e->failing = 0;
    ossl_env_random((enum ossl_side)id);
    if (!e->ours)
        sim_stock_go_on(e);
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

/* Takes a datagram, changes it, puts it back behind the others. */
static void change(uint8_t op, uint8_t arg, struct sd_rd *in)
{
    const int to = target(arg);
    struct sim_packet *p = sim_take(&run.sim, to, arg >> 1 & 15);
    const uint8_t a = sd_rd_u8(in), b = op == OP_CUT ? 0 : sd_rd_u8(in);
    if (!p)
        return;
    if (op == OP_CUT)
        p->len = p->len * a / 256;
    else if (op == OP_FLIP && p->len)
        p->data[p->len * a / 256] ^= b ? b : 1;
    else if (op == OP_FIELD)
        set_field(p, a, b);
    sim_put(&run.sim, to, p->data, p->len);
    fuzz_heap_free(p);
}

static void again(uint8_t arg)
{
    const struct sim_side *from = &run.sim.side[!target(arg)];
    const struct sim_packet *p = from->history[arg >> 1 & 15];
    if (p)
        sim_put(&run.sim, target(arg), p->data, p->len);
}

static void reflect(uint8_t arg)
{
    struct sim_packet *p = sim_take(&run.sim, target(arg), arg >> 1 & 15);
    if (p)
        sim_put(&run.sim, !target(arg), p->data, p->len);
    fuzz_heap_free(p);
}

/* What the guard keeps away from OpenSSL whenever it comes: anybody could have sent it. */
static bool is_harmless(uint8_t type, unsigned epoch, struct sd_span body)
{
    enum { NO_CIPHER = 16 /* bytes are less than any tag */ };
    if (epoch)
        return body.len < NO_CIPHER;
    if (type == SD_CT_HANDSHAKE)
        return body.len && body.p[0] == SD_HS_HELLO_REQUEST;
    return type != SD_CT_CCS;
}

static void forge(uint8_t arg, struct sd_rd *in)
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
    run.annoyed |= harmless;
    run.hostile |= !harmless;
    make_record(&w, type, epoch & 3, seq, body);
    sim_arrive(&run.sim, target(arg), out, sd_wr_len(&w), false);
}

static void report(uint8_t arg, struct sd_rd *in)
{
    struct sim_side *e = &run.sim.side[target(arg)];
    const size_t limit = sd_rd_u16(in);
    const unsigned back = 1U + (arg >> 3 & 15);
    if (!e->ours || !e->session || e->remembered < back)
        return;
    const struct sim_packet *p = e->history[(e->remembered - back) % SIM_HISTORY];
    const size_t most = e->witness.mtu; /* of this host it is true */
    const struct sd_session_report r = {.error = arg & 2 ? EMSGSIZE : ECONNREFUSED,
                                        .here = arg & 4,
                                        .limit = !(arg & 2)                ? 0
                                                 : arg & 4 && limit > most ? most
                                                                           : limit,
                                        .quote = p->data,
                                        .quoted = p->len};
    ossl_env_random((enum ossl_side)e->id);
    sd_session_net_error(e->session, &r, sim_now());
}

static void deliver(int to, uint8_t arg)
{
    const unsigned count = (arg & 7U) + 1;
    if (arg & 8)
        sim_deliver(&run.sim, to, count);
    else
        for (unsigned i = 0; i < count; i++)
            sim_deliver(&run.sim, to, 1);
}

static void peaceful(uint8_t op, uint8_t arg)
{
    const int to = target(arg);
    const unsigned index = arg >> 1 & 15;
    switch (op) {
    case OP_TO_SERVER:
    case OP_TO_CLIENT:
        deliver(op == OP_TO_SERVER ? SIM_SERVER : SIM_CLIENT, arg);
        break;
    case OP_DROP:
    case OP_DOUBLE:
    case OP_TO_THE_BACK:
        requeue(to, index, op == OP_DROP ? 0 : op == OP_DOUBLE ? 2 : 1);
        break;
    case OP_SPLIT:
        split(to, index);
        break;
    case OP_MERGE:
        merge(to, index);
        break;
    case OP_TIMEOUT:
        run.timeouts += sim_timeout(&run.sim, to);
        break;
    case OP_LATER:
        sim_later(&run.sim, 20000 * (uint64_t)arg);
        break;
    case OP_REFUSE:
        refuse(arg);
        break;
    case OP_SEND:
        if (arg < 200)
            sim_send(&run.sim, to, 1 + 2U * (arg >> 1));
        else
            sim_send_padded(&run.sim, to, 9, 20U * (arg - 200U));
        break;
    case OP_GO_ON:
        go_on(to);
        break;
    }
}

static void hostile(uint8_t op, uint8_t arg, struct sd_rd *in)
{
    switch (op) {
    case OP_CUT:
    case OP_FLIP:
    case OP_FIELD:
        change(op, arg, in);
        break;
    case OP_AGAIN:
        again(arg);
        break;
    case OP_REFLECT:
        reflect(arg);
        break;
    case OP_FORGE:
        forge(arg, in);
        break;
    case OP_ERROR:
        report(arg, in);
        break;
    }
}

static void operation(struct sd_rd *in)
{
    const uint8_t ops = run.sim.config.deployed ? OPS_DEPLOYED : OPS;
    const uint8_t op = sd_rd_u8(in) % ops, arg = sd_rd_u8(in);
    run.hostile |= op >= OP_CUT && op <= OP_ERROR && op != OP_FORGE;
    run.lossy |= op == OP_DROP || (op >= OP_TIMEOUT && op <= OP_REFUSE);
    run.refused |= op == OP_REFUSE;
    run.ended |= op >= OP_CLOSE;
    if (op < OP_CUT)
        peaceful(op, arg);
    else if (op <= OP_ERROR)
        hostile(op, arg, in);
    else if (op == OP_CLOSE)
        sim_close(&run.sim, target(arg));
    else if (op == OP_RENEGOTIATE)
        sim_renegotiate(&run.sim, target(arg), run.sim.config.deployed && arg & 2);
    else if (op == OP_BEGIN_ANEW)
        sim_again(&run.sim, arg & 1, sd_rd_u32(in));
    else
        ossl_env_scarce(arg);
}

/* Both, and as promised. */
static bool ours(void)
{
    return !run.sim.config.odd && run.sim.config.ours[SIM_CLIENT] &&
           run.sim.config.ours[SIM_SERVER];
}

/* What is on its way arrives, until nothing is. */
static void settle(void)
{
    for (unsigned i = 0; i < 1000; i++)
        if (!sim_deliver(&run.sim, SIM_SERVER, 1) && !sim_deliver(&run.sim, SIM_CLIENT, 1))
            return;
    fuzz_check(!ours(), "the two never stop talking");
}

/* From now on the network is perfect. */
static void calm(void)
{
    ossl_env_scarce(0);
    go_on(SIM_CLIENT);
    go_on(SIM_SERVER);
    settle();
    for (unsigned i = 0; i < ROUNDS && !sim_alive(&run.sim); i++) {
        run.late++;
        sim_timeout(&run.sim, SIM_CLIENT);
        sim_timeout(&run.sim, SIM_SERVER);
        settle();
    }
}

static bool passes(int from)
{
    const unsigned number = run.sim.side[from].messages;
    if (number >= SIM_MESSAGES)
        return true;
    sim_send(&run.sim, from, LIVE_LENGTH);
    settle();
    return run.sim.side[!from].arrived[number];
}

/* Once both are through, nobody without a key ends it. */
static void check_survival(void)
{
    if (!ours() || !run.was_alive || run.ended)
        return;
    fuzz_check(sim_alive(&run.sim), "an association of ours was ended from outside");
    fuzz_check(passes(SIM_CLIENT) && passes(SIM_SERVER), "an association of ours is deaf");
}

/* Nobody takes a certificate that nobody vouches for, whatever the network does. */
static void check_trust(void)
{
    const struct sim_config *c = &run.sim.config;
    fuzz_check(!(c->odd & SIM_STRICT) || c->kind == SIM_PSK || !run.was_alive,
               "a peer that proves nothing is taken");
}

/* What is harmless ends nothing; an alert in plaintext, as long as the peer is not silent
 * (docs/guard.md). */
static void check_liveness(void)
{
    if (run.hostile || run.ended || run.timeouts > MANY_TIMEOUTS || !ours())
        return;
    if (!run.annoyed)
        fuzz_check(sim_alive(&run.sim),
                   "only loss and disorder, and the handshake does not complete");
    else if (!run.lossy)
        fuzz_check(sim_alive(&run.sim), "a harmless forgery ended a handshake");
}

/* What a side of stock OpenSSL is known to do; anything else is news. */
static unsigned known_of_stock(int id)
{
    const struct sim_config *c = &run.sim.config;
    unsigned known = 0;
    if (run.refused) /* CVE-2026-84782: a half-written flight is sent again from the wrong place */
        known |= WITNESS_TRANSCRIPT | WITNESS_FORM | WITNESS_NUMBER;
    if (id == SIM_SERVER && c->cookie) /* #32063: DTLSv1_listen() begins with number 1 */
        known |= WITNESS_NUMBER;
    return known;
}

static void check_stock(void)
{
    const struct sim_config *c = &run.sim.config;
    for (int id = SIM_CLIENT; id <= SIM_SERVER; id++)
        if (!c->ours[id] && !run.ended && !run.hostile) {
            const unsigned wrong = run.sim.side[id].witness.wrong & ~known_of_stock(id);
            fuzz_check(!wrong, "stock OpenSSL sent %s", witness_words(wrong));
        }
    /* Who refuses may do so. */
    if (c->deployed || c->odd)
        return;
    /* #18635: a stateful cookie exchange does not survive a lost HelloVerifyRequest. */
    if (ours() || run.hostile || run.annoyed || run.ended || run.refused || c->cookie ||
        run.timeouts > MANY_TIMEOUTS)
        return;
    fuzz_check(sim_alive(&run.sim), "stock OpenSSL does not complete after loss and disorder");
}

/* What a stock side shows, for fuzz/regress/netsim/expected.tsv. */
const char *fuzz_verdict(void)
{
    for (int id = SIM_CLIENT; id <= SIM_SERVER; id++) {
        const unsigned wrong = run.sim.side[id].witness.wrong;
        if (wrong & (WITNESS_TRANSCRIPT | WITNESS_FORM))
            return witness_words(wrong & (WITNESS_TRANSCRIPT | WITNESS_FORM));
    }
    return !sim_alive(&run.sim) ? "stuck" : run.late ? "late" : "completes";
}

/* What `deployed` adds. */
static void deploy(struct sim_config *c, struct sd_rd *in)
{
    c->deployed = true;
    c->kind = (enum sim_kind)(sd_rd_u8(in) % SIM_KINDS);
    c->habits[SIM_CLIENT] = sd_rd_u32(in);
    c->habits[SIM_SERVER] = sd_rd_u32(in);
}

static struct sim_config config_of(struct sd_rd *in)
{
    enum {
        STOCK = CONFIG_STOCK_CLIENT | CONFIG_STOCK_SERVER,
        LISTEN = CONFIG_COOKIE | CONFIG_MORE
    };
    const uint8_t bits = sd_rd_u8(in), mtu = sd_rd_u8(in);
    const bool more = (bits & STOCK) == STOCK && (bits & LISTEN) == CONFIG_MORE;
    const unsigned kind = bits >> 2 & 3;
    struct sim_config c = {.ours = {!(bits & CONFIG_STOCK_CLIENT), !(bits & CONFIG_STOCK_SERVER)},
                           .kind =
                               (enum sim_kind)(more ? SIM_OURS + (kind | (mtu & 1U) << 2) : kind),
                           .cookie = bits & CONFIG_COOKIE,
                           .listen = (bits & LISTEN) == LISTEN,
                           .ipv6 = mtu == 254,
                           .mtu = mtu >= 254 ? 0 : 300 + 5 * (size_t)mtu};
    if (bits & CONFIG_DEPLOYED && (bits & STOCK) == STOCK)
        deploy(&c, in);
    if (bits & CONFIG_ODD && !(bits & STOCK)) {
        const uint8_t what = sd_rd_u8(in);
        c.odd = what % SIM_ODD;
        c.suite = (what >> 4 & 7) % SIM_SUITES;
        c.timer_ms = what & 128 ? 3000 : 0;
    }
    return c;
}

static void run_once(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    const struct sim_config c = config_of(&in);
    run = (struct run){0};
    sim_begin(&run.sim, &c);
    for (unsigned i = 0; sd_rd_left(&in) && i < OPERATIONS; i++) {
        operation(&in);
        run.was_alive |= sim_alive(&run.sim);
    }
    calm();
    run.was_alive |= sim_alive(&run.sim);
    check_survival();
    check_trust();
    check_liveness();
    check_stock();
    fuzz_note((uint64_t)run.late << 8 | sim_alive(&run.sim));
    sim_end(&run.sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ossl_env_run(run_once, data, size);
    return 0;
}
