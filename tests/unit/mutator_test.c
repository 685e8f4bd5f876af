/* SPDX-License-Identifier: MIT */
/* fuzz/mutator: a changed input is an input again, and each operator changes something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "harness/make.h"
#include "mutator/mutate.h"
#include "mutator/mutator.h"
#include "openssl/ossl_cookie.h"

#include "wire/handshake.h"
#include "wire/hello.h"

enum { INPUT = 4096, TRIES = 300 };

static struct sd_span cookie_of(const struct mutate *m)
{
    struct sd_records it = sd_records_init(m->bytes, m->len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    struct sd_client_hello ch = {0};
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
        if (sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK && h.type == SD_HS_CLIENT_HELLO)
            sd_client_hello_parse(&ch, h.body, h.length);
    }
    return ch.cookie;
}

/* A ClientHello with all extensions, and a record after it. */
static void hello(struct mutate *m, struct fuzz_rng *rng)
{
    uint8_t block[512];
    struct sd_wr ext = sd_wr_init(block, sizeof block), w = sd_wr_init(m->bytes, sizeof m->bytes);
    make_extensions(&ext);
    make_client_hello(&w, &(struct make_hello){.session_id = 8,
                                               .cookie = make_span("cookie", 6),
                                               .extensions = make_span(block, sd_wr_len(&ext))});
    make_record(&w, SD_CT_ALERT, 0, 1, make_span("\1\0", 2));
    m->len = sd_wr_len(&w);
    m->rng = rng;
}

static void every_operator_can_change_a_hello(void **state)
{
    (void)state;
    for (unsigned which = 0; which < mutate_count(); which++) {
        struct fuzz_rng rng = {which};
        struct mutate m, before;
        unsigned changed = 0;
        for (unsigned i = 0; i < TRIES; i++) {
            hello(&m, &rng);
            before = m;
            mutate_with(&m, which);
            assert_true(m.len <= sizeof m.bytes);
            changed += m.len != before.len || memcmp(m.bytes, before.bytes, m.len) != 0;
        }
        /* A whole datagram needs no repair. */
        bool repair = !strcmp(mutate_name(which), "repair");
        if (repair ? changed : changed < TRIES / 2)
            fail_msg("%s changed %u of %u", mutate_name(which), changed, TRIES);
    }
}

static void repairing_mends_lengths(void **state)
{
    (void)state;
    unsigned which = 0;
    while (strcmp(mutate_name(which), "repair") != 0)
        which++;
    struct fuzz_rng rng = {1};
    struct mutate m, whole;
    hello(&m, &rng);
    whole = m;
    m.len -= 15;             /* the alert */
    m.bytes[11] = 0x30;      /* the record's length */
    m.bytes[13 + 10] = 0x30; /* the fragment's */
    assert_true(mutate_with(&m, which));
    struct sd_span cookie = cookie_of(&m);
    assert_int_equal(cookie.len, 6);
    assert_memory_equal(m.bytes, whole.bytes, m.len);
}

static void most_changes_leave_records(void **state)
{
    (void)state;
    struct fuzz_rng rng = {7};
    unsigned whole = 0, hellos = 0;
    for (unsigned i = 0; i < 10 * TRIES; i++) {
        struct mutate m;
        struct sd_record rec;
        hello(&m, &rng);
        mutate_datagram(&m);
        struct sd_records it = sd_records_init(m.bytes, m.len, 0);
        while (sd_record_next(&it, &rec) == SD_RECORD_OK)
            ;
        whole += it.status == SD_RECORD_END;
        hellos += cookie_of(&m).len != 0;
    }
    assert_in_range(whole, 5 * TRIES, 95 * TRIES / 10);
    assert_in_range(hellos, 4 * TRIES, 95 * TRIES / 10);
}

static void a_cookie_goes_into_the_hello(void **state)
{
    (void)state;
    struct fuzz_rng rng = {3};
    struct mutate m;
    unsigned right = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        hello(&m, &rng);
        assert_true(mutate_cookie(&m, make_span("twenty bytes of this", 20)));
        struct sd_span cookie = cookie_of(&m);
        right += cookie.len == 20 && !memcmp(cookie.p, "twenty bytes of this", 20);
    }
    assert_in_range(right, TRIES / 2, TRIES - 1); /* sometimes a length stays as it was */
}

/* Every byte belongs to an operation. */
static void assert_input(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        assert_true(size - at >= 4);
        at += 4 + (size_t)(data[at + 2] << 8 | data[at + 3]);
    }
    assert_int_equal(at, size);
}

static size_t seed_input(uint8_t *out)
{
    struct fuzz_rng rng = {0};
    struct mutate m;
    struct sd_wr w = sd_wr_init(out, INPUT);
    hello(&m, &rng);
    for (uint8_t i = 0; i < 4; i++) {
        fuzz_op_put(&w, 0, i, m.bytes, m.len);
        fuzz_op_put(&w, 1, i, "abc", 3);
    }
    return sd_wr_len(&w);
}

static void inputs_stay_inputs(void **state)
{
    (void)state;
    static const char *const names[] = {"record", "flow", "listen", "ossl_listen", "another"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        uint8_t data[INPUT], other[INPUT], both[INPUT];
        size_t size = seed_input(data), other_size = seed_input(other);
        unsigned changed = 0;
        for (uint64_t i = 0; i < 20 * TRIES; i++) {
            size_t max = i % 64 ? sizeof data : 100;
            uint64_t before = size;
            uint8_t first = size ? data[size / 2] : 0;
            size = mutator_mutate(mutator_target(names[n]), data, size, max, i);
            assert_true(size <= max);
            assert_input(data, size);
            changed += size != before || first != data[size / 2];
            size_t crossed = mutator_cross(make_span(data, size), make_span(other, other_size),
                                           both, sizeof both, i);
            assert_input(both, crossed);
        }
        assert_true(changed > 10 * TRIES);
    }
}

static void an_input_may_be_empty_or_nonsense(void **state)
{
    (void)state;
    uint8_t data[INPUT];
    assert_true(mutator_mutate(mutator_target("listen"), data, 0, sizeof data, 1) > 0);
    memset(data, 0xff, sizeof data);
    for (uint64_t i = 0; i < TRIES; i++)
        assert_true(mutator_mutate(mutator_target("flow"), data, 300, sizeof data, i) <= INPUT);
    assert_int_equal(mutator_mutate(mutator_target("flow"), data, 3, 3, 1), 0);
}

static void the_same_seed_makes_the_same(void **state)
{
    (void)state;
    uint8_t one[INPUT], two[INPUT];
    for (uint64_t i = 0; i < TRIES; i++) {
        size_t a = mutator_mutate(mutator_target("listen"), one, seed_input(one), INPUT, i);
        size_t b = mutator_mutate(mutator_target("listen"), two, seed_input(two), INPUT, i);
        assert_int_equal(a, b);
        assert_memory_equal(one, two, a);
    }
}

/* A hello without a cookie gets the right one for its sender. */
static void cookies_are_found(void **state)
{
    (void)state;
    static const char *const names[] = {"listen", "ossl_listen"};
    for (size_t n = 0; n < 2; n++) {
        const struct mutator_target *t = mutator_target(names[n]);
        unsigned right = 0;
        for (uint64_t i = 0; i < 10 * TRIES; i++) {
            uint8_t data[INPUT], hello_bytes[512], cookie[255];
            struct sd_wr h = sd_wr_init(hello_bytes, sizeof hello_bytes);
            struct sd_wr w = sd_wr_init(data, sizeof data);
            make_client_hello(&h, &(struct make_hello){.random = 1});
            fuzz_op_put(&w, 0, 2, hello_bytes, sd_wr_len(&h));
            size_t want = t->cookie(2, make_span(hello_bytes, sd_wr_len(&h)), cookie);
            size_t size = mutator_mutate(t, data, sd_wr_len(&w), sizeof data, i);
            right += want == 20 && memmem(data, size, cookie, want) != NULL;
        }
        assert_true(right > TRIES / 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_can_change_a_hello),
        cmocka_unit_test(repairing_mends_lengths),
        cmocka_unit_test(most_changes_leave_records),
        cmocka_unit_test(a_cookie_goes_into_the_hello),
        cmocka_unit_test(inputs_stay_inputs),
        cmocka_unit_test(an_input_may_be_empty_or_nonsense),
        cmocka_unit_test(the_same_seed_makes_the_same),
        cmocka_unit_test(cookies_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
