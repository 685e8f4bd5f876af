/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/handshake.h"
#include "wire/junk.h"
#include "wire/record.h"
#include "wire/refragment.h"

enum { MESSAGE = 3000, SEALED = 60 };

/* What came out: each handshake message put together again. */
struct seen {
    size_t mtu, datagrams, oversize, others, sealed;
    uint64_t last_seq;
    bool unordered;
    uint8_t message[2][MESSAGE];
    size_t bytes[2];
};

static void see_handshake(struct seen *s, const struct sd_record *rec)
{
    struct sd_rd body = sd_rd_init(rec->body.p, rec->body.len);
    struct sd_handshake h;
    while (sd_handshake_next(&body, &h) == SD_HANDSHAKE_OK) {
        assert_in_range(h.message_seq, 3, 4);
        assert_int_equal(h.length, MESSAGE);
        memcpy(s->message[h.message_seq - 3] + h.frag_off, h.body.p, h.body.len);
        s->bytes[h.message_seq - 3] += h.body.len;
    }
    assert_true(sd_rd_done(&body));
}

static void see(void *arg, const uint8_t *data, size_t len)
{
    struct seen *s = arg;
    s->datagrams++;
    s->oversize += len > s->mtu;
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        if (rec.epoch) {
            s->sealed++;
            assert_int_equal(rec.seq, 77);
            continue;
        }
        s->unordered |= rec.seq <= s->last_seq;
        s->last_seq = rec.seq;
        if (rec.type == SD_CT_HANDSHAKE)
            see_handshake(s, &rec);
        else
            s->others++;
    }
    assert_int_equal(it.status, SD_RECORD_END);
}

static uint8_t byte_of(int message, size_t i)
{
    return (uint8_t)(i * 7 + (size_t)message * 31 + i / 256);
}

/* Two messages, ChangeCipherSpec and something encrypted, as one datagram. */
static size_t flight(uint8_t *buf, size_t cap, size_t sealed)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    uint8_t bytes[MESSAGE];
    for (int m = 0; m < 2; m++) {
        for (size_t i = 0; i < MESSAGE; i++)
            bytes[i] = byte_of(m, i);
        const struct sd_handshake h = {.type = 11,
                                       .length = MESSAGE,
                                       .message_seq = (uint16_t)(3 + m),
                                       .frag_len = MESSAGE,
                                       .body = {bytes, MESSAGE}};
        size_t mark = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, (uint64_t)m);
        sd_handshake_build(&w, &h);
        sd_record_close(&w, mark);
    }
    const struct sd_record ccs = {
        .type = SD_CT_CCS, .version = SD_DTLS_1_2, .seq = 2, .body = {bytes, 1}};
    const struct sd_record finished = {.type = SD_CT_HANDSHAKE,
                                       .version = SD_DTLS_1_2,
                                       .epoch = 1,
                                       .seq = 77,
                                       .body = {bytes, sealed}};
    sd_record_build(&w, &ccs);
    sd_record_build(&w, &finished);
    assert_false(w.bad);
    return sd_wr_len(&w);
}

static struct seen cut(size_t mtu, size_t sealed)
{
    uint8_t buf[3 * MESSAGE];
    struct seen s = {.mtu = mtu, .last_seq = 9};
    struct sd_refragment r = {.mtu = mtu, .next_seq = 10, .emit = see, .arg = &s};
    sd_refragment(&r, buf, flight(buf, sizeof buf, sealed));
    assert_int_equal(r.next_seq, s.last_seq + 1);
    return s;
}

static void every_piece_fits_and_nothing_is_missing(void **state)
{
    (void)state;
    for (size_t mtu = 120; mtu < 4000; mtu += 37) {
        struct seen s = cut(mtu, SEALED);
        assert_int_equal(s.oversize, 0);
        assert_false(s.unordered);
        assert_int_equal(s.others, 1);
        assert_int_equal(s.sealed, 1);
        assert_true(s.datagrams <= 2 * MESSAGE / (mtu - 50) + 3);
        for (int m = 0; m < 2; m++) {
            assert_int_equal(s.bytes[m], MESSAGE);
            for (size_t i = 0; i < MESSAGE; i++)
                assert_int_equal(s.message[m][i], byte_of(m, i));
        }
    }
}

static void what_is_encrypted_travels_alone_where_it_does_not_fit(void **state)
{
    (void)state;
    struct seen s = cut(200, 500);
    assert_int_equal(s.sealed, 1);
    assert_int_equal(s.oversize, 1);
    assert_int_equal(s.bytes[0] + s.bytes[1], 2 * MESSAGE);
}

static void an_mtu_without_room_for_a_piece_gives_nothing(void **state)
{
    (void)state;
    assert_int_equal(cut(50, SEALED).datagrams, 0);
}

static void fill_with_aa(void *buf, size_t len)
{
    memset(buf, 0xaa, len);
}

static void junk_fills_any_room_that_holds_a_header(void **state)
{
    (void)state;
    static uint8_t buf[65507];
    static const size_t rooms[] = {0,     13,    14,    500,   1472,  18445, 18446,
                                   18450, 18458, 18459, 36890, 36895, 65507};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        struct sd_wr w = sd_wr_init(buf, rooms[i]);
        sd_junk_build(&w, rooms[i], fill_with_aa);
        assert_false(w.bad);
        assert_int_equal(sd_wr_len(&w), rooms[i]);
        struct sd_records it = sd_records_init(buf, rooms[i], 0);
        struct sd_record rec;
        while (sd_record_next(&it, &rec) == SD_RECORD_OK)
            assert_int_equal(rec.epoch, 0);
        assert_int_equal(it.status, SD_RECORD_END);
    }
}

static void junk_refuses_what_it_cannot_fill(void **state)
{
    (void)state;
    uint8_t buf[64];
    for (size_t room = 1; room < 13; room++) {
        struct sd_wr w = sd_wr_init(buf, sizeof buf);
        assert_false(sd_junk_fits(room));
        sd_junk_build(&w, room, NULL);
        assert_true(w.bad);
    }
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    sd_junk_build(&w, sizeof buf + 1, NULL);
    assert_true(w.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_fits_and_nothing_is_missing),
        cmocka_unit_test(what_is_encrypted_travels_alone_where_it_does_not_fit),
        cmocka_unit_test(an_mtu_without_room_for_a_piece_gives_nothing),
        cmocka_unit_test(junk_fills_any_room_that_holds_a_header),
        cmocka_unit_test(junk_refuses_what_it_cannot_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
