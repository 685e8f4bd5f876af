/* SPDX-License-Identifier: MIT */
/* lib/wire/record: headers of every DTLS version, and where a datagram stops
 * being records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wire/record.h"

static enum sd_record_status first(const void *data, size_t len, size_t cid_len,
                                   struct sd_record *rec)
{
    struct sd_records it = sd_records_init(data, len, cid_len);
    return sd_record_next(&it, rec);
}

/* Copied to the heap, so that a sanitizer sees the first byte read too far. */
static enum sd_record_status first_of_copy(const void *data, size_t len, struct sd_record *rec)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    enum sd_record_status st = first(copy, len, 0, rec);
    free(copy);
    return st;
}

static const uint8_t alert_record[] = {21, 0xfe, 0xfd, 0x00, 0x00, 0, 0,   0,
                                       0,  1,    5,    0x00, 0x02, 2, 0x28};

static void a_plaintext_record_has_every_field(void **state)
{
    (void)state;
    struct sd_record rec;
    assert_int_equal(first(alert_record, sizeof alert_record, 0, &rec), SD_RECORD_OK);
    assert_false(rec.unified);
    assert_int_equal(rec.type, SD_CT_ALERT);
    assert_int_equal(rec.version, SD_DTLS_1_2);
    assert_int_equal(rec.epoch, 0);
    assert_int_equal(rec.seq, 0x0105);
    assert_int_equal(rec.seq_bits, 48);
    assert_int_equal(rec.length, 2);
    assert_int_equal(rec.offset, 0);
    assert_ptr_equal(rec.header.p, alert_record);
    assert_int_equal(rec.header.len, SD_RECORD_HEADER_LEN);
    assert_ptr_equal(rec.body.p, alert_record + 13);
    assert_int_equal(rec.body.len, 2);
}

static void epoch_and_sequence_use_all_their_bits(void **state)
{
    (void)state;
    const uint8_t b[] = {23, 0xfe, 0xff, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 0};
    struct sd_record rec;
    assert_int_equal(first(b, sizeof b, 0, &rec), SD_RECORD_OK);
    assert_int_equal(rec.epoch, 0x1234);
    assert_true(rec.seq == UINT64_C(0x56789abcdef0));
    assert_int_equal(rec.body.len, 0);
}

static void records_follow_each_other_to_the_end(void **state)
{
    (void)state;
    uint8_t b[3 * sizeof alert_record];
    for (size_t i = 0; i < 3; i++)
        memcpy(b + i * sizeof alert_record, alert_record, sizeof alert_record);
    struct sd_records it = sd_records_init(b, sizeof b, 0);
    struct sd_record rec;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
        assert_int_equal(rec.offset, i * sizeof alert_record);
    }
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_END);
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_END);
}

static void an_empty_datagram_has_no_records(void **state)
{
    (void)state;
    struct sd_record rec;
    assert_int_equal(first(NULL, 0, 0, &rec), SD_RECORD_END);
}

static void a_cut_record_is_never_taken_for_whole(void **state)
{
    (void)state;
    struct sd_record rec;
    for (size_t n = 1; n < sizeof alert_record; n++) {
        enum sd_record_status want = n < 13 ? SD_RECORD_NO_HEADER : SD_RECORD_CUT;
        assert_int_equal(first_of_copy(alert_record, n, &rec), want);
        assert_int_equal(rec.type, n < 13 ? 0 : SD_CT_ALERT);
        assert_int_equal(rec.length, n < 13 ? 0 : 2);
        assert_int_equal(rec.body.len, n < 13 ? 0 : n - 13);
    }
}

static void what_is_not_dtls_is_told_apart(void **state)
{
    (void)state;
    const char http[] = "GET / HTTP/1.1\r\n\r\n";
    const uint8_t stun[20] = {0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
    const uint8_t rtp[16] = {0x80, 0x60};
    const uint8_t tls[] = {22, 3, 1, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t wire13[] = {22, 0xfe, 0xfc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct sd_record rec;
    assert_int_equal(first(http, sizeof http, 0, &rec), SD_RECORD_TYPE);
    assert_int_equal(first(stun, sizeof stun, 0, &rec), SD_RECORD_TYPE);
    assert_int_equal(first(rtp, sizeof rtp, 0, &rec), SD_RECORD_TYPE);
    assert_int_equal(first(tls, sizeof tls, 0, &rec), SD_RECORD_VERSION);
    assert_int_equal(first(wire13, sizeof wire13, 0, &rec), SD_RECORD_VERSION);
}

static void content_types_end_at_19_and_27(void **state)
{
    (void)state;
    struct sd_record rec;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t b[sizeof alert_record];
        memcpy(b, alert_record, sizeof b);
        b[0] = (uint8_t)type;
        enum sd_record_status st = first(b, sizeof b, 0, &rec);
        bool known = type >= 20 && type <= 26 && type != SD_CT_CID;
        if (type >> 5 != 1 && type != SD_CT_CID)
            assert_int_equal(st, known ? SD_RECORD_OK : SD_RECORD_TYPE);
    }
}

static void a_length_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    uint8_t *b = calloc(1, 13 + 0x4801);
    assert_non_null(b);
    memcpy(b, (uint8_t[]){23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0x48, 0x00}, 13);
    struct sd_record rec;
    assert_int_equal(first(b, 13 + 0x4800, 0, &rec), SD_RECORD_OK);
    b[12] = 1;
    assert_int_equal(first(b, 13 + 0x4801, 0, &rec), SD_RECORD_TOO_LONG);
    assert_int_equal(rec.length, 0);
    free(b);
}

static void a_connection_id_needs_a_known_length(void **state)
{
    (void)state;
    const uint8_t b[] = {25, 0xfe, 0xfd, 0, 1,    0,    0, 0, 0,  0,
                         7,  0xaa, 0xbb, 0, 0x03, 0x11, 1, 2, 21, 0xfe};
    struct sd_record rec;
    assert_int_equal(first(b, sizeof b, 0, &rec), SD_RECORD_CID);
    struct sd_records it = sd_records_init(b, 18, 2);
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    assert_int_equal(rec.type, SD_CT_CID);
    assert_int_equal(rec.epoch, 1);
    assert_int_equal(rec.seq, 7);
    assert_int_equal(rec.cid.len, 2);
    assert_ptr_equal(rec.cid.p, b + 11);
    assert_int_equal(rec.header.len, 15);
    assert_int_equal(rec.body.len, 3);
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_END);
    assert_int_equal(first(b, 12, 2, &rec), SD_RECORD_NO_HEADER);
}

static void the_unified_header_says_what_it_has(void **state)
{
    (void)state;
    const uint8_t full[] = {0x3e, 0xc1, 0xc2, 0x12, 0x34, 0, 2, 9, 9, 0x23, 0x77, 8, 8, 8};
    struct sd_records it = sd_records_init(full, sizeof full, 2);
    struct sd_record rec;
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    assert_true(rec.unified);
    assert_int_equal(rec.type, 0);
    assert_int_equal(rec.version, 0);
    assert_int_equal(rec.epoch, 2);
    assert_int_equal(rec.seq, 0x1234);
    assert_int_equal(rec.seq_bits, 16);
    assert_ptr_equal(rec.cid.p, full + 1);
    assert_int_equal(rec.header.len, 7);
    assert_int_equal(rec.body.len, 2);
    /* Short sequence, no length: to the end of the datagram. */
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    assert_int_equal(rec.offset, 9);
    assert_int_equal(rec.epoch, 3);
    assert_int_equal(rec.seq, 0x77);
    assert_int_equal(rec.seq_bits, 8);
    assert_int_equal(rec.cid.len, 0);
    assert_int_equal(rec.length, 3);
    assert_int_equal(rec.body.len, 3);
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_END);
}

static void a_cut_unified_record_is_noticed(void **state)
{
    (void)state;
    const uint8_t b[] = {0x2d, 0x12, 0x34, 0, 2, 9, 9};
    struct sd_record rec;
    assert_int_equal(first_of_copy(b, sizeof b, &rec), SD_RECORD_OK);
    for (size_t n = 1; n < sizeof b; n++)
        assert_int_equal(first_of_copy(b, n, &rec), n < 5 ? SD_RECORD_NO_HEADER : SD_RECORD_CUT);
    assert_int_equal(first((uint8_t[]){0x3d, 1, 2, 3, 4, 5, 6}, 7, 0, &rec), SD_RECORD_CID);
}

static void a_built_record_is_read_back(void **state)
{
    (void)state;
    uint8_t b[64];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    const uint8_t body[] = {2, 0x28};
    struct sd_record out = {
        .type = SD_CT_ALERT, .version = SD_DTLS_1_2, .seq = 0x0105, .body = {body, sizeof body}};
    sd_record_build(&w, &out);
    assert_int_equal(sd_wr_len(&w), sizeof alert_record);
    assert_memory_equal(b, alert_record, sizeof alert_record);
}

static void a_record_that_does_not_fit_is_not_built(void **state)
{
    (void)state;
    uint8_t b[14];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_record_build(&w, &(struct sd_record){.type = SD_CT_ALERT, .body = {alert_record, 2}});
    assert_true(w.bad);
    w = sd_wr_init(b, sizeof b);
    sd_record_build(&w, &(struct sd_record){.unified = true});
    assert_true(w.bad);
}

static void change_cipher_spec_is_one_byte(void **state)
{
    (void)state;
    const uint8_t old[] = {1, 0, 5}, zero[] = {0};
    assert_true(sd_ccs_ok(SD_DTLS_1_2, (struct sd_span){old, 1}));
    assert_false(sd_ccs_ok(SD_DTLS_BAD, (struct sd_span){old, 1}));
    assert_true(sd_ccs_ok(SD_DTLS_BAD, (struct sd_span){old, sizeof old}));
    assert_false(sd_ccs_ok(SD_DTLS_1_2, (struct sd_span){old, sizeof old}));
    assert_false(sd_ccs_ok(SD_DTLS_1_2, (struct sd_span){zero, 1}));
    assert_false(sd_ccs_ok(SD_DTLS_1_2, (struct sd_span){zero, 0}));
}

/* Whatever the bytes: the records lie side by side inside the datagram. */
static void random_datagrams_stay_inside_their_bounds(void **state)
{
    (void)state;
    uint32_t x = 12345;
    for (int round = 0; round < 100000; round++) {
        uint8_t b[80];
        for (size_t i = 0; i < sizeof b; i++) {
            x = x * 1664525 + 1013904223;
            b[i] = (uint8_t)(x >> 24);
        }
        const uint8_t head[] = {(uint8_t)(20 + b[0] % 20), 0xfe, 0xfd};
        memcpy(b, head, sizeof head);
        b[11] = 0;
        b[12] &= 63;
        size_t len = 1 + b[79] % sizeof b, used = 0;
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, b, len);
        struct sd_records it = sd_records_init(copy, len, b[78] % 3);
        struct sd_record rec;
        while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
            assert_int_equal(rec.offset, used);
            assert_int_equal(rec.body.len, rec.length);
            used += rec.header.len + rec.body.len;
        }
        assert_true(used <= len);
        assert_int_equal(it.status == SD_RECORD_END, used == len);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plaintext_record_has_every_field),
        cmocka_unit_test(epoch_and_sequence_use_all_their_bits),
        cmocka_unit_test(records_follow_each_other_to_the_end),
        cmocka_unit_test(an_empty_datagram_has_no_records),
        cmocka_unit_test(a_cut_record_is_never_taken_for_whole),
        cmocka_unit_test(what_is_not_dtls_is_told_apart),
        cmocka_unit_test(content_types_end_at_19_and_27),
        cmocka_unit_test(a_length_beyond_the_limit_is_refused),
        cmocka_unit_test(a_connection_id_needs_a_known_length),
        cmocka_unit_test(the_unified_header_says_what_it_has),
        cmocka_unit_test(a_cut_unified_record_is_noticed),
        cmocka_unit_test(a_built_record_is_read_back),
        cmocka_unit_test(a_record_that_does_not_fit_is_not_built),
        cmocka_unit_test(change_cipher_spec_is_one_byte),
        cmocka_unit_test(random_datagrams_stay_inside_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
