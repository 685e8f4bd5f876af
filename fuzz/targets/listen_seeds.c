/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_listen: clients and what goes wrong. */
#include "harness/common.h"
#include "harness/make.h"
#include "harness/senders.h"
#include "kernel/vk.h"
#include "targets/listen.h"

struct script {
    struct sd_wr w;
    uint8_t bytes[4096];
};

static void add(struct script *s, uint8_t code, uint8_t arg, const char *data, size_t len)
{
    fuzz_op_put(&s->w, code, arg, data, len);
}

static void begin_script(struct script *s, uint8_t config)
{
    s->w = sd_wr_init(s->bytes, sizeof s->bytes);
    add(s, CODE_CONFIG, config, "\1", 1);
}

static void client(struct script *s, uint8_t who, const char *twist)
{
    add(s, CODE_HELLO, who, "\7\10\0", 3);
    add(s, CODE_ANSWER, who, twist, 1);
    add(s, CODE_DATAGRAM, who, "A", 1);
    add(s, CODE_DATAGRAM, who, "R", 1);
    add(s, CODE_DATAGRAM, who, "Dhello", 6);
    add(s, CODE_SEND, who, "hello", 5);
}

static void seed(struct fuzz_seeder *to, const struct script *s)
{
    fuzz_seed(to, s->bytes, sd_wr_len(&s->w));
}

static void seed_clients(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t config = 0; config < 64; config = (uint8_t)(config + 9)) {
        char twist = (char)(config / 9);
        begin_script(&s, config);
        client(&s, config & 15, &twist);
        client(&s, config & 15, "\0");
        add(&s, CODE_TIME, 55, "", 0);
        client(&s, (config + 1) & 15, "\4");
        add(&s, CODE_DATAGRAM, config & 15, "C", 1);
        seed(to, &s);
    }
    for (unsigned rare = 1; rare < 256; rare *= 2) {
        char data[] = {0, (char)rare};
        s.w = sd_wr_init(s.bytes, sizeof s.bytes);
        add(&s, CODE_CONFIG, 8, data, sizeof data);
        client(&s, (uint8_t)(rare & 7), "\0");
        add(&s, CODE_WAIT, 200, "", 0);
        for (int i = 0; i < 3; i++)
            add(&s, CODE_TIME, 250, "", 0);
        client(&s, (uint8_t)(rare & 7), "\0\31\1");
        seed(to, &s);
    }
    begin_script(&s, 0);
    for (uint8_t who = 0; who < SENDERS; who++) {
        add(&s, CODE_HELLO, who, "\1\0\0", 3);
        add(&s, CODE_ANSWER, who, "\0", 1);
    }
    add(&s, CODE_CLOSE, 0, "", 0);
    add(&s, CODE_TIME, 120, "", 0);
    seed(to, &s);
}

static void seed_troubles(struct fuzz_seeder *to)
{
    struct script s;
    begin_script(&s, 8);
    for (uint8_t call = 0; call < 8; call++) {
        add(&s, CODE_FAULT, (uint8_t)(call * 37), "", 0);
        client(&s, call, "\0");
        add(&s, CODE_NO_MEMORY, call, "", 0);
        add(&s, CODE_SESSION, call, "", 0);
        client(&s, call, "\0");
        add(&s, CODE_DATAGRAM, call, "F", 1);
    }
    seed(to, &s);
    for (uint8_t config = 0; config < 64; config = (uint8_t)(config + 4)) {
        begin_script(&s, config);
        add(&s, CODE_CONNECT, config >> 2, "", 0);
        add(&s, CODE_ICMP, 128, "\1\0\0", 3);
        add(&s, CODE_SERVER, 0, config & 4 ? "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\1\3" : "R",
            config & 4 ? 14 : 1);
        add(&s, CODE_SERVER, 0, "R", 1);
        add(&s, CODE_SERVER, 0, "Dfrom the server", 16);
        add(&s, CODE_ICMP, 128, "\0\0\0", 3);
        add(&s, CODE_TIME, 60, "", 0);
        add(&s, CODE_CLOSE, 128, "", 0);
        seed(to, &s);
    }
}

/* A cookie that is too old when it is shown, and one that is just good. */
static void seed_late(struct fuzz_seeder *to)
{
    for (int late = 0; late < 2; late++) {
        struct script s;
        begin_script(&s, 0);
        add(&s, CODE_HELLO, 1, "\7\10\0", 3);
        for (int i = 0; i < 4 + late; i++)
            add(&s, CODE_TIME, 250, "", 0);
        add(&s, CODE_ANSWER, 1, "\0", 1);
        seed(to, &s);
    }
}

static void fault(struct script *s, uint8_t call, uint8_t error, uint8_t times)
{
    char more = (char)(call >> 3 | (error >> 3 & 1) << 1 | times << 2);
    add(s, CODE_FAULT, (uint8_t)((call & 7) | (error & 7) << 5), &more, 1);
}

/* Every kind of program and host. */
static void seed_configs(struct fuzz_seeder *to)
{
    struct script s;
    static const uint8_t mores[] = {1, 2, 4, 8, 16, 32, 64, 128, 16 | 128};
    for (size_t i = 0; i < sizeof mores; i++) {
        const uint8_t more = mores[i];
        char data[] = {0, (char)(more & MORE_EMPTY_PSK ? 0 : RARE_SOCKETS), (char)more};
        s.w = sd_wr_init(s.bytes, sizeof s.bytes);
        add(&s, CODE_CONFIG, 0, data, sizeof data);
        add(&s, CODE_CONNECT, 2, "", 0);
        for (uint8_t place = 0; place < 8; place++) {
            add(&s, CODE_LISTEN, place, "", 0);
            fault(&s, VK_BIND, place + 2U, place == 7 ? 20 : 0);
            add(&s, CODE_LISTEN, place, "", 0);
            fault(&s, VK_BIND, 9 + (place & 1), place == 7 ? 20 : 0);
            add(&s, CODE_LISTEN, place, "", 0);
            fault(&s, VK_RESOLVE, place, 1);
            add(&s, CODE_LISTEN, place, "", 0);
        }
        client(&s, 5, "\0");
        seed(to, &s);
    }
}

/* What comes back to a client of ours instead of an answer: its own hello (the first flight of a
 * session here has no random, so it is all zeros), the hello of another client, or no DTLS. Once or
 * twice, then silence. */
static void seed_replies(struct fuzz_seeder *to)
{
    enum { ECHO, RIVAL, JUNK, REPLIES };
    for (unsigned what = 0; what < 2 * REPLIES; what++) {
        uint8_t bytes[256];
        struct script s;
        struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
        begin_script(&s, 0);
        add(&s, CODE_CONNECT, 0, "", 0);
        if (what / 2 == JUNK)
            sd_wr_bytes(&w, "no DTLS", 7);
        else
            make_client_hello(&w, &(struct make_hello){.random = what / 2 == RIVAL ? 7 : 0});
        for (unsigned i = 0; i <= what % 2; i++)
            add(&s, CODE_SERVER, 0, (const char *)bytes, sd_wr_len(&w));
        add(&s, CODE_TIME, 120, "", 0);
        seed(to, &s);
    }
}

/* From the beginning a call fails, after `spared` that work. `error` and `set`: see vk_fault(). */
static void seed_failure(struct fuzz_seeder *to, uint8_t call, unsigned spared, unsigned error,
                         unsigned set)
{
    struct script s;
    enum { LATE = 23 }; /* an allocation fails as well, but the endpoint is set up before */
    const char data[] = {LATE, (char)RARE_POLLED, 0, (char)((call & 7U) | spared << 3 | error << 5),
                         (char)(call >> 3 | set << 1)};
    s.w = sd_wr_init(s.bytes, sizeof s.bytes);
    add(&s, CODE_CONFIG, 0, data, sizeof data);
    client(&s, 0, "\0");
    fault(&s, call, 9, 0);
    add(&s, CODE_WAIT, 100, "", 0);
    seed(to, &s);
}

static void seed_failures(struct fuzz_seeder *to)
{
    enum { INTERRUPTED = 7, ODD = 0 };
    for (uint8_t call = 0; call < VK_CALLS; call++)
        for (unsigned spared = 0; spared < 2; spared++) {
            seed_failure(to, call, spared, ODD, 1);
            seed_failure(to, call, spared, INTERRUPTED, 0);
        }
}

/* An established client begins again when too many clients are half-open. */
static void seed_anew(struct fuzz_seeder *to)
{
    struct script s;
    begin_script(&s, 0);
    client(&s, 0, "\0");
    for (uint8_t who = 1; who < SENDERS; who++) {
        add(&s, CODE_HELLO, who, "\1\0\0", 3);
        add(&s, CODE_ANSWER, who, "\0", 1);
    }
    add(&s, CODE_HELLO, 0, "\3\0\0", 3);
    add(&s, CODE_ANSWER, 0, "\0", 1);
    add(&s, CODE_TRAITS, 32, "", 0);
    add(&s, CODE_HELLO, 2, "\3\0\0", 3);
    add(&s, CODE_SESSION, 255, "", 0);
    for (int i = 0; i < 5; i++)
        add(&s, CODE_TIME, 250, "", 0);
    add(&s, CODE_HELLO, 2, "\3\0\0", 3);
    seed(to, &s);
}

/* A host with two addresses: the first fails, the second may fail as well. */
static void seed_addresses(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t what = 0; what < 4; what++) {
        begin_script(&s, what & 2 ? 4 : 0);
        add(&s, CODE_CONNECT, 2, "", 0);
        if (what & 1)
            fault(&s, VK_SOCKET, 5, 0);
        add(&s, CODE_ICMP, 128, "\0\0\0\1", 4);
        if (what & 2)
            add(&s, CODE_SERVER, 0, "\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\2\2\50", 15);
        for (int i = 0; i < 4; i++)
            add(&s, CODE_TIME, 100, "", 0);
        seed(to, &s);
    }
}

static void seed_sessions(struct fuzz_seeder *to)
{
    struct script s;
    begin_script(&s, 0);
    client(&s, 0, "\0");
    add(&s, CODE_SEND, 64, "a bit more than fits", 20);
    add(&s, CODE_DATAGRAM, 0, "T", 1);
    add(&s, CODE_WAIT, 100, "", 0);
    fault(&s, VK_SEND, 5, 2);
    add(&s, CODE_SEND, 64, "hello", 5);
    add(&s, CODE_DATAGRAM, 0, "X", 1);
    add(&s, CODE_SEND, 0, "hello", 5);
    add(&s, CODE_HELLO, 1, "\1\0\0", 3);
    add(&s, CODE_ANSWER, 1, "\0", 1);
    add(&s, CODE_DATAGRAM, 1, "T", 1);
    add(&s, CODE_WAIT, 100, "", 0);
    add(&s, CODE_CLOSE, 0, "", 0);
    add(&s, CODE_SEND, 0, "late", 4);
    seed(to, &s);
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    seed_configs(to);
    seed_failures(to);
    seed_replies(to);
    seed_anew(to);
    seed_addresses(to);
    seed_sessions(to);
    seed_late(to);
    seed_clients(to);
    seed_troubles(to);
}
