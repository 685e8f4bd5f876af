/* SPDX-License-Identifier: MIT */
/* lib/flow/view: a log read as a handshake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_tools.h"

/* The capture goes on, with others. */
static void time_passes(struct rig *r, int64_t ms)
{
    struct sd_addr client = r->client;
    after(r, ms);
    r->client = host(77, 7777);
    send_client_hello(r, 0, 0x77, NULL);
    r->client = client;
}

static const struct report *first_report(struct rig *r)
{
    rig_close(r);
    assert_true(r->reports >= 1);
    assert_int_equal(r->report[0].x.id, 1);
    return &r->report[0];
}

/* The client's hello at each of these times, in ms. */
static struct rig *hellos_at(const int64_t *ms, size_t count)
{
    struct rig *r = rig_open(NULL);
    for (size_t i = 0; i < count; i++) {
        r->now = EPOCH_2024 * 1000 * MS + ms[i] * MS;
        send_client_hello(r, i, 0x11, NULL);
    }
    return r;
}

/* --- bursts --- */

static void each_flight_is_a_burst(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(v->burst_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(v->bursts[i].flight, i + 1);
        assert_int_equal(v->bursts[i].side, i % 2 ? SD_SERVER : SD_CLIENT);
        assert_int_equal(v->bursts[i].cause, SD_CAUSE_FIRST);
        assert_int_equal(v->bursts[i].number, i + 1);
    }
    assert_int_equal(v->bursts[3].end - v->bursts[3].first, 4);
    assert_int_equal(v->backoff, 0);
}

static void a_flight_in_several_datagrams_is_one_burst(void **state)
{
    (void)state;
    static uint8_t bytes[900];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    for (uint32_t i = 0; i < 3; i++, after(r, 39))
        send_piece(r, i, message, 300 * i, 300 * (i + 1));
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(v->burst_count, 2);
    assert_int_equal(v->bursts[1].stop - v->bursts[1].start, 78 * MS);
}

static void a_hello_again_is_sent_by_a_timer(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 1000, 3000};
    const struct sd_view *v = &first_report(hellos_at(at, 3))->view;
    assert_int_equal(v->burst_count, 3);
    assert_int_equal(v->bursts[0].cause, SD_CAUSE_FIRST);
    assert_int_equal(sd_view_bursts(v, SD_CLIENT, 1), 3);
    assert_int_equal(sd_view_caused(v, SD_CLIENT, 1, SD_CAUSE_TIMER), 2);
    assert_int_equal(v->backoff, 2000 * MS);
    assert_ptr_equal(sd_view_burst(v, SD_CLIENT, 1), &v->bursts[0]);
    assert_null(sd_view_burst(v, SD_SERVER, 1));
}

static void even_in_a_moment_the_same_bytes_are_another_burst(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 5};
    assert_int_equal(first_report(hellos_at(at, 2))->view.burst_count, 2);
}

static void what_the_network_copied_is_no_burst(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    send_client_hello(r, 0, 0x11, NULL);
    assert_int_equal(first_report(r)->view.burst_count, 1);
}

static void a_request_again_answers_a_hello_again(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 3; i++, after(r, 900)) {
        struct gram *g;
        send_client_hello(r, i, 0x11, NULL);
        after(r, 100);
        g = gram();
        put_hello_verify(g, i, "cookie");
        send_gram(r, SD_SERVER, g);
    }
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(sd_view_caused(v, SD_SERVER, 2, SD_CAUSE_RESPONSE), 2);
    assert_int_equal(sd_view_caused(v, SD_CLIENT, 1, SD_CAUSE_TIMER), 2);
}

static void a_flight_right_after_the_peers_repeat_is_a_response(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2; i++, after(r, 1000)) {
        send_client_hello(r, i, 0x11, NULL);
        after(r, 1);
        send_server_flight(r, 4 * i, 0, 0x99);
    }
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_RESPONSE), 1);
    assert_int_equal(sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_TIMER), 0);
}

static void a_flight_again_by_itself_is_the_timers(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    for (uint64_t i = 0; i < 3; i++, after(r, 1000))
        send_server_flight(r, 4 * i, 0, 0x99);
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_TIMER), 2);
}

/* On a way of so many ms the answer is 10 ms ahead of the repetition. */
static const struct sd_view *answer_meets_repetition(int64_t way)
{
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, way);
    send_server_flight(r, 0, 0, 0x99);
    after(r, 990);
    send_client_flight(r, 1, 1);
    after(r, 10);
    send_server_flight(r, 4, 0, 0x99);
    return &first_report(r)->view;
}

static void an_answer_under_way_crosses_the_repetition(void **state)
{
    (void)state;
    const struct sd_view *v = answer_meets_repetition(600);
    assert_int_equal(sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_CROSSED), 1);
}

static void on_a_short_way_nothing_crosses(void **state)
{
    (void)state;
    const struct sd_view *v = answer_meets_repetition(1);
    assert_int_equal(sd_view_caused(v, SD_SERVER, 4, SD_CAUSE_TIMER), 1);
}

static void more_bursts_than_fit_are_left_out(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2 * SD_BURSTS_MAX; i++, after(r, 1000))
        send_client_hello(r, i, 0x11, NULL);
    assert_int_equal(first_report(r)->view.burst_count, SD_BURSTS_MAX);
}

/* --- messages --- */

static void a_message_shows_which_bytes_of_it_came(void **state)
{
    (void)state;
    static uint8_t bytes[600];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    send_piece(r, 1, message, 0, 200);
    send_piece(r, 3, message, 400, 600);
    after(r, 1000);
    send_piece(r, 4, message, 0, 200);
    const struct sd_view *v = &first_report(r)->view;
    const struct sd_part *p = sd_view_part(v, SD_SERVER, SD_HS_CERTIFICATE);
    assert_non_null(p);
    assert_false(p->whole || p->crowded);
    assert_int_equal(p->length, 600);
    assert_int_equal(p->have_count, 2);
    assert_int_equal(p->have[0].to, 200);
    assert_int_equal(p->have[1].from, 400);
    assert_int_equal(p->sent, 2);
    assert_int_equal(p->last - p->first, 1000 * MS);
    assert_true(sd_view_part(v, SD_CLIENT, SD_HS_CLIENT_HELLO)->whole);
    assert_null(sd_view_part(v, SD_CLIENT, SD_HS_CERTIFICATE));
}

static void too_many_ranges_make_a_message_crowded(void **state)
{
    (void)state;
    static uint8_t bytes[600];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    for (uint32_t i = 0; i < SD_RANGES_MAX + 1; i++)
        send_piece(r, i, message, 20 * i, 20 * i + 10);
    const struct sd_part *p = sd_view_part(&first_report(r)->view, SD_SERVER, SD_HS_CERTIFICATE);
    assert_true(p->crowded && !p->whole);
    assert_int_equal(p->have_count, SD_RANGES_MAX);
}

static void more_messages_than_fit_are_left_out(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    for (uint16_t i = 0; i < 2 * SD_PARTS_MAX; i++) {
        struct gram *g = gram();
        put_message(g, i, SD_HS_CERTIFICATE_STATUS, i, "status", 6);
        send_gram(r, SD_SERVER, g);
    }
    assert_int_equal(first_report(r)->view.part_count, SD_PARTS_MAX);
}

static void the_alert_of_a_side_is_found_by_what_it_says(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    put_alert(g, 0, SD_ALERT_WARNING, SD_ALERT_NO_RENEGOTIATION);
    put_alert(g, 1, SD_ALERT_FATAL, SD_ALERT_INTERNAL_ERROR);
    send_gram(r, SD_SERVER, g);
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(sd_view_alert(v, SD_SERVER, SD_ALERT_NO_RENEGOTIATION)->level, 1);
    assert_int_equal(sd_view_alert(v, SD_SERVER, -1)->message, SD_ALERT_INTERNAL_ERROR);
    assert_null(sd_view_alert(v, SD_CLIENT, -1));
    assert_null(sd_view_alert(v, SD_SERVER, SD_ALERT_BAD_CERTIFICATE));
}

/* --- gaps --- */

static void numbers_that_never_came_are_gaps(void **state)
{
    (void)state;
    static uint8_t bytes[600];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 1, 0x11, NULL);
    send_piece(r, 0, message, 0, 100);
    send_piece(r, 3, message, 300, 400);
    send_piece(r, 6, message, 500, 600);
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(v->gap_count, 3);
    assert_int_equal(v->gaps[0].side, SD_CLIENT);
    assert_int_equal(v->gaps[0].from, 0);
    assert_int_equal(v->gaps[0].to, 1);
    assert_int_equal(v->gaps[1].from, 1);
    assert_int_equal(v->gaps[1].to, 3);
    assert_int_equal(v->gaps[1].before, 3);
    assert_int_equal(v->gaps[2].before, 4);
    assert_int_equal(v->lost[SD_CLIENT], 1);
    assert_int_equal(v->lost[SD_SERVER], 4);
}

static void more_gaps_than_fit_are_still_counted(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < SD_GAPS_MAX + 5; i++, after(r, 1000))
        send_client_hello(r, 2 * i, 0x11, NULL);
    const struct sd_view *v = &first_report(r)->view;
    assert_int_equal(v->gap_count, SD_GAPS_MAX);
    assert_int_equal(v->lost[SD_CLIENT], SD_GAPS_MAX + 4);
}

/* --- what may be said --- */

static void one_hello_and_silence_conclude_nothing(void **state)
{
    (void)state;
    static const int64_t at[] = {0};
    struct rig *r = hellos_at(at, 1);
    time_passes(r, 60000);
    const struct report *p = first_report(r);
    assert_false(p->view.concluded);
    assert_int_equal(p->outcome, SD_INCOMPLETE);
    assert_int_equal(p->view.silence, 60000 * MS);
}

static void a_repetition_and_three_seconds_conclude(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 1000};
    for (int64_t more = 1900; more <= 2100; more += 200) {
        struct rig *r = hellos_at(at, 2);
        time_passes(r, more);
        assert_int_equal(first_report(r)->view.concluded, more > 2000);
    }
}

static void the_horizon_is_twice_the_backoff(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 5000};
    for (int64_t more = 4900; more <= 5100; more += 200) {
        struct rig *r = hellos_at(at, 2);
        time_passes(r, more);
        assert_int_equal(first_report(r)->view.concluded, more > 5000);
    }
}

static void four_repetitions_conclude_at_once(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 100, 200, 300, 400};
    assert_false(first_report(hellos_at(at, 4))->view.concluded);
    assert_true(first_report(hellos_at(at, 5))->view.concluded);
}

static void a_fatal_alert_concludes_at_once(void **state)
{
    (void)state;
    for (uint8_t level = SD_ALERT_WARNING; level <= SD_ALERT_FATAL; level++) {
        struct rig *r = rig_open(NULL);
        struct gram *g;
        send_client_hello(r, 0, 0x11, NULL);
        g = gram();
        put_alert(g, 0, level, SD_ALERT_HANDSHAKE_FAILURE);
        send_gram(r, SD_SERVER, g);
        assert_int_equal(first_report(r)->view.concluded, level == SD_ALERT_FATAL);
    }
}

static void a_hello_that_begins_the_next_concludes_the_one_before(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    send_client_hello(r, 0, 0x22, NULL);
    assert_true(first_report(r)->view.concluded);
}

static void answers_to_nobody_are_half_a_handshake(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_server_flight(r, 0, 0, 0x99);
    send_server_end(r, 4);
    assert_true(first_report(r)->view.one_way);
    r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    send_client_flight(r, 1, 1);
    const struct report *p = first_report(r);
    assert_true(p->view.one_way);
    assert_int_equal(p->outcome, SD_INCOMPLETE);
}

static void hellos_that_nobody_answers_are_not(void **state)
{
    (void)state;
    static const int64_t at[] = {0, 1000, 3000};
    assert_false(first_report(hellos_at(at, 3))->view.one_way);
}

static void a_capture_with_drops_is_doubtful(void **state)
{
    (void)state;
    for (int drops = 0; drops < 2; drops++) {
        struct rig *r = rig_open(NULL);
        full_handshake(r, 0x11);
        if (drops)
            sd_tracker_drops(r->t);
        assert_int_equal(first_report(r)->view.doubtful, drops);
    }
}

static void what_both_lose_in_one_moment_the_capture_lost(void **state)
{
    (void)state;
    for (int64_t apart = 10; apart <= 100; apart += 90) {
        struct rig *r = rig_open(NULL);
        send_client_hello(r, 0, 0x11, NULL);
        after(r, 10);
        send_server_flight(r, 0, 0, 0x99);
        after(r, 10);
        struct gram *g = gram();
        put_message(g, 3, SD_HS_CLIENT_KEY_EXCHANGE, 1, "keys", 4);
        send_gram(r, SD_CLIENT, g);
        after(r, apart);
        send_server_end(r, 9);
        assert_int_equal(first_report(r)->view.doubtful, apart < 50);
    }
}

/* --- times and places --- */

static const struct sd_view *ways_of(int64_t to_server, int64_t to_client)
{
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, to_server);
    send_server_flight(r, 0, 0, 0x99);
    after(r, to_client);
    send_client_flight(r, 1, 1);
    return &first_report(r)->view;
}

static void both_ways_are_measured(void **state)
{
    (void)state;
    const struct sd_view *v = ways_of(30, 3);
    assert_int_equal(v->rtt_server, 30 * MS);
    assert_int_equal(v->rtt_client, 3 * MS);
    assert_int_equal(v->vantage, SD_NEAR_CLIENT);
    assert_int_equal(ways_of(3, 30)->vantage, SD_NEAR_SERVER);
    assert_int_equal(ways_of(30, 10)->vantage, SD_VANTAGE_UNKNOWN);
    assert_int_equal(ways_of(10, 30)->vantage, SD_VANTAGE_UNKNOWN);
    assert_int_equal(ways_of(5, 1)->vantage, SD_VANTAGE_UNKNOWN); /* too near to tell */
}

static void a_repeated_flight_measures_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2; i++, after(r, 1000))
        send_client_hello(r, i, 0x11, NULL);
    send_server_flight(r, 0, 0, 0x99);
    assert_int_equal(first_report(r)->view.rtt_server, 0);
}

static enum sd_vantage vantage(uint8_t client, uint8_t server)
{
    struct rig *r = rig_open(NULL);
    r->ttl[SD_CLIENT] = client;
    r->ttl[SD_SERVER] = server;
    full_handshake(r, 0x11);
    return first_report(r)->view.vantage;
}

static void hop_limits_tell_where_the_capture_was_made(void **state)
{
    (void)state;
    assert_int_equal(vantage(64, 57), SD_NEAR_CLIENT);
    assert_int_equal(vantage(57, 128), SD_NEAR_SERVER);
    assert_int_equal(vantage(57, 120), SD_MIDDLE);
    assert_int_equal(vantage(64, 64), SD_VANTAGE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flight_is_a_burst),
        cmocka_unit_test(a_flight_in_several_datagrams_is_one_burst),
        cmocka_unit_test(a_hello_again_is_sent_by_a_timer),
        cmocka_unit_test(even_in_a_moment_the_same_bytes_are_another_burst),
        cmocka_unit_test(what_the_network_copied_is_no_burst),
        cmocka_unit_test(a_request_again_answers_a_hello_again),
        cmocka_unit_test(a_flight_right_after_the_peers_repeat_is_a_response),
        cmocka_unit_test(a_flight_again_by_itself_is_the_timers),
        cmocka_unit_test(an_answer_under_way_crosses_the_repetition),
        cmocka_unit_test(on_a_short_way_nothing_crosses),
        cmocka_unit_test(more_bursts_than_fit_are_left_out),
        cmocka_unit_test(a_message_shows_which_bytes_of_it_came),
        cmocka_unit_test(too_many_ranges_make_a_message_crowded),
        cmocka_unit_test(more_messages_than_fit_are_left_out),
        cmocka_unit_test(the_alert_of_a_side_is_found_by_what_it_says),
        cmocka_unit_test(numbers_that_never_came_are_gaps),
        cmocka_unit_test(more_gaps_than_fit_are_still_counted),
        cmocka_unit_test(one_hello_and_silence_conclude_nothing),
        cmocka_unit_test(a_repetition_and_three_seconds_conclude),
        cmocka_unit_test(the_horizon_is_twice_the_backoff),
        cmocka_unit_test(four_repetitions_conclude_at_once),
        cmocka_unit_test(a_fatal_alert_concludes_at_once),
        cmocka_unit_test(a_hello_that_begins_the_next_concludes_the_one_before),
        cmocka_unit_test(answers_to_nobody_are_half_a_handshake),
        cmocka_unit_test(hellos_that_nobody_answers_are_not),
        cmocka_unit_test(a_capture_with_drops_is_doubtful),
        cmocka_unit_test(what_both_lose_in_one_moment_the_capture_lost),
        cmocka_unit_test(both_ways_are_measured),
        cmocka_unit_test(a_repeated_flight_measures_nothing),
        cmocka_unit_test(hop_limits_tell_where_the_capture_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
