/* SPDX-License-Identifier: MIT */
/* Key logs and the records that they open: lines of any kind, secrets that are found again, records
 * that this target seals, and records that nobody sealed.
 *
 * A sealed record opens unchanged. With one changed bit, or with the keys of the other direction,
 * it does not open. When memory or OpenSSL fails, only the record is lost, and nothing leaks.
 *
 * OpenSSL itself is used in every 64th input, fakes/fake_crypto.h in the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "fakes/fake_crypto.h"
#include "fakes/seal.h"
#include "harness/common.h"
#include "harness/make.h"

#include "unseal/unseal.h"
#include "wire/hello.h"
#include "wire/record.h"

enum code {
    CODE_LINES,  /* the data are text */
    CODE_SECRET, /* arg: bits 0 to 2 its kind, bit 3 short, bit 4 capitals; data: client, secret */
    CODE_BEGIN,  /* arg: bits 0 to 4 the suite, 5 and 6 the version, 7 encrypt-then-MAC;
                  * data: client; with suite 31 the suite's number, and the version's */
    CODE_SEAL,   /* arg: bit 0 from the server, 1 connection id, 2 and 3 epoch, 4 to 7 padding */
    CODE_OPEN, /* the data are records; arg: bit 0 from the server, the others the length of the CID
                */
    CODE_SKIP, /* arg: distance of the next sealed record's number from the expected one */
    CODE_FAULT, /* something fails in the next operation. arg: bits 0 and 1 what, the others when */
    CODES
};

enum fault { FAULT_CRYPTO, FAULT_MEMORY, FAULT_PADDING, FAULT_LENGTH, FAULTS, FAULT_NONE = FAULTS };

enum {
    HEAP_BASE = 16384,
    HEAP_PER_BYTE = 64,
    FLIPS = 4,
    LINE = 256,
    REAL_OF = 64,    /* one input in this many uses OpenSSL itself */
    SKIP_UNIT = 255, /* so that a skip is less than half of the range of 16 bits */
    EPOCHS = 64
};

static const uint16_t suites[32] = {0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9, 0xc009,
                                    0xc00a, 0xc023, 0x003d, 0xc024, 0x0041, 0x0084, 0x00ba, 0x00c0,
                                    0xc073, 0x000a, 0x0001, 0x0002, 0x003b, 0xc03b, 0xc050, 0xc051,
                                    0xc03c, 0xc03d, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0};
static const uint16_t versions[4] = {SD_DTLS_1_2, SD_DTLS_1_0, SD_DTLS_1_3, SD_DTLS_BAD};
static const char *const labels[] = {"CLIENT_RANDOM",
                                     "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                     "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                                     "CLIENT_TRAFFIC_SECRET_0",
                                     "SERVER_TRAFFIC_SECRET_0",
                                     "EXPORTER_SECRET",
                                     "CLIENT_RANDOMS",
                                     "#"};

struct world {
    struct sd_secrets *secrets;
    struct sd_unprotect hooks;
    void *keys;
    struct sd_unprotect_params params;
    uint8_t client_random[SD_RANDOM_LEN], server_random[SD_RANDOM_LEN];
    struct sd_keys12 sealing; /* while keys of the old versions exist */
    bool can_seal;
    uint64_t next[2][EPOCHS]; /* the number expected from client and server */
    unsigned highest[2];      /* epoch */
    int skip;
    enum fault fault;
    unsigned when;
};

static struct world w;
static uint8_t out[SD_RECORD_BODY_MAX];

/* From here on, until faults_end(), what the input selected fails. */
static void faults_begin(void)
{
    fake_crypto_fail(w.fault == FAULT_CRYPTO ? w.when : 0);
    fuzz_heap_fail(w.fault == FAULT_MEMORY ? w.when : 0);
}

static void faults_end(void)
{
    fake_crypto_fail(0);
    fuzz_heap_fail(0);
}

/* True: something may have failed, so a refusal is fine. */
static bool may_fail(void)
{
    return w.fault == FAULT_CRYPTO || w.fault == FAULT_MEMORY;
}

static bool add(struct sd_secrets *s, const void *text, size_t len)
{
    faults_begin();
    bool ok = sd_secrets_add(s, text, len);
    faults_end();
    fuzz_check(ok || may_fail(), "no memory for a line");
    return ok;
}

static bool lines_of(struct sd_secrets *s, struct sd_span text)
{
    struct sd_rd r = sd_rd_init(text.p, text.len);
    while (sd_rd_left(&r)) {
        const uint8_t *end = memchr(r.p, '\n', sd_rd_left(&r));
        struct sd_span line = sd_rd_bytes(&r, end ? (size_t)(end - r.p) + 1 : sd_rd_left(&r));
        uint8_t *copy = fuzz_copy(line);
        bool ok = add(s, copy, line.len);
        free(copy);
        if (!ok)
            return false;
    }
    return true;
}

/* Reading all lines at once, and line by line into another log, must give the same. */
static void compare_lines(const uint8_t *text, size_t len)
{
    faults_begin();
    struct sd_secrets *all = sd_secrets_new(), *each = sd_secrets_new();
    faults_end();
    fuzz_check((all && each) || may_fail(), "no memory");
    if (all && each && add(all, text, len) && lines_of(each, make_span(text, len)))
        fuzz_check(sd_secrets_count(each) == sd_secrets_count(all) &&
                       sd_secrets_bad(all) == sd_secrets_bad(each),
                   "reading line by line gives another key log");
    if (all) {
        fuzz_check(sd_secrets_taken(all) >= sd_secrets_count(all),
                   "more secrets than lines that were accepted");
        fuzz_note(sd_secrets_count(all) << 32 | sd_secrets_bad(all));
    }
    sd_secrets_free(all);
    sd_secrets_free(each);
}

static void add_lines(struct sd_span text)
{
    compare_lines(text.p, text.len);
    add(w.secrets, text.p, text.len);
}

static size_t put_hex(char *to, const uint8_t *bytes, size_t n, bool capitals)
{
    const char *digits = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
    for (size_t i = 0; i < 2 * n; i++)
        to[i] = digits[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return 2 * n;
}

/* A line of our own, and its secret found again. */
static void add_secret(uint8_t arg, uint8_t client, uint8_t seed)
{
    char line[LINE];
    uint8_t random[SD_RANDOM_LEN], secret[SD_MASTER_LEN];
    unsigned kind = arg & 7;
    size_t len = arg & 8 ? 32 : SD_MASTER_LEN, bad = sd_secrets_bad(w.secrets);
    memset(random, client, sizeof random);
    memset(secret, seed, sizeof secret);
    secret[0] = (uint8_t)kind; /* each direction has its own */
    size_t at = (size_t)snprintf(line, sizeof line, "%s ", labels[kind]);
    at += put_hex(line + at, random, sizeof random, arg & 16);
    line[at++] = ' ';
    at += put_hex(line + at, secret, len, arg & 16);
    if (!add(w.secrets, line, at))
        return;
    bool good = kind < SD_SECRET_KINDS && !(kind == SD_SECRET_MASTER && len != SD_MASTER_LEN);
    const struct sd_secret *found = sd_secrets_find(w.secrets, random);
    if (good)
        fuzz_check(found && found[kind].len == len && !memcmp(found[kind].bytes, secret, len),
                   "a secret is not found again");
    fuzz_check((sd_secrets_bad(w.secrets) == bad) == (good || kind >= SD_SECRET_KINDS),
               "%s: good lines and bad lines are mixed up", labels[kind]);
}

static void end_keys(void)
{
    w.hooks.end(w.keys);
    w.keys = NULL;
    sd_keys12_fini(&w.sealing);
    w.can_seal = false;
}

/* The keys that seal what the others are to open. */
static void begin_sealing(void)
{
    const struct sd_secret *s = sd_secrets_find(w.secrets, w.client_random);
    fuzz_check(s, "keys are made without secrets");
    w.can_seal = w.params.version == SD_DTLS_1_3 ||
                 sd_keys12_init(&w.sealing, &w.params, s[SD_SECRET_MASTER].bytes);
    memset(w.next, 0, sizeof w.next);
    w.highest[0] = w.highest[1] = SD_EPOCH13_HANDSHAKE;
}

static void begin(uint8_t arg, struct sd_rd *r)
{
    end_keys();
    memset(w.client_random, sd_rd_u8(r), sizeof w.client_random);
    memset(w.server_random, 0x55, sizeof w.server_random);
    w.params = (struct sd_unprotect_params){.client_random = w.client_random,
                                            .server_random = w.server_random,
                                            .version = versions[arg >> 5 & 3],
                                            .suite = suites[arg & 31],
                                            .encrypt_then_mac = arg & 128};
    if (!w.params.suite) {
        w.params.suite = sd_rd_u16(r);
        w.params.version = sd_rd_left(r) < 2 ? w.params.version : sd_rd_u16(r);
    }
    faults_begin();
    w.keys = w.hooks.begin(w.hooks.arg, &w.params);
    faults_end();
    if (w.keys)
        begin_sealing();
    fuzz_note(w.keys != NULL);
}

static bool open_record(bool from_server, const struct sd_record *rec, struct sd_record *plain)
{
    faults_begin();
    bool ok = w.hooks.open(w.keys, from_server, rec, out, plain);
    faults_end();
    return ok;
}

/* With one changed bit the record must not open. */
static void check_flips(const struct sd_record *rec, bool from_server)
{
    uint8_t *copy = fuzz_copy(rec->body);
    struct sd_record other = *rec, plain;
    struct fuzz_rng rng = {rec->body.len + rec->seq};
    other.body.p = copy;
    for (unsigned i = 0; i < FLIPS && rec->body.len; i++) {
        uint64_t bit = fuzz_random(&rng) % (8 * rec->body.len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fuzz_check(!open_record(from_server, &other, &plain),
                   "a record opens although bit %llu was changed", (unsigned long long)bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(copy);
}

static struct sd_record only_record(struct sd_span datagram, size_t cid_len)
{
    struct sd_records it = sd_records_init(datagram.p, datagram.len, cid_len);
    struct sd_record rec;
    fuzz_check(sd_record_next(&it, &rec) == SD_RECORD_OK, "the sealed bytes are not a record");
    return rec;
}

/* True when it was opened. */
static bool check_opened(const struct seal_plain *p, struct sd_span datagram, bool from_server)
{
    struct sd_record rec = only_record(datagram, p->cid.len), plain = {0};
    check_flips(&rec, from_server);
    fuzz_check(!open_record(!from_server, &rec, &plain),
               "a record opens with the keys of the other direction");
    bool opened = open_record(from_server, &rec, &plain);
    fuzz_check(opened || p->broken || may_fail(), "a sealed record does not open");
    if (!opened)
        return false;
    fuzz_check(!p->broken, "a record opens although its padding is wrong");
    fuzz_check(plain.type == p->type && plain.epoch == p->epoch && plain.seq == p->seq,
               "a record opens as another one: type %u, epoch %u, number %llu", plain.type,
               plain.epoch, (unsigned long long)plain.seq);
    fuzz_check(plain.body.len == p->content.len &&
                   (!p->content.len || !memcmp(plain.body.p, p->content.p, p->content.len)),
               "%zu bytes were sealed, %zu opened", p->content.len, plain.body.len);
    fuzz_note_bytes(plain.body.p, plain.body.len);
    return true;
}

static bool seal_new(struct sd_wr *to, const struct seal_plain *p, bool from_server)
{
    const struct sd_suite *suite = sd_suite_find(w.params.suite);
    const struct sd_secret *s = sd_secrets_find(w.secrets, w.client_random);
    if (!s || p->type == 0)
        return false;
    unsigned kind =
        p->epoch == SD_EPOCH13_HANDSHAKE ? SD_SECRET_CLIENT_HANDSHAKE : SD_SECRET_CLIENT_TRAFFIC;
    struct sd_secret traffic = s[kind + from_server], next;
    if (!suite || traffic.len != sd_prf_digest_len(suite->hash))
        return false;
    for (unsigned e = SD_EPOCH13_APPDATA; e < p->epoch; e++) {
        next = traffic;
        if (!sd_prf_expand_label(suite->hash, (struct sd_span){traffic.bytes, traffic.len},
                                 "traffic upd", next.bytes, traffic.len))
            return false;
        traffic = next;
    }
    return seal13(to, w.params.suite, &traffic, p);
}

/* An epoch of DTLS 1.3 that its two lowest bits distinguish from the others: see full_epoch() in
 * keys13.c. */
static unsigned epoch_of(uint8_t arg, bool from_server)
{
    unsigned highest = w.highest[from_server], back = 2;
    if (w.params.version != SD_DTLS_1_3)
        return 1 + (arg >> 2 & 3);
    return (highest > SD_EPOCH13_HANDSHAKE + back ? highest - back : SD_EPOCH13_HANDSHAKE) +
           (arg >> 2 & 3);
}

static uint64_t number_of(bool from_server, unsigned epoch)
{
    int64_t seq = (int64_t)w.next[from_server][epoch] + (int64_t)w.skip * SKIP_UNIT;
    w.skip = 0;
    return seq < 0 ? 0 : (uint64_t)seq;
}

static void opened(bool from_server, unsigned epoch, uint64_t seq)
{
    if (epoch < EPOCHS && w.next[from_server][epoch] <= seq)
        w.next[from_server][epoch] = seq + 1;
    if (w.highest[from_server] < epoch)
        w.highest[from_server] = epoch;
}

/* With a new secret since the keys were made, nothing can be expected. */
static void seal(uint8_t arg, struct sd_span data)
{
    static const uint8_t types[] = {SD_CT_APPDATA, SD_CT_HANDSHAKE, SD_CT_ALERT, SD_CT_ACK};
    uint8_t bytes[4096];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    bool from_server = arg & 1;
    unsigned epoch = epoch_of(arg, from_server);
    if (!w.can_seal || epoch >= EPOCHS)
        return;
    struct seal_plain p = {.type = types[data.len & 3],
                           .epoch = (uint16_t)epoch,
                           .seq = number_of(from_server, epoch),
                           .cid = {(const uint8_t *)"id", arg & 2},
                           .content = data,
                           .padding = arg >> 4,
                           .broken = w.fault == FAULT_PADDING};
    if (w.params.version == SD_DTLS_1_3
            ? !seal_new(&to, &p, from_server)
            : !seal12(&to, &w.sealing, from_server, w.params.version, &p))
        return;
    uint8_t *copy = fuzz_copy((struct sd_span){bytes, sd_wr_len(&to)});
    if (check_opened(&p, (struct sd_span){copy, sd_wr_len(&to)}, from_server))
        opened(from_server, p.epoch, p.seq);
    free(copy);
}

static void open_raw(uint8_t arg, struct sd_span data)
{
    static const uint8_t large[SD_RECORD_BODY_MAX + 1];
    struct sd_records it = sd_records_init(data.p, data.len, arg >> 1);
    struct sd_record rec, plain;
    while (w.keys && sd_record_next(&it, &rec) == SD_RECORD_OK) {
        if (w.fault == FAULT_LENGTH)
            rec.body = make_span(large, sizeof large);
        bool ok = open_record(arg & 1, &rec, &plain);
        fuzz_check(!ok || plain.body.len <= rec.body.len, "more bytes are opened than were sealed");
        fuzz_note(ok);
        if (ok)
            opened(arg & 1, plain.epoch, plain.seq);
    }
}

static void apply(const struct fuzz_op *op)
{
    struct sd_rd r = sd_rd_init(op->data.p, op->data.len);
    uint8_t first, second;
    switch (op->code % CODES) {
    case CODE_LINES:
        add_lines(op->data);
        break;
    case CODE_SECRET:
        first = sd_rd_u8(&r);
        second = sd_rd_u8(&r);
        /* Keys borrow the secrets of their handshake, which must not change meanwhile. */
        end_keys();
        add_secret(op->arg, first, second);
        break;
    case CODE_BEGIN:
        begin(op->arg, &r);
        break;
    case CODE_SEAL:
        seal(op->arg, op->data);
        break;
    case CODE_OPEN:
        open_raw(op->arg, op->data);
        break;
    case CODE_SKIP:
        w.skip = op->arg - 128;
        break;
    }
    w.fault = op->code % CODES == CODE_FAULT ? (enum fault)(op->arg % FAULTS) : FAULT_NONE;
    w.when = 1 + op->arg / FAULTS;
}

static void run_all(struct sd_rd in)
{
    struct fuzz_op op;
    w = (struct world){.secrets = sd_secrets_new(), .fault = FAULT_NONE};
    fuzz_note(*sd_unseal_library() != 0);
    w.hooks = sd_unseal_hooks(w.secrets);
    while (fuzz_op_next(&in, &op)) {
        uint8_t *copy = fuzz_copy(op.data);
        op.data.p = copy;
        apply(&op);
        free(copy);
    }
    end_keys();
    sd_secrets_free(w.secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_heap before = fuzz_heap_mark();
    fake_crypto_real(sd_hash((struct sd_hash_key){0}, data, size) % REAL_OF == 0);
    run_all(sd_rd_init(data, size));
    struct fuzz_heap after = fuzz_heap_now();
    fuzz_check(after.blocks == before.blocks && after.bytes == before.bytes, "the heap leaks");
    fuzz_check(!fake_crypto_live(), "%d contexts or keys are left", fake_crypto_live());
    fuzz_check(after.peak - before.bytes <= HEAP_BASE + HEAP_PER_BYTE * size,
               "%zu bytes of heap for %zu read", after.peak - before.bytes, size);
    return 0;
}

/* --- seeds --- */

static const uint8_t how_old[] = {0, 1 << 5, 1 << 7}; /* DTLS 1.2, 1.0, encrypt-then-MAC */

static void put_secrets(struct sd_wr *to, uint8_t suite)
{
    bool new = suites[suite] >> 8 == 0x13;
    uint8_t is_short = suites[suite] == 0x1302 ? 0 : 8;
    for (uint8_t kind = new; kind < (new ? 5 : 1); kind++)
        fuzz_op_put(to, CODE_SECRET, (uint8_t)(kind | (new ? is_short : 0)), "\1\2", 2);
}

static void put_begin(struct sd_wr *to, uint8_t suite, uint8_t variant)
{
    bool new = suites[suite] >> 8 == 0x13;
    fuzz_op_put(to, CODE_BEGIN, (uint8_t)(suite | (new ? 2 << 5 : how_old[variant])), "\1", 1);
}

static void seed_suite(struct fuzz_seeder *s, uint8_t suite)
{
    uint8_t bytes[1024];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    bool new = suites[suite] >> 8 == 0x13;
    put_secrets(&to, suite);
    for (uint8_t variant = 0; variant < (new ? 1 : 3); variant++) {
        put_begin(&to, suite, variant);
        fuzz_op_put(&to, CODE_SEAL, 4, "hello", 5);
        fuzz_op_put(&to, CODE_SEAL, 5 | 16, "", 0);
        fuzz_op_put(&to, CODE_SEAL, 8 | 2 | 48, "with an id", 10);
        fuzz_op_put(&to, CODE_SEAL, 12 | 1, "later", 5);
        fuzz_op_put(&to, CODE_FAULT, FAULT_PADDING, "", 0);
        fuzz_op_put(&to, CODE_SEAL, 2 | 32, "wrong", 5);
    }
    fuzz_seed(s, bytes, sd_wr_len(&to));
}

/* Each call of OpenSSL and each allocation fails once: when keys are made, and when they are
 * used. */
static void seed_faults(struct fuzz_seeder *s, uint8_t suite, uint8_t variant, uint8_t fault)
{
    enum { TIMES = 24, PER_FILE = 6 };
    for (uint8_t when = 0; when < TIMES; when += PER_FILE) {
        uint8_t bytes[512];
        struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
        put_secrets(&to, suite);
        for (uint8_t i = 0; i < PER_FILE; i++) {
            uint8_t arg = (uint8_t)(fault | (when + i) * FAULTS);
            put_begin(&to, suite, variant);
            fuzz_op_put(&to, CODE_FAULT, arg, "", 0);
            fuzz_op_put(&to, CODE_SEAL, 12, "hello", 5);
            fuzz_op_put(&to, CODE_FAULT, arg, "", 0);
            put_begin(&to, suite, variant);
        }
        fuzz_seed(s, bytes, sd_wr_len(&to));
    }
}

/* Record numbers that go on, come late, and pass 16 bits; several epochs. */
static void seed_numbers(struct fuzz_seeder *s)
{
    static const uint8_t skips[] = {128, 255, 255, 255, 10, 128, 255};
    uint8_t bytes[512];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    put_secrets(&to, 26);
    put_begin(&to, 26, 0);
    for (size_t i = 0; i < sizeof skips; i++) {
        fuzz_op_put(&to, CODE_SKIP, skips[i], "", 0);
        fuzz_op_put(&to, CODE_SEAL, 4, "far", 3);
    }
    for (uint8_t i = 0; i < 6; i++)
        fuzz_op_put(&to, CODE_SEAL, 12, "next epoch", 10);
    fuzz_seed(s, bytes, sd_wr_len(&to));
}

/* Records that nobody sealed, that are too short or too long, or of the wrong kind. */
static void seed_raw(struct fuzz_seeder *s, uint8_t suite, uint8_t variant)
{
    static const char old[] = "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\x05hello"
                              "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\x10sixteen bytes..."
                              "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\x20sixteen bytes...and sixteen more"
                              "\x17\xfe\xfd\0\0\0\0\0\0\0\1\0\1h";
    static const char new[] = "\x2f\0\1\0\x05hello"
                              "\x2e\0\1\0\x10sixteen bytes..."
                              "\x2e\0\1\0\x20sixteen bytes...and sixteen more";
    uint8_t bytes[512];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    put_secrets(&to, suite);
    put_begin(&to, suite, variant);
    fuzz_op_put(&to, CODE_OPEN, 1, old, sizeof old - 1);
    fuzz_op_put(&to, CODE_OPEN, 0, new, sizeof new - 1);
    fuzz_op_put(&to, CODE_FAULT, FAULT_LENGTH, "", 0);
    fuzz_op_put(&to, CODE_OPEN, 0, old, sizeof old - 1);
    fuzz_op_put(&to, CODE_FAULT, FAULT_LENGTH, "", 0);
    fuzz_op_put(&to, CODE_OPEN, 0, new, sizeof new - 1);
    fuzz_seed(s, bytes, sd_wr_len(&to));
}

/* Unknown suites and versions; secrets that are too long for their suite, or odd. */
static void seed_unknown(struct fuzz_seeder *s)
{
    static const char numbers[][6] = {"\1\x13\x99\xfe\xfc", "\1\0\5\xfe\xfd", "\1\xc0\x2b\1\2",
                                      "\1\xff\xff\xfe\xfd"};
    static const char odd[] =
        "SERVER_TRAFFIC_SECRET_0 "
        "0101010101010101010101010101010101010101010101010101010101010101 0102";
    uint8_t bytes[1024];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    fuzz_op_put(&to, CODE_LINES, 0, odd, sizeof odd - 1);
    for (uint8_t kind = 0; kind < 5; kind++)
        fuzz_op_put(&to, CODE_SECRET, kind, "\1\2", 2);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fuzz_op_put(&to, CODE_BEGIN, 31, numbers[i], 5);
    put_begin(&to, 26, 0);
    fuzz_op_put(&to, CODE_OPEN, 0, "\x2e\0\1\0\x10sixteen bytes...", 21);
    fuzz_seed(s, bytes, sd_wr_len(&to));
}

/* No memory or no random numbers for a key log and its lines. */
static void seed_no_log(struct fuzz_seeder *s)
{
    static const char line[] = "CLIENT_RANDOM "
                               "0202020202020202020202020202020202020202020202020202020202020202 "
                               "030303030303030303030303030303030303030303030303"
                               "030303030303030303030303030303030303030303030303\n";
    uint8_t bytes[2048];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    for (uint8_t i = 0; i < 5; i++) {
        fuzz_op_put(&to, CODE_FAULT, (uint8_t)(FAULT_MEMORY | i * FAULTS), "", 0);
        fuzz_op_put(&to, CODE_LINES, 0, line, i ? 0 : sizeof line - 1);
    }
    fuzz_op_put(&to, CODE_FAULT, FAULT_CRYPTO, "", 0);
    fuzz_op_put(&to, CODE_LINES, 0, line, sizeof line - 1);
    fuzz_seed(s, bytes, sd_wr_len(&to));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    static const char text[] = "# a comment\n"
                               "CLIENT_RANDOM 00112233445566778899aabbccddeeff00112233445566778899"
                               "aabbccddeeff 0123456789abcdef0123456789abcdef0123456789abcdef01234"
                               "56789abcdef0123456789abcdef0123456789ABCDEF\r\n"
                               "\nCLIENT_RANDOM 00 11\nNONSENSE\nEXPORTER_SECRET 00112233445566778"
                               "899aabbccddeeff00112233445566778899aabbccddeeff 00\n";
    uint8_t bytes[1024];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    fuzz_op_put(&to, CODE_LINES, 0, text, strlen(text));
    for (uint8_t arg = 0; arg < 32; arg = (uint8_t)(arg + 3))
        fuzz_op_put(&to, CODE_SECRET, arg, "\3\4", 2);
    fuzz_op_put(&to, CODE_BEGIN, 0, "\3", 1);
    fuzz_op_put(&to, CODE_OPEN, 1, "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\5hello", 18);
    fuzz_seed(s, bytes, sd_wr_len(&to));
    for (uint8_t suite = 0; suite < 31; suite++)
        seed_suite(s, suite);
    static const uint8_t some[][2] = {{0, 0}, {2, 0},  {6, 0},  {7, 0}, {7, 1},
                                      {7, 2}, {20, 0}, {26, 0}, {28, 0}};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        seed_raw(s, some[i][0], some[i][1]);
        seed_faults(s, some[i][0], some[i][1], FAULT_CRYPTO);
        seed_faults(s, some[i][0], some[i][1], FAULT_MEMORY);
    }
    seed_numbers(s);
    seed_unknown(s);
    seed_no_log(s);
}
