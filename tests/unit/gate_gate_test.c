/* SPDX-License-Identifier: MIT */
/* lib/gate: who gets a cookie, who gets in, and what is thrown away. */
#include "gate_tools.h"

static void a_hello_without_cookie_gets_a_verify_request(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct sd_gate_result r =
        check_shape(&f, &(struct shape){.seq = UINT64_C(0x010203040506), .random = 9});
    assert_int_equal(r.verdict, SD_GATE_REPLY);
    assert_int_equal(r.reason, SD_GATE_NO_COOKIE);
    assert_int_equal(r.reply_len, HVR_LEN);
    assert_true(r.record_seq == UINT64_C(0x010203040506));
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(r.random[i], 9);
    const uint8_t want[] = {
        22,   0xfe, 0xff, 0,  0, 1, 2, 3, 4, 5, 6, 0,  35, /* record: its sequence, DTLS 1.0 */
        3,    0,    0,    23, 0, 0, 0, 0, 0, 0, 0, 23,     /* message 0, whole */
        0xfe, 0xff, 20,
    };
    assert_memory_equal(f.reply, want, sizeof want);
    assert_int_equal(f.macs, 1);
}

static void the_cookie_admits_with_its_hello(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.session_id = {1, 2, 3}, .session_id_len = 3};
    get_cookie(&f, s, cookie);
    s.cookie = cookie;
    s.cookie_len = sizeof cookie;
    s.message_seq = 1;
    s.seq = 5;
    s.extensions = 40;
    struct sd_gate_result r = check_shape(&f, &s);
    assert_int_equal(r.verdict, SD_GATE_ADMIT);
    assert_int_equal(r.reason, SD_GATE_GOOD_COOKIE);
    assert_int_equal(r.record_seq, 5);
    assert_int_equal(r.reply_len, 0);
}

static void every_flipped_bit_of_a_cookie_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    sd_gate_rotate(&f.gate, secrets[1], SD_GATE_PERIOD); /* both secrets are tried */
    uint8_t cookie[SD_GATE_COOKIE_LEN], fresh[SD_GATE_COOKIE_LEN];
    struct shape s = {.message_seq = 1, .cookie = cookie, .cookie_len = sizeof cookie};
    get_cookie(&f, s, fresh);
    for (size_t bit = 0; bit < 8 * sizeof cookie; bit++) {
        memcpy(cookie, fresh, sizeof cookie);
        cookie[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct sd_gate_result r = check_shape(&f, &s);
        assert_int_equal(r.verdict, SD_GATE_REPLY);
        assert_int_equal(r.reason, SD_GATE_BAD_COOKIE);
        assert_memory_equal(f.reply + HVR_LEN - sizeof fresh, fresh, sizeof fresh);
    }
    memcpy(cookie, fresh, sizeof cookie);
    assert_int_equal(check_shape(&f, &s).verdict, SD_GATE_ADMIT);
}

static void a_cookie_of_another_length_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[255] = {0};
    struct shape s = {.message_seq = 1, .cookie = cookie};
    get_cookie(&f, s, cookie);
    for (s.cookie_len = 1; s.cookie_len <= 255; s.cookie_len++) {
        struct sd_gate_result r = check_shape(&f, &s);
        bool right = s.cookie_len == SD_GATE_COOKIE_LEN;
        assert_int_equal(r.verdict, right ? SD_GATE_ADMIT : SD_GATE_REPLY);
        assert_int_equal(r.reason, right ? SD_GATE_GOOD_COOKIE : SD_GATE_BAD_COOKIE);
    }
}

static void a_second_hello_that_lost_its_cookie_gets_another(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct sd_gate_result r = check_shape(&f, &(struct shape){.message_seq = 1});
    assert_int_equal(r.verdict, SD_GATE_REPLY);
    assert_int_equal(r.reason, SD_GATE_NO_COOKIE);
}

static void a_good_cookie_in_message_0_is_asked_for_again(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.cookie = cookie, .cookie_len = sizeof cookie};
    get_cookie(&f, s, cookie);
    struct sd_gate_result r = check_shape(&f, &s);
    assert_int_equal(r.verdict, SD_GATE_REPLY);
    assert_int_equal(r.reason, SD_GATE_BAD_COOKIE);
    assert_memory_equal(f.reply + HVR_LEN - sizeof cookie, cookie, sizeof cookie);
    s.message_seq = 1;
    assert_int_equal(check_shape(&f, &s).verdict, SD_GATE_ADMIT);
}

static void a_cookie_is_bound_to_addresses_and_hello(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.random = 7, .session_id = {1}, .session_id_len = 1};
    get_cookie(&f, s, cookie);
    s.message_seq = 1;
    s.cookie = cookie;
    s.cookie_len = sizeof cookie;
    const struct fixture good = f;
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_GOOD_COOKIE);

    sd_addr_set_port(&f.peer, 50001);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    f = good;
    f.peer.in.sin_addr.s_addr ^= htonl(1);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    f = good;
    sd_addr_set_port(&f.local, 4434);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    f = good;
    f.local.in.sin_addr.s_addr ^= htonl(1);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    f = good;
    f.peer = good.local; /* exchanged */
    f.local = good.peer;
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    f = good;

    struct shape other = s;
    other.random = 8;
    assert_int_equal(check_shape(&f, &other).reason, SD_GATE_BAD_COOKIE);
    other = s;
    other.version = SD_DTLS_1_0;
    assert_int_equal(check_shape(&f, &other).reason, SD_GATE_BAD_COOKIE);
    other = s;
    other.session_id[0] ^= 1;
    assert_int_equal(check_shape(&f, &other).reason, SD_GATE_BAD_COOKIE);
    other = s;
    other.session_id_len = 2;
    assert_int_equal(check_shape(&f, &other).reason, SD_GATE_BAD_COOKIE);
    other = s;
    other.session_id_len = 0;
    assert_int_equal(check_shape(&f, &other).reason, SD_GATE_BAD_COOKIE);
}

static void a_cookie_is_bound_to_every_byte_of_the_random(void **state)
{
    (void)state;
    enum { RANDOM_AT = SD_RECORD_HEADER_LEN + SD_HANDSHAKE_HEADER_LEN + 2 };
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN], hello[512];
    struct shape s = {.random = 7};
    get_cookie(&f, s, cookie);
    s.message_seq = 1;
    s.cookie = cookie;
    s.cookie_len = sizeof cookie;
    size_t len = make_hello(&s, hello, sizeof hello);
    assert_int_equal(check(&f, hello, len).verdict, SD_GATE_ADMIT);
    for (size_t i = RANDOM_AT; i < RANDOM_AT + SD_RANDOM_LEN; i++) {
        hello[i] ^= 1;
        assert_int_equal(check(&f, hello, len).reason, SD_GATE_BAD_COOKIE);
        hello[i] ^= 1;
    }
}

static void ipv6_scopes_are_different_peers(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    f.peer = sd_addr_any(AF_INET6, 50000);
    inet_pton(AF_INET6, "fe80::7", &f.peer.in6.sin6_addr);
    f.peer.in6.sin6_scope_id = 2;
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.cookie = cookie, .cookie_len = sizeof cookie};
    get_cookie(&f, s, cookie);
    s.message_seq = 1;
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_GOOD_COOKIE);
    f.peer.in6.sin6_scope_id = 3;
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
}

static void a_cookie_lives_for_the_next_period_and_no_longer(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t first[SD_GATE_COOKIE_LEN], second[SD_GATE_COOKIE_LEN];
    struct shape s = {.message_seq = 1, .cookie = first, .cookie_len = sizeof first};
    get_cookie(&f, s, first);
    assert_false(sd_gate_wants_secret(&f.gate, SD_GATE_PERIOD - 1));
    assert_true(sd_gate_wants_secret(&f.gate, SD_GATE_PERIOD));
    sd_gate_rotate(&f.gate, secrets[1], SD_GATE_PERIOD);
    assert_false(sd_gate_wants_secret(&f.gate, 2 * SD_GATE_PERIOD - 1));
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_GOOD_COOKIE);
    get_cookie(&f, s, second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_true(sd_gate_wants_secret(&f.gate, 2 * SD_GATE_PERIOD));
    sd_gate_rotate(&f.gate, secrets[2], 2 * SD_GATE_PERIOD);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    s.cookie = second;
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_GOOD_COOKIE);
}

static void a_late_rotation_does_not_stretch_the_life_of_a_cookie(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.message_seq = 1, .cookie = cookie, .cookie_len = sizeof cookie};
    get_cookie(&f, s, cookie);
    sd_gate_rotate(&f.gate, secrets[1], SD_GATE_PERIOD + SD_GATE_PERIOD / 2);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_GOOD_COOKIE);
    assert_true(sd_gate_wants_secret(&f.gate, 2 * SD_GATE_PERIOD)); /* in the old rhythm */
    setup(&f);
    sd_gate_rotate(&f.gate, secrets[1], 2 * SD_GATE_PERIOD); /* nobody came for a whole period */
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
    assert_true(sd_gate_wants_secret(&f.gate, 3 * SD_GATE_PERIOD));
}

static void without_a_previous_secret_none_is_tried(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    struct fixture zero = f;
    memset(zero.gate.secret, 0, sizeof zero.gate.secret);
    uint8_t cookie[SD_GATE_COOKIE_LEN];
    struct shape s = {.message_seq = 1, .cookie = cookie, .cookie_len = sizeof cookie};
    get_cookie(&zero, s, cookie);
    assert_int_equal(check_shape(&f, &s).reason, SD_GATE_BAD_COOKIE);
}

static void the_first_fragment_is_enough(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN], b[1200];
    struct shape s = {.extensions = 500, .fragment = 256 - 25};
    size_t len = make_hello(&s, b, sizeof b);
    assert_int_equal(len, 256);
    assert_int_equal(check(&f, b, len).reason, SD_GATE_NO_COOKIE);
    memcpy(cookie, f.reply + HVR_LEN - sizeof cookie, sizeof cookie);
    s.cookie = cookie;
    s.cookie_len = sizeof cookie;
    s.message_seq = 1;
    assert_int_equal(check_shape(&f, &s).verdict, SD_GATE_ADMIT);
    s.extensions = 0; /* and it may be cut elsewhere than the hello that got it */
    s.fragment = 0;
    assert_int_equal(check_shape(&f, &s).verdict, SD_GATE_ADMIT);
}

static void a_hello_cut_before_the_end_of_its_cookie_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t cookie[SD_GATE_COOKIE_LEN] = {0}, b[1200];
    /* version, random, session id, cookie: 2 + 32 + 1 + 3 + 1 + 20 */
    for (size_t n = 1; n < 80; n++) {
        struct shape s = {.cookie = cookie,
                          .cookie_len = sizeof cookie,
                          .session_id_len = 3,
                          .fragment = n,
                          .extensions = 100};
        size_t len = make_hello(&s, b, sizeof b);
        enum sd_gate_reason want = len < HVR_LEN ? SD_GATE_TOO_SMALL
                                   : n < 59      ? SD_GATE_FRAGMENT
                                                 : SD_GATE_BAD_COOKIE;
        assert_int_equal(check(&f, b, len).reason, want);
    }
}

static void later_fragments_are_dropped(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[1200];
    size_t len = make_hello(&(struct shape){.extensions = 300, .fragment = 100}, b, sizeof b);
    b[21] = 100; /* frag_off */
    assert_dropped(&f, b, len, SD_GATE_FRAGMENT);
}

static void the_smallest_hello_is_answered_with_less(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[1200];
    size_t len = make_hello(&(struct shape){.fragment = MIN_HELLO - 25}, b, sizeof b);
    assert_int_equal(len, MIN_HELLO);
    struct sd_gate_result r = check(&f, b, len);
    assert_int_equal(r.reason, SD_GATE_NO_COOKIE);
    assert_int_equal(r.reply_len, HVR_LEN);
}

static void every_truncation_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[1200];
    size_t len = make_hello(&(struct shape){.extensions = 20}, b, sizeof b);
    for (size_t n = 0; n < len; n++)
        assert_dropped(&f, b, n, n < 13 ? SD_GATE_NOT_DTLS : SD_GATE_MALFORMED);
}

static void records_behind_the_hello_are_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[1200];
    size_t len = make_hello(&(struct shape){0}, b, sizeof b);
    const uint8_t junk[] = {23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0};
    memcpy(b + len, junk, sizeof junk);
    assert_int_equal(check(&f, b, len + sizeof junk).verdict, SD_GATE_REPLY);
    assert_int_equal(check(&f, b, len + sizeof junk).trailing, 0);
    size_t two = make_hello(&(struct shape){.seq = 1}, b + len, sizeof b - len);
    assert_int_equal(check(&f, b, len + two).verdict, SD_GATE_REPLY); /* one, for both */
}

/* The padding of TURN's ChannelData, when a relay forwards it; and what else may stand there. */
static void bytes_behind_the_last_record_are_ignored(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    static const uint8_t tails[][16] = {
        {0},                                                     /* padding */
        {23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, 0, 0}, /* a record that is cut */
        {'G', 'E', 'T', ' '},
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        for (size_t n = 1; n <= sizeof tails[i]; n++) {
            uint8_t b[1200];
            size_t len = make_hello(&(struct shape){0}, b, sizeof b);
            memcpy(b + len, tails[i], n);
            struct sd_gate_result r = check(&f, b, len + n);
            assert_int_equal(r.verdict, SD_GATE_REPLY);
            assert_int_equal(r.trailing, n);
        }
}

static void other_protocols_are_not_dtls(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    const char http[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const uint8_t stun[64] = {0x00, 0x01, 0x00, 0x2c, 0x21, 0x12, 0xa4, 0x42};
    const uint8_t rtp[64] = {0x80, 0x60, 0x12, 0x34}, quic[64] = {0xc3, 0, 0, 0, 1};
    const uint8_t tls[64] = {22, 3, 1, 0, 59, 1}, zero[64] = {0}, bad[64] = {22, 1, 0};
    assert_dropped(&f, (const uint8_t *)http, sizeof http, SD_GATE_NOT_DTLS);
    assert_dropped(&f, stun, sizeof stun, SD_GATE_NOT_DTLS);
    assert_dropped(&f, rtp, sizeof rtp, SD_GATE_NOT_DTLS);
    assert_dropped(&f, quic, sizeof quic, SD_GATE_NOT_DTLS);
    assert_dropped(&f, tls, sizeof tls, SD_GATE_NOT_DTLS);
    assert_dropped(&f, zero, sizeof zero, SD_GATE_NOT_DTLS);
    assert_dropped(&f, zero, 0, SD_GATE_NOT_DTLS);
    assert_dropped(&f, bad, 13, SD_GATE_NOT_DTLS);
}

static void protected_records_belong_to_somebody_we_do_not_know(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[64] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 51};
    assert_dropped(&f, b, sizeof b, SD_GATE_EPOCH);
    b[0] = SD_CT_HANDSHAKE;
    assert_dropped(&f, b, sizeof b, SD_GATE_EPOCH);
    b[0] = SD_CT_CID;
    assert_dropped(&f, b, sizeof b, SD_GATE_EPOCH);
    for (unsigned first = 0x20; first < 0x40; first++) {
        b[0] = (uint8_t)first;
        assert_dropped(&f, b, sizeof b, SD_GATE_EPOCH);
        assert_dropped(&f, b, 1, SD_GATE_EPOCH);
    }
}

static void other_plaintext_is_no_hello(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint8_t b[1200];
    size_t len = make_hello(&(struct shape){0}, b, sizeof b);
    for (unsigned type = 0; type < 256; type++) {
        b[13] = (uint8_t)type;
        if (type != SD_HS_CLIENT_HELLO)
            assert_dropped(&f, b, len, SD_GATE_NOT_HELLO);
    }
    b[13] = SD_HS_CLIENT_HELLO;
    const uint8_t types[] = {SD_CT_CCS, SD_CT_ALERT, SD_CT_APPDATA, SD_CT_HEARTBEAT, SD_CT_ACK};
    for (size_t i = 0; i < sizeof types; i++) {
        b[0] = types[i];
        assert_dropped(&f, b, len, SD_GATE_NOT_HELLO);
    }
}

static void a_hello_that_contradicts_itself_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {
        {18, 2},    /* message_seq 2 */
        {14, 3},    /* a message of 196 kB: more than all fields can hold */
        {24, 1},    /* frag_len 1: a second message begins in the record */
        {25, 0x03}, /* version of TLS */
        {59, 33},   /* session id of 33 bytes */
        {60, 255},  /* cookie longer than the message */
        {62, 3},    /* odd list of suites */
        {67, 200},  /* compression methods longer than the message */
        {12, 0xff}, /* record longer than the datagram */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t b[1200];
        size_t len = make_hello(&(struct shape){0}, b, sizeof b);
        assert_int_equal(check(&f, b, len).verdict, SD_GATE_REPLY);
        b[wrong[i].at] = wrong[i].value;
        assert_int_equal(check(&f, b, len).verdict, SD_GATE_DROP);
        assert_int_equal(check(&f, b, len).reason, SD_GATE_MALFORMED);
    }
}

static void reasons_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(sd_gate_reason_name(SD_GATE_NO_COOKIE), "no-cookie");
    assert_string_equal(sd_gate_reason_name(SD_GATE_TOO_SMALL), "too-small");
    assert_string_equal(sd_gate_reason_name(SD_GATE_REASON_COUNT), "?");
}

/* check() asserts for each that the reply is no larger than the request, and
 * the sanitizers that nothing out of bounds is read. Forging a cookie by
 * chance is out of the question, so nobody gets in. */
static void no_mutation_gets_in_or_gets_more_than_it_sent(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f);
    uint32_t x = 1;
    unsigned seen[SD_GATE_REASON_COUNT] = {0};
    for (int round = 0; round < 100000; round++) {
        uint8_t b[400], cookie[SD_GATE_COOKIE_LEN] = {0};
        struct shape s = {.cookie = cookie,
                          .cookie_len = round % 3 ? sizeof cookie : 0,
                          .extensions = round % 2 ? 120 : 0,
                          .fragment = round % 5 ? 0 : 90};
        size_t len = make_hello(&s, b, sizeof b);
        for (int i = 0; i < 1 + round % 4; i++) {
            x = x * 1664525 + 1013904223;
            size_t at = (x >> 8) % (round % 7 ? len : 66);
            b[at] = (uint8_t)(round % 11 ? b[at] ^ 1u << (x >> 29) : x >> 24);
        }
        struct sd_gate_result r = check(&f, b, round % 13 ? len : (x >> 5) % (len + 1));
        assert_int_not_equal(r.verdict, SD_GATE_ADMIT);
        seen[r.reason]++;
    }
    for (unsigned i = 0; i < SD_GATE_REASON_COUNT; i++)
        assert_true(seen[i] || i == SD_GATE_GOOD_COOKIE || i == SD_GATE_TOO_SMALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_without_cookie_gets_a_verify_request),
        cmocka_unit_test(the_cookie_admits_with_its_hello),
        cmocka_unit_test(every_flipped_bit_of_a_cookie_is_refused),
        cmocka_unit_test(a_cookie_of_another_length_is_refused),
        cmocka_unit_test(a_second_hello_that_lost_its_cookie_gets_another),
        cmocka_unit_test(a_good_cookie_in_message_0_is_asked_for_again),
        cmocka_unit_test(a_cookie_is_bound_to_addresses_and_hello),
        cmocka_unit_test(a_cookie_is_bound_to_every_byte_of_the_random),
        cmocka_unit_test(ipv6_scopes_are_different_peers),
        cmocka_unit_test(a_cookie_lives_for_the_next_period_and_no_longer),
        cmocka_unit_test(a_late_rotation_does_not_stretch_the_life_of_a_cookie),
        cmocka_unit_test(without_a_previous_secret_none_is_tried),
        cmocka_unit_test(the_first_fragment_is_enough),
        cmocka_unit_test(a_hello_cut_before_the_end_of_its_cookie_is_dropped),
        cmocka_unit_test(later_fragments_are_dropped),
        cmocka_unit_test(the_smallest_hello_is_answered_with_less),
        cmocka_unit_test(every_truncation_is_dropped),
        cmocka_unit_test(records_behind_the_hello_are_left_alone),
        cmocka_unit_test(bytes_behind_the_last_record_are_ignored),
        cmocka_unit_test(other_protocols_are_not_dtls),
        cmocka_unit_test(protected_records_belong_to_somebody_we_do_not_know),
        cmocka_unit_test(other_plaintext_is_no_hello),
        cmocka_unit_test(a_hello_that_contradicts_itself_is_dropped),
        cmocka_unit_test(reasons_have_their_names),
        cmocka_unit_test(no_mutation_gets_in_or_gets_more_than_it_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
