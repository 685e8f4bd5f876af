/* SPDX-License-Identifier: MIT */
/* lib/capture/icmp: errors, and the datagrams they quote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture_seen.h"

static void v4(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .place = 0x4000});
}

static void v6(struct build *b)
{
    build_udp(b);
    put_v6(b, 17);
}

static void v4_options(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .options = 10});
}

/* An error whose header is type, code and 4 bytes, and quotes what is built. */
static void put_icmp(struct build *b, uint16_t type_code, uint32_t rest)
{
    put32(b, rest);
    put16(b, 0);
    put16(b, type_code);
}

static void icmp4(struct build *b, uint16_t type_code, uint32_t rest)
{
    put_icmp(b, type_code, rest);
    put_v4(b, (struct v4){.protocol = 1});
}

static void check_quote(const struct seen *s, int family, uint32_t quoted_length)
{
    struct sd_addr from = address(family, false, 0);
    assert_int_equal(s->icmp, 1);
    assert_int_equal(s->datagrams, 0);
    assert_true(sd_addr_eq(&s->error.from, &from));
    check_addresses(&s->error.src, &s->error.dst, family);
    assert_int_equal(s->error.quoted_length, quoted_length);
    assert_int_equal(s->error.quoted.len, sizeof a_record);
    assert_memory_equal(s->error.quoted.p, a_record, sizeof a_record);
    assert_true(s->error.number == 3 && s->error.time == 5);
}

static void port_unreachable_quotes_its_datagram(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4_options(&b);
    icmp4(&b, 0x0303, 0);
    assert_int_equal(show(&s, &b, 101).icmp, 1);
    check_quote(&s, AF_INET, 93);
    assert_int_equal(s.error.type, 3);
    assert_int_equal(s.error.code, 3);
    assert_int_equal(s.error.mtu, 0);
}

static void fragmentation_needed_has_an_mtu(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4(&b);
    icmp4(&b, 0x0304, 1400);
    show(&s, &b, 101);
    check_quote(&s, AF_INET, 53);
    assert_int_equal(s.error.mtu, 1400);
}

static void time_exceeded_counts_and_other_types_do_not(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4(&b);
    icmp4(&b, 0x0b00, 0);
    show(&s, &b, 101);
    check_quote(&s, AF_INET, 53);
    v4(&b);
    icmp4(&b, 0x0800, 0);
    assert_int_equal(show(&s, &b, 101).other, 1);
    assert_int_equal(s.icmp, 0);
}

/* RFC 4884: objects of MPLS and others follow a quote that is padded to 128 bytes. */
static void what_routers_append_is_not_quoted(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    build_start(&b);
    put(&b, "\x20\0\0\0\0\x08\1\1\0\0\0\1", 12);
    put_zeros(&b, 128 - 53);
    b.at -= 53;
    struct build quoted;
    v4(&quoted);
    memcpy(b.bytes + b.at, build_bytes(&quoted), 53);
    icmp4(&b, 0x0b00, 32 << 16);
    show(&s, &b, 101);
    check_quote(&s, AF_INET, 53);
}

/* The same where the quoted packet was longer than its quote. */
static void what_routers_append_to_a_cut_quote_is_not_quoted(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    build_start(&b);
    put(&b, "\x20\0\0\0\0\x08\1\1\0\0\0\1", 12);
    put_zeros(&b, 1000);
    put_udp(&b, 40000, 4433);
    put_v4(&b, (struct v4){.protocol = 17});
    memmove(b.bytes + BUILD_MAX - 12 - 128, build_bytes(&b), 128);
    b.at = BUILD_MAX - 12 - 128;
    icmp4(&b, 0x0b00, 32 << 16);
    show(&s, &b, 101);
    assert_int_equal(s.icmp, 1);
    assert_int_equal(s.error.quoted_length, 1040);
    assert_int_equal(s.error.quoted.len, 100);
}

static void eight_bytes_of_udp_are_quote_enough(void **state)
{
    (void)state;
    struct seen s;
    struct build b, quoted;
    v4(&quoted);
    build_start(&b);
    put(&b, build_bytes(&quoted), 28);
    icmp4(&b, 0x0301, 0);
    show(&s, &b, 101);
    assert_int_equal(s.icmp, 1);
    check_addresses(&s.error.src, &s.error.dst, AF_INET);
    assert_int_equal(s.error.quoted.len, 0);
    assert_int_equal(s.error.quoted_length, 53);
}

static void a_quoted_later_fragment_says_nothing(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    build_udp(&b);
    put_v4(&b, (struct v4){.protocol = 17, .place = 100});
    icmp4(&b, 0x0b01, 0);
    assert_int_equal(show(&s, &b, 101).icmp, 0);
}

static void icmpv6_errors_quote_through_extension_headers(void **state)
{
    (void)state;
    static const uint16_t types[] = {0x0104, 0x0200, 0x0300};
    struct seen s;
    struct build b;
    for (size_t i = 0; i < 3; i++) {
        build_udp(&b);
        put_v6_fragment(&b, 17, 1, 5);
        put_extension(&b, 44, 1);
        put_v6(&b, 60);
        put_icmp(&b, types[i], types[i] == 0x0200 ? 1280 : 0);
        put_v6(&b, 58);
        show(&s, &b, 101);
        check_quote(&s, AF_INET6, 73 + 24);
        assert_int_equal(s.error.type, types[i] >> 8);
        assert_int_equal(s.error.code, types[i] & 255);
        assert_int_equal(s.error.mtu, types[i] == 0x0200 ? 1280 : 0);
    }
    v6(&b);
    put_icmp(&b, 0x8000, 0);
    put_v6(&b, 58);
    assert_int_equal(show(&s, &b, 101).other, 1);
}

static void cut_or_flipped_errors_do_no_harm(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    uint32_t x = 77;
    struct sd_decap *d = open_decap(&s);
    for (unsigned round = 0; round < 20000; round++) {
        (round % 2 ? v6 : v4_options)(&b);
        put_icmp(&b, round % 2 ? 0x0104 : 0x0303, 0);
        if (round % 2)
            put_v6(&b, 58);
        else
            put_v4(&b, (struct v4){.protocol = 1});
        b.bytes[b.at + next_random(&x) % build_len(&b)] ^= (uint8_t)(1 << next_random(&x) % 8);
        give(d, &b, 101, build_len(&b) - next_random(&x) % build_len(&b) * (round % 3 == 0));
    }
    assert_true(s.icmp > 1000);
    sd_decap_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_unreachable_quotes_its_datagram),
        cmocka_unit_test(fragmentation_needed_has_an_mtu),
        cmocka_unit_test(time_exceeded_counts_and_other_types_do_not),
        cmocka_unit_test(what_routers_append_is_not_quoted),
        cmocka_unit_test(what_routers_append_to_a_cut_quote_is_not_quoted),
        cmocka_unit_test(eight_bytes_of_udp_are_quote_enough),
        cmocka_unit_test(a_quoted_later_fragment_says_nothing),
        cmocka_unit_test(icmpv6_errors_quote_through_extension_headers),
        cmocka_unit_test(cut_or_flipped_errors_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
