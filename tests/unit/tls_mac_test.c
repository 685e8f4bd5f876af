/* SPDX-License-Identifier: MIT */
/* lib/tls/mac.c and library.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/opensslv.h>
#include <string.h>

#include "tls/context.h"
#include "tls/mac.h"

/* RFC 4231: HMAC pads a short key with zeros, so the 20 and 4 byte keys of the
 * test cases are the 32 byte keys here. */
static const uint8_t key1[32] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
static const uint8_t key2[32] = "Jefe";
static const uint8_t sum1[32] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf,
                                 0xce, 0xaf, 0x0b, 0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83,
                                 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7};
static const uint8_t sum2[32] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                 0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
static const char data1[] = "Hi There";
static const char data2[] = "what do ya want for nothing?";

static void check(struct sd_tls_mac *m, const uint8_t key[32], const char *data,
                  const uint8_t expected[32])
{
    uint8_t out[32];
    sd_tls_mac_sum(m, key, (const uint8_t *)data, strlen(data), out);
    assert_memory_equal(out, expected, sizeof out);
}

static void sums_are_those_of_rfc_4231(void **state)
{
    (void)state;
    struct sd_tls_mac *m = sd_tls_mac_new();
    assert_non_null(m);
    check(m, key1, data1, sum1);
    check(m, key2, data2, sum2);
    sd_tls_mac_free(m);
}

static void kept_key_and_changed_key_give_the_same_sums(void **state)
{
    (void)state;
    struct sd_tls_mac *m = sd_tls_mac_new();
    for (int i = 0; i < 4; i++) {
        check(m, key1, data1, sum1);
        check(m, key1, data1, sum1);
        check(m, key2, data2, sum2);
    }
    sd_tls_mac_free(m);
}

static void library_tells_both_versions(void **state)
{
    (void)state;
    const char *text = sd_tls_library();
    assert_memory_equal(text, "OpenSSL ", 8);
    assert_non_null(strstr(text, "(built against " OPENSSL_VERSION_TEXT ")"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_rfc_4231),
        cmocka_unit_test(kept_key_and_changed_key_give_the_same_sums),
        cmocka_unit_test(library_tells_both_versions),
    };
    return cmocka_run_group_tests_name("tls/mac", tests, NULL, NULL);
}
