/* SPDX-License-Identifier: MIT */
/* lib/flow: the tracker's limits, its memory, and what it does when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_fakes.h"
#include "flow_tools.h"

/* --- limits --- */

static void the_longest_silent_leaves_and_is_reported(void **state)
{
    (void)state;
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = 4});
    for (uint16_t i = 0; i < 10; i++, after(r, 10)) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_client_hello(r, 0, (uint8_t)(i + 1), NULL);
    }
    assert_int_equal(r->reports, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(r->report[i].x.id, i + 1);
        assert_true(r->report[i].x.evicted);
        assert_int_equal(r->report[i].outcome, SD_INCOMPLETE);
    }
    struct sd_tracker_counts counts = sd_tracker_counts(r->t);
    assert_int_equal(counts.exchanges, 10);
    assert_int_equal(counts.evicted, 6);
    rig_close(r);
    assert_int_equal(r->reports, 10);
    assert_false(r->report[9].x.evicted);
}

static void of_who_was_evicted_nobody_says_it_failed(void **state)
{
    (void)state;
    for (size_t room = 1; room <= 2; room++) {
        struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = room});
        for (uint64_t i = 0; i < 6; i++, after(r, 1000))
            send_client_hello(r, i, 0x11, NULL);
        r->client = host(3, 40000);
        send_client_hello(r, 0, 0x22, NULL);
        rig_close(r);
        assert_int_equal(r->report[0].outcome, room == 1 ? SD_INCOMPLETE : SD_FAILED);
    }
}

static void who_still_speaks_is_not_evicted(void **state)
{
    (void)state;
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = 4});
    for (uint16_t i = 0; i < 20; i++, after(r, 10)) {
        r->client = host(1, 40000);
        send_client_hello(r, i, 0x11, NULL);
        r->client = host(1, (uint16_t)(41000 + i));
        send_client_hello(r, 0, (uint8_t)(0x20 + i), NULL);
    }
    rig_close(r);
    for (size_t i = 0; i < r->reports; i++)
        assert_false(r->report[i].x.client_random[0] == 0x11 && r->report[i].x.evicted);
}

static size_t peak_of(uint16_t handshakes)
{
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = 8});
    for (uint16_t i = 0; i < handshakes; i++) {
        r->client = host(1, (uint16_t)(10000 + i));
        full_handshake(r, (uint8_t)i);
    }
    rig_close(r);
    return r->memory.peak;
}

static void memory_does_not_grow_with_what_was_evicted(void **state)
{
    (void)state;
    assert_int_equal(peak_of(9), peak_of(900));
}

static void silence_ends_a_flow_where_wanted(void **state)
{
    (void)state;
    struct rig *r = rig_open(&(struct sd_tracker_config){.idle = 60000 * MS});
    full_handshake(r, 0x11);
    sd_tracker_tick(r->t, r->now + 59000 * MS);
    assert_int_equal(r->reports, 0);
    sd_tracker_tick(r->t, r->now + 61000 * MS);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->memory.blocks, 1); /* the tracker itself */
    rig_close(r);
    assert_int_equal(r->reports, 1);
}

static size_t count_judgements(struct sd_case *c,
                               struct sd_finding findings[static SD_FINDINGS_MAX])
{
    (void)findings;
    ++*(unsigned *)c->certs->arg;
    return 0;
}

/* A handshake that is snapped, so that nothing may be said of it. */
static void what_stays_unclear_is_not_judged_at_every_tick(void **state)
{
    (void)state;
    enum { TICKS = 4000 };
    static const uint32_t two[] = {100, 100};
    unsigned calls = 0;
    uint8_t chain[300];
    struct sd_cert_reader reader = {.arg = &calls};
    struct rig *r = rig_open(&(struct sd_tracker_config){
        .prompt = true, .certs = &reader, .diagnose = count_judgements});
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    put_server_hello(g, 0, 0, 0x99);
    put_message(g, 1, SD_HS_CERTIFICATE, 1, chain, certificate(chain, sizeof chain, two, 2));
    put_message(g, 2, SD_HS_SERVER_HELLO_DONE, 2, "", 0);
    send_snapped(r, SD_SERVER, g, sd_wr_len(&g->w) - 5);
    for (int64_t i = 0; i < TICKS; i++)
        sd_tracker_tick(r->t, r->now + 250 * MS * i);
    assert_int_equal(r->reports, 0);
    assert_in_range(calls, 1, 20);
    rig_close(r);
    assert_int_equal(r->reports, 1);
}

static void of_the_next_handshake_it_is_asked_afresh(void **state)
{
    (void)state;
    struct rig *r = rig_open(&(struct sd_tracker_config){.prompt = true});
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1000000);
    sd_tracker_tick(r->t, r->now);
    for (uint64_t i = 0; i < 2; i++, after(r, 1000))
        send_client_hello(r, i, 0x22, NULL);
    assert_int_equal(r->reports, 1);
    after(r, 20000);
    sd_tracker_tick(r->t, r->now);
    assert_int_equal(r->reports, 2);
    assert_int_equal(r->report[1].outcome, SD_FAILED);
    rig_close(r);
}

static void what_is_clear_is_told_at_a_tick(void **state)
{
    (void)state;
    struct rig *r = rig_open(&(struct sd_tracker_config){.prompt = true});
    full_handshake(r, 0x11);
    sd_tracker_tick(r->t, r->now + 1000 * MS);
    assert_int_equal(r->reports, 0);
    sd_tracker_tick(r->t, r->now + 3000 * MS);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].outcome, SD_OK);
    rig_close(r);
    assert_int_equal(r->reports, 1);
}

static void the_log_is_bounded_and_what_decides_still_fits(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2 * SD_LOG_MAX; i++, after(r, 1000))
        send_client_hello(r, i, 0x11, NULL);
    struct gram *g = gram();
    put_alert(g, 0, SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE);
    send_gram(r, SD_SERVER, g);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_in_range(p->x.count, SD_LOG_MAX / 2, SD_LOG_MAX);
    assert_int_equal(p->x.count + p->x.unlogged, 2 * SD_LOG_MAX + 1);
    assert_int_equal(p->x.hellos_plain, 2 * SD_LOG_MAX);
    assert_non_null(event(p, SD_EV_ALERT, SD_ALERT_HANDSHAKE_FAILURE, 0));
    assert_int_equal(p->outcome, SD_FAILED);
}

static void even_alerts_do_not_exceed_the_log(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    for (uint64_t i = 0; i < 2 * SD_LOG_MAX; i++) {
        struct gram *g = gram();
        put_alert(g, i, SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE);
        send_gram(r, SD_SERVER, g);
    }
    rig_close(r);
    assert_int_equal(r->report[0].x.count, SD_LOG_MAX);
}

/* More records than the scratch holds, in one datagram. */
static void a_datagram_of_many_records_is_counted_on(void **state)
{
    (void)state;
    enum { RECORDS = 2000 };
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    for (uint64_t i = 0; i < RECORDS; i++)
        put_message(g, i, SD_HS_SERVER_HELLO_DONE, 1, "", 0);
    send_gram(r, SD_SERVER, g);
    rig_close(r);
    assert_int_equal(r->report[0].x.side[SD_SERVER].plain.max, RECORDS - 1);
    assert_in_range(r->report[0].x.count, 2, SD_LOG_MAX);
}

static void application_data_is_counted_not_logged(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    for (uint64_t i = 1; i <= 1000; i++)
        send_data(r, SD_CLIENT, i);
    rig_close(r);
    assert_int_equal(r->report[0].x.side[SD_CLIENT].appdata, 1000);
    assert_in_range(r->report[0].x.count, 12, 12 + SD_LOG_APPDATA);
}

/* --- reassembly --- */

static void hello_in_pieces(struct rig *r, uint8_t random, uint32_t step, uint32_t most)
{
    struct hello_body b = client_hello(&(struct hello_options){.random = random});
    struct sd_span all = hello_span(&b);
    for (uint32_t at = 0, seq = 0; at < all.len && at < most; at += step, seq++) {
        uint32_t n = all.len - at < step ? (uint32_t)all.len - at : step;
        struct gram *g = gram();
        put_fragment(g, seq, SD_HS_CLIENT_HELLO, 0, all, at, n);
        send_gram(r, SD_CLIENT, g);
    }
}

static void a_message_in_pieces_becomes_whole(void **state)
{
    (void)state;
    size_t whole = client_hello(&(struct hello_options){.random = 1}).len;
    for (uint32_t step = 1; step < 50; step++) {
        struct rig *r = rig_open(NULL);
        hello_in_pieces(r, 0x11, step, UINT32_MAX);
        rig_close(r);
        assert_int_equal(r->reports, 1);
        assert_int_equal(r->report[0].kept[SD_KEPT_CLIENT_HELLO], whole);
        assert_int_equal(r->report[0].x.hello_fragments, (whole + step - 1) / step);
    }
}

static void pieces_beyond_the_budget_are_followed_not_kept(void **state)
{
    (void)state;
    static uint8_t bytes[4000];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_pending = 6000});
    for (uint16_t i = 0; i < 3; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_client_hello(r, 0, (uint8_t)(i + 1), NULL);
        send_piece(r, 1, message, 0, 1000);
    }
    for (uint16_t i = 0; i < 3; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_piece(r, 2, message, 1000, sizeof bytes);
    }
    rig_close(r);
    assert_int_equal(r->report[0].kept[SD_KEPT_SERVER_CERTIFICATE], sizeof bytes);
    /* The second one's place became free too late for its first piece. */
    assert_int_equal(r->report[1].kept[SD_KEPT_SERVER_CERTIFICATE], 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(r->report[i].x.count, 3);
}

static void whole_messages_have_a_budget_of_their_own(void **state)
{
    (void)state;
    static uint8_t bytes[4000];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_kept = 6000});
    for (uint16_t i = 0; i < 2; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_client_hello(r, 0, (uint8_t)(i + 1), NULL);
        send_piece(r, 1, message, 0, sizeof bytes);
    }
    rig_close(r);
    assert_int_equal(r->report[0].kept[SD_KEPT_SERVER_CERTIFICATE], sizeof bytes);
    assert_int_equal(r->report[1].kept[SD_KEPT_SERVER_CERTIFICATE], 0);
    assert_int_equal(r->report[1].x.count, 2);
}

static void what_became_whole_is_no_burden_to_the_budget(void **state)
{
    (void)state;
    static uint8_t bytes[4000];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_pending = 6000});
    for (uint16_t i = 0; i < 10; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_client_hello(r, 0, (uint8_t)(i + 1), NULL);
        send_piece(r, 1, message, 0, 1000);
        send_piece(r, 2, message, 1000, sizeof bytes);
    }
    rig_close(r);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(r->report[i].kept[SD_KEPT_SERVER_CERTIFICATE], sizeof bytes);
}

static void nor_are_pieces_of_who_is_gone(void **state)
{
    (void)state;
    static uint8_t bytes[4000];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = 1, .max_pending = 6000});
    for (uint16_t i = 0; i < 10; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        send_client_hello(r, 0, (uint8_t)(i + 1), NULL);
        send_piece(r, 1, message, 0, 1000);
    }
    send_piece(r, 2, message, 1000, sizeof bytes);
    rig_close(r);
    assert_int_equal(r->report[9].kept[SD_KEPT_SERVER_CERTIFICATE], sizeof bytes);
}

/* A byte of each of many messages that claim to be long. */
static void a_claimed_length_takes_no_more_than_the_budget(void **state)
{
    (void)state;
    enum { BUDGET = 1 << 20 };
    static uint8_t bytes[1 << 16];
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_pending = BUDGET});
    for (uint16_t flow = 0; flow < 40; flow++) {
        r->client = host(1, (uint16_t)(40000 + flow));
        for (uint16_t m = 0; m < 20; m++) {
            struct gram *g = gram();
            put_fragment(g, m, SD_HS_CERTIFICATE, m, (struct sd_span){bytes, sizeof bytes}, 0, 1);
            send_gram(r, SD_SERVER, g);
        }
    }
    assert_true(r->memory.live > BUDGET / 2);
    assert_true(r->memory.live < BUDGET + BUDGET / 2);
    rig_close(r);
}

static void a_message_longer_than_any_real_one_is_not_kept(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    size_t before = r->memory.live;
    g = gram();
    static const uint8_t header[] = {
        SD_HS_CERTIFICATE, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 1, 0x30};
    put_record(g, SD_CT_HANDSHAKE, 0, 1, header, sizeof header);
    send_gram(r, SD_SERVER, g);
    assert_int_equal(r->memory.live, before);
    rig_close(r);
}

/* --- memory --- */

/* What one handshake in progress takes, besides the tracker and what it keeps whole. */
static void a_handshake_of_20_events_takes_little(void **state)
{
    (void)state;
    enum { PER_FLOW = 2 << 10 };
    struct rig *r = rig_open(NULL);
    size_t before = r->memory.live;
    full_handshake(r, 0x11);
    for (uint64_t i = 1; i <= 4; i++) {
        send_data(r, SD_CLIENT, i);
        send_data(r, SD_SERVER, i);
    }
    size_t taken = r->memory.live - before, kept = 0;
    rig_close(r);
    for (size_t i = 0; i < SD_KEPTS; i++)
        kept += r->report[0].kept[i];
    print_message("  %u events: %zu bytes, and %zu of messages\n", r->report[0].x.count,
                  taken - kept, kept);
    assert_int_equal(r->report[0].x.count, 20);
    assert_true(taken - kept < PER_FLOW);
}

/* A bit of everything, through every place that takes memory. */
static void live_through(struct rig *r)
{
    static uint8_t bytes[3000];
    static const struct sd_span message = {bytes, sizeof bytes};
    for (uint16_t i = 0; i < 6; i++) {
        r->client = host(1, (uint16_t)(40000 + i));
        full_handshake(r, (uint8_t)(i + 1));
        send_data(r, SD_CLIENT, 1);
        if (i % 2)
            send_other(r, SD_SERVER, SD_PAYLOAD_OTHER);
        r->client = host(4, (uint16_t)(40000 + i));
        send_data(r, SD_CLIENT, 2);
        r->client = host(1, (uint16_t)(40000 + i));
        hello_in_pieces(r, (uint8_t)(0x81 + i), 20, i % 2 ? 60 : UINT32_MAX);
        send_piece(r, 1, message, 0, 1000);
        send_piece(r, 2, message, 1000, sizeof bytes);
        send_icmp(r, 3, 3);
        for (uint64_t k = 0; k < 40; k++, after(r, 100))
            send_client_hello(r, 10 + k, (uint8_t)(0x81 + i), NULL);
    }
    r->client = host(3, 40000);
    for (uint64_t i = 0; i < 5; i++)
        send_data(r, SD_CLIENT, i);
}

static bool survives(long fail_at, bool forever, bool with_keys)
{
    struct fake_certs certs = {.cert[1] = fake_cert("example.org")};
    struct sd_cert_reader reader = fake_reader(&certs);
    unsigned keys = 0;
    struct sd_unprotect unprotect = fake_unprotect(&keys);
    struct rig *r = rig_open_failing(
        &(struct sd_tracker_config){
            .max_flows = 4, .certs = &reader, .unprotect = with_keys ? &unprotect : NULL},
        fail_at, forever);
    if (r->t) {
        live_through(r);
        bool failed = r->memory.calls > fail_at;
        assert_true(!failed || sd_tracker_counts(r->t).no_memory || fail_at == NO_FAILURE);
        rig_close(r);
    }
    assert_int_equal(r->memory.live, 0);
    assert_int_equal(keys, 0);
    return r->memory.calls <= fail_at;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    for (int with_keys = 0; with_keys < 2; with_keys++) {
        long n = 0;
        while (!survives(n, false, with_keys))
            n++;
        assert_true(n > 50);
    }
}

static void memory_may_run_out_for_good_at_any_time(void **state)
{
    (void)state;
    for (int with_keys = 0; with_keys < 2; with_keys++) {
        long n = 0;
        while (!survives(n, true, with_keys))
            n++;
        assert_true(n > 50);
    }
}

/* After a failure the next handshake is followed as if nothing had been. */
static void what_comes_after_a_failure_is_whole(void **state)
{
    (void)state;
    for (long n = 1; n < 40; n++) {
        struct rig *r = rig_open_failing(NULL, n, false);
        full_handshake(r, 0x11);
        r->memory.fail_at = NO_FAILURE;
        full_handshake(r, 0x22);
        rig_close(r);
        assert_true(r->reports >= 1);
        assert_int_equal(r->report[r->reports - 1].outcome, SD_OK);
        assert_int_equal(r->report[r->reports - 1].x.client_random[0], 0x22);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_silent_leaves_and_is_reported),
        cmocka_unit_test(of_who_was_evicted_nobody_says_it_failed),
        cmocka_unit_test(who_still_speaks_is_not_evicted),
        cmocka_unit_test(memory_does_not_grow_with_what_was_evicted),
        cmocka_unit_test(silence_ends_a_flow_where_wanted),
        cmocka_unit_test(what_stays_unclear_is_not_judged_at_every_tick),
        cmocka_unit_test(of_the_next_handshake_it_is_asked_afresh),
        cmocka_unit_test(what_is_clear_is_told_at_a_tick),
        cmocka_unit_test(the_log_is_bounded_and_what_decides_still_fits),
        cmocka_unit_test(even_alerts_do_not_exceed_the_log),
        cmocka_unit_test(a_datagram_of_many_records_is_counted_on),
        cmocka_unit_test(application_data_is_counted_not_logged),
        cmocka_unit_test(a_message_in_pieces_becomes_whole),
        cmocka_unit_test(pieces_beyond_the_budget_are_followed_not_kept),
        cmocka_unit_test(whole_messages_have_a_budget_of_their_own),
        cmocka_unit_test(what_became_whole_is_no_burden_to_the_budget),
        cmocka_unit_test(nor_are_pieces_of_who_is_gone),
        cmocka_unit_test(a_claimed_length_takes_no_more_than_the_budget),
        cmocka_unit_test(a_message_longer_than_any_real_one_is_not_kept),
        cmocka_unit_test(a_handshake_of_20_events_takes_little),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_run_out_for_good_at_any_time),
        cmocka_unit_test(what_comes_after_a_failure_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
