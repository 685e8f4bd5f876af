/* SPDX-License-Identifier: MIT */
/* lib/flow: conversations that end before the capture does are reported and freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/ended.h"
#include "flow_tools.h"

enum {
    BUDGET = 128 << 10, /* bytes: an eighth of it holds some seven handshakes */
    CROWD = 40,
    MANY = 2000
};

static void use_port(struct rig *r, unsigned n)
{
    r->client = host(1, (uint16_t)(40000 + n));
}

static void close_both(struct rig *r)
{
    for (enum sd_side s = SD_CLIENT; s <= SD_SERVER; s++) {
        struct gram *g = gram();
        put_sealed(g, SD_CT_ALERT, 9, 26);
        send_gram(r, s, g);
    }
}

/* Each from a port of its own, one after the other. */
static void crowd(struct rig *r, unsigned count, bool closes)
{
    for (unsigned i = 0; i < count; i++, after(r, 2000)) {
        use_port(r, i);
        full_handshake(r, (uint8_t)(i + 1));
        if (closes)
            close_both(r);
    }
}

static struct rig *small_rig(void)
{
    return rig_open(&(struct sd_tracker_config){.max_bytes = BUDGET});
}

static void who_closed_is_reported_in_order_when_memory_is_needed(void **state)
{
    (void)state;
    struct rig *r = small_rig();
    crowd(r, CROWD, true);
    assert_true(r->reports > CROWD / 2);
    assert_int_equal(sd_tracker_counts(r->t).early, r->reports);
    assert_int_equal(sd_tracker_counts(r->t).evicted, 0);
    for (size_t i = 0; i < r->reports; i++) {
        assert_int_equal(r->report[i].x.id, i + 1);
        assert_int_equal(r->report[i].outcome, SD_OK);
    }
    rig_close(r);
    assert_int_equal(r->reports, CROWD);
}

static void with_room_nothing_is_reported_early(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    crowd(r, CROWD, true);
    assert_int_equal(r->reports, 0);
    rig_close(r);
    assert_int_equal(r->reports, CROWD);
}

static void memory_does_not_grow_with_the_capture(void **state)
{
    (void)state;
    struct rig *r = small_rig();
    for (unsigned i = 0; i < MANY; i++, after(r, 2000)) {
        use_port(r, i);
        full_handshake(r, (uint8_t)(i % 255 + 1));
        close_both(r);
        r->reports = 0; /* the rig has room for some */
    }
    /* The flows stay, for what comes late. */
    assert_true(r->memory.live < MANY * 600);
    r->reports = 0;
    rig_close(r);
}

/* None of them was closed: their memory is bounded, too, and they are said to be cut short. */
static void without_an_end_the_longest_silent_leaves(void **state)
{
    (void)state;
    struct rig *r = small_rig();
    crowd(r, CROWD * 2, false);
    assert_true(sd_tracker_counts(r->t).evicted > 0);
    assert_int_equal(sd_tracker_counts(r->t).early, 0);
    assert_true(r->report[0].x.evicted);
    assert_int_equal(r->report[0].outcome, SD_OK);
    rig_close(r);
}

static void who_was_silent_for_long_is_reported_as_ended(void **state)
{
    (void)state;
    struct rig *r = small_rig();
    crowd(r, 5, false);
    after(r, 700 * 1000);
    for (unsigned i = 0; i < 20; i++, after(r, 10)) {
        use_port(r, 100 + i);
        full_handshake(r, (uint8_t)(i + 1));
    }
    assert_int_equal(sd_tracker_counts(r->t).early, 5);
    assert_int_equal(sd_tracker_counts(r->t).evicted, 0);
    assert_int_equal(r->reports, 5);
    rig_close(r);
}

/* --- what comes after the end --- */

/* The first of a crowd is reported and freed; its port is in use again. */
static struct rig *after_the_first(void)
{
    struct rig *r = small_rig();
    crowd(r, 30, true);
    assert_true(r->reports > 0 && r->report[0].x.id == 1);
    use_port(r, 0);
    return r;
}

static void late_packets_begin_nothing(void **state)
{
    (void)state;
    struct rig *r = after_the_first();
    uint64_t dtls = sd_tracker_counts(r->t).dtls;
    close_both(r);
    send_data(r, SD_CLIENT, 7);
    send_client_hello(r, 0, 1, NULL); /* a copy of its hello */
    assert_int_equal(sd_tracker_counts(r->t).exchanges, 30);
    assert_int_equal(sd_tracker_counts(r->t).dtls, dtls + 4);
    rig_close(r);
    assert_int_equal(r->reports, 30);
}

static void the_same_port_may_start_again(void **state)
{
    (void)state;
    struct rig *r = after_the_first();
    full_handshake(r, 0x77);
    assert_int_equal(sd_tracker_counts(r->t).exchanges, 31);
    rig_close(r);
    const struct sd_exchange *x = &r->report[30].x;
    assert_int_equal(x->id, 31);
    assert_int_equal(x->previous, 1);
    assert_true(x->after_established);
    assert_false(x->on_sealed);
}

static void the_server_of_before_may_be_the_client(void **state)
{
    (void)state;
    struct rig *r = after_the_first();
    struct sd_addr client = r->client;
    r->client = r->server;
    r->server = client;
    full_handshake(r, 0x77);
    rig_close(r);
    assert_true(r->report[30].x.swapped);
}

/* --- handed over --- */

struct side {
    struct sd_handover to;
    unsigned taken, called;
};

static void take(void *arg, struct sd_held *h)
{
    struct side *s = arg;
    s->taken++;
    sd_ended_take(s->to.ended, h);
}

static void call(void *arg, void (*fn)(void *of), void *of)
{
    struct side *s = arg;
    s->called++;
    fn(of);
}

/* What the newest report knows of others to the same server. */
static size_t others_known;

static size_t count_others(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX])
{
    (void)findings;
    others_known = c->other_count;
    return 0;
}

/* The rig of a tracker that hands over. */
static struct rig *open_side(struct side *s)
{
    *s = (struct side){.to = {.arg = s, .take = take, .call = call}};
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_bytes = BUDGET, .handover = &s->to});
    struct sd_tracker_config judge = {.alloc = {&r->memory, memory_resize},
                                      .key = {1, 2},
                                      .arg = r,
                                      .diagnose = count_others,
                                      .done = keep_report};
    s->to.ended = sd_ended_new(&judge);
    assert_non_null(s->to.ended);
    return r;
}

static void close_side(struct rig *r, struct side *s)
{
    sd_tracker_finish(r->t);
    sd_tracker_free(r->t);
    sd_ended_free(s->to.ended);
    assert_int_equal(r->memory.live, 0);
}

static void who_ended_is_judged_when_those_after_it_are_known(void **state)
{
    (void)state;
    struct side s;
    struct rig *r = open_side(&s);
    crowd(r, CROWD, true);
    assert_true(s.taken > CROWD / 2);
    assert_int_equal(r->reports, 0);
    use_port(r, CROWD);
    full_handshake(r, 1); /* goes on */
    close_side(r, &s);
    assert_int_equal(r->reports, CROWD + 1);
    assert_int_equal(s.called, 1);
    for (size_t i = 0; i < r->reports; i++)
        assert_int_equal(r->report[i].x.id, i + 1);
    /* The last one knows those that ended before. */
    assert_true(others_known > 32);
}

/* It is reported at once, as the lines of its packets go on with the next one. */
static void who_is_superseded_is_judged_while_others_are_there(void **state)
{
    (void)state;
    struct side s;
    struct rig *r = open_side(&s);
    full_handshake(r, 1);
    send_client_hello(r, 0, 2, NULL);
    assert_int_equal(s.taken, 0);
    assert_int_equal(s.called, 1);
    assert_int_equal(r->reports, 1);
    assert_true(r->report[0].x.superseded);
    close_side(r, &s);
}

static void those_handed_over_have_a_bound(void **state)
{
    (void)state;
    struct side s;
    struct rig *r = open_side(&s);
    for (unsigned i = 0; i < MANY; i++, after(r, 2000)) {
        use_port(r, i);
        full_handshake(r, (uint8_t)(i % 255 + 1));
        close_both(r);
        r->reports = 0;
    }
    assert_true(s.taken > 1500);
    /* Of 3 kB each, some 1,000; and the flows. */
    assert_true(r->memory.live < 1200 * 3000 + MANY * 400);
    close_side(r, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_closed_is_reported_in_order_when_memory_is_needed),
        cmocka_unit_test(with_room_nothing_is_reported_early),
        cmocka_unit_test(memory_does_not_grow_with_the_capture),
        cmocka_unit_test(without_an_end_the_longest_silent_leaves),
        cmocka_unit_test(who_was_silent_for_long_is_reported_as_ended),
        cmocka_unit_test(late_packets_begin_nothing),
        cmocka_unit_test(the_same_port_may_start_again),
        cmocka_unit_test(the_server_of_before_may_be_the_client),
        cmocka_unit_test(who_ended_is_judged_when_those_after_it_are_known),
        cmocka_unit_test(who_is_superseded_is_judged_while_others_are_there),
        cmocka_unit_test(those_handed_over_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
