/* SPDX-License-Identifier: MIT */
/* What -w and --save-failed keep in temporary files until they write: more than stays in memory,
 * in another order than it came, and on a disk that is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "dtls_probe/comments.h"
#include "dtls_probe/members.h"

enum { MANY = 150000 /* comments: several runs */, OPEN_AT_ONCE = 1000 };

static const struct sd_entry entry = {.id = "no-response"};

/* A handshake with one finding, which two frames show. */
static void comment_on(struct probe_comments *c, uint64_t handshake, uint32_t one, uint32_t two)
{
    struct sd_finding f = {.entry = &entry, .exchange = handshake, .packet_count = 2};
    struct probe_report r = {.findings = &f, .count = 1};
    f.packets[0] = one;
    f.packets[1] = two;
    snprintf(f.detail, sizeof f.detail, "Nobody answers.");
    probe_comments_add(c, &r);
}

static void assert_comment(const char *text, unsigned handshake)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "dtls_probe: handshake %u: info no-response (confidence low): Nobody answers.",
             handshake);
    assert_string_equal(text, wanted);
}

/* Frame n is shown by handshakes n and MANY - n: by the first of them that was judged first. */
static void assert_all(struct probe_comments *c)
{
    size_t count;
    assert_null(probe_comments_take(c, 0, &count));
    for (unsigned n = 1; n < MANY; n++) {
        const char *text = probe_comments_take(c, n, &count);
        assert_int_equal(count, 2);
        unsigned low = n < MANY - n ? n : MANY - n;
        assert_comment(text, low);
        assert_comment(text + strlen(text) + 1, MANY - low);
    }
    assert_null(probe_comments_take(c, MANY, &count));
    assert_int_equal(count, 0);
}

static void comments_come_back_by_frame_each_time(void **state)
{
    struct probe_comments c = {0};
    (void)state;
    assert_int_equal(probe_comments_open(&c), 0);
    for (unsigned n = 1; n < MANY; n++)
        comment_on(&c, n, n, MANY - n);
    assert_true(c.run_count > 1);
    probe_comments_rewind(&c);
    assert_all(&c);
    probe_comments_rewind(&c);
    assert_all(&c);
    assert_false(c.failed);
    assert_int_equal(c.error, 0);
    probe_comments_free(&c);
}

static void frames_in_between_are_skipped(void **state)
{
    struct probe_comments c = {0};
    size_t count;
    (void)state;
    assert_int_equal(probe_comments_open(&c), 0);
    comment_on(&c, 1, 3, 5);
    comment_on(&c, 2, 5, 9);
    probe_comments_rewind(&c);
    assert_null(probe_comments_take(&c, 2, &count));
    assert_comment(probe_comments_take(&c, 9, &count), 2); /* 3 and 5 did not match a filter */
    assert_int_equal(count, 1);
    probe_comments_free(&c);
}

/* Whoever sends packets must not choose how much memory one frame takes. */
static void one_frame_has_so_many_comments(void **state)
{
    struct probe_comments c = {0};
    size_t count;
    (void)state;
    assert_int_equal(probe_comments_open(&c), 0);
    for (unsigned n = 1; n <= 3 * PROBE_COMMENTS_OF_FRAME; n++)
        comment_on(&c, n, 7, 7 + n);
    probe_comments_rewind(&c);
    assert_comment(probe_comments_take(&c, 7, &count), 1);
    assert_int_equal(count, PROBE_COMMENTS_OF_FRAME);
    assert_comment(probe_comments_take(&c, 8, &count), 1);
    assert_int_equal(count, 1);
    probe_comments_free(&c);
}

static void members_are_those_of_failed_handshakes(void **state)
{
    struct probe_members m = {0};
    (void)state;
    assert_int_equal(probe_members_open(&m), 0);
    for (unsigned n = 1; n < MANY; n++) {
        probe_members_add(&m, n, n % OPEN_AT_ONCE);
        if (n > MANY / 2 && n % OPEN_AT_ONCE == 7)
            probe_members_fail(&m, 7);
    }
    probe_members_add(&m, MANY, OPEN_AT_ONCE); /* ends last */
    probe_members_fail(&m, OPEN_AT_ONCE);
    probe_members_close(&m);
    for (unsigned n = 0; n <= MANY + 1; n++)
        assert_int_equal(probe_members_has(&m, n), n % OPEN_AT_ONCE == 7 || n == MANY);
    assert_false(m.lost);
    assert_int_equal(m.error, 0);
    probe_members_free(&m);
}

static void a_full_disk_is_told(void **state)
{
    struct probe_comments c = {.file = fopen("/dev/full", "w")};
    struct probe_members m = {.pairs = fopen("/dev/full", "w")};
    (void)state;
    if (!c.file || !m.pairs)
        skip();
    for (unsigned n = 1; n < OPEN_AT_ONCE; n++) {
        comment_on(&c, n, n, n + 1);
        probe_members_add(&m, n, 1);
    }
    probe_comments_rewind(&c);
    probe_members_close(&m);
    assert_int_equal(c.error, ENOSPC);
    assert_int_equal(m.error, ENOSPC);
    probe_comments_free(&c);
    probe_members_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_come_back_by_frame_each_time),
        cmocka_unit_test(frames_in_between_are_skipped),
        cmocka_unit_test(one_frame_has_so_many_comments),
        cmocka_unit_test(members_are_those_of_failed_handshakes),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
