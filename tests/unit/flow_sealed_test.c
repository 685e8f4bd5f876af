/* SPDX-License-Identifier: MIT */
/* lib/flow/records: what is read from protected records, with keys and without, and from
 * a DTLS 1.3 handshake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_fakes.h"
#include "flow_tools.h"

/* --- DTLS 1.2 --- */

static void a_finished_again_is_a_retransmission_of_its_flight(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    struct gram *g;
    full_handshake(r, 0x11);
    after(r, 1000);
    g = gram();
    put_ccs(g, 8);
    put_sealed(g, SD_CT_HANDSHAKE, 1, 40);
    send_gram(r, SD_CLIENT, g);
    g = gram();
    put_ccs(g, 9);
    put_sealed(g, SD_CT_HANDSHAKE, 1, 40);
    send_gram(r, SD_SERVER, g);
    rig_close(r);
    const struct sd_event *log = r->report[0].log;
    assert_int_equal(r->report[0].x.count, 16);
    for (size_t i = 12; i < 16; i++) {
        assert_true(log[i].flags & SD_EVF_RETRANSMIT);
        assert_int_equal(log[i].flight, i < 14 ? 5 : 6);
    }
}

static void what_is_sealed_after_the_handshake_belongs_to_no_flight(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    struct gram *g = gram();
    put_sealed(g, SD_CT_HANDSHAKE, 1, 200);
    send_gram(r, SD_SERVER, g);
    rig_close(r);
    assert_int_equal(r->report[0].log[12].kind, SD_EV_PROTECTED);
    assert_int_equal(r->report[0].log[12].flight, 0);
}

static void a_sealed_alert_at_the_end_closes(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    struct gram *g = gram();
    put_sealed(g, SD_CT_ALERT, 1, 26);
    send_gram(r, SD_CLIENT, g);
    rig_close(r);
    assert_true(r->report[0].x.side[SD_CLIENT].closing);
    assert_false(r->report[0].x.side[SD_SERVER].closing);
}

static void records_of_an_epoch_before_are_late_not_lost(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    full_handshake(r, 0x11);
    static const struct {
        uint16_t epoch;
        uint64_t seq;
    } came[] = {{1, 1}, {2, 0}, {2, 1}, {1, 900}, {2, 2}};
    for (size_t i = 0; i < sizeof came / sizeof *came; i++) {
        struct gram *g = gram();
        put_record(g, SD_CT_APPDATA, came[i].epoch, came[i].seq, "some data", 9);
        send_gram(r, SD_CLIENT, g);
    }
    rig_close(r);
    const struct sd_direction *c = &r->report[0].x.side[SD_CLIENT];
    assert_int_equal(c->epoch, 2);
    assert_int_equal(c->sealed.max, 2);
    assert_int_equal(c->sealed.seen, 3);
}

/* Their Finished may be in what was not captured. */
static void data_after_a_snapped_handshake_shows_that_it_was_whole(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 10);
    send_server_flight(r, 0, 0, 0x99);
    after(r, 10);
    struct gram *g = gram();
    put_message(g, 1, SD_HS_CLIENT_KEY_EXCHANGE, 1, "key", 3);
    put_ccs(g, 2);
    put_finished(g);
    send_snapped(r, SD_CLIENT, g, 30);
    int64_t last = r->now;
    after(r, 10);
    send_data(r, SD_CLIENT, 1);
    send_data(r, SD_SERVER, 1);
    rig_close(r);
    assert_int_equal(r->report[0].outcome, SD_OK);
    assert_int_equal(r->report[0].x.established, last);
}

/* --- with keys --- */

static void put_plain_finished(struct gram *g)
{
    uint8_t body[64];
    struct sd_wr w = sd_wr_init(body, sizeof body);
    struct sd_handshake h = {.type = SD_HS_FINISHED,
                             .length = 12,
                             .message_seq = 3,
                             .frag_len = 12,
                             .body = literal("verify data!")};
    sd_handshake_build(&w, &h);
    put_record(g, SD_CT_HANDSHAKE, 1, 0, body, sd_wr_len(&w));
}

static void with_keys_a_finished_and_an_alert_are_read(void **state)
{
    (void)state;
    unsigned keys = 0;
    struct sd_unprotect unprotect = fake_unprotect(&keys);
    struct rig *r = rig_open(&(struct sd_tracker_config){.unprotect = &unprotect});
    struct gram *g;
    send_client_hello(r, 0, 0x11, NULL);
    send_server_flight(r, 0, 0, 0x99);
    assert_int_equal(keys, 0);
    g = gram();
    put_message(g, 1, SD_HS_CLIENT_KEY_EXCHANGE, 1, "key", 3);
    put_ccs(g, 2);
    put_plain_finished(g);
    send_gram(r, SD_CLIENT, g);
    assert_int_equal(keys, 1);
    g = gram();
    put_ccs(g, 4);
    put_plain_finished(g);
    put_record(g, SD_CT_ALERT, 1, 1, "\1\0", 2);
    send_gram(r, SD_SERVER, g);
    assert_int_equal(keys, 1);
    rig_close(r);
    assert_int_equal(keys, 0);
    const struct report *p = &r->report[0];
    const struct sd_event *f = event(p, SD_EV_HANDSHAKE, SD_HS_FINISHED, 1);
    assert_int_equal(p->outcome, SD_OK);
    assert_true(p->x.opened && p->x.side[SD_SERVER].closing);
    assert_non_null(f);
    assert_int_equal(f->flight, 6);
    assert_true(f->flags & SD_EVF_DECRYPTED);
    assert_non_null(event(p, SD_EV_ALERT, SD_ALERT_CLOSE_NOTIFY, 0));
}

/* --- DTLS 1.3 --- */

static const uint8_t offers_13[] = {0, SD_EXT_SUPPORTED_VERSIONS, 0, 5, 4, 0xfe, 0xfc, 0xfe, 0xfd};
static const uint8_t chooses_13[] = {0, SD_EXT_SUPPORTED_VERSIONS, 0, 2, 0xfe, 0xfc};

static void put_unified(struct gram *g, unsigned epoch, size_t len)
{
    static const uint8_t noise[1000];
    sd_wr_u8(&g->w, (uint8_t)(0x2c | epoch));
    sd_wr_u16(&g->w, 0x1234);
    sd_wr_u16(&g->w, (uint16_t)len);
    sd_wr_bytes(&g->w, noise, len);
}

static void send_hello_13(struct rig *r, uint64_t seq)
{
    struct hello_options o = {.random = 1, .extensions = {offers_13, sizeof offers_13}};
    struct hello_body b = client_hello(&o);
    struct gram *g = gram();
    put_message(g, seq, SD_HS_CLIENT_HELLO, (uint16_t)seq, b.bytes, b.len);
    send_gram(r, SD_CLIENT, g);
    after(r, 10);
}

static void send_unified(struct rig *r, enum sd_side from, unsigned epoch)
{
    struct gram *g = gram();
    put_unified(g, epoch, 100);
    send_gram(r, from, g);
    after(r, 10);
}

static void send_answer_13(struct rig *r, uint64_t seq)
{
    struct hello_options o = {.random = 9, .extensions = {chooses_13, sizeof chooses_13}};
    struct hello_body b = server_hello(&o);
    struct gram *g = gram();
    put_message(g, seq, SD_HS_SERVER_HELLO, (uint16_t)seq, b.bytes, b.len);
    put_unified(g, 2, 900);
    send_gram(r, SD_SERVER, g);
    after(r, 10);
}

static void dtls_1_3_is_established_when_data_follows(void **state)
{
    (void)state;
    for (int data = 0; data < 2; data++) {
        struct rig *r = rig_open(NULL);
        send_hello_13(r, 0);
        send_answer_13(r, 0);
        send_unified(r, SD_CLIENT, 2); /* a Finished, or an alert: nobody can tell */
        if (data)
            send_unified(r, SD_SERVER, 3);
        rig_close(r);
        const struct report *p = &r->report[0];
        assert_int_equal(p->x.version, SD_DTLS_1_3);
        assert_int_equal(p->outcome, data ? SD_OK : SD_INCOMPLETE);
        assert_int_equal(p->log[2].flight, 4);
        assert_int_equal(p->log[3].flight, 5);
        assert_true(p->log[3].flags & SD_EVF_UNIFIED);
    }
}

static void a_hello_retry_request_is_flight_2(void **state)
{
    (void)state;
    /* RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest". */
    static const uint8_t magic[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                    0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                    0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct hello_options o = {.extensions = {chooses_13, sizeof chooses_13}};
    struct hello_body retry = server_hello(&o);
    struct rig *r = rig_open(NULL);
    memcpy(retry.bytes + 2, magic, sizeof magic);
    send_hello_13(r, 0);
    struct gram *g = gram();
    put_message(g, 0, SD_HS_SERVER_HELLO, 0, retry.bytes, retry.len);
    send_gram(r, SD_SERVER, g);
    send_hello_13(r, 1);
    send_answer_13(r, 1);
    send_unified(r, SD_CLIENT, 2);
    send_unified(r, SD_CLIENT, 3);
    rig_close(r);
    const struct report *p = &r->report[0];
    static const uint8_t flights[] = {1, 2, 3, 4, 4, 5};
    assert_int_equal(p->outcome, SD_OK);
    assert_int_equal(p->kept[SD_KEPT_RETRY], retry.len);
    assert_int_equal(p->x.server_randoms, 1);
    for (size_t i = 0; i < sizeof flights; i++)
        assert_int_equal(p->log[i].flight, flights[i]);
}

/* --- cookies --- */

static void the_newest_cookies_are_remembered(void **state)
{
    (void)state;
    enum { REQUESTS = 2 * SD_COOKIES_MAX };
    for (char last = 'a'; last < 'a' + REQUESTS; last++) {
        struct rig *r = rig_open(NULL);
        char cookie[] = "cookie-?";
        for (uint64_t i = 0; i < REQUESTS; i++, after(r, 1000)) {
            struct gram *g;
            send_client_hello(r, i, 0x11, NULL);
            g = gram();
            cookie[7] = (char)('a' + i);
            put_hello_verify(g, i, cookie);
            send_gram(r, SD_SERVER, g);
        }
        cookie[7] = last;
        send_client_hello(r, REQUESTS, 0x11, cookie);
        rig_close(r);
        assert_int_equal(r->report[0].x.cookie_count, REQUESTS);
        assert_int_equal(r->report[0].x.cookie_strangers, last < 'a' + REQUESTS - SD_COOKIES_MAX);
    }
}

/* --- what else comes on these addresses --- */

static void media_and_checks_are_counted_apart(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_client_hello(r, 0, 0x11, NULL);
    send_other(r, SD_SERVER, SD_PAYLOAD_STUN);
    send_other(r, SD_SERVER, SD_PAYLOAD_RTP);
    send_other(r, SD_SERVER, SD_PAYLOAD_RTP);
    send_other(r, SD_SERVER, SD_PAYLOAD_ZRTP);
    send_other(r, SD_SERVER, SD_PAYLOAD_QUIC);
    rig_close(r);
    const struct sd_direction *s = &r->report[0].x.side[SD_SERVER];
    assert_int_equal(r->report[0].rare.beside[SD_SERVER].stun, 1);
    assert_int_equal(r->report[0].rare.beside[SD_SERVER].rtp, 2);
    assert_int_equal(s->foreign, 1);
    assert_false(r->report[0].x.path_validated);
}

static void a_check_that_succeeded_validates_the_path(void **state)
{
    (void)state;
    struct rig *r = rig_open(NULL);
    send_other(r, SD_SERVER, SD_PAYLOAD_STUN_SUCCESS);
    send_client_hello(r, 0, 0x11, NULL);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_true(r->report[0].x.path_validated);
    assert_int_equal(r->report[0].x.client_bytes_unproven, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_again_is_a_retransmission_of_its_flight),
        cmocka_unit_test(what_is_sealed_after_the_handshake_belongs_to_no_flight),
        cmocka_unit_test(a_sealed_alert_at_the_end_closes),
        cmocka_unit_test(records_of_an_epoch_before_are_late_not_lost),
        cmocka_unit_test(data_after_a_snapped_handshake_shows_that_it_was_whole),
        cmocka_unit_test(with_keys_a_finished_and_an_alert_are_read),
        cmocka_unit_test(dtls_1_3_is_established_when_data_follows),
        cmocka_unit_test(a_hello_retry_request_is_flight_2),
        cmocka_unit_test(the_newest_cookies_are_remembered),
        cmocka_unit_test(media_and_checks_are_counted_apart),
        cmocka_unit_test(a_check_that_succeeded_validates_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
