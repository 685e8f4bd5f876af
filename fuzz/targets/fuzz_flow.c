/* SPDX-License-Identifier: MIT */
/* The tracker and the diagnosis over a script of datagrams (flow_ops.h). Another hash key must
 * change nothing, and memory must stay within what was configured and received. */
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/gate_kit.h"
#include "harness/pool.h"
#include "harness/watch.h"
#include "targets/flow_ops.h"

/* PENDING_BYTES: for all messages that are not complete yet. */
enum { FEW_FLOWS = 3, FLOW_BYTES = 8192, PENDING_BYTES = 32768, UDP_IP = 28 };

static const int64_t idle_limit = 30 * SD_NS_SECOND;
static const int64_t later[] = {SD_NS_MS, 10 * SD_NS_MS, SD_NS_SECOND, -2 * SD_NS_MS};

struct run {
    struct watch watch;
    struct sd_tracker *t;
    struct sd_tracker_config config;
    unsigned keys_open;
    int64_t now;
    uint8_t ttl[2], lane; /* of client and server; inside a carrier */
    bool unfinished;      /* freed without a report */
    struct sd_span last;
    size_t given; /* bytes */
};

static void addresses(uint8_t arg, struct sd_addr *src, struct sd_addr *dst)
{
    uint8_t n = arg >> 1 & 3;
    enum kit_family family = n == 3 ? KIT_SIX : KIT_FOUR;
    struct sd_addr client = kit_addr(family, (uint8_t)(1 + (n & 1)), arg & 64 ? 40001 : 40000);
    struct sd_addr server = kit_addr(family, 100, n == 2 ? 4434 : 4433);
    *src = arg & 1 ? server : client;
    *dst = arg & 1 ? client : server;
}

static void datagram(struct run *r, uint8_t arg, struct sd_span payload, enum sd_payload kind)
{
    uint8_t *copy = fuzz_copy(payload);
    struct sd_datagram d = {.number = ++r->watch.frames,
                            .time = r->now,
                            .payload = {copy, payload.len},
                            .length = (uint32_t)payload.len,
                            .ip_length = (uint32_t)payload.len + UDP_IP,
                            .kind = kind,
                            .fragments = arg & 8 ? 2 : 0,
                            .ttl = r->ttl[arg & 1],
                            .lane = r->lane,
                            .df = !(arg & 8)};
    addresses(arg, &d.src, &d.dst);
    if (kind == SD_PAYLOAD_DTLS && arg & 128 && payload.len) {
        d.payload.len -= payload.p[payload.len - 1] % payload.len;
        d.ip_length = 0;
    }
    sd_tracker_datagram(r->t, &d);
    r->given += payload.len;
    free(copy);
}

static void icmp(struct run *r, uint8_t arg, struct sd_span data)
{
    struct sd_rd in = sd_rd_init(data.p, data.len);
    struct sd_icmp e = {
        .number = ++r->watch.frames, .time = r->now, .from = kit_addr(KIT_FOUR, 9, 0)};
    addresses(arg, &e.src, &e.dst);
    if (e.src.sa.sa_family == AF_INET6)
        e.from = kit_addr(KIT_SIX, 9, 0);
    e.type = sd_rd_u8(&in);
    e.code = sd_rd_u8(&in);
    e.mtu = sd_rd_u16(&in);
    e.mtu |= (uint32_t)sd_rd_u16(&in) << 16;
    e.quoted_length = (uint32_t)r->last.len + UDP_IP;
    e.quoted = r->last;
    sd_tracker_icmp(r->t, &e);
}

static void cut(struct run *r, uint8_t arg, struct sd_span data)
{
    struct sd_ip_incomplete e = {.number = ++r->watch.frames,
                                 .time = r->now,
                                 .have = (uint32_t)data.len,
                                 .total = arg & 64 ? (uint32_t)data.len + 700 : 0,
                                 .payload = data};
    addresses(arg, &e.src, &e.dst);
    sd_tracker_ip_incomplete(r->t, &e);
}

static void other(struct run *r, uint8_t arg, struct sd_span data)
{
    static const enum sd_payload kinds[] = {
        SD_PAYLOAD_STUN, SD_PAYLOAD_STUN_SUCCESS, SD_PAYLOAD_RTP,  SD_PAYLOAD_OTHER,
        SD_PAYLOAD_ZRTP, SD_PAYLOAD_TURN_CHANNEL, SD_PAYLOAD_QUIC, SD_PAYLOAD_OTHER};
    datagram(r, arg, data, kinds[arg >> 6 | (arg & 8) >> 1]);
}

/* From here on the capture is made at another place. */
static void seen_from(struct run *r, struct sd_rd in)
{
    r->ttl[0] = sd_rd_u8(&in);
    r->ttl[1] = sd_rd_u8(&in);
    r->lane = sd_rd_u8(&in);
}

static void apply(struct run *r, const struct fuzz_op *op)
{
    struct sd_rd in = sd_rd_init(op->data.p, op->data.len);
    r->now += later[op->arg >> 4 & 3];
    switch (op->code % CODES) {
    case CODE_DATAGRAM:
        r->last = op->data;
        datagram(r, op->arg, op->data, SD_PAYLOAD_DTLS);
        break;
    case CODE_AGAIN:
        datagram(r, op->arg, r->last, SD_PAYLOAD_DTLS);
        break;
    case CODE_ICMP:
        icmp(r, op->arg, op->data);
        break;
    case CODE_CUT:
        cut(r, op->arg, op->data);
        break;
    case CODE_TICK:
        r->now += sd_rd_u16(&in) * SD_NS_SECOND;
        sd_tracker_tick(r->t, r->now);
        break;
    case CODE_DROPS:
        sd_tracker_drops(r->t);
        break;
    case CODE_OTHER:
        other(r, op->arg, op->data);
        break;
    case CODE_CONFIG:
        seen_from(r, in);
        break;
    case CODE_NO_MEMORY:
        r->watch.fail_in = op->arg + 1U;
        break;
    }
}

/* A first operation may make everything scarce. */
static void configure(struct run *r, struct sd_rd *in)
{
    struct sd_rd peek = *in;
    struct fuzz_op op;
    unsigned fail_in = 0;
    uint8_t flags = 0;
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        struct sd_rd data = sd_rd_init(op.data.p, op.data.len);
        *in = peek;
        r->config.max_flows = op.arg & FEW ? FEW_FLOWS : 0;
        r->config.max_pending = op.arg & SMALL_PENDING ? 300 : PENDING_BYTES;
        r->config.max_kept = op.arg & SMALL_KEPT ? 400 : 0;
        r->config.idle = op.arg & IDLE ? idle_limit : 0;
        r->config.prompt = op.arg & PROMPT;
        r->config.unprotect = op.arg & NO_KEYS ? NULL : r->config.unprotect;
        r->config.certs = op.arg & NO_CERTS ? NULL : r->config.certs;
        uint8_t nth = sd_rd_u8(&data);
        fail_in = op.arg & NO_MEMORY ? 1U + nth : 0;
        flags = sd_rd_u8(&data);
    }
    watch_init(&r->watch, &r->config, fail_in);
    if (flags & OLD_CLOCK)
        r->now = INT64_C(1104537600) * SD_NS_SECOND;
    if (flags & NO_PACKETS)
        r->config.packet = NULL;
    r->unfinished = flags & UNFINISHED;
}

/* Handshakes that are not reported yet are still kept. */
static void check_flows(const struct run *r)
{
    uint64_t open = sd_tracker_counts(r->t).exchanges - r->watch.first_words;
    fuzz_check(!r->config.max_flows || open <= r->config.max_flows,
               "%llu open handshakes, at most %zu", (unsigned long long)open, r->config.max_flows);
}

static void check_memory(const struct run *r)
{
    struct sd_tracker_counts c = sd_tracker_counts(r->t);
    size_t flows = r->config.max_flows ? r->config.max_flows : 16;
    size_t bound = 65536 + flows * FLOW_BYTES + r->config.max_pending + 64 * r->given;
    fuzz_check(r->watch.peak <= bound, "%zu bytes of memory for %zu received", r->watch.peak,
               r->given);
    fuzz_check(c.datagrams <= r->watch.frames && c.dtls <= c.datagrams,
               "the tracker counts more than it was given");
    if (!c.no_memory && !r->unfinished)
        fuzz_check(r->watch.first_words == c.exchanges, "%zu reports of %llu handshakes",
                   r->watch.first_words, (unsigned long long)c.exchanges);
}

static uint64_t run(const uint8_t *data, size_t size, uint64_t key)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct run r = {.now = INT64_C(1704067200) * SD_NS_SECOND,
                    .ttl = {64, 60},
                    .config.key = {key, ~key},
                    .config.max_pending = PENDING_BYTES};
    struct sd_unprotect unprotect = watch_unprotect(&r.keys_open);
    struct sd_cert_reader certs = watch_certs();
    r.config.unprotect = &unprotect;
    r.config.certs = &certs;
    configure(&r, &in);
    r.t = sd_tracker_new(&r.config);
    if (!r.t) {
        watch_end(&r.watch);
        return 0;
    }
    struct fuzz_op op;
    while (fuzz_op_next(&in, &op)) {
        apply(&r, &op);
        check_flows(&r);
    }
    if (!r.unfinished)
        sd_tracker_finish(r.t);
    check_memory(&r);
    sd_tracker_free(r.t);
    watch_end(&r.watch);
    fuzz_check(!r.keys_open, "%u keys were not given back", r.keys_open);
    return r.watch.digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pool_next_run();
    /* As random as a real key: with a small one, short records would have fingerprints of 0. */
    uint64_t first = run(data, size, UINT64_C(0x243f6a8885a308d3));
    uint64_t second = run(data, size, UINT64_C(0xfeedfacecafebeef));
    fuzz_check(first == second, "another hash key changes the diagnosis");
    fuzz_note(first);
    return 0;
}
