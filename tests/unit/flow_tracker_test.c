/* SPDX-License-Identifier: MIT */
/* lib/flow/tracker: what belongs to which handshake, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_tools.h"

enum { COPIES = SD_EVF_DUPLICATE | SD_EVF_RETRANSMIT };

static void a_full_handshake_is_ok(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    const struct report *p = &r->report[0];
    assert_int_equal(p->outcome, SD_OK);
    assert_true(p->x.established > 0);
    assert_true(p->x.negotiated && p->x.proven && !p->x.resumed);
    assert_int_equal(p->x.suite, 0xc02b);
    assert_int_equal(p->x.cookie_count, 1);
    assert_int_equal(p->x.hellos_plain, 1);
    assert_int_equal(p->x.hellos_cookie, 1);
    assert_int_equal(p->x.count, 12);
    assert_int_equal(r->packets, 6);
    for (size_t i = 0; i < p->x.count; i++)
        assert_int_equal(p->log[i].flags & COPIES, 0);
}

static void flights_are_numbered_as_in_rfc_6347(void **state)
{
    (void)state;
    static const uint8_t expected[] = {1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6};
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    rig_close(r);
    for (size_t i = 0; i < sizeof expected; i++)
        assert_int_equal(r->report[0].log[i].flight, expected[i]);
}

/* --- one handshake after the other --- */

static void another_random_begins_another_handshake(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 100);
    send_client_hello(r, 0, 0x22, NULL);
    rig_close(r);
    assert_int_equal(r->reports, 2);
    const struct report *a = &r->report[0], *b = &r->report[1];
    assert_true(a->x.superseded);
    assert_int_equal(a->x.next, b->x.id);
    assert_int_equal(b->x.previous, a->x.id);
    assert_false(b->x.superseded || b->x.after_established || b->x.on_sealed);
    assert_int_equal(a->x.hellos_plain, 1);
    assert_int_equal(b->x.hellos_plain, 1);
    assert_int_equal(b->x.count, 1);
    assert_int_equal(b->log[0].flags & COPIES, 0); /* although its number was seen before */
}

static void the_same_random_is_the_same_handshake(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 4; i++, after(r, 1000))
        send_client_hello(r, i, 0x11, NULL);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].x.hellos_plain, 4);
}

static void a_late_copy_of_the_random_before_changes_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 10);
    send_client_hello(r, 0, 0x22, NULL);
    after(r, 10);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1000);
    send_client_hello(r, 1, 0x22, NULL);
    rig_close(r);
    assert_int_equal(r->reports, 2);
    assert_int_equal(r->report[1].x.client_random[0], 0x22);
    assert_int_equal(r->report[1].x.client_random[31], 0x22);
}

/* The hello of the first one was not captured. */
static void after_an_unseen_hello_the_next_begins_anew_once_established(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        struct rig *r = rig_open(NULL);
        send_server_flight(r, 0, 0, 0x99);
        send_client_flight(r, 1, 1);
        if (whole)
            send_server_end(r, 4);
        after(r, 1000);
        send_client_hello(r, 0, 0x22, NULL);
        rig_close(r);
        assert_int_equal(r->reports, 1 + whole);
        assert_int_equal(r->report[0].outcome == SD_OK, whole);
        assert_int_equal(r->report[0].x.server_randoms, 1);
    }
}

static void a_random_renewed_for_the_cookie_is_the_same_handshake(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    put_hello_verify(g, 0, "cookie");
    send_gram(r, SD_SERVER, g);
    after(r, 10);
    send_client_hello(r, 1, 0x22, "cookie");
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].x.client_random[0], 0x22);
    assert_int_equal(r->report[0].x.cookie_strangers, 0);
    assert_true(r->report[0].x.proven);
}

static void a_random_with_another_cookie_is_not(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    g = gram();
    put_hello_verify(g, 0, "cookie");
    send_gram(r, SD_SERVER, g);
    send_client_hello(r, 1, 0x22, "c00kie");
    rig_close(r);
    assert_int_equal(r->reports, 2);
    assert_int_equal(r->report[1].x.cookie_strangers, 1);
}

/* --- again: by the network, or by the sender --- */

static void the_same_record_soon_again_is_a_copy_by_the_network(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1);
    send_client_hello(r, 0, 0x11, NULL);
    rig_close(r);
    assert_true(r->report[0].log[1].flags & SD_EVF_DUPLICATE);
    assert_false(r->report[0].log[1].flags & SD_EVF_RETRANSMIT);
}

static void an_old_stack_repeats_a_hello_under_its_old_number(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1000);
    send_client_hello(r, 0, 0x11, NULL);
    rig_close(r);
    assert_false(r->report[0].log[1].flags & SD_EVF_DUPLICATE);
    assert_true(r->report[0].log[1].flags & SD_EVF_RETRANSMIT);
}

static void a_retransmission_has_a_new_number_and_is_counted(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 4; i++, after(r, 1000))
        send_client_hello(r, i, 0x11, NULL);
    rig_close(r);
    for (size_t i = 0; i < 4; i++) {
        const struct sd_event *e = &r->report[0].log[i];
        assert_int_equal(e->flags & COPIES, i ? SD_EVF_RETRANSMIT : 0);
        assert_int_equal(e->copy, i);
    }
}

static void a_server_may_take_its_record_numbers_from_the_client(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2; i++, after(r, 1000)) {
        struct gram *g;
        send_client_hello(r, i, 0x11, NULL);
        g = gram();
        put_hello_verify(g, 0, "cookie"); /* each time under the number 0 */
        send_gram(r, SD_SERVER, g);
    }
    send_client_hello(r, 2, 0x11, "cookie");
    send_server_flight(r, 0, 1, 0x99); /* and the ServerHello again */
    rig_close(r);
    assert_int_equal(r->reports, 1);
    for (size_t i = 0; i < r->report[0].x.count; i++)
        assert_int_equal(r->report[0].log[i].flags & SD_EVF_DUPLICATE, 0);
    assert_int_equal(r->report[0].x.cookie_count, 2);
    assert_int_equal(r->report[0].view.lost[SD_SERVER], 0);
}

static void a_hello_soon_again_gets_a_request_of_its_own(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 2; i++, after(r, 100)) {
        struct gram *g;
        send_client_hello(r, i, 0x11, NULL);
        g = gram();
        put_hello_verify(g, 0, "cookie");
        send_gram(r, SD_SERVER, g);
    }
    rig_close(r);
    assert_int_equal(r->report[0].log[3].flags & COPIES, SD_EVF_RETRANSMIT);
}

static void a_request_twice_for_one_hello_is_a_copy(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    for (int i = 0; i < 2; i++, after(r, 1)) {
        struct gram *g = gram();
        put_hello_verify(g, 0, "cookie");
        send_gram(r, SD_SERVER, g);
    }
    rig_close(r);
    assert_false(r->report[0].log[1].flags & SD_EVF_DUPLICATE);
    assert_true(r->report[0].log[2].flags & SD_EVF_DUPLICATE);
    assert_int_equal(r->report[0].x.cookie_count, 1);
}

static void other_boundaries_and_other_bytes_are_told_apart(void **state)
{
    (void)state;
    static uint8_t bytes[1000];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    memset(bytes, 0, sizeof bytes);
    send_client_hello(r, 0, 0x11, NULL);
    send_piece(r, 1, message, 0, 500);
    after(r, 1000);
    send_piece(r, 2, message, 0, 500);
    after(r, 2000);
    send_piece(r, 3, message, 0, 400);
    after(r, 4000);
    bytes[7] = 1;
    send_piece(r, 4, message, 0, 500);
    rig_close(r);
    enum { HOW = SD_EVF_RETRANSMIT | SD_EVF_REFRAGMENTED | SD_EVF_CHANGED };
    const struct sd_event *log = r->report[0].log;
    assert_int_equal(log[1].flags & HOW, 0);
    assert_int_equal(log[2].flags & HOW, SD_EVF_RETRANSMIT);
    assert_int_equal(log[3].flags & HOW, SD_EVF_RETRANSMIT | SD_EVF_REFRAGMENTED);
    assert_true(log[4].flags & SD_EVF_CHANGED);
    assert_int_equal(log[4].copy, 3);
}

/* --- record numbers --- */

static void skipped_numbers_are_a_gap_before_the_next(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1000);
    send_client_hello(r, 3, 0x11, NULL);
    rig_close(r);
    assert_int_equal(r->report[0].log[0].gap, 0);
    assert_int_equal(r->report[0].log[1].gap, 2);
    assert_int_equal(r->report[0].view.lost[SD_CLIENT], 2);
}

static void a_client_counts_from_0(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 2, 0x11, NULL);
    rig_close(r);
    assert_int_equal(r->report[0].log[0].gap, 2);
    assert_int_equal(r->report[0].view.lost[SD_CLIENT], 2);
}

static void a_gap_is_before_the_record_not_each_message_in_it(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g = gram();
    send_client_hello(r, 0, 0x11, NULL);
    send_server_flight(r, 0, 1, 0x99);
    g = gram();
    size_t mark = sd_record_open(&g->w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, 3);
    for (uint16_t i = 0; i < 2; i++) {
        struct sd_handshake h = {.type = SD_HS_CLIENT_KEY_EXCHANGE,
                                 .message_seq = (uint16_t)(2 + i),
                                 .length = 4,
                                 .frag_len = 4,
                                 .body = literal("keys")};
        sd_handshake_build(&g->w, &h);
    }
    sd_record_close(&g->w, mark);
    send_gram(r, SD_CLIENT, g);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(event(p, SD_EV_HANDSHAKE, SD_HS_CLIENT_KEY_EXCHANGE, 0)->gap, 2);
    assert_int_equal(event(p, SD_EV_HANDSHAKE, SD_HS_CLIENT_KEY_EXCHANGE, 1)->gap, 0);
}

static void an_overtaken_record_is_reordered_not_lost(void **state)
{
    (void)state;
    static uint8_t bytes[600];
    static const struct sd_span message = {bytes, sizeof bytes};
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    send_piece(r, 1, message, 0, 200);
    send_piece(r, 3, message, 400, 600);
    send_piece(r, 2, message, 200, 400);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(p->log[2].gap, 1);
    assert_true(p->log[3].flags & SD_EVF_REORDERED);
    assert_int_equal(p->view.lost[SD_SERVER], 0);
    assert_int_equal(p->kept[SD_KEPT_SERVER_CERTIFICATE], sizeof bytes);
}

/* --- other handshakes --- */

static void an_abbreviated_handshake_ends_with_the_client(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 10);
    g = gram();
    put_server_hello(g, 0, 0, 0x99);
    put_ccs(g, 1);
    put_finished(g);
    send_gram(r, SD_SERVER, g);
    after(r, 10);
    g = gram();
    put_ccs(g, 1);
    put_finished(g);
    send_gram(r, SD_CLIENT, g);
    int64_t end = r->now;
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(p->outcome, SD_OK);
    assert_true(p->x.resumed);
    assert_int_equal(p->x.established, end);
    assert_int_equal(p->log[3].flight, 4);
    assert_int_equal(p->log[5].flight, 5);
}

static void data_is_followed_from_its_first_record(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct rig *r = rig_open(NULL);
        for (uint64_t i = 0; i < n; i++)
            send_data(r, SD_CLIENT, 100 + i);
        rig_close(r);
        assert_int_equal(r->reports, 1);
        assert_int_equal(r->report[0].x.count, n);
        assert_true(r->report[0].x.mid_session && r->report[0].x.reversed);
        assert_int_equal(r->report[0].outcome, SD_INCOMPLETE);
        assert_int_equal(sd_addr_port(&r->report[0].x.server), 4433); /* the lower one */
    }
}

/* Two bytes of its header say what it is: that may be chance. */
static void send_unified_alone(struct rig *r, unsigned epoch)
{
    static const uint8_t noise[100];
    struct gram *g = gram();
    sd_wr_u8(&g->w, (uint8_t)(0x2c | epoch));
    sd_wr_u16(&g->w, 0x1234);
    sd_wr_u16(&g->w, sizeof noise);
    sd_wr_bytes(&g->w, noise, sizeof noise);
    send_gram(r, SD_CLIENT, g);
}

static void data_of_dtls_1_3_needs_three_datagrams(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        struct rig *r = rig_open(NULL);
        for (unsigned i = 0; i < n; i++)
            send_unified_alone(r, 3);
        rig_close(r);
        assert_int_equal(r->reports, n >= 3);
    }
}

static void of_what_began_before_the_capture_nobody_says_it_failed(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    for (uint64_t i = 0; i < 3; i++)
        send_data(r, SD_CLIENT, i);
    g = gram();
    put_alert(g, 0, SD_ALERT_FATAL, SD_ALERT_UNEXPECTED_MESSAGE);
    send_gram(r, SD_SERVER, g);
    rig_close(r);
    assert_true(r->report[0].view.concluded);
    assert_int_equal(r->report[0].outcome, SD_INCOMPLETE);
}

static void epochs_that_fall_are_no_association(void **state)
{
    (void)state;
    static const unsigned epochs[] = {3, 2, 3, 2, 3, 2};
    struct rig *r = rig_open(NULL);
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++)
        send_unified_alone(r, epochs[i]);
    rig_close(r);
    assert_int_equal(r->reports, 0);
}

static void an_epoch_that_nobody_reaches_is_no_association(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g = gram();
    put_record(g, SD_CT_APPDATA, 4711, 1, "something", 9);
    send_gram(r, SD_CLIENT, g);
    rig_close(r);
    assert_int_equal(r->reports, 0);
}

static void a_hello_after_data_is_a_handshake_of_its_own(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    for (uint64_t i = 0; i < 3; i++)
        send_data(r, SD_CLIENT, i);
    full_handshake(r, 0x11);
    rig_close(r);
    assert_int_equal(r->reports, 2);
    assert_true(r->report[0].x.mid_session);
    assert_int_equal(r->report[1].outcome, SD_OK);
}

static void without_its_hello_the_server_is_known_by_its_answer(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    r->client = host(1, 1000); /* the lower port */
    send_server_flight(r, 0, 1, 0x99);
    rig_close(r);
    assert_true(sd_addr_eq(&r->report[0].x.server, &r->server));
    assert_true(r->report[0].x.reversed && !r->report[0].x.mid_session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_handshake_is_ok),
        cmocka_unit_test(flights_are_numbered_as_in_rfc_6347),
        cmocka_unit_test(another_random_begins_another_handshake),
        cmocka_unit_test(the_same_random_is_the_same_handshake),
        cmocka_unit_test(a_late_copy_of_the_random_before_changes_nothing),
        cmocka_unit_test(after_an_unseen_hello_the_next_begins_anew_once_established),
        cmocka_unit_test(a_random_renewed_for_the_cookie_is_the_same_handshake),
        cmocka_unit_test(a_random_with_another_cookie_is_not),
        cmocka_unit_test(the_same_record_soon_again_is_a_copy_by_the_network),
        cmocka_unit_test(an_old_stack_repeats_a_hello_under_its_old_number),
        cmocka_unit_test(a_retransmission_has_a_new_number_and_is_counted),
        cmocka_unit_test(a_server_may_take_its_record_numbers_from_the_client),
        cmocka_unit_test(a_hello_soon_again_gets_a_request_of_its_own),
        cmocka_unit_test(a_request_twice_for_one_hello_is_a_copy),
        cmocka_unit_test(other_boundaries_and_other_bytes_are_told_apart),
        cmocka_unit_test(skipped_numbers_are_a_gap_before_the_next),
        cmocka_unit_test(a_client_counts_from_0),
        cmocka_unit_test(a_gap_is_before_the_record_not_each_message_in_it),
        cmocka_unit_test(an_overtaken_record_is_reordered_not_lost),
        cmocka_unit_test(an_abbreviated_handshake_ends_with_the_client),
        cmocka_unit_test(data_is_followed_from_its_first_record),
        cmocka_unit_test(data_of_dtls_1_3_needs_three_datagrams),
        cmocka_unit_test(of_what_began_before_the_capture_nobody_says_it_failed),
        cmocka_unit_test(epochs_that_fall_are_no_association),
        cmocka_unit_test(an_epoch_that_nobody_reaches_is_no_association),
        cmocka_unit_test(a_hello_after_data_is_a_handshake_of_its_own),
        cmocka_unit_test(without_its_hello_the_server_is_known_by_its_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
