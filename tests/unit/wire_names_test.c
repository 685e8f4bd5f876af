/* SPDX-License-Identifier: MIT */
/* lib/wire/names: every entry of every table is found, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "wire/iana.h"
#include "wire/names.h"

static void assert_name(enum sd_registry reg, uint16_t value, const char *want)
{
    char buf[SD_NAME_TEXT];
    assert_string_equal(sd_name(reg, value, buf), want);
}

static void well_known_numbers_have_their_names(void **state)
{
    (void)state;
    assert_name(SD_NAME_CONTENT, 22, "handshake");
    assert_name(SD_NAME_HANDSHAKE, 3, "hello_verify_request");
    assert_name(SD_NAME_ALERT, 40, "handshake_failure");
    assert_name(SD_NAME_LEVEL, 2, "fatal");
    assert_name(SD_NAME_VERSION, 0xfeff, "DTLS 1.0");
    assert_name(SD_NAME_VERSION, 0xfefd, "DTLS 1.2");
    assert_name(SD_NAME_VERSION, 0xfefc, "DTLS 1.3");
    assert_name(SD_NAME_SUITE, 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_name(SD_NAME_SUITE, 0x1301, "TLS_AES_128_GCM_SHA256");
    assert_name(SD_NAME_SUITE, 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
    assert_name(SD_NAME_EXTENSION, 65281, "renegotiation_info");
    assert_name(SD_NAME_GROUP, 0x11ec, "X25519MLKEM768");
    assert_name(SD_NAME_SCHEME, 0x0804, "rsa_pss_rsae_sha256");
    assert_name(SD_NAME_SRTP, 7, "SRTP_AEAD_AES_128_GCM");
    assert_name(SD_NAME_CERT_TYPE, 64, "ecdsa_sign");
    assert_name(SD_NAME_CERT_FORMAT, 2, "Raw Public Key");
    assert_name(SD_NAME_CERT_COMPRESSION, 3, "zstd");
    assert_name(SD_NAME_POINT_FORMAT, 0, "uncompressed");
    assert_name(SD_NAME_PSK_MODE, 1, "psk_dhe_ke");
    assert_name(SD_NAME_COMPRESSION, 0, "null");
}

static void unknown_numbers_are_hex(void **state)
{
    (void)state;
    assert_name(SD_NAME_SUITE, 0x9999, "0x9999");
    assert_name(SD_NAME_SUITE, 0xffff, "0xffff");
    assert_name(SD_NAME_GROUP, 0, "0x0000");
    assert_name(SD_NAME_ALERT, 255, "0xff");
    assert_name(SD_NAME_CONTENT, 19, "0x13");
    assert_name(SD_NAME_CONTENT, 27, "0x1b");
    assert_name(SD_NAME_POINT_FORMAT, 0x0a, "0x0a");
    assert_name(SD_NAME_CERT_COMPRESSION, 0x0a0a, "GREASE");
}

static void grease_is_grease(void **state)
{
    (void)state;
    assert_name(SD_NAME_SUITE, 0x0a0a, "GREASE");
    assert_name(SD_NAME_GROUP, 0xfafa, "GREASE");
    assert_name(SD_NAME_EXTENSION, 0x5a5a, "GREASE");
    assert_name(SD_NAME_EXTENSION, 0x5a6a, "0x5a6a");
    assert_name(SD_NAME_EXTENSION, 0x5b5b, "0x5b5b");
}

/* Fails for a table that is not in order, too. */
static void every_listed_number_is_found(void **state)
{
    (void)state;
#define SD_X(name, value, text) assert_name(REGISTRY, value, text);
#define REGISTRY SD_NAME_CONTENT
    SD_CONTENT_TYPES(SD_X)
#undef REGISTRY
#define REGISTRY SD_NAME_HANDSHAKE
    SD_HANDSHAKE_TYPES(SD_X)
#undef REGISTRY
#define REGISTRY SD_NAME_ALERT
    SD_ALERTS(SD_X)
#undef REGISTRY
#define REGISTRY SD_NAME_EXTENSION
    SD_EXTENSIONS(SD_X)
#undef REGISTRY
#define REGISTRY SD_NAME_SRTP
    SD_SRTP_PROFILES(SD_X)
#undef REGISTRY
#undef SD_X
#define X(value, name) assert_name(SD_NAME_SUITE, value, #name);
#include "wire/suites.def"
#undef X
}

/* Groups and schemes have no list of their own: their tables are in order when
 * as many names are found by search as were put in. */
static void the_other_tables_are_searched_through(void **state)
{
    (void)state;
    unsigned found[2] = {0};
    char buf[SD_NAME_TEXT];
    for (unsigned v = 0; v < 0x10000; v++) {
        found[0] += sd_name(SD_NAME_GROUP, (uint16_t)v, buf) != buf;
        found[1] += sd_name(SD_NAME_SCHEME, (uint16_t)v, buf) != buf;
    }
    assert_int_equal(found[0], 57 + 16);
    assert_int_equal(found[1], 45 + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_known_numbers_have_their_names),
        cmocka_unit_test(unknown_numbers_are_hex),
        cmocka_unit_test(grease_is_grease),
        cmocka_unit_test(every_listed_number_is_found),
        cmocka_unit_test(the_other_tables_are_searched_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
