/* SPDX-License-Identifier: MIT */
/* lib/flow/stack: which DTLS libraries a client resembles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/stack.h"
#include "flow_tools.h"

/* A ClientHello with these traits. */
static struct hello_body hello_with(uint8_t traits)
{
    static const uint8_t one[] = {0xc0, 0x2c}, two[] = {0xc0, 0x2b, 0x00, 0xff}, id[32];
    static const uint8_t groups[] = {0, SD_EXT_SUPPORTED_GROUPS, 0, 4, 0, 2, 0, 23};
    static const uint8_t schemes[] = {0, SD_EXT_SIGNATURE_ALGORITHMS, 0, 4, 0, 2, 4, 3};
    static const uint8_t limit[] = {0, SD_EXT_RECORD_SIZE_LIMIT, 0, 2, 0x40, 0};
    bool schemes_first = traits & SD_TRAIT_SCHEMES_FIRST, agreed = traits & SD_TRAIT_AGREED;
    uint8_t bytes[64];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    sd_wr_bytes(&w, schemes_first ? schemes : groups, sizeof groups);
    sd_wr_bytes(&w, schemes_first ? groups : schemes, sizeof groups);
    if (traits & SD_TRAIT_SIZE_LIMIT)
        sd_wr_bytes(&w, limit, sizeof limit);
    struct hello_options o = {.random = 0x11, .extensions = {bytes, sd_wr_len(&w)}};
    if (agreed)
        o.session_id = (struct sd_span){id, sizeof id};
    o.suites = agreed ? (struct sd_span){one, sizeof one} : (struct sd_span){two, sizeof two};
    return client_hello(&o);
}

/* What the view says of a client that sends this hello at these times. */
static const char *resembled(const struct hello_body *hello, const int *ms, size_t count)
{
    struct rig *r = rig_open(NULL);
    for (size_t i = 0; i <= count; i++) {
        struct gram *g = gram();
        put_message(g, i, SD_HS_CLIENT_HELLO, 0, hello->bytes, hello->len);
        send_gram(r, SD_CLIENT, g);
        after(r, i < count ? ms[i] : 0);
    }
    rig_close(r);
    assert_int_equal(r->reports, 1);
    return r->report[0].view.stacks;
}

static void every_row_can_win(void **state)
{
    (void)state;
    for (const struct sd_stack *s = sd_stacks; s < sd_stacks + sd_stack_count; s++) {
        struct hello_body hello = hello_with(s->traits);
        assert_string_equal(resembled(&hello, s->ms, SD_STACK_TIMES), s->name);
        assert_string_equal(resembled(&hello, s->ms, 2), s->name);
    }
}

/* Without a hello that could be read. */
static const char *by_times(const int *ms, size_t count)
{
    static char names[SD_STACK_TEXT];
    int64_t times[8];
    struct sd_exchange x = {0};
    for (size_t i = 0; i < count; i++)
        times[i] = ms[i] * MS;
    sd_stack_names(sd_stack_nearest(&x, times, count), names);
    return names;
}

#define BY_TIMES(...)                                                                              \
    by_times((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void those_with_the_same_timer_are_all_named(void **state)
{
    (void)state;
    assert_string_equal(BY_TIMES(1000, 2000), "OpenSSL, GnuTLS, wolfSSL or AnyConnect");
    assert_string_equal(BY_TIMES(1007, 2016, 4164), "OpenSSL, GnuTLS or AnyConnect");
    assert_string_equal(BY_TIMES(1000, 2000, 5600), "wolfSSL");
    assert_string_equal(BY_TIMES(50, 105), "NSS (Firefox) or BoringSSL (Chrome)");
}

static void the_nearest_is_named(void **state)
{
    (void)state;
    assert_string_equal(BY_TIMES(50, 100), "BoringSSL (Chrome)");
    assert_string_equal(BY_TIMES(51, 111), "NSS (Firefox)");
    assert_string_equal(BY_TIMES(1000, 3010), "GnuTLS");
    assert_string_equal(BY_TIMES(100, 184, 360), "GeForce NOW");
}

static void other_times_are_nobodys(void **state)
{
    (void)state;
    assert_string_equal(BY_TIMES(700, 700), "");
    assert_string_equal(BY_TIMES(1000), "");
    assert_string_equal(BY_TIMES(1000, 1150), "");
}

static void a_hello_that_fits_no_timer_is_nobodys(void **state)
{
    (void)state;
    static const int first[] = {1000, 3000}, later[] = {1000, 2000};
    struct hello_body plain = hello_with(0), limit = hello_with(SD_TRAIT_SIZE_LIMIT);
    assert_string_equal(resembled(&limit, first, 2), "GnuTLS");
    assert_string_equal(resembled(&limit, later, 2), "GnuTLS");
    assert_string_equal(resembled(&plain, first, 2), "");
}

static void all_names_fit(void **state)
{
    (void)state;
    char names[SD_STACK_TEXT];
    size_t all = 0;
    for (size_t i = 0; i < sd_stack_count; i++) {
        size_t len = strlen(sd_stacks[i].name) + strlen(", ");
        all += len;
    }
    assert_true(all + strlen(" or ") < sizeof names);
    sd_stack_names(UINT32_C(0xffffffff) >> (32 - sd_stack_count), names);
    assert_non_null(strstr(names, " or "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_can_win),
        cmocka_unit_test(those_with_the_same_timer_are_all_named),
        cmocka_unit_test(the_nearest_is_named),
        cmocka_unit_test(other_times_are_nobodys),
        cmocka_unit_test(a_hello_that_fits_no_timer_is_nobodys),
        cmocka_unit_test(all_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
