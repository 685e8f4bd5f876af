/* SPDX-License-Identifier: MIT */
/* lib/wire/handshake, alert and dtls13: messages inside a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wire/alert.h"
#include "wire/handshake.h"

/* Fragment 2..5 of a Certificate of 10 bytes. */
static const uint8_t fragment[] = {11, 0, 0, 10, 0, 2, 0, 0, 2, 0, 0, 3, 'c', 'd', 'e'};

static enum sd_handshake_status first(const uint8_t *data, size_t len, struct sd_handshake *h)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    struct sd_rd r = sd_rd_init(copy, len);
    enum sd_handshake_status st = sd_handshake_next(&r, h);
    assert_true(r.bad == (st != SD_HANDSHAKE_OK && st != SD_HANDSHAKE_END));
    free(copy);
    return st;
}

static void a_fragment_has_every_field(void **state)
{
    (void)state;
    struct sd_rd r = sd_rd_init(fragment, sizeof fragment);
    struct sd_handshake h;
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    assert_int_equal(h.type, SD_HS_CERTIFICATE);
    assert_int_equal(h.length, 10);
    assert_int_equal(h.message_seq, 2);
    assert_int_equal(h.frag_off, 2);
    assert_int_equal(h.frag_len, 3);
    assert_ptr_equal(h.body.p, fragment + 12);
    assert_int_equal(h.body.len, 3);
    assert_false(sd_handshake_whole(&h));
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_END);
    assert_false(r.bad);
}

static void messages_share_a_record(void **state)
{
    (void)state;
    uint8_t b[2 * sizeof fragment + 12] = {0};
    memcpy(b, fragment, sizeof fragment);
    memcpy(b + sizeof fragment, fragment, sizeof fragment);
    b[2 * sizeof fragment] = SD_HS_SERVER_HELLO_DONE; /* an empty message */
    struct sd_rd r = sd_rd_init(b, sizeof b);
    struct sd_handshake h;
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    assert_int_equal(h.type, SD_HS_SERVER_HELLO_DONE);
    assert_true(sd_handshake_whole(&h));
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_END);
}

static void a_cut_message_is_never_taken_for_whole(void **state)
{
    (void)state;
    struct sd_handshake h;
    for (size_t n = 1; n < sizeof fragment; n++) {
        enum sd_handshake_status st = first(fragment, n, &h);
        assert_int_equal(st, n < 12 ? SD_HANDSHAKE_NO_HEADER : SD_HANDSHAKE_CUT);
        assert_int_equal(h.type, n < 12 ? 0 : SD_HS_CERTIFICATE);
        assert_int_equal(h.body.len, 0);
    }
}

static void a_fragment_lies_within_its_message(void **state)
{
    (void)state;
    struct sd_handshake h = {.length = 10, .frag_off = 7, .frag_len = 3};
    assert_true(sd_handshake_consistent(&h));
    h.frag_len = 4;
    assert_false(sd_handshake_consistent(&h));
    h = (struct sd_handshake){.length = 10, .frag_off = 0xffffff, .frag_len = 0xffffff};
    assert_false(sd_handshake_consistent(&h));
    h = (struct sd_handshake){.length = 10, .frag_off = 10, .frag_len = 0};
    assert_false(sd_handshake_consistent(&h)); /* empty piece of a message that is not */
    h = (struct sd_handshake){0};
    assert_true(sd_handshake_consistent(&h));
}

static void a_contradicting_header_ends_the_record(void **state)
{
    (void)state;
    uint8_t b[sizeof fragment];
    memcpy(b, fragment, sizeof b);
    b[8] = 9; /* 9 + 3 > 10 */
    struct sd_handshake h;
    assert_int_equal(first(b, sizeof b, &h), SD_HANDSHAKE_INCONSISTENT);
    assert_int_equal(h.frag_off, 9);
    assert_int_equal(h.body.len, 0);
}

static void a_built_fragment_is_read_back(void **state)
{
    (void)state;
    struct sd_rd r = sd_rd_init(fragment, sizeof fragment);
    struct sd_handshake h;
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    uint8_t b[sizeof fragment];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_handshake_build(&w, &h);
    assert_int_equal(sd_wr_len(&w), sizeof fragment);
    assert_memory_equal(b, fragment, sizeof fragment);
    w = sd_wr_init(b, sizeof b);
    h.frag_len = 4; /* more than the body has */
    sd_handshake_build(&w, &h);
    assert_true(w.bad);
}

static void an_open_message_gets_its_length_twice(void **state)
{
    (void)state;
    uint8_t b[64];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_wr_u8(&w, 0x55); /* something before it */
    size_t mark = sd_handshake_open(&w, SD_HS_FINISHED, 7);
    sd_wr_bytes(&w, "abcdefghijkl", 12);
    sd_handshake_close(&w, mark);
    const uint8_t want[] = {0x55, 20, 0, 0, 12, 0, 7, 0, 0, 0, 0, 0, 12, 'a'};
    assert_int_equal(sd_wr_len(&w), 1 + 12 + 12);
    assert_memory_equal(b, want, sizeof want);
    w = sd_wr_init(b, 11);
    mark = sd_handshake_open(&w, SD_HS_FINISHED, 7);
    sd_handshake_close(&w, mark);
    assert_true(w.bad);
}

static void an_alert_is_two_bytes_with_a_level(void **state)
{
    (void)state;
    const uint8_t fatal[] = {2, 40, 0}, level3[] = {3, 40};
    struct sd_alert a;
    assert_true(sd_alert_parse(&a, (struct sd_span){fatal, 2}));
    assert_int_equal(a.level, SD_ALERT_FATAL);
    assert_int_equal(a.description, SD_ALERT_HANDSHAKE_FAILURE);
    uint8_t b[2];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_alert_build(&w, &a);
    assert_memory_equal(b, fatal, 2);
    assert_false(sd_alert_parse(&a, (struct sd_span){fatal, 3}));
    assert_false(sd_alert_parse(&a, (struct sd_span){fatal, 1}));
    assert_int_equal(a.level, 0);
    assert_false(sd_alert_parse(&a, (struct sd_span){level3, 2}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fragment_has_every_field),
        cmocka_unit_test(messages_share_a_record),
        cmocka_unit_test(a_cut_message_is_never_taken_for_whole),
        cmocka_unit_test(a_fragment_lies_within_its_message),
        cmocka_unit_test(a_contradicting_header_ends_the_record),
        cmocka_unit_test(a_built_fragment_is_read_back),
        cmocka_unit_test(an_open_message_gets_its_length_twice),
        cmocka_unit_test(an_alert_is_two_bytes_with_a_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
