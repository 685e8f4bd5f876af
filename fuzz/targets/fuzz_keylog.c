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
#include "targets/keylog.h"
#include "unseal/unseal.h"
#include "wire/hello.h"
#include "wire/record.h"

enum {
    HEAP_BASE = 16384,
    HEAP_PER_BYTE = 64,
    FLIPS = 4,
    LINE = 256,
    REAL_OF = 64,    /* one input in this many uses OpenSSL itself */
    SKIP_UNIT = 255, /* so that a skip is less than half of the range of 16 bits */
    EPOCHS = 64
};

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

/* A key log that wants one handshake takes the secrets of no other. `good`: the line has one. */
static void check_wanted(const char *line, size_t len, const uint8_t random[static SD_RANDOM_LEN],
                         bool good)
{
    uint8_t other[SD_RANDOM_LEN];
    struct sd_secrets *s = sd_secrets_new();
    memcpy(other, random, sizeof other);
    other[0] ^= 1;
    bool ok = s && sd_secrets_want(s, other) && sd_secrets_add(s, line, len);
    fuzz_check(ok && sd_secrets_unwanted(s) == good && !sd_secrets_taken(s),
               "a secret is taken that nobody wants");
    ok = sd_secrets_want(s, random) && sd_secrets_add(s, line, len);
    fuzz_check(ok && sd_secrets_taken(s) == good, "a secret is not taken although it is wanted");
    other[1] ^= 1;
    sd_secrets_want_all(s);
    fuzz_check(sd_secrets_add(s, line, len) && sd_secrets_taken(s) == 2U * good &&
                   !sd_secrets_find(s, other),
               "a key log that wants everything does not take a secret");
    sd_secrets_free(s);
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
    check_wanted(line, at, random, good);
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
                                            .suite = keylog_suites[arg & 31],
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
