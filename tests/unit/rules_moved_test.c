/* SPDX-License-Identifier: MIT */
/* lib/flow and its rules: associations that go on from another address, answers from one that
 * nobody asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules_tools.h"

/* RFC 9146: connection_id with "srv" in the ServerHello, an empty one in the ClientHello. */
static const uint8_t client_cid[] = {0, SD_EXT_CONNECTION_ID, 0, 1, 0};
static const uint8_t server_cid[] = {0, SD_EXT_CONNECTION_ID, 0, 4, 3, 's', 'r', 'v'};

static void put_with_cid(struct gram *g, uint64_t seq, const char *cid, size_t len)
{
    static const uint8_t noise[200];
    sd_wr_u8(&g->w, SD_CT_CID);
    sd_wr_u16(&g->w, SD_DTLS_1_2);
    sd_wr_u16(&g->w, 1);
    sd_wr_u48(&g->w, seq);
    sd_wr_bytes(&g->w, cid, strlen(cid));
    sd_wr_u16(&g->w, (uint16_t)len);
    sd_wr_bytes(&g->w, noise, len);
}

static void send_with_cid(struct rig *r, uint64_t seq, const char *cid)
{
    struct gram *g = gram();
    put_with_cid(g, seq, cid, 100);
    send_gram(r, SD_CLIENT, g);
}

static void handshake_with_cid(struct rig *r)
{
    struct hello_options ch = {.random = 0x11, .extensions = {client_cid, sizeof client_cid}};
    struct hello_options sh = {.random = 0x99, .extensions = {server_cid, sizeof server_cid}};
    struct hello_body c = client_hello(&ch), s = server_hello(&sh);
    struct gram *g = gram();
    put_message(g, 0, SD_HS_CLIENT_HELLO, 0, c.bytes, c.len);
    send_gram(r, SD_CLIENT, g);
    g = gram();
    put_message(g, 0, SD_HS_SERVER_HELLO, 0, s.bytes, s.len);
    put_message(g, 1, SD_HS_SERVER_HELLO_DONE, 1, "", 0);
    send_gram(r, SD_SERVER, g);
    g = gram();
    put_message(g, 1, SD_HS_CLIENT_KEY_EXCHANGE, 1, "key", 3);
    put_ccs(g, 2);
    put_with_cid(g, 0, "srv", 40);
    send_gram(r, SD_CLIENT, g);
    send_server_end(r, 2);
    after(r, 100);
}

static void a_connection_id_is_learned_from_both_hellos(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    handshake_with_cid(r);
    send_with_cid(r, 1, "srv");
    send_data(r, SD_SERVER, 1);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(r->reports, 1);
    assert_int_equal(p->outcome, SD_OK);
    assert_int_equal(p->x.cid_len[SD_SERVER], 3);
    assert_int_equal(p->x.cid_len[SD_CLIENT], 0);
    assert_int_equal(p->x.side[SD_CLIENT].sealed.max, 1);
    assert_int_equal(p->x.side[SD_CLIENT].appdata, 1);
}

static void a_connection_id_leads_to_its_association(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    handshake_with_cid(r);
    r->client = host(1, 50000);
    send_with_cid(r, 5000, "srv"); /* numbers do not matter */
    send_data(r, SD_SERVER, 1);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(r->reports, 1);
    assert_true(p->rare.moved_cid);
    assert_int_equal(sd_addr_port(&p->rare.moved_to), 50000);
    assert_int_equal(p->rare.moved_records, 1);
    assert_int_equal(p->rare.moved_answers, 1);
    assert_int_equal(found(p, "nat-rebinding")->severity, SD_INFO);
}

static void another_connection_id_does_not(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    handshake_with_cid(r);
    r->client = host(1, 50000);
    send_with_cid(r, 1, "liv");
    rig_close(r);
    assert_int_equal(r->report[0].rare.moved_number, 0);
}

static void record_numbers_that_go_on_elsewhere_are_a_nat(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    full_handshake(r, 0x11);
    for (uint64_t i = 1; i <= 5; i++)
        send_data(r, SD_CLIENT, i);
    int64_t before = r->now;
    after(r, 60000);
    r->client = host(1, 50000);
    for (uint64_t i = 6; i <= 8; i++)
        send_data(r, SD_CLIENT, i);
    rig_close(r);
    const struct report *p = &r->report[0];
    assert_int_equal(r->reports, 1);
    assert_int_equal(p->rare.moved_records, 3);
    assert_int_equal(p->rare.moved_answers, 0);
    assert_int_equal(p->rare.last_before_move, before);
    assert_int_equal(p->x.side[SD_CLIENT].sealed.max, 8);
    assert_int_equal(found(p, "nat-rebinding")->severity, SD_WARNING);
}

static void numbers_that_do_not_go_on_are_somebody_else(void **state)
{
    (void)state;
    static const uint64_t seqs[] = {1, 5, 5 + 65};
    struct rig *r = rules_open(NULL);
    full_handshake(r, 0x11);
    for (uint64_t i = 1; i <= 5; i++)
        send_data(r, SD_CLIENT, i);
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        r->client = host(1, (uint16_t)(50000 + i));
        send_data(r, SD_CLIENT, seqs[i]);
    }
    rig_close(r);
    assert_int_equal(r->report[0].rare.moved_number, 0);
}

static void who_still_speaks_from_where_it_was_has_not_moved(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    struct sd_addr own = r->client;
    full_handshake(r, 0x11);
    for (uint64_t i = 1; i <= 5; i++, after(r, 1000)) {
        r->client = own;
        send_data(r, SD_CLIENT, i);
        r->client = host(5, 50000); /* by chance at the same numbers */
        send_data(r, SD_CLIENT, 5 + i);
    }
    rig_close(r);
    assert_true(r->report[0].rare.moved_number > 0);
    assert_null(found(&r->report[0], "nat-rebinding"));
}

static void an_answer_from_elsewhere_is_a_stranger(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    struct sd_addr asked = r->server;
    for (uint64_t i = 0; i < 5; i++, after(r, 1000)) {
        r->server = asked;
        send_client_hello(r, i, 0x11, NULL);
        after(r, 1);
        r->server = host(9, 4433);
        send_server_flight(r, 4 * i, 0, 0x99);
    }
    rig_close(r);
    const struct report *p = &r->report[0];
    struct sd_addr other = host(9, 4433);
    assert_int_equal(p->rare.stranger_number, 2);
    assert_true(sd_addr_eq(&p->rare.stranger, &other));
    assert_non_null(found(p, "wrong-source-address"));
}

static void who_has_an_answer_waits_for_no_stranger(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    full_handshake(r, 0x11);
    r->server = host(9, 4433);
    send_server_flight(r, 0, 0, 0x99);
    rig_close(r);
    assert_int_equal(r->report[0].rare.stranger_number, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_id_is_learned_from_both_hellos),
        cmocka_unit_test(a_connection_id_leads_to_its_association),
        cmocka_unit_test(another_connection_id_does_not),
        cmocka_unit_test(record_numbers_that_go_on_elsewhere_are_a_nat),
        cmocka_unit_test(numbers_that_do_not_go_on_are_somebody_else),
        cmocka_unit_test(who_still_speaks_from_where_it_was_has_not_moved),
        cmocka_unit_test(an_answer_from_elsewhere_is_a_stranger),
        cmocka_unit_test(who_has_an_answer_waits_for_no_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
