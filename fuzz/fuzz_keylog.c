/* Key logs and what they open: lines of any kind, secrets found again, records that are sealed by
 * this target, and records that nobody sealed.
 *
 * What was sealed is opened as it was; with one bit changed, or by keys of the other direction,
 * nothing is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "seal.h"

#include "tls/unprotect.h"
#include "wire/dtls13.h"
#include "wire/hello.h"
#include "wire/record.h"

enum code {
    CODE_LINES,  /* text as it is */
    CODE_SECRET, /* arg: bits 0 to 2 its kind, bit 3 short, bit 4 capitals; data: client, secret */
    CODE_BEGIN,  /* arg: bits 0 to 4 the suite, 5 and 6 the version, 7 encrypt-then-MAC; client */
    CODE_SEAL,   /* arg: bit 0 from the server, 1 connection id, 2 and 3 epoch, 4 to 7 padding */
    CODE_OPEN,   /* records as they are; arg: bit 0 from the server, others the length of the CID */
    CODES
};

enum { HEAP_BASE = 16384, HEAP_PER_BYTE = 64, FLIPS = 8, LINE = 256 };

static const uint16_t suites[32] = {0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9, 0xc009,
                                    0xc00a, 0xc023, 0x003d, 0xc024, 0x0041, 0x0084, 0x00ba, 0x00c0,
                                    0xc073, 0x000a, 0x0001, 0x0002, 0x003b, 0xc03b, 0xc050, 0xc051,
                                    0xc03c, 0xc03d, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x0005};
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
    uint64_t seq;
    uint8_t out[SD_RECORD_BODY_MAX];
};

static struct world w;

static size_t lines_of(struct sd_secrets *s, struct sd_span text)
{
    struct sd_rd r = sd_rd_init(text.p, text.len);
    while (sd_rd_left(&r)) {
        const uint8_t *end = memchr(r.p, '\n', sd_rd_left(&r));
        struct sd_span line = sd_rd_bytes(&r, end ? (size_t)(end - r.p) + 1 : sd_rd_left(&r));
        uint8_t *copy = fuzz_copy(line);
        fuzz_check(sd_secrets_add(s, (char *)copy, line.len), "no memory for a line");
        free(copy);
    }
    return sd_secrets_count(s);
}

/* All at once, and line by line into a log of its own: it must be the same. */
static void add_lines(struct sd_span text)
{
    struct sd_secrets *all = sd_secrets_new(), *each = sd_secrets_new();
    uint8_t *copy = fuzz_copy(text);
    fuzz_check(all && each && sd_secrets_add(all, (char *)copy, text.len), "no memory");
    fuzz_check(lines_of(each, text) == sd_secrets_count(all) &&
                   sd_secrets_bad(all) == sd_secrets_bad(each),
               "line by line it is another key log");
    fuzz_note(sd_secrets_count(all) << 32 | sd_secrets_bad(all));
    sd_secrets_free(all);
    sd_secrets_free(each);
    fuzz_check(sd_secrets_add(w.secrets, (char *)copy, text.len), "no memory");
    free(copy);
}

static size_t put_hex(char *to, const uint8_t *bytes, size_t n, bool capitals)
{
    for (size_t i = 0; i < n; i++)
        snprintf(to + 2 * i, 3, capitals ? "%02X" : "%02x", bytes[i]);
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
    fuzz_check(sd_secrets_add(w.secrets, line, at), "no memory for a line");
    bool good = kind < SD_SECRET_KINDS && !(kind == SD_SECRET_MASTER && len != SD_MASTER_LEN);
    const struct sd_secret *found = sd_secrets_find(w.secrets, random);
    if (good)
        fuzz_check(found && found[kind].len == len && !memcmp(found[kind].bytes, secret, len),
                   "a secret is not found again");
    fuzz_check((sd_secrets_bad(w.secrets) == bad) == (good || kind >= SD_SECRET_KINDS),
               "%s is a bad line, or is not", labels[kind]);
}

static void begin(uint8_t arg, uint8_t client)
{
    w.hooks.end(w.keys);
    memset(w.client_random, client, sizeof w.client_random);
    memset(w.server_random, 0x55, sizeof w.server_random);
    w.params = (struct sd_unprotect_params){.client_random = w.client_random,
                                            .server_random = w.server_random,
                                            .version = versions[arg >> 5 & 3],
                                            .suite = suites[arg & 31],
                                            .encrypt_then_mac = arg & 128};
    w.keys = w.hooks.begin(w.hooks.arg, &w.params);
    w.seq = 0;
    fuzz_note(w.keys != NULL);
}

/* Its bytes with one bit changed are opened by nobody. */
static void check_flips(const struct sd_record *rec, bool from_server)
{
    uint8_t *copy = fuzz_copy(rec->body);
    struct sd_record other = *rec, plain;
    struct fuzz_rng rng = {rec->body.len + rec->seq};
    other.body.p = copy;
    for (unsigned i = 0; i < FLIPS && rec->body.len; i++) {
        uint64_t bit = fuzz_random(&rng) % (8 * rec->body.len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fuzz_check(!w.hooks.open(w.keys, from_server, &other, w.out, &plain),
                   "opened although bit %llu is another", (unsigned long long)bit);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(copy);
}

static struct sd_record only_record(struct sd_span datagram, size_t cid_len)
{
    struct sd_records it = sd_records_init(datagram.p, datagram.len, cid_len);
    struct sd_record rec;
    fuzz_check(sd_record_next(&it, &rec) == SD_RECORD_OK, "what was sealed is no record");
    return rec;
}

static void check_opened(const struct seal_plain *p, struct sd_span datagram, bool from_server)
{
    struct sd_record rec = only_record(datagram, p->cid.len), plain = {0};
    check_flips(&rec, from_server);
    fuzz_check(!w.hooks.open(w.keys, !from_server, &rec, w.out, &plain),
               "opened with the keys of the other direction");
    fuzz_check(w.hooks.open(w.keys, from_server, &rec, w.out, &plain),
               "what was sealed is not opened");
    fuzz_check(plain.type == p->type && plain.epoch == p->epoch && plain.seq == p->seq,
               "opened as another record: %u %u %llu", plain.type, plain.epoch,
               (unsigned long long)plain.seq);
    fuzz_check(plain.body.len == p->content.len &&
                   (!p->content.len || !memcmp(plain.body.p, p->content.p, p->content.len)),
               "%zu bytes were sealed, %zu opened", p->content.len, plain.body.len);
    fuzz_note_bytes(plain.body.p, plain.body.len);
}

static bool seal_old(struct sd_wr *to, const struct seal_plain *p, bool from_server)
{
    const struct sd_secret *s = sd_secrets_find(w.secrets, w.client_random);
    struct sd_keys12 k;
    if (!s || s[SD_SECRET_MASTER].len != SD_MASTER_LEN ||
        !sd_keys12_init(&k, &w.params, s[SD_SECRET_MASTER].bytes))
        return false;
    bool ok = seal12(to, &k, from_server, w.params.version, p);
    sd_keys12_fini(&k);
    return ok;
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
    if (!suite || traffic.len != sd_digest_len(suite->hash))
        return false;
    for (unsigned e = SD_EPOCH13_APPDATA; e < p->epoch; e++) {
        next = traffic;
        if (!sd_expand_label(suite->hash, (struct sd_span){traffic.bytes, traffic.len},
                             "traffic upd", next.bytes, traffic.len))
            return false;
        traffic = next;
    }
    return seal13(to, w.params.suite, &traffic, p);
}

/* A new secret since the keys were made, or an epoch too far ahead, and nothing can be said. */
static void seal(uint8_t arg, struct sd_span data)
{
    static const uint8_t types[] = {SD_CT_APPDATA, SD_CT_HANDSHAKE, SD_CT_ALERT, SD_CT_ACK};
    uint8_t bytes[4096];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    bool new = w.params.version == SD_DTLS_1_3, from_server = arg & 1;
    struct seal_plain p = {.type = types[data.len & 3],
                           .epoch = (uint16_t)(1 + (arg >> 2 & 3)),
                           .seq = w.seq++,
                           .cid = {(const uint8_t *)"id", arg & 2},
                           .content = data,
                           .padding = arg >> 4};
    if (new &&p.epoch == SD_EPOCH13_EARLY_DATA)
        p.epoch = SD_EPOCH13_HANDSHAKE;
    if (!w.keys || !(new ? seal_new(&to, &p, from_server) : seal_old(&to, &p, from_server)))
        return;
    uint8_t *copy = fuzz_copy((struct sd_span){bytes, sd_wr_len(&to)});
    check_opened(&p, (struct sd_span){copy, sd_wr_len(&to)}, from_server);
    free(copy);
}

static void open_raw(uint8_t arg, struct sd_span data)
{
    struct sd_records it = sd_records_init(data.p, data.len, arg >> 1);
    struct sd_record rec, plain;
    while (w.keys && sd_record_next(&it, &rec) == SD_RECORD_OK) {
        bool ok = w.hooks.open(w.keys, arg & 1, &rec, w.out, &plain);
        fuzz_check(!ok || plain.body.len <= rec.body.len, "more is opened than was sealed");
        fuzz_note(ok);
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
        /* Keys borrow the secrets of their handshake: those do not change under them. */
        w.hooks.end(w.keys);
        w.keys = NULL;
        add_secret(op->arg, first, second);
        break;
    case CODE_BEGIN:
        begin(op->arg, sd_rd_u8(&r));
        break;
    case CODE_SEAL:
        seal(op->arg, op->data);
        break;
    case CODE_OPEN:
        open_raw(op->arg, op->data);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_heap before = fuzz_heap_mark();
    struct fuzz_op op;
    w.keys = NULL;
    w.secrets = sd_secrets_new();
    w.hooks = sd_secrets_hooks(w.secrets);
    while (fuzz_op_next(&in, &op)) {
        uint8_t *copy = fuzz_copy(op.data);
        op.data.p = copy;
        apply(&op);
        free(copy);
    }
    w.hooks.end(w.keys);
    sd_secrets_free(w.secrets);
    struct fuzz_heap after = fuzz_heap_now();
    fuzz_check(after.blocks == before.blocks && after.bytes == before.bytes, "the heap leaks");
    fuzz_check(after.peak - before.bytes <= HEAP_BASE + HEAP_PER_BYTE * size,
               "%zu bytes of heap for %zu read", after.peak - before.bytes, size);
    return 0;
}

/* --- seeds --- */

static void seed_suite(struct fuzz_seeder *s, uint8_t suite)
{
    uint8_t bytes[1024];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    bool new = suites[suite] >> 8 == 0x13;
    uint8_t is_short = suites[suite] == 0x1302 ? 0 : 8;
    for (uint8_t kind = new; kind < (new ? 5 : 1); kind++)
        fuzz_op_put(&to, CODE_SECRET, (uint8_t)(kind | (new ? is_short : 0)), "\1\2", 2);
    for (uint8_t variant = 0; variant < (new ? 1 : 3); variant++) {
        static const uint8_t how[] = {0, 1 << 5, 1 << 7};
        fuzz_op_put(&to, CODE_BEGIN, (uint8_t)(suite | (new ? 2 << 5 : how[variant])), "\1", 1);
        fuzz_op_put(&to, CODE_SEAL, 4, "hello", 5);
        fuzz_op_put(&to, CODE_SEAL, 5 | 16, "", 0);
        fuzz_op_put(&to, CODE_SEAL, 8 | 2 | 48, "with an id", 10);
        fuzz_op_put(&to, CODE_SEAL, 12 | 1, "later", 5);
    }
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
    for (uint8_t suite = 0; suite < 32; suite++)
        seed_suite(s, suite);
}
