/* SPDX-License-Identifier: MIT */
/* lib/wire/hello: hellos by hand-made bytes, whole and cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wire/extension.h"
#include "wire/hello.h"
#include "wire/record.h"

#define BYTES_8(x) x, x, x, x, x, x, x, x
#define BYTES_32(x) BYTES_8(x), BYTES_8(x), BYTES_8(x), BYTES_8(x)

/* Ends of the fields, in the order of enum sd_hello_field. */
static const uint8_t client[] = {
    0xfe, 0xfd, BYTES_32(0x5a),
    3,    'a',  'b',
    'c',             /* version, random, session id */
    2,    'c',  'k', /* cookie */
    0,    4,    0xc0,
    0x2b, 0x13, 0x01, /* suites */
    1,    0,          /* compression */
    0,    8,          /* extensions: */
    0,    23,   0,
    0, /* extended_master_secret */
    0xff, 0x01, 0,
    0, /* renegotiation_info (ill-formed, but there) */
};
static const size_t client_ends[] = {2, 34, 38, 41, 47, 49, 59};

static struct sd_span span(const void *p, size_t n)
{
    return (struct sd_span){p, n};
}

static enum sd_hello_status parse_client(const uint8_t *body, size_t have, size_t length,
                                         struct sd_client_hello *ch)
{
    uint8_t *copy = malloc(have ? have : 1);
    assert_non_null(copy);
    memcpy(copy, body, have);
    enum sd_hello_status st = sd_client_hello_parse(ch, span(copy, have), length);
    free(copy);
    return st;
}

static void a_client_hello_has_every_field(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    assert_int_equal(sd_client_hello_parse(&ch, span(client, sizeof client), sizeof client),
                     SD_HELLO_WHOLE);
    assert_int_equal(ch.missing, SD_HELLO_NOTHING);
    assert_int_equal(ch.version, SD_DTLS_1_2);
    assert_ptr_equal(ch.random.p, client + 2);
    assert_int_equal(ch.random.len, 32);
    assert_int_equal(ch.session_id.len, 3);
    assert_memory_equal(ch.session_id.p, "abc", 3);
    assert_int_equal(ch.cookie.len, 2);
    assert_memory_equal(ch.cookie.p, "ck", 2);
    assert_int_equal(ch.suites.len, 4);
    assert_int_equal(ch.compression.len, 1);
    assert_int_equal(ch.extensions.len, 8);
    assert_true(sd_ext_has(ch.extensions, SD_EXT_EXTENDED_MASTER_SECRET));
    assert_false(sd_ext_has(ch.extensions, SD_EXT_SERVER_NAME));
}

static void extensions_may_be_left_out(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    size_t n = client_ends[SD_HELLO_COMPRESSION];
    assert_int_equal(parse_client(client, n, n, &ch), SD_HELLO_WHOLE);
    assert_int_equal(ch.missing, SD_HELLO_NOTHING);
    assert_int_equal(ch.extensions.len, 0);
}

static void a_first_fragment_says_what_is_missing(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    for (size_t n = 0; n < sizeof client; n++) {
        unsigned first_missing = 0;
        while (client_ends[first_missing] <= n)
            first_missing++;
        assert_int_equal(parse_client(client, n, sizeof client, &ch), SD_HELLO_CUT);
        assert_int_equal(ch.missing, first_missing);
        /* A field is whole or it is not there. */
        assert_int_equal(ch.version, first_missing > SD_HELLO_VERSION ? SD_DTLS_1_2 : 0);
        assert_int_equal(ch.random.len, first_missing > SD_HELLO_RANDOM ? 32 : 0);
        assert_int_equal(ch.session_id.len, first_missing > SD_HELLO_SESSION_ID ? 3 : 0);
        assert_int_equal(ch.cookie.len, first_missing > SD_HELLO_COOKIE ? 2 : 0);
        assert_int_equal(ch.suites.len, first_missing > SD_HELLO_SUITES ? 4 : 0);
        assert_int_equal(ch.compression.len, first_missing > SD_HELLO_COMPRESSION);
        assert_int_equal(ch.extensions.len, n > 51 ? n - 51 : 0);
    }
}

static void a_message_that_really_ends_there_is_bad(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    for (size_t n = 0; n < sizeof client; n++) {
        enum sd_hello_status st = parse_client(client, n, n, &ch);
        bool fine = n == client_ends[SD_HELLO_COMPRESSION];
        assert_int_equal(st, fine ? SD_HELLO_WHOLE : SD_HELLO_BAD);
    }
}

/* One byte changed: the field that then cannot be is found, although the
 * fragment may end long before the message does. */
static void contradictions_name_their_field(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        enum sd_hello_field field;
    } wrong[] = {
        {34, 33, SD_HELLO_SESSION_ID},   {34, 255, SD_HELLO_SESSION_ID},
        {38, 200, SD_HELLO_COOKIE},      {41, 1, SD_HELLO_SUITES},
        {42, 3, SD_HELLO_SUITES},        {42, 0, SD_HELLO_SUITES},
        {47, 0, SD_HELLO_COMPRESSION},   {47, 99, SD_HELLO_COMPRESSION},
        {50, 7, SD_HELLO_EXTENSIONS},    {50, 9, SD_HELLO_EXTENSIONS},
        {49, 0xff, SD_HELLO_EXTENSIONS},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t b[sizeof client];
        struct sd_client_hello ch;
        memcpy(b, client, sizeof b);
        b[wrong[i].at] = wrong[i].value;
        assert_int_equal(parse_client(b, sizeof b, sizeof b, &ch), SD_HELLO_BAD);
        assert_int_equal(ch.missing, wrong[i].field);
        size_t cut = wrong[i].field == SD_HELLO_EXTENSIONS ? 55 : wrong[i].at + 1;
        cut += wrong[i].at == 41;
        assert_int_equal(parse_client(b, cut, sizeof b, &ch), SD_HELLO_BAD);
        assert_int_equal(ch.missing, wrong[i].field);
    }
}

static void a_message_has_a_largest_length(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    assert_int_equal(parse_client(client, 41, 131396, &ch), SD_HELLO_CUT);
    assert_int_equal(parse_client(client, 41, 0xffffff, &ch), SD_HELLO_BAD);
    assert_int_equal(parse_client(client, 41, 40, &ch), SD_HELLO_BAD); /* less than is there */
}

static void a_session_id_has_at_most_32_bytes(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    uint8_t b[35];
    memcpy(b, client, sizeof b);
    b[34] = 32;
    assert_int_equal(parse_client(b, sizeof b, 200, &ch), SD_HELLO_CUT);
    b[34] = 33;
    assert_int_equal(parse_client(b, sizeof b, 200, &ch), SD_HELLO_BAD);
    assert_int_equal(ch.missing, SD_HELLO_SESSION_ID);
}

static void a_client_hello_is_built_as_it_was_read(void **state)
{
    (void)state;
    struct sd_client_hello ch;
    uint8_t b[sizeof client];
    sd_client_hello_parse(&ch, span(client, sizeof client), sizeof client);
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_client_hello_build(&w, &ch);
    assert_int_equal(sd_wr_len(&w), sizeof client);
    assert_memory_equal(b, client, sizeof client);
    ch.extensions.len = 0;
    w = sd_wr_init(b, sizeof b);
    sd_client_hello_build(&w, &ch);
    assert_int_equal(sd_wr_len(&w), client_ends[SD_HELLO_COMPRESSION]);
    ch.random.len = 31;
    w = sd_wr_init(b, sizeof b);
    sd_client_hello_build(&w, &ch);
    assert_true(w.bad);
}

static void a_verify_request_is_whole_or_nothing(void **state)
{
    (void)state;
    const uint8_t hvr[] = {0xfe, 0xff, 4, 1, 2, 3, 4};
    struct sd_hello_verify hv;
    assert_true(sd_hello_verify_parse(&hv, span(hvr, sizeof hvr)));
    assert_int_equal(hv.version, SD_DTLS_1_0);
    assert_int_equal(hv.cookie.len, 4);
    uint8_t b[sizeof hvr];
    struct sd_wr w = sd_wr_init(b, sizeof b);
    sd_hello_verify_build(&w, &hv);
    assert_memory_equal(b, hvr, sizeof hvr);
    for (size_t n = 0; n < sizeof hvr; n++) {
        assert_false(sd_hello_verify_parse(&hv, span(hvr, n)));
        assert_int_equal(hv.version, 0);
        assert_int_equal(hv.cookie.len, 0);
    }
    const uint8_t trailing[] = {0xfe, 0xff, 1, 1, 2};
    assert_false(sd_hello_verify_parse(&hv, span(trailing, sizeof trailing)));
}

static const uint8_t server[] = {
    0xfe, 0xfd, BYTES_32(0x77),
    2,    'i',  'd', /* version, random, session id */
    0xc0, 0x2b, 0,   /* suite, compression */
    0,    6,    0,
    43,   0,    2,
    0xfe, 0xfc,
};

static void a_server_hello_has_every_field(void **state)
{
    (void)state;
    struct sd_server_hello sh;
    assert_int_equal(sd_server_hello_parse(&sh, span(server, sizeof server), sizeof server),
                     SD_HELLO_WHOLE);
    assert_int_equal(sh.missing, SD_HELLO_NOTHING);
    assert_int_equal(sh.version, SD_DTLS_1_2);
    assert_int_equal(sd_server_hello_version(&sh), SD_DTLS_1_3);
    assert_int_equal(sh.session_id.len, 2);
    assert_int_equal(sh.suite, 0xc02b);
    assert_int_equal(sh.compression, 0);
    assert_int_equal(sh.extensions.len, 6);
    assert_false(sh.retry);
}

static void a_cut_server_hello_says_what_is_missing(void **state)
{
    (void)state;
    static const struct {
        size_t end;
        enum sd_hello_field field;
    } fields[] = {{2, SD_HELLO_VERSION},      {34, SD_HELLO_RANDOM},
                  {37, SD_HELLO_SESSION_ID},  {39, SD_HELLO_SUITES},
                  {40, SD_HELLO_COMPRESSION}, {sizeof server, SD_HELLO_EXTENSIONS}};
    for (size_t n = 0, i = 0; n < sizeof server; n++) {
        struct sd_server_hello sh;
        i += n == fields[i].end;
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, server, n);
        assert_int_equal(sd_server_hello_parse(&sh, span(copy, n), sizeof server), SD_HELLO_CUT);
        assert_int_equal(sh.missing, fields[i].field);
        enum sd_hello_status alone = sd_server_hello_parse(&sh, span(copy, n), n);
        assert_int_equal(alone, n == 40 ? SD_HELLO_WHOLE : SD_HELLO_BAD);
        free(copy);
    }
}

static void a_retry_request_is_known_by_its_random(void **state)
{
    (void)state;
    uint8_t retry[] = {
        0xfe, 0xfd, /* version */
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e,
        0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e,
        0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c, 0,    0,    0,    0, /* session id, suite, compression
                                                                  */
    };
    struct sd_span body = span(retry, sizeof retry);
    struct sd_server_hello sh;
    assert_int_equal(sd_server_hello_parse(&sh, body, body.len), SD_HELLO_WHOLE);
    assert_true(sh.retry);
    assert_int_equal(sd_server_hello_version(&sh), SD_DTLS_1_2);
    retry[33] ^= 1;
    sd_server_hello_parse(&sh, body, body.len);
    assert_false(sh.retry);
}

static void the_downgrade_mark_is_seen(void **state)
{
    (void)state;
    uint8_t b[sizeof server];
    struct sd_server_hello sh;
    memcpy(b, server, sizeof b);
    sd_server_hello_parse(&sh, span(b, sizeof b), sizeof b);
    assert_int_equal(sd_server_hello_downgrade(&sh), 0);
    memcpy(b + 26, "DOWNGRD\x01", 8);
    assert_int_equal(sd_server_hello_downgrade(&sh), SD_DTLS_1_2);
    b[33] = 0;
    assert_int_equal(sd_server_hello_downgrade(&sh), SD_DTLS_1_0);
    b[33] = 2;
    assert_int_equal(sd_server_hello_downgrade(&sh), 0);
    assert_int_equal(sd_server_hello_downgrade(&(struct sd_server_hello){0}), 0);
}

static bool inside(struct sd_span part, const uint8_t *p, size_t n)
{
    return !part.len || (part.p >= p && part.p + part.len <= p + n);
}

static void mutations_stay_inside_their_bounds(void **state)
{
    (void)state;
    uint32_t x = 77;
    unsigned whole = 0, bad = 0, cut = 0;
    for (int round = 0; round < 100000; round++) {
        x = x * 1664525 + 1013904223;
        size_t n = round % 2 ? sizeof client : (x >> 9) % (sizeof client + 1);
        uint8_t *b = malloc(n ? n : 1);
        assert_non_null(b);
        memcpy(b, client, n);
        for (int i = 0; i < round % 4 && n; i++) {
            x = x * 1664525 + 1013904223;
            b[34 < n ? 34 + (x >> 8) % (n - 34) : 0] = (uint8_t)(x >> 24);
        }
        struct sd_client_hello ch;
        enum sd_hello_status st =
            sd_client_hello_parse(&ch, span(b, n), round % 3 ? sizeof client : n);
        assert_int_equal(st == SD_HELLO_WHOLE, ch.missing == SD_HELLO_NOTHING);
        assert_true(inside(ch.session_id, b, n) && inside(ch.cookie, b, n));
        assert_true(inside(ch.suites, b, n) && inside(ch.extensions, b, n));
        struct sd_rd r = sd_rd_init(ch.extensions.p, ch.extensions.len);
        struct sd_ext e;
        while (sd_ext_next(&r, &e) == SD_EXT_OK)
            assert_true(inside(e.body, b, n));
        struct sd_server_hello sh;
        sd_server_hello_parse(&sh, span(b, n), n);
        assert_true(inside(sh.extensions, b, n) && inside(sh.session_id, b, n));
        whole += st == SD_HELLO_WHOLE;
        bad += st == SD_HELLO_BAD;
        cut += st == SD_HELLO_CUT;
        free(b);
    }
    assert_true(whole > 1000 && bad > 1000 && cut > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_hello_has_every_field),
        cmocka_unit_test(extensions_may_be_left_out),
        cmocka_unit_test(a_first_fragment_says_what_is_missing),
        cmocka_unit_test(a_message_that_really_ends_there_is_bad),
        cmocka_unit_test(contradictions_name_their_field),
        cmocka_unit_test(a_message_has_a_largest_length),
        cmocka_unit_test(a_session_id_has_at_most_32_bytes),
        cmocka_unit_test(a_client_hello_is_built_as_it_was_read),
        cmocka_unit_test(a_verify_request_is_whole_or_nothing),
        cmocka_unit_test(a_server_hello_has_every_field),
        cmocka_unit_test(a_cut_server_hello_says_what_is_missing),
        cmocka_unit_test(a_retry_request_is_known_by_its_random),
        cmocka_unit_test(the_downgrade_mark_is_seen),
        cmocka_unit_test(mutations_stay_inside_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
