/* The tracker and the diagnosis over a script of datagrams. Each script is run with two hash keys,
 * which must change nothing, and memory must stay within what was configured and received.
 *
 * An operation's argument: bit 0 from the server, bits 1 and 2 which conversation, bit 3 in IP
 * fragments, bits 4 and 5 how much later, bits 6 and 7 see the codes. */
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "make.h"
#include "watch.h"
#include "gate_kit.h"

#include "wire/handshake.h"
#include "wire/iana.h"

enum code {
    CODE_DATAGRAM, /* bit 6: an older client port; bit 7: snapped by its last byte */
    CODE_AGAIN,    /* the last datagram, of the other bits */
    CODE_ICMP,     /* type, code, MTU (2), quoted bytes of the last datagram */
    CODE_CUT,      /* an IP packet of which a fragment never came */
    CODE_TICK,     /* seconds (2) */
    CODE_DROPS,
    CODE_OTHER,     /* not DTLS: its kind in bits 6 and 7 */
    CODE_CONFIG,    /* limits; only before anything else */
    CODE_NO_MEMORY, /* that allocation fails */
    CODES
};

/* PENDING_BYTES: for messages whose other fragments are awaited, in all. */
enum { FEW_FLOWS = 3, FLOW_BYTES = 8192, PENDING_BYTES = 32768, UDP_IP = 28 };

static const int64_t later[] = {SD_NS_MS, 10 * SD_NS_MS, SD_NS_SECOND, -2 * SD_NS_MS};

struct run {
    struct watch watch;
    struct sd_tracker *t;
    struct sd_tracker_config config;
    unsigned keys_open;
    int64_t now;
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
                            .ttl = arg & 1 ? 60 : 64,
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
    static const enum sd_payload kinds[] = {SD_PAYLOAD_STUN, SD_PAYLOAD_STUN_SUCCESS,
                                            SD_PAYLOAD_RTP, SD_PAYLOAD_OTHER};
    datagram(r, arg, data, kinds[arg >> 6]);
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
    case CODE_NO_MEMORY:
        r->watch.fail_in = op->arg + 1U;
        break;
    }
}

/* A first operation may make everything scarce. */
static void configure(struct run *r, struct sd_rd *in, const struct sd_unprotect *unprotect,
                      const struct sd_cert_reader *certs)
{
    struct sd_rd peek = *in;
    struct fuzz_op op;
    unsigned fail_in = 0;
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        *in = peek;
        r->config.max_flows = op.arg & 1 ? FEW_FLOWS : 0;
        r->config.max_pending = op.arg & 2 ? 300 : PENDING_BYTES;
        r->config.max_kept = op.arg & 4 ? 400 : 0;
        r->config.idle = op.arg & 8 ? 30 * SD_NS_SECOND : 0;
        r->config.prompt = op.arg & 16;
        r->config.unprotect = op.arg & 32 ? NULL : unprotect;
        r->config.certs = op.arg & 64 ? NULL : certs;
        fail_in = op.arg & 128 ? 1U + (op.data.len ? op.data.p[0] : 0) : 0;
    }
    watch_init(&r->watch, &r->config, fail_in);
}

/* What is not reported yet is still kept. */
static void check_flows(const struct run *r)
{
    uint64_t open = sd_tracker_counts(r->t).exchanges - r->watch.first_words;
    fuzz_check(!r->config.max_flows || open <= r->config.max_flows,
               "%llu conversations, at most %zu", (unsigned long long)open, r->config.max_flows);
}

static void check_memory(const struct run *r)
{
    struct sd_tracker_counts c = sd_tracker_counts(r->t);
    size_t flows = r->config.max_flows ? r->config.max_flows : 16;
    size_t bound = 65536 + flows * FLOW_BYTES + r->config.max_pending + 64 * r->given;
    fuzz_check(r->watch.peak <= bound, "%zu bytes of memory for %zu received", r->watch.peak,
               r->given);
    fuzz_check(c.datagrams <= r->watch.frames && c.dtls <= c.datagrams, "more than was given");
    if (!c.no_memory)
        fuzz_check(r->watch.first_words == c.exchanges, "%zu reports of %llu handshakes",
                   r->watch.first_words, (unsigned long long)c.exchanges);
}

static uint64_t run(const uint8_t *data, size_t size, uint64_t key)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct run r = {.now = INT64_C(1704067200) * SD_NS_SECOND,
                    .config.key = {key, ~key},
                    .config.max_pending = PENDING_BYTES};
    struct sd_unprotect unprotect = watch_unprotect(&r.keys_open);
    struct sd_cert_reader certs = watch_certs();
    r.config.unprotect = &unprotect;
    r.config.certs = &certs;
    configure(&r, &in, &unprotect, &certs);
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
    sd_tracker_finish(r.t);
    check_memory(&r);
    sd_tracker_free(r.t);
    watch_end(&r.watch);
    fuzz_check(!r.keys_open, "%u keys were not given back", r.keys_open);
    return r.watch.digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t first = run(data, size, 1), second = run(data, size, UINT64_C(0xfeedfacecafebeef));
    fuzz_check(first == second, "another hash key, another verdict");
    fuzz_note(first);
    return 0;
}

/* --- seeds --- */

struct script {
    struct sd_wr w;
    uint8_t bytes[8192];
};

static void script_init(struct script *s, uint8_t config)
{
    s->w = sd_wr_init(s->bytes, sizeof s->bytes);
    fuzz_op_put(&s->w, CODE_CONFIG, config, "\40", 1);
}

static void say(struct script *s, uint8_t arg, const struct sd_wr *d)
{
    fuzz_op_put(&s->w, CODE_DATAGRAM, arg, d->start, sd_wr_len(d));
}

static struct sd_wr gram(void)
{
    static uint8_t bytes[4096];
    return sd_wr_init(bytes, sizeof bytes);
}

static void hello(struct script *s, uint8_t arg, uint64_t seq, const char *cookie)
{
    uint8_t block[256];
    struct sd_wr d = gram(), ext = sd_wr_init(block, sizeof block);
    make_extensions(&ext);
    make_client_hello(&d, &(struct make_hello){.seq = seq,
                                               .random = arg & 64 ? 7 : 8,
                                               .message_seq = *cookie != '\0',
                                               .cookie = make_span(cookie, strlen(cookie)),
                                               .extensions = make_span(block, sd_wr_len(&ext))});
    say(s, arg, &d);
}

static void verify(struct script *s, uint8_t arg, const char *cookie)
{
    struct sd_wr d = gram();
    make_hello_verify(&d, 0, make_span(cookie, strlen(cookie)));
    say(s, arg | 1, &d);
}

static void server_flight(struct script *s, uint8_t arg)
{
    static const uint8_t key[80] = {3};
    struct sd_wr d = gram();
    make_server_hello(&d, 1, 1, 9, 0xc02b, make_span("\0\x17\0\0", 4));
    make_certificate(&d, 2, 2, 2, 40);
    make_message(&d, 3, SD_HS_SERVER_KEY_EXCHANGE, 3, make_span(key, sizeof key));
    make_message(&d, 4, SD_HS_SERVER_HELLO_DONE, 4, make_span("", 0));
    say(s, arg | 1, &d);
}

static void client_flight(struct script *s, uint8_t arg)
{
    static const uint8_t key[66] = {65};
    struct sd_wr d = gram();
    make_message(&d, 2, SD_HS_CLIENT_KEY_EXCHANGE, 2, make_span(key, sizeof key));
    make_record(&d, SD_CT_CCS, 0, 3, make_span("\1", 1));
    make_record(&d, SD_CT_HANDSHAKE, 1, 0,
                make_span("Z\24\0\0\14\0\3\0\0\0\0\0\14FinishedByUs", 25));
    say(s, arg, &d);
}

static void server_end(struct script *s, uint8_t arg)
{
    static const uint8_t noise[40];
    struct sd_wr d = gram();
    make_record(&d, SD_CT_CCS, 0, 5, make_span("\1", 1));
    make_record(&d, SD_CT_HANDSHAKE, 1, 0, make_span(noise, sizeof noise));
    make_record(&d, SD_CT_APPDATA, 1, 1, make_span(noise, sizeof noise));
    say(s, arg | 1, &d);
}

static void alert(struct script *s, uint8_t arg, uint8_t description)
{
    struct sd_wr d = gram();
    make_record(&d, SD_CT_ALERT, 0, 6, make_span((uint8_t[]){2, description}, 2));
    say(s, arg, &d);
}

static void handshake(struct script *s, uint8_t arg)
{
    hello(s, arg, 0, "");
    verify(s, arg, "cookie");
    hello(s, arg, 1, "cookie");
    server_flight(s, arg);
    client_flight(s, arg);
    server_end(s, arg);
}

static void seed(struct fuzz_seeder *to, const struct script *s)
{
    fuzz_seed(to, s->bytes, sd_wr_len(&s->w));
}

/* A message of the server in three pieces, each order, the first piece twice. */
static void seed_fragments(struct fuzz_seeder *to)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2},
                                         {1, 2, 0}, {0, 2, 1}, {2, 0, 1}};
    static const uint8_t body[90] = {0, 0, 87, 0, 0, 84, 1};
    for (size_t i = 0; i < 6; i++) {
        struct script s;
        script_init(&s, 0);
        hello(&s, 0, 0, "");
        for (uint8_t n = 0; n < 4; n++) {
            uint32_t part = orders[i][n % 3];
            struct sd_wr d = gram();
            make_fragment(&d, n, SD_HS_CERTIFICATE, 1, make_span(body, sizeof body), 30 * part,
                          30 * part + 30 + (i == 4 ? part % 2 : 0));
            say(&s, 1 | 16, &d);
        }
        seed(to, &s);
    }
}

static void seed_troubles(struct fuzz_seeder *to)
{
    struct script s;
    script_init(&s, 16);
    for (int i = 0; i < 4; i++)
        hello(&s, 16, (uint64_t)i, "");
    fuzz_op_put(&s.w, CODE_ICMP, 16, "\3\3\0", 4);
    fuzz_op_put(&s.w, CODE_TICK, 0, "\0\36", 2);
    seed(to, &s);
    script_init(&s, 0);
    handshake(&s, 6);
    fuzz_op_put(&s.w, CODE_AGAIN, 39, "", 0);
    fuzz_op_put(&s.w, CODE_ICMP, 7, "\2\0\5\0", 4);
    alert(&s, 7, 40);
    seed(to, &s);
    script_init(&s, 1 | 8);
    for (uint8_t i = 0; i < 8; i = (uint8_t)(i + 2)) {
        hello(&s, i, 0, "");
        server_flight(&s, i);
        hello(&s, i | 64, 0, "");
    }
    fuzz_op_put(&s.w, CODE_CUT, 1, "\26\376\375", 3);
    fuzz_op_put(&s.w, CODE_DROPS, 0, "", 0);
    fuzz_op_put(&s.w, CODE_OTHER, 64, "\1\1", 2);
    seed(to, &s);
    script_init(&s, 128);
    handshake(&s, 0);
    seed(to, &s);
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t config = 0; config < 128; config = (uint8_t)(config + 31)) {
        script_init(&s, config);
        handshake(&s, 0);
        handshake(&s, 2);
        seed(to, &s);
    }
    seed_fragments(to);
    seed_troubles(to);
}
