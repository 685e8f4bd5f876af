/* SPDX-License-Identifier: MIT */
/* lib/flow/look: a datagram taken apart, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/look.h"
#include "flow_tools.h"

static struct sd_look look_snapped(const struct gram *g, size_t captured, size_t cid_len)
{
    static struct sd_datagram d;
    struct sd_look l;
    d = (struct sd_datagram){.payload = {g->bytes, captured}, .length = (uint32_t)sd_wr_len(&g->w)};
    sd_look_at(&l, &d, cid_len);
    return l;
}

static struct sd_look look(const struct gram *g)
{
    return look_snapped(g, sd_wr_len(&g->w), 0);
}

static size_t walk(const struct sd_look *l, enum sd_record_status *end)
{
    struct sd_look_walk w = sd_look_walk(l);
    const struct sd_record *rec;
    size_t n = 0;
    for (; (*end = sd_look_next(&w, &rec)) == SD_RECORD_OK; n++)
        assert_int_equal(rec->seq, n);
    return n;
}

static void a_client_hello_shows_random_and_cookie(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, "cookie");
    put_client_hello(g, 1, 0, 0x22, "another");
    struct sd_look l = look(g);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.status, SD_RECORD_END);
    assert_int_equal(l.message, SD_HS_CLIENT_HELLO);
    assert_int_equal(l.random.len, SD_RANDOM_LEN);
    assert_int_equal(l.random.p[0], 0x11);
    assert_true(l.readable);
    assert_int_equal(l.cookie.len, 6);
    assert_memory_equal(l.cookie.p, "cookie", 6);
}

static void of_other_messages_only_the_type(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_server_hello(g, 0, 0, 0x99);
    struct sd_look l = look(g);
    assert_int_equal(l.message, SD_HS_SERVER_HELLO);
    assert_int_equal(l.random.len, 0);
    assert_false(l.readable);
    g = gram();
    put_data(g, 1);
    assert_int_equal(look(g).message, SD_NO_MESSAGE);
}

static void a_later_fragment_has_no_random(void **state)
{
    (void)state;
    struct hello_body b = client_hello(&(struct hello_options){.random = 0x11});
    struct gram *g = gram();
    put_fragment(g, 0, SD_HS_CLIENT_HELLO, 0, hello_span(&b), 10, 20);
    struct sd_look l = look(g);
    assert_int_equal(l.message, SD_HS_CLIENT_HELLO);
    assert_int_equal(l.random.len, 0);
    assert_false(l.readable);
}

static void a_hello_that_is_cut_shows_what_is_there(void **state)
{
    (void)state;
    enum { BEFORE_RANDOM = SD_RECORD_HEADER_LEN + SD_HANDSHAKE_HEADER_LEN + 2 };
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    struct sd_look l = look_snapped(g, BEFORE_RANDOM + SD_RANDOM_LEN, 0);
    assert_true(l.snapped);
    assert_int_equal(l.count, 0);
    assert_int_equal(l.status, SD_RECORD_CUT);
    assert_ptr_equal(sd_look_first(&l), l.records);
    assert_int_equal(l.random.len, SD_RANDOM_LEN);
    assert_false(l.readable);
    l = look_snapped(g, BEFORE_RANDOM + SD_RANDOM_LEN - 1, 0);
    assert_int_equal(l.random.len, 0);
    l = look_snapped(g, SD_RECORD_HEADER_LEN - 1, 0);
    assert_null(sd_look_first(&l));
}

static void more_records_than_are_kept_are_walked(void **state)
{
    (void)state;
    enum sd_record_status end;
    for (size_t n = SD_LOOK_RECORDS - 1; n < 3 * SD_LOOK_RECORDS; n++) {
        struct gram *g = gram();
        for (size_t i = 0; i < n; i++)
            put_data(g, i);
        struct sd_look l = look(g);
        assert_int_equal(walk(&l, &end), n);
        assert_int_equal(end, SD_RECORD_END);
        l = look_snapped(g, sd_wr_len(&g->w) - 1, 0);
        assert_int_equal(walk(&l, &end), n - 1);
        assert_int_equal(end, SD_RECORD_CUT);
    }
}

static void connection_ids_need_their_length(void **state)
{
    (void)state;
    static const uint8_t with_cid[] = {25, 0xfe, 0xfd, 0,   1,   0, 0, 0, 0,
                                       0,  1,    'c',  'i', 'd', 0, 2, 7, 7};
    struct sd_look own;
    struct gram *g = gram();
    sd_wr_bytes(&g->w, with_cid, sizeof with_cid);
    struct sd_look l = look(g);
    assert_int_equal(l.status, SD_RECORD_CID);
    assert_null(sd_look_first(&l));
    assert_ptr_equal(sd_look_with(&l, 0, &own), &l);
    assert_ptr_equal(sd_look_with(&l, 3, &own), &own);
    assert_int_equal(own.count, 1);
    assert_int_equal(own.records[0].cid.len, 3);
    assert_int_equal(own.status, SD_RECORD_END);
}

static void where_no_record_has_one_their_length_changes_nothing(void **state)
{
    (void)state;
    struct sd_look own;
    struct gram *g = gram();
    put_data(g, 0);
    struct sd_look l = look(g);
    assert_ptr_equal(sd_look_with(&l, 3, &own), &l);
    for (size_t i = 1; i <= SD_LOOK_RECORDS; i++)
        put_data(g, i);
    l = look(g);
    assert_ptr_equal(sd_look_with(&l, 3, &own), &own); /* one of the others might */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hello_shows_random_and_cookie),
        cmocka_unit_test(of_other_messages_only_the_type),
        cmocka_unit_test(a_later_fragment_has_no_random),
        cmocka_unit_test(a_hello_that_is_cut_shows_what_is_there),
        cmocka_unit_test(more_records_than_are_kept_are_walked),
        cmocka_unit_test(connection_ids_need_their_length),
        cmocka_unit_test(where_no_record_has_one_their_length_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
