/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_demux: crowds, failures and odd kernels. */
#include <string.h>

#include "harness/common.h"
#include "kernel/vk.h"
#include "targets/demux.h"

struct script {
    struct sd_wr w;
    uint8_t bytes[1024];
};

static void add(struct script *s, uint8_t code, uint8_t arg, const char *data)
{
    fuzz_op_put(&s->w, code, arg, data, strlen(data));
}

static void begin_script(struct script *s, uint8_t config)
{
    s->w = sd_wr_init(s->bytes, sizeof s->bytes);
    add(s, CODE_CONFIG, config, "\1");
}

static void everybody(struct script *s)
{
    for (uint8_t who_ = 0; who_ < SENDERS; who_++)
        add(s, CODE_DELIVER, who_, "hello");
    add(s, CODE_NEXT, 1, "");
    for (uint8_t who_ = 0; who_ < SENDERS; who_++) {
        add(s, CODE_DELIVER, who_, "more");
        add(s, CODE_SEND, who_, "answer");
    }
}

static void fault(struct script *s, uint8_t call, uint8_t after, uint8_t error, uint8_t times)
{
    uint8_t more = (uint8_t)(call >> 3 | (error >> 3 & 1) << 1 | times << 2);
    fuzz_op_put(&s->w, CODE_FAULT, (uint8_t)((call & 7) | after << 3 | (error & 7) << 5), &more, 1);
}

static void seed(struct fuzz_seeder *to, const struct script *s)
{
    fuzz_seed(to, s->bytes, sd_wr_len(&s->w));
}

static void seed_peers(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t config = 0; config < 16; config = (uint8_t)(config + 5)) {
        begin_script(&s, config);
        add(&s, CODE_WINDOW, 0, "\1\2\3");
        everybody(&s);
        add(&s, CODE_CLOSE, 0, "");
        add(&s, CODE_DELIVER, 0, "late");
        add(&s, CODE_NEXT, 5, "");
        add(&s, CODE_TIME, 15, "");
        add(&s, CODE_NEXT, 0, "");
        seed(to, &s);
    }
    begin_script(&s, 6);
    for (uint8_t c = 0; c < CLIENTS; c++) {
        add(&s, CODE_WINDOW, 0, "\1\4");
        add(&s, CODE_CONNECT, (uint8_t)(c | c << 2), "");
        add(&s, CODE_DELIVER, 128 | c, "from the server");
        add(&s, CODE_SEND, 128 | c, "to the server");
        add(&s, CODE_ICMP, 128 | c, "\1\5\1");
    }
    add(&s, CODE_DELIVER, 32, "huge");
    add(&s, CODE_NEXT, 0, "");
    add(&s, CODE_CLOSE, 129, "");
    seed(to, &s);
}

/* More peers than the table and the timers hold at first, and than one round serves. */
static void seed_crowd(struct fuzz_seeder *to)
{
    struct script s;
    for (int connected = 0; connected < 2; connected++) {
        s.w = sd_wr_init(s.bytes, sizeof s.bytes);
        add(&s, CODE_CONFIG, 0, connected ? "\1\120" : "\1");
        for (uint8_t part = 30; part <= CROWD; part = (uint8_t)(part + 25)) {
            add(&s, CODE_CROWD, part, "");
            add(&s, CODE_NEXT, 1, "");
        }
        add(&s, CODE_CROWD, CROWD, "");
        add(&s, CODE_NEXT, 0, "");
        add(&s, CODE_LEAVE, CROWD, "");
        seed(to, &s);
    }
}

/* A table that cannot grow. */
static void seed_no_room(struct fuzz_seeder *to)
{
    struct script s;
    s.w = sd_wr_init(s.bytes, sizeof s.bytes);
    add(&s, CODE_CONFIG, 0, "\1\120");
    add(&s, CODE_CROWD, 32, "");
    add(&s, CODE_NEXT, 1, "");
    add(&s, CODE_CROWD, 64, "");
    add(&s, CODE_NEXT, 1, "");
    add(&s, CODE_CROWD, 65, "");
    add(&s, CODE_NO_MEMORY, 2, "");
    add(&s, CODE_NEXT, 1, "");
    seed(to, &s);
}

/* Every call fails once with every error, before and while there are peers. */
static void seed_faults(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t call = 0; call < VK_CALLS; call++) {
        for (uint8_t after = 0; after < 4; after++) {
            uint8_t config[] = {0, 8, 0, (uint8_t)((call & 7) | after << 3),
                                (uint8_t)(2 | call >> 3)};
            s.w = sd_wr_init(s.bytes, sizeof s.bytes);
            fuzz_op_put(&s.w, CODE_CONFIG, 0, config, sizeof config);
            add(&s, CODE_ADOPT, (uint8_t)(2 | after), "");
            for (uint8_t error = 5; error < 9; error++) {
                fault(&s, call, after, error, 0);
                add(&s, CODE_ADOPT, after, "");
                add(&s, CODE_LISTEN, (uint8_t)(2 + 4 * after), "");
                add(&s, CODE_CONNECT, (uint8_t)(error | 8), "");
                add(&s, CODE_DELIVER, error, "hello");
                add(&s, CODE_NEXT, 1, "");
                add(&s, CODE_SEND, error, "hello");
                add(&s, CODE_WAIT, 5, "");
                add(&s, CODE_ARM, error, "");
            }
            add(&s, CODE_WAIT, 255, "");
            seed(to, &s);
        }
    }
}

/* A socket that yields only errors and cannot be watched when its pause is over. */
static void seed_pause(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t who_ = 0; who_ < 2; who_++) {
        begin_script(&s, 4);
        add(&s, CODE_DELIVER, 0, "hello");
        add(&s, CODE_NEXT, 1, "");
        add(&s, CODE_DELIVER, who_, "more");
        fault(&s, VK_RECV, 0, 5, 20);
        add(&s, CODE_NEXT, 0, "");
        fault(&s, VK_EPOLL, 0, 11, who_);
        if (!who_)
            add(&s, CODE_CLOSE, 0, "");
        add(&s, CODE_TIME, 15, "");
        add(&s, CODE_NEXT, 0, "");
        seed(to, &s);
    }
}

static void seed_reports(struct fuzz_seeder *to)
{
    struct script s;
    begin_script(&s, 4);
    add(&s, CODE_DELIVER, 0, "hello");
    add(&s, CODE_NEXT, 1, "");
    for (uint8_t traits = 1; traits <= VK_ICMP_EMPTY; traits = (uint8_t)(traits * 2)) {
        uint8_t told[] = {2, 5, 0, traits};
        fuzz_op_put(&s.w, CODE_ICMP, 0, told, sizeof told);
        add(&s, CODE_NEXT, 0, "");
    }
    fault(&s, VK_REPORT, 0, 11, 0);
    add(&s, CODE_ICMP, 0, "\1\5\1");
    add(&s, CODE_NEXT, 0, "");
    add(&s, CODE_DELIVER, 0, "left");
    add(&s, CODE_CLOSE, 0, "");
    add(&s, CODE_ICMP, 0, "\1\5\1");
    seed(to, &s);
}

static void seed_oddities(struct fuzz_seeder *to)
{
    struct script s;
    for (uint8_t who_ = 0; who_ < SENDERS; who_++) {
        uint8_t config[] = {0, 0, (uint8_t)(1 << who_ % 3)};
        s.w = sd_wr_init(s.bytes, sizeof s.bytes);
        fuzz_op_put(&s.w, CODE_CONFIG, 4, config, sizeof config);
        for (uint8_t trait = VK_EARLY; trait <= VK_NAMELESS; trait = (uint8_t)(trait * 2)) {
            add(&s, CODE_TRAITS, trait, "");
            add(&s, CODE_DELIVER, 64 | who_, "odd");
            add(&s, CODE_NEXT, 1, "");
        }
        add(&s, CODE_LISTEN, 2 | who_ >> 2, "");
        add(&s, CODE_DELIVER, who_, "hello");
        add(&s, CODE_NEXT, 1, "");
        add(&s, CODE_RETIRE, who_ >> 2, "");
        add(&s, CODE_SEND, who_, "hello");
        fault(&s, VK_NAME, 0, 5, 0);
        add(&s, CODE_CLOSE, who_, "");
        add(&s, CODE_SIEGE, who_, "\x78");
        seed(to, &s);
    }
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    seed_peers(to);
    seed_crowd(to);
    seed_no_room(to);
    seed_faults(to);
    seed_pause(to);
    seed_reports(to);
    seed_oddities(to);
}
