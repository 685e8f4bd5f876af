/* SPDX-License-Identifier: MIT */
/* tools/dtls_mtu: the search and its check, over paths that are functions, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dtls_mtu/measure.h"

enum { LOCAL = 1500, SMALLEST = 256, FIRST_CHECK = 1 << 20, PENDING = 64 };
#define RTT (10 * SD_MS)

static sd_time now;

sd_time __wrap_sd_clock_now(void);
sd_time __wrap_sd_clock_now(void)
{
    return now;
}

/* Does the n-th packet arrive? `checked`: a search has ended before. */
typedef bool path(unsigned packet, unsigned n, bool checked);

struct road {
    path *path;
    unsigned sent;
    bool checked;
    struct {
        uint32_t id;
        sd_time at;
    } answers[PENDING];
    unsigned first, count;
};

static int send_probe(void *arg, uint32_t id, unsigned packet)
{
    struct road *r = arg;
    r->checked |= id >= FIRST_CHECK;
    if (!r->path(packet, r->sent++, r->checked))
        return 0;
    assert_true(r->count < PENDING);
    const unsigned at = (r->first + r->count++) % PENDING;
    r->answers[at].id = id;
    r->answers[at].at = now + RTT;
    return 0;
}

static void hear_probe(void *arg, struct mtu_heard *h, sd_time until)
{
    struct road *r = arg;
    *h = (struct mtu_heard){.kind = MTU_HEARD_NOTHING};
    if (!r->count || r->answers[r->first].at > until) {
        now = until > now ? until : now;
        return;
    }
    now = r->answers[r->first].at > now ? r->answers[r->first].at : now;
    *h = (struct mtu_heard){
        .kind = MTU_HEARD_ANSWER, .known = true, .id = r->answers[r->first].id, .at = now};
    r->first = (r->first + 1) % PENDING;
    r->count--;
}

static struct mtu_measured measure(path *p)
{
    struct road r = {.path = p};
    struct mtu_measured m;
    now = SD_SEC;
    mtu_measure_run(&m, &(struct mtu_carrier){&r, send_probe, hear_probe},
                    &(struct mtu_measure_limits){.min = SMALLEST,
                                                 .max = LOCAL,
                                                 .rtt = RTT,
                                                 .max_probes = 200,
                                                 .deadline = now + 60 * SD_SEC});
    return m;
}

static bool up_to_1400(unsigned packet, unsigned n, bool checked)
{
    (void)n, (void)checked;
    return packet <= 1400;
}

static void a_limit_is_found_and_checked(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(up_to_1400);
    assert_int_equal(m.end, MTU_MEASURE_DONE);
    assert_int_equal(m.mtu, 1400);
    assert_int_equal(m.largest, 1400);
    assert_false(m.size_loss);
    assert_int_equal(m.tally[MTU_TALLY_LIMIT].answered, m.tally[MTU_TALLY_LIMIT].sent);
    assert_int_equal(m.tally[MTU_TALLY_ABOVE].answered, 0);
}

/* All that is larger is lost, until the search is over. */
static bool bad_luck(unsigned packet, unsigned n, bool checked)
{
    (void)n;
    return checked || packet <= 1400;
}

static void a_search_with_bad_luck_begins_again(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(bad_luck);
    assert_int_equal(m.end, MTU_MEASURE_DONE);
    assert_int_equal(m.mtu, LOCAL);
    assert_false(m.size_loss);
    assert_int_equal(m.changes, 0);
}

static bool large_now_and_then(unsigned packet, unsigned n, bool checked)
{
    return packet <= 1400 || (checked && n % 5 < 2);
}

static void loss_of_large_packets_only_is_reported(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(large_now_and_then);
    assert_true(m.size_loss);
    assert_int_equal(m.mtu, 1400);
    assert_int_equal(m.largest, LOCAL);
}

static bool shrinks(unsigned packet, unsigned n, bool checked)
{
    (void)n;
    return packet <= (checked ? 1300 : 1400);
}

static void a_path_that_changes_meanwhile_is_measured_again(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(shrinks);
    assert_int_equal(m.end, MTU_MEASURE_DONE);
    assert_int_equal(m.mtu, 1300);
    assert_int_equal(m.changes, 1);
}

static bool never_the_same(unsigned packet, unsigned n, bool checked)
{
    (void)checked;
    return packet <= 600 || n / 40 % 2;
}

static void what_never_holds_still_is_no_result(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(never_the_same);
    assert_true(m.size_loss || m.end == MTU_MEASURE_UNSURE);
}

static bool nothing(unsigned packet, unsigned n, bool checked)
{
    (void)packet, (void)n, (void)checked;
    return false;
}

static void silence_is_no_reply(void **state)
{
    (void)state;
    const struct mtu_measured m = measure(nothing);
    assert_int_equal(m.end, MTU_MEASURE_NO_REPLY);
    assert_int_equal(m.mtu, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_limit_is_found_and_checked),
        cmocka_unit_test(a_search_with_bad_luck_begins_again),
        cmocka_unit_test(loss_of_large_packets_only_is_reported),
        cmocka_unit_test(a_path_that_changes_meanwhile_is_measured_again),
        cmocka_unit_test(what_never_holds_still_is_no_result),
        cmocka_unit_test(silence_is_no_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
