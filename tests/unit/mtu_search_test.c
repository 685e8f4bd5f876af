/* SPDX-License-Identifier: MIT */
/* The search against a simulated path, in virtual time. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include "mtu/search.h"

enum icmp { FILTERED, DELIVERED, LYING_LOW, LYING_HIGH };

struct path {
    unsigned limit, loss; /* loss in percent, of the round trip */
    unsigned shrunk;      /* the limit once the first one is confirmed; 0 = the same */
    enum icmp icmp;
    uint32_t seed;
    sd_time now;
};

static uint32_t draw(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void holds(const struct sd_mtu *m)
{
    assert_true(m->confirmed <= m->upper);
    assert_true(m->upper <= m->cfg.max);
    assert_true(m->probes <= m->cfg.max_probes);
    assert_true(m->confidence <= 1000);
}

static void carry(struct path *p, struct sd_mtu *m, const struct sd_mtu_step *s)
{
    if (s->size > p->limit && p->icmp != FILTERED)
        sd_mtu_hint(m, s->id,
                    p->icmp == DELIVERED   ? p->limit
                    : p->icmp == LYING_LOW ? m->cfg.min
                                           : p->limit + 50);
    if (s->size <= p->limit && draw(&p->seed) % 100 >= p->loss) {
        p->now += 20 * SD_MS;
        sd_mtu_acked(m, s->id, p->now);
    }
    if (p->shrunk && m->confirmed == p->limit)
        p->limit = p->shrunk;
}

/* Until the search ends. */
static void run(struct path *p, struct sd_mtu *m)
{
    for (unsigned i = 0; i < 1000; i++) {
        struct sd_mtu_step s = sd_mtu_next(m, p->now);
        holds(m);
        if (sd_mtu_over(m)) {
            assert_int_equal(s.size, 0);
            assert_true(s.when == SD_NEVER);
            return;
        }
        if (!s.size) {
            p->now = s.when;
            continue;
        }
        assert_true(s.size <= m->upper);
        sd_mtu_sent(m, &s, p->now);
        carry(p, m, &s);
    }
    fail_msg("the search does not end");
}

static void begin(struct sd_mtu *m, bool ipv6, unsigned max)
{
    struct sd_mtu_config cfg = sd_mtu_defaults(ipv6, max);
    sd_mtu_init(m, &cfg, 0);
}

static void every_limit(bool ipv6, unsigned max, unsigned bound)
{
    unsigned worst = 0;
    sd_time longest = 0;
    for (int icmp = FILTERED; icmp <= LYING_HIGH; icmp++) {
        for (unsigned limit = ipv6 ? 1280 : 576; limit <= max; limit++) {
            struct path p = {.limit = limit, .icmp = (enum icmp)icmp, .seed = 1};
            struct sd_mtu m;
            begin(&m, ipv6, max);
            run(&p, &m);
            if (m.confirmed != limit || m.state != SD_MTU_COMPLETE || m.confidence < 999)
                fail_msg("limit %u icmp %d: %u, state %d, confidence %u", limit, icmp, m.confirmed,
                         (int)m.state, m.confidence);
            worst = m.probes > worst ? m.probes : worst;
            longest = p.now > longest ? p.now : longest;
        }
    }
    print_message("max %u: at most %u probes, %u ms\n", max, worst, (unsigned)(longest / SD_MS));
    assert_true(worst <= bound);
    assert_true(longest <= 15 * SD_SEC);
}

static void every_limit_is_found_exactly_on_ethernet(void **state)
{
    (void)state;
    every_limit(false, 1500, 30);
    every_limit(true, 1500, 30);
}

static void every_limit_is_found_exactly_on_jumbo_frames(void **state)
{
    (void)state;
    every_limit(false, 9000, 30);
    every_limit(true, 9000, 30);
}

static void with_loss_the_result_is_right_or_not_sure(void **state)
{
    (void)state;
    static const unsigned loss[] = {5, 10, 20}, limits[] = {1500, 1400, 1280, 600, 1337};
    for (unsigned l = 0; l < 3; l++) {
        sd_time longest = 0;
        unsigned wrong = 0, sure = 0, worst = 0;
        for (uint32_t seed = 1; seed <= 2000; seed++) {
            struct path p = {
                .limit = limits[seed % 5], .loss = loss[l], .seed = seed * 2654435761U};
            struct sd_mtu m;
            begin(&m, false, 1500);
            run(&p, &m);
            assert_true(m.confirmed <= p.limit);
            sure += m.confidence >= 999;
            wrong += m.confidence >= 999 && m.confirmed != p.limit;
            worst = m.probes > worst ? m.probes : worst;
            longest = p.now > longest ? p.now : longest;
        }
        print_message("loss %u %%: of 2000 %u sure, %u of them wrong, %u probes, %u ms\n", loss[l],
                      sure, wrong, worst, (unsigned)(longest / SD_MS));
        assert_true(longest <= 15 * SD_SEC);
        assert_true(wrong <= 10); /* the confidence promises 1 in 1000; room for chance */
        assert_true(sure >= 1800);
    }
}

/* The probes of the old size are lost as well, but it stays the result: only another search finds
 * the new one. */
static void a_path_that_shrinks_meanwhile_ends_the_search(void **state)
{
    (void)state;
    struct path p = {.limit = 1400, .shrunk = 1300, .seed = 1};
    struct sd_mtu m;
    begin(&m, false, 1500);
    run(&p, &m);
    assert_int_equal(m.confirmed, 1400);
    assert_int_equal(p.limit, 1300);
    uint32_t id = m.next_id;
    struct sd_mtu_config cfg = m.cfg;
    sd_mtu_init(&m, &cfg, id);
    run(&p, &m);
    assert_int_equal(m.confirmed, 1300);
    assert_true(m.next_id > id);
}

static void an_answer_to_an_earlier_search_is_ignored(void **state)
{
    (void)state;
    struct path p = {.limit = 1500, .seed = 1};
    struct sd_mtu m;
    begin(&m, false, 1500);
    run(&p, &m);
    uint32_t id = m.next_id;
    struct sd_mtu_config cfg = m.cfg;
    sd_mtu_init(&m, &cfg, id);
    struct sd_mtu_step s = sd_mtu_next(&m, p.now);
    assert_int_equal(s.id, id);
    sd_mtu_sent(&m, &s, p.now);
    sd_mtu_acked(&m, id - 1, p.now);
    sd_mtu_acked(&m, id - SD_MTU_IDS, p.now);
    sd_mtu_acked(&m, id + SD_MTU_IDS, p.now);
    assert_int_equal(m.confirmed, 0);
}

static void absurd_hints_are_refused(void **state)
{
    (void)state;
    struct sd_mtu m;
    begin(&m, true, 1500);
    struct sd_mtu_step s = sd_mtu_next(&m, 0);
    sd_mtu_sent(&m, &s, 0);
    assert_false(sd_mtu_hint(&m, s.id, 1279));
    assert_false(sd_mtu_hint(&m, s.id, s.size));
    assert_false(sd_mtu_hint(&m, s.id + 7, 1300));
    assert_int_equal(m.confirmed, 0);
}

static void silence_ends_in_error(void **state)
{
    (void)state;
    struct path p = {.limit = 100, .seed = 1};
    struct sd_mtu m;
    begin(&m, false, 1500);
    run(&p, &m);
    assert_int_equal(m.state, SD_MTU_ERROR);
    assert_int_equal(m.confirmed, 0);
    assert_int_equal(m.probes, 3 + 6); /* of the usual size, and of the smallest */
}

static void a_late_answer_above_the_upper_bound_claims_nothing(void **state)
{
    (void)state;
    struct path p = {.limit = 1400, .seed = 1};
    struct sd_mtu m;
    begin(&m, false, 1500);
    run(&p, &m);
    for (uint32_t id = 0; id < m.next_id; id++)
        sd_mtu_acked(&m, id, p.now);
    assert_int_equal(m.confirmed, 1400);
    holds(&m);
}

static void any_order_of_events_keeps_the_invariants(void **state)
{
    (void)state;
    for (uint32_t start = 1; start <= 3000; start++) {
        uint32_t seed = start * 2654435761U;
        struct sd_mtu m;
        sd_time now = 0;
        begin(&m, draw(&seed) & 1, 500 + draw(&seed) % 9000);
        for (unsigned i = 0; i < 200; i++) {
            struct sd_mtu_step s = sd_mtu_next(&m, now);
            if (s.size) {
                assert_true(s.size <= m.upper);
                sd_mtu_sent(&m, &s, now);
            }
            uint32_t id = m.next_id - draw(&seed) % 5;
            switch (draw(&seed) % 8) {
            case 0:
                sd_mtu_hint(&m, id, draw(&seed) % 2000);
                break;
            case 1:
            case 2:
                sd_mtu_acked(&m, id, now);
                break;
            default:
                now += draw(&seed) % SD_SEC;
            }
            holds(&m);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_limit_is_found_exactly_on_ethernet),
        cmocka_unit_test(every_limit_is_found_exactly_on_jumbo_frames),
        cmocka_unit_test(with_loss_the_result_is_right_or_not_sure),
        cmocka_unit_test(a_path_that_shrinks_meanwhile_ends_the_search),
        cmocka_unit_test(an_answer_to_an_earlier_search_is_ignored),
        cmocka_unit_test(absurd_hints_are_refused),
        cmocka_unit_test(silence_ends_in_error),
        cmocka_unit_test(a_late_answer_above_the_upper_bound_claims_nothing),
        cmocka_unit_test(any_order_of_events_keeps_the_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
