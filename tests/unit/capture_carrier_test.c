/* SPDX-License-Identifier: MIT */
/* lib/capture/carrier: what a UDP payload is, and the records that TURN, STUN and CAPWAP
 * carry in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/carrier.h"
#include "capture_seen.h"

static enum sd_payload kind(const void *data, size_t len)
{
    uint8_t *copy = heap_copy(data, len);
    enum sd_payload k = sd_payload_kind((struct sd_span){copy, len}, len);
    free(copy);
    return k;
}

struct sample {
    enum sd_payload kind;
    size_t len;
    const char *bytes;
};

static void check_samples(const struct sample *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kind(s[i].bytes, s[i].len) != s[i].kind)
            fail_msg("sample %zu is %d, not %d", i, kind(s[i].bytes, s[i].len), s[i].kind);
}

#define TID "twelve bytes"
#define COOKIE "\x21\x12\xa4\x42"

static void the_first_byte_and_what_follows_tell_the_kind(void **state)
{
    (void)state;
    static const struct sample known[] = {
        {SD_PAYLOAD_DTLS, sizeof a_record, (const char *)a_record},
        {SD_PAYLOAD_DTLS, 15, "\x15\x01\0\0\1\0\0\0\0\0\1\0\2\1\x28"}, /* before RFC 4347 */
        {SD_PAYLOAD_DTLS, 14, "\x17\xfe\xfd\0\1\0\0\0\0\0\1\0\x20x"},  /* cut: still ours */
        {SD_PAYLOAD_DTLS, 30, "\x19\xfe\xfd\0\1\0\0\0\0\0\1cid and so on....."},
        {SD_PAYLOAD_DTLS, 21, "\x2e\1\2\0\x10-0123456789abcdef"},
        {SD_PAYLOAD_DTLS, 20,
         "\x3f"
         "cid, and any length"},
        {SD_PAYLOAD_STUN, 20, "\0\1\0\0" COOKIE TID},
        {SD_PAYLOAD_STUN_SUCCESS, 20, "\1\1\0\0" COOKIE TID},
        {SD_PAYLOAD_ZRTP, 12, "\x10\0\0\1ZRTP\0\0\0\1"},
        {SD_PAYLOAD_TURN_CHANNEL, 6, "\x40\0\0\2xy"},
        {SD_PAYLOAD_TURN_CHANNEL, 8, "\x4f\xff\0\1x\0\0\0"},
        {SD_PAYLOAD_RTP, 12, "\x80\x60\0\1\0\0\0\1\0\0\0\1"},
        {SD_PAYLOAD_RTP, 8, "\x81\xc9\0\1\0\0\0\1"},
        {SD_PAYLOAD_QUIC, 14, "\xc3\0\0\0\1\x08-abcdefg"},
    };
    check_samples(known, sizeof known / sizeof *known);
}

static void a_first_byte_alone_is_not_enough(void **state)
{
    (void)state;
    static const struct sample others[] = {
        {SD_PAYLOAD_OTHER, 0, ""},
        {SD_PAYLOAD_OTHER, 20, "\0\1\0\0\x21\x12\xa4\x43" TID},
        {SD_PAYLOAD_OTHER, 20, "\0\1\0\4" COOKIE TID},
        {SD_PAYLOAD_OTHER, 22, "\0\1\0\2" COOKIE TID "xy"},
        {SD_PAYLOAD_OTHER, 12, "\x10\0\0\1ZRTX\0\0\0\1"},
        {SD_PAYLOAD_OTHER, 13, "\x16\3\3\0\0\0\0\0\0\0\1\0\0"},       /* TLS */
        {SD_PAYLOAD_OTHER, 13, "\x17\xfe\xff\0\1\0\0\0\0\0\1\xff\0"}, /* too long */
        {SD_PAYLOAD_OTHER, 12, "\x17\xfe\xff\0\1\0\0\0\0\0\1\0"},     /* half a header */
        {SD_PAYLOAD_OTHER, 13, "\x1b\xfe\xff\0\1\0\0\0\0\0\1\0\0"},   /* no such type */
        {SD_PAYLOAD_OTHER, 15, "\x20\1............."},                /* too short */
        {SD_PAYLOAD_OTHER, 21, "\x2e\1\2\1\x10-0123456789abcdef"},    /* too long inside */
        {SD_PAYLOAD_OTHER, 10, "HTTP/1.1 2"},
        {SD_PAYLOAD_OTHER, 10, "\x40\0\0\2xyzuvw"},
        {SD_PAYLOAD_OTHER, 6, "\x40\0\0\3xy"},
        {SD_PAYLOAD_OTHER, 10, "\x50 short quic"},
        {SD_PAYLOAD_OTHER, 7, "\x80\xc9\0\1\0\0\0"},
        {SD_PAYLOAD_OTHER, 14, "\xc3\0\0\0\1\x15-abcdefg"},
        {SD_PAYLOAD_OTHER, 3, "\xff\xff\xff"},
    };
    check_samples(others, sizeof others / sizeof *others);
}

/* --- unwrapping --- */

struct taker {
    struct sd_carriers *c;
    struct seen seen;
    unsigned success; /* Binding successes among what was seen */
};

static void on_taken(void *arg, const struct sd_datagram *d)
{
    struct taker *t = arg;
    t->success += d->kind == SD_PAYLOAD_STUN_SUCCESS;
    on_datagram(&t->seen, d);
}

static void open_taker(struct taker *t)
{
    memset(t, 0, sizeof *t);
    t->c = sd_carriers_new((struct sd_hash_key){5, 6}, 64);
    assert_non_null(t->c);
}

static void close_taker(struct taker *t)
{
    sd_carriers_free(t->c);
}

enum direction { TO_SERVER, TO_CLIENT };

static void take_cut(struct taker *t, const struct build *b, enum direction way, uint16_t server,
                     size_t captured)
{
    uint8_t *copy = heap_copy(build_bytes(b), captured);
    struct sd_addr client = address(AF_INET, false, 50000), to = address(AF_INET, true, server);
    struct sd_datagram d = {.src = way == TO_SERVER ? client : to,
                            .dst = way == TO_SERVER ? to : client,
                            .payload = {copy, captured},
                            .length = build_len(b)};
    sd_carriers_take(t->c, &d, on_taken, t);
    free(copy);
}

static void take(struct taker *t, const struct build *b, enum direction way)
{
    take_cut(t, b, way, 3478, build_len(b));
}

static void put_attribute(struct build *b, uint16_t type, const void *value, uint16_t len)
{
    put_zeros(b, -len & 3);
    put(b, value, len);
    put16(b, len);
    put16(b, type);
}

/* 192.0.2.<host>:<port>, masked with the cookie. */
static void put_peer(struct build *b, uint8_t host, uint16_t port)
{
    uint8_t value[] = {
        0,        1,          (uint8_t)(port >> 8) ^ 0x21, (uint8_t)(port ^ 0x12), 192 ^ 0x21, 0x12,
        2 ^ 0xa4, host ^ 0x42};
    put_attribute(b, 0x0012, value, sizeof value);
}

static void put_stun(struct build *b, uint16_t type)
{
    uint16_t length = build_len(b);
    put(b, TID, 12);
    put32(b, 0x2112a442);
    put16(b, length);
    put16(b, type);
}

static void build_indication(struct build *b, uint16_t type, uint8_t host)
{
    build_start(b);
    put_attribute(b, 0x0013, a_record, sizeof a_record);
    put_attribute(b, 0x8022, "name", 4);
    put_peer(b, host, 4433);
    put_stun(b, type);
}

static void build_channel(struct build *b, uint16_t number)
{
    build_start(b);
    put(b, a_record, sizeof a_record);
    put16(b, sizeof a_record);
    put16(b, number);
}

static void build_bind(struct build *b, uint16_t number, uint8_t host)
{
    uint8_t value[] = {(uint8_t)(number >> 8), (uint8_t)number, 0, 0};
    build_start(b);
    put_peer(b, host, 4433);
    put_attribute(b, 0x000c, value, 4);
    put_stun(b, 0x0009);
}

static void check_records(const struct taker *t, enum sd_carrier carrier)
{
    const struct sd_datagram *d = &t->seen.last;
    assert_int_equal(d->kind, SD_PAYLOAD_DTLS);
    assert_int_equal(d->carrier, carrier);
    assert_int_equal(d->length, sizeof a_record);
    assert_int_equal(d->payload.len, sizeof a_record);
    assert_memory_equal(d->payload.p, a_record, sizeof a_record);
}

static void plain_records_have_no_lane(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_start(&b);
    put(&b, a_record, sizeof a_record);
    take(&t, &b, TO_SERVER);
    check_records(&t, SD_CARRIER_NONE);
    assert_true(t.seen.last.lane == 0);
    close_taker(&t);
}

static void indications_have_a_lane_for_each_peer(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_indication(&b, 0x0016, 7);
    take(&t, &b, TO_SERVER);
    check_records(&t, SD_CARRIER_TURN_INDICATION);
    uint64_t lane = t.seen.last.lane;
    assert_true(lane != 0);
    build_indication(&b, 0x0017, 7);
    take(&t, &b, TO_CLIENT);
    check_records(&t, SD_CARRIER_TURN_INDICATION);
    assert_true(t.seen.last.lane == lane);
    build_indication(&b, 0x0017, 8);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane != lane);
    assert_int_equal(t.seen.datagrams, 3);
    close_taker(&t);
}

/* An IPv6 address is masked with the transaction id too, which no two messages share. */
static void a_peer_with_ipv6_keeps_its_lane(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    uint64_t lane[2];
    open_taker(&t);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t mask[] = COOKIE TID, value[20] = {0, 2, 0x11 ^ 0x21, 0x51 ^ 0x12};
        mask[15] = (uint8_t)(mask[15] + i);
        for (size_t k = 0; k < 16; k++)
            value[4 + k] = v6_src[k] ^ mask[k];
        build_start(&b);
        put_attribute(&b, 0x0013, a_record, sizeof a_record);
        put_attribute(&b, 0x0012, value, sizeof value);
        put_stun(&b, 0x0017);
        memcpy(b.bytes + b.at + 4, mask, 16);
        take(&t, &b, TO_CLIENT);
        check_records(&t, SD_CARRIER_TURN_INDICATION);
        lane[i] = t.seen.last.lane;
    }
    assert_true(lane[0] == lane[1]);
    close_taker(&t);
}

static void a_bound_channel_has_the_lane_of_its_peer(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_indication(&b, 0x0016, 7);
    take(&t, &b, TO_SERVER);
    uint64_t lane = t.seen.last.lane;
    build_bind(&b, 0x4001, 7);
    take(&t, &b, TO_SERVER);
    assert_int_equal(t.seen.last.kind, SD_PAYLOAD_STUN);
    build_channel(&b, 0x4001);
    take(&t, &b, TO_SERVER);
    check_records(&t, SD_CARRIER_TURN_CHANNEL);
    assert_true(t.seen.last.lane == lane);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane == lane);
    /* Another allocation's channel of this number is another one. */
    take_cut(&t, &b, TO_SERVER, 3479, build_len(&b));
    assert_true(t.seen.last.lane != lane);
    build_bind(&b, 0x4001, 8);
    take(&t, &b, TO_SERVER);
    build_channel(&b, 0x4001);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane != lane);
    close_taker(&t);
}

static void a_channel_never_bound_has_that_of_its_number(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_channel(&b, 0x4001);
    take(&t, &b, TO_SERVER);
    check_records(&t, SD_CARRIER_TURN_CHANNEL);
    uint64_t lane = t.seen.last.lane;
    assert_true(lane != 0);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane == lane);
    build_channel(&b, 0x4002);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane != lane);
    close_taker(&t);
}

static void channels_do_not_push_each_other_out(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    for (unsigned i = 0; i < 16; i++) {
        build_bind(&b, (uint16_t)(0x4000 + i), (uint8_t)i);
        take(&t, &b, TO_SERVER);
    }
    for (unsigned i = 0; i < 16; i++) {
        build_channel(&b, (uint16_t)(0x4000 + i));
        take(&t, &b, TO_CLIENT);
        uint64_t lane = t.seen.last.lane;
        build_indication(&b, 0x0017, (uint8_t)i);
        take(&t, &b, TO_CLIENT);
        assert_true(t.seen.last.lane == lane);
    }
    close_taker(&t);
}

/* The message is whole, so its attribute cannot be longer. */
static void an_attribute_ends_with_its_message(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_start(&b);
    put(&b, a_record, 24);
    put16(&b, 200);
    put16(&b, 0x0013);
    put_stun(&b, 0x0016);
    take(&t, &b, TO_SERVER);
    assert_int_equal(t.seen.last.kind, SD_PAYLOAD_STUN);
    assert_int_equal(t.seen.last.carrier, SD_CARRIER_NONE);
    close_taker(&t);
}

static void many_channels_need_no_more_room(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    for (unsigned i = 0; i < 4096; i++) {
        build_bind(&b, (uint16_t)(0x4000 + i), (uint8_t)i);
        take(&t, &b, TO_SERVER);
    }
    build_channel(&b, 0x4fff);
    take(&t, &b, TO_CLIENT);
    uint64_t lane = t.seen.last.lane;
    build_indication(&b, 0x0017, 255);
    take(&t, &b, TO_CLIENT);
    assert_true(t.seen.last.lane == lane);
    close_taker(&t);
}

static void a_check_may_carry_records(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_start(&b);
    put_attribute(&b, 0x8028, "\x20\1\2\3", 4); /* FINGERPRINT: like a unified header */
    put_attribute(&b, 0xc070, a_record, sizeof a_record);
    put_attribute(&b, 0x8022, "2.1 is a version of software", 28);
    put_attribute(&b, 0x0006, "user:name", 9);
    put_stun(&b, 0x0001);
    take(&t, &b, TO_SERVER);
    check_records(&t, SD_CARRIER_STUN_ATTRIBUTE);
    assert_int_equal(t.seen.datagrams, 1);
    assert_true(t.seen.last.lane == 0);
    /* In a success it is not all: the path is validated. */
    b.bytes[b.at] = 1;
    take(&t, &b, TO_CLIENT);
    check_records(&t, SD_CARRIER_STUN_ATTRIBUTE);
    assert_int_equal(t.seen.datagrams, 3);
    assert_int_equal(t.success, 1);
    close_taker(&t);
}

static void protected_records_in_a_check_are_found(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    for (unsigned i = 0; i < 2; i++) {
        build_start(&b);
        put_attribute(&b, i ? 0x8030 : 0xc070, "\x2e\1\2\0\x10-0123456789abcde", 21);
        put_stun(&b, 0x0001);
        take(&t, &b, TO_SERVER);
        assert_int_equal(t.seen.last.kind, i ? SD_PAYLOAD_STUN : SD_PAYLOAD_DTLS);
    }
    close_taker(&t);
}

static void a_check_without_records_is_a_check(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_start(&b);
    put_attribute(&b, 0x8028, "\x20\1\2\3", 4);
    put_attribute(&b, 0x802a, "\x2f\1\2\3\4\5\6\7", 8);
    put_attribute(&b, 0x0013, a_record, sizeof a_record); /* no indication */
    put_stun(&b, 0x0101);
    take(&t, &b, TO_SERVER);
    assert_int_equal(t.seen.last.kind, SD_PAYLOAD_STUN_SUCCESS);
    assert_int_equal(t.seen.last.carrier, SD_CARRIER_NONE);
    assert_int_equal(t.seen.datagrams, 1);
    close_taker(&t);
}

static void a_check_through_a_relay_keeps_the_lane(void **state)
{
    (void)state;
    struct taker t;
    struct build b, inner;
    open_taker(&t);
    build_start(&inner);
    put_attribute(&inner, 0xc070, a_record, sizeof a_record);
    put_stun(&inner, 0x0101);
    build_start(&b);
    put_attribute(&b, 0x0013, build_bytes(&inner), build_len(&inner));
    put_peer(&b, 7, 4433);
    put_stun(&b, 0x0017);
    take(&t, &b, TO_CLIENT);
    check_records(&t, SD_CARRIER_STUN_ATTRIBUTE);
    assert_int_equal(t.seen.datagrams, 2);
    assert_int_equal(t.success, 1);
    assert_true(t.seen.last.lane != 0);
    close_taker(&t);
}

static void capwap_has_a_preamble_on_its_ports(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    build_start(&b);
    put(&b, a_record, sizeof a_record);
    put32(&b, 0x01000000);
    take_cut(&t, &b, TO_SERVER, 5246, build_len(&b));
    check_records(&t, SD_CARRIER_CAPWAP);
    take_cut(&t, &b, TO_CLIENT, 5247, build_len(&b));
    check_records(&t, SD_CARRIER_CAPWAP);
    take_cut(&t, &b, TO_CLIENT, 5248, build_len(&b));
    assert_int_equal(t.seen.last.kind, SD_PAYLOAD_OTHER);
    b.bytes[b.at] = 0; /* not protected */
    take_cut(&t, &b, TO_SERVER, 5246, build_len(&b));
    assert_int_equal(t.seen.last.kind, SD_PAYLOAD_OTHER);
    close_taker(&t);
}

/* A source packet: its first byte belongs to a number, so it may look like anything. */
static void build_rdpudp(struct build *b, uint8_t first, uint16_t flags)
{
    build_start(b);
    put(b, a_record, sizeof a_record);
    put32(b, 7); /* two numbers */
    put32(b, 7);
    if (flags & 0x0100)
        put32(b, 5);
    if (flags & 4) /* three runs, and what fills them to a multiple of 4 bytes */
        put(b, "\0\3\x4c\x4c\x4c\0\0\0", 8);
    put16(b, flags);
    put16(b, 1024);
    put32(b, (uint32_t)first << 24);
}

static void rdp_has_its_numbers_before_the_records(void **state)
{
    (void)state;
    static const uint16_t flags[] = {0x000c, 0x0008, 0x010c, 0x042c};
    struct taker t;
    struct build b;
    open_taker(&t);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        for (unsigned first = 0; first < 0x100; first += 0x10) {
            build_rdpudp(&b, (uint8_t)first, flags[i]);
            take_cut(&t, &b, TO_SERVER, 3389, build_len(&b));
            check_records(&t, SD_CARRIER_RDPUDP);
        }
    build_rdpudp(&b, 0x90, 0x0009); /* SYN */
    take_cut(&t, &b, TO_SERVER, 3389, build_len(&b));
    assert_int_equal(t.seen.last.carrier, SD_CARRIER_NONE);
    build_rdpudp(&b, 0x90, 0x000c);
    take_cut(&t, &b, TO_SERVER, 3390, build_len(&b));
    assert_int_equal(t.seen.last.carrier, SD_CARRIER_NONE);
    b.bytes[b.at + 24] ^= 0x80; /* not a record */
    take_cut(&t, &b, TO_SERVER, 3389, build_len(&b));
    assert_int_equal(t.seen.last.carrier, SD_CARRIER_NONE);
    close_taker(&t);
}

static void build_any(struct build *b, unsigned which)
{
    switch (which % 4) {
    case 0:
        build_indication(b, 0x0016, 7);
        return;
    case 1:
        build_channel(b, 0x4000);
        return;
    case 2:
        build_start(b);
        put_attribute(b, 0xc070, a_record, sizeof a_record);
        put_stun(b, 0x0101);
        return;
    default:
        build_bind(b, 0x4000, 9);
    }
}

static void cut_carriers_give_what_there_is(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    open_taker(&t);
    for (unsigned which = 0; which < 4; which++) {
        build_any(&b, which);
        for (size_t n = 0; n <= build_len(&b); n++) {
            take_cut(&t, &b, TO_SERVER, 3478, n);
            struct sd_datagram *d = &t.seen.last;
            if (d->kind != SD_PAYLOAD_DTLS)
                continue;
            assert_int_equal(d->length, sizeof a_record);
            assert_memory_equal(d->payload.p, a_record, d->payload.len);
        }
    }
    close_taker(&t);
}

static void flipped_carriers_do_no_harm(void **state)
{
    (void)state;
    struct taker t;
    struct build b;
    uint32_t x = 4711;
    open_taker(&t);
    for (unsigned round = 0; round < 40000; round++) {
        build_any(&b, round);
        for (unsigned flips = next_random(&x) % 4; flips; flips--)
            b.bytes[b.at + next_random(&x) % build_len(&b)] ^= (uint8_t)(1 << next_random(&x) % 8);
        size_t cut = next_random(&x) % 2 ? 0 : next_random(&x) % build_len(&b);
        take_cut(&t, &b, round % 3 ? TO_SERVER : TO_CLIENT, 3478, build_len(&b) - cut);
    }
    assert_true(t.seen.datagrams >= 40000);
    close_taker(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_byte_and_what_follows_tell_the_kind),
        cmocka_unit_test(a_first_byte_alone_is_not_enough),
        cmocka_unit_test(plain_records_have_no_lane),
        cmocka_unit_test(indications_have_a_lane_for_each_peer),
        cmocka_unit_test(a_peer_with_ipv6_keeps_its_lane),
        cmocka_unit_test(a_bound_channel_has_the_lane_of_its_peer),
        cmocka_unit_test(a_channel_never_bound_has_that_of_its_number),
        cmocka_unit_test(channels_do_not_push_each_other_out),
        cmocka_unit_test(an_attribute_ends_with_its_message),
        cmocka_unit_test(many_channels_need_no_more_room),
        cmocka_unit_test(a_check_may_carry_records),
        cmocka_unit_test(protected_records_in_a_check_are_found),
        cmocka_unit_test(a_check_without_records_is_a_check),
        cmocka_unit_test(a_check_through_a_relay_keeps_the_lane),
        cmocka_unit_test(capwap_has_a_preamble_on_its_ports),
        cmocka_unit_test(rdp_has_its_numbers_before_the_records),
        cmocka_unit_test(cut_carriers_give_what_there_is),
        cmocka_unit_test(flipped_carriers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
