/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_keylog: suites, failures, numbers, and records that nobody sealed. */
#include "targets/keylog.h"

#include <string.h>

#include "harness/common.h"

const uint16_t keylog_suites[32] = {0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9, 0xc009,
                                    0xc00a, 0xc023, 0x003d, 0xc024, 0x0041, 0x0084, 0x00ba, 0x00c0,
                                    0xc073, 0x000a, 0x0001, 0x0002, 0x003b, 0xc03b, 0xc050, 0xc051,
                                    0xc03c, 0xc03d, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0};

static const uint8_t how_old[] = {0, 1 << 5, 1 << 7}; /* DTLS 1.2, 1.0, encrypt-then-MAC */

static void put_secrets(struct sd_wr *to, uint8_t suite)
{
    bool new = keylog_suites[suite] >> 8 == 0x13;
    uint8_t is_short = keylog_suites[suite] == 0x1302 ? 0 : 8;
    for (uint8_t kind = new; kind < (new ? 5 : 1); kind++)
        fuzz_op_put(to, CODE_SECRET, (uint8_t)(kind | (new ? is_short : 0)), "\1\2", 2);
}

static void put_begin(struct sd_wr *to, uint8_t suite, uint8_t variant)
{
    bool new = keylog_suites[suite] >> 8 == 0x13;
    fuzz_op_put(to, CODE_BEGIN, (uint8_t)(suite | (new ? 2 << 5 : how_old[variant])), "\1", 1);
}

static void seed_suite(struct fuzz_seeder *s, uint8_t suite)
{
    uint8_t bytes[1024];
    struct sd_wr to = sd_wr_init(bytes, sizeof bytes);
    bool new = keylog_suites[suite] >> 8 == 0x13;
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
