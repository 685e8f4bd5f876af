/* SPDX-License-Identifier: MIT */
/* lib/flow/icmp: what types and codes of ICMP errors mean in both families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/icmp.h"

static enum sd_icmp_meaning meaning(uint8_t protocol, uint8_t type, uint8_t code)
{
    struct sd_event e = {
        .kind = SD_EV_ICMP, .icmp_protocol = protocol, .icmp_type = type, .icmp_code = code};
    return sd_icmp_meaning(&e);
}

static void codes_of_icmp(void **state)
{
    (void)state;
    assert_int_equal(meaning(SD_PROTO_ICMP, 3, 0), SD_MEANS_UNREACHABLE);
    assert_int_equal(meaning(SD_PROTO_ICMP, 3, 3), SD_MEANS_PORT_CLOSED);
    assert_int_equal(meaning(SD_PROTO_ICMP, 3, 4), SD_MEANS_TOO_BIG);
    assert_int_equal(meaning(SD_PROTO_ICMP, 3, 13), SD_MEANS_UNREACHABLE);
    assert_int_equal(meaning(SD_PROTO_ICMP, 11, 0), SD_MEANS_OTHER); /* TTL exceeded */
    assert_int_equal(meaning(SD_PROTO_ICMP, 2, 0), SD_MEANS_OTHER);
}

static void codes_of_icmpv6(void **state)
{
    (void)state;
    assert_int_equal(meaning(SD_PROTO_ICMPV6, 1, 0), SD_MEANS_UNREACHABLE);
    assert_int_equal(meaning(SD_PROTO_ICMPV6, 1, 3), SD_MEANS_UNREACHABLE);
    assert_int_equal(meaning(SD_PROTO_ICMPV6, 1, 4), SD_MEANS_PORT_CLOSED);
    assert_int_equal(meaning(SD_PROTO_ICMPV6, 2, 0), SD_MEANS_TOO_BIG);
    assert_int_equal(meaning(SD_PROTO_ICMPV6, 3, 4), SD_MEANS_OTHER); /* hop limit */
}

static void other_events_mean_nothing(void **state)
{
    (void)state;
    struct sd_event e = {.kind = SD_EV_HANDSHAKE, .message_seq = 3 | 3 << 8};
    assert_int_equal(sd_icmp_meaning(&e), SD_MEANS_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_icmp),
        cmocka_unit_test(codes_of_icmpv6),
        cmocka_unit_test(other_events_mean_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
