/* SPDX-License-Identifier: MIT */
/* lib/flow/tracker: what a capture gives besides whole datagrams of DTLS, and what it lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_tools.h"

static void a_snapped_datagram_tells_what_it_has(void **state)
{
    (void)state;
    enum { RANDOM_END = 13 + 12 + 2 + 32, COMPRESSION_END = RANDOM_END + 1 + 3 };
    static const uint8_t bytes[400];
    for (size_t len = SD_RECORD_HEADER_LEN; len < 600; len++) {
        struct rig *r = rig_open(NULL);
        struct gram *g;
        send_client_hello(r, 0, 0x11, NULL);
        g = gram();
        put_server_hello(g, 0, 1, 0x99);
        put_message(g, 1, SD_HS_CERTIFICATE, 2, bytes, sizeof bytes);
        send_snapped(r, SD_SERVER, g, len);
        rig_close(r);
        assert_int_equal(r->report[0].x.side[SD_SERVER].largest_datagram, sd_wr_len(&g->w));
        assert_int_equal(r->report[0].x.has_server_random, len >= COMPRESSION_END);
    }
}

static void a_snapped_hello_begins_a_handshake(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    send_snapped(r, SD_CLIENT, g, 13 + 12 + 2 + 32);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_true(r->report[0].x.has_client_random);
    assert_true(r->report[0].log[0].flags & SD_EVF_SNAPPED);
    assert_int_equal(r->report[0].log[0].message, SD_HS_CLIENT_HELLO);
}

static void an_icmp_error_belongs_to_whom_it_quotes(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_icmp(r, 3, 3); /* nothing to belong to yet */
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    send_icmp(r, 3, 3);
    rig_close(r);
    assert_int_equal(r->report[0].outcome, SD_FAILED);
    assert_true(r->report[0].x.icmp_number > 0);
}

static void an_ip_packet_that_was_cut_is_in_the_log(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    struct sd_ip_incomplete i = {.number = 9,
                                 .time = r->now,
                                 .src = r->server,
                                 .dst = r->client,
                                 .have = 1480,
                                 .total = 2000};
    sd_tracker_ip_incomplete(r->t, &i);
    rig_close(r);
    const struct sd_event *e = event(&r->report[0], SD_EV_IP_CUT, 0, 0);
    assert_non_null(e);
    assert_true(e->flags & SD_EVF_SERVER);
    assert_int_equal(e->frag_len, 1480);
    assert_int_equal(e->length, 2000);
}

static void what_is_not_dtls_is_counted_and_shown_once(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct sd_datagram d;
    struct gram *g = gram();
    sd_wr_bytes(&g->w, "hello", 5);
    send_gram(r, SD_SERVER, g); /* no handshake yet: not worth a place */
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    sd_wr_bytes(&g->w, "hello", 5);
    d = datagram_of(r, SD_SERVER, g);
    d.kind = SD_PAYLOAD_OTHER;
    for (int i = 0; i < 10; i++)
        give(r, &d);
    rig_close(r);
    const struct sd_direction *s = &r->report[0].x.side[SD_SERVER];
    assert_int_equal(s->foreign, 10);
    assert_int_equal(r->report[0].rare.beside[SD_SERVER].sample_len, 5);
    assert_memory_equal(r->report[0].rare.beside[SD_SERVER].sample, "hello", 5);
    assert_in_range(r->report[0].x.count, 2, 6);
}

static void an_empty_datagram_is_foreign(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    struct sd_datagram d = {.src = r->server, .dst = r->client, .time = r->now};
    sd_tracker_datagram(r->t, &d);
    d.kind = SD_PAYLOAD_OTHER;
    sd_tracker_datagram(r->t, &d);
    rig_close(r);
    assert_int_equal(r->report[0].x.side[SD_SERVER].foreign, 2);
}

static void lanes_of_one_carrier_are_apart(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    struct sd_datagram d = datagram_of(r, SD_CLIENT, g);
    for (d.lane = 1; d.lane <= 3; d.lane++)
        give(r, &d);
    rig_close(r);
    assert_int_equal(r->reports, 3);
}

static void times_may_be_anything(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MAX, INT64_MIN, 0, -1, INT64_MAX / 2, INT64_MIN / 2, 1};
    enum { TIMES = sizeof times / sizeof *times };
    for (size_t a = 0; a < TIMES; a++)
        for (size_t b = 0; b < TIMES; b++) {
            struct rig *r = rig_open(&(struct sd_tracker_config){.idle = 60000 * MS});
            for (uint64_t i = 0; i < 6; i++) {
                r->now = times[i % 2 ? a : b];
                send_client_hello(r, i, 0x11, NULL);
                r->now = times[i % 3 ? b : a];
                send_server_flight(r, 4 * i, 0, 0x99);
                send_icmp(r, 3, 4);
                sd_tracker_tick(r->t, times[a]);
            }
            rig_close(r);
            assert_true(r->reports >= 1);
        }
}

static void a_capture_without_times_still_has_handshakes(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    r->now = 0;
    send_client_hello(r, 0, 0x11, NULL);
    send_server_flight(r, 0, 0, 0x99);
    send_client_flight(r, 1, 1);
    send_server_end(r, 4);
    g = gram();
    put_data(g, 1);
    send_gram(r, SD_CLIENT, g);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].outcome, SD_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapped_datagram_tells_what_it_has),
        cmocka_unit_test(a_snapped_hello_begins_a_handshake),
        cmocka_unit_test(an_icmp_error_belongs_to_whom_it_quotes),
        cmocka_unit_test(an_ip_packet_that_was_cut_is_in_the_log),
        cmocka_unit_test(what_is_not_dtls_is_counted_and_shown_once),
        cmocka_unit_test(an_empty_datagram_is_foreign),
        cmocka_unit_test(lanes_of_one_carrier_are_apart),
        cmocka_unit_test(times_may_be_anything),
        cmocka_unit_test(a_capture_without_times_still_has_handshakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
