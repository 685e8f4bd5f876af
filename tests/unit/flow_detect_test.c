/* SPDX-License-Identifier: MIT */
/* lib/flow/detect: what is DTLS, and what only begins like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/internal.h"
#include "flow_tools.h"

/* In a block of its own length. */
static enum sd_begins detect_snapped(const void *bytes, size_t len, size_t captured)
{
    uint8_t *copy = malloc(captured ? captured : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, captured);
    struct sd_datagram d = {.payload = {copy, captured}, .length = (uint32_t)len};
    struct sd_look look;
    sd_look_at(&look, &d, 0);
    enum sd_begins got = sd_detect(&look);
    free(copy);
    return got;
}

static enum sd_begins detect(const void *bytes, size_t len)
{
    return detect_snapped(bytes, len, len);
}

static enum sd_begins detect_gram(const struct gram *g)
{
    return detect(g->bytes, sd_wr_len(&g->w));
}

static void plaintext_records_of_epoch_0_begin_a_handshake(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    assert_int_equal(detect_gram(g), SD_BEGINS_HELLO);
    g = gram();
    put_alert(g, 0, SD_ALERT_FATAL, SD_ALERT_HANDSHAKE_FAILURE);
    assert_int_equal(detect_gram(g), SD_BEGINS_HELLO);
    g = gram();
    put_ccs(g, 0);
    put_finished(g);
    assert_int_equal(detect_gram(g), SD_BEGINS_HELLO);
}

static void protected_records_are_sealed(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_data(g, 7);
    put_data(g, 8);
    assert_int_equal(detect_gram(g), SD_BEGINS_SEALED);
    static const uint8_t with_cid[] = {25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 'c', 'i', 'd'};
    assert_int_equal(detect(with_cid, sizeof with_cid), SD_BEGINS_SEALED);
}

static void a_chain_that_does_not_end_with_the_datagram_is_none(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    put_client_hello(g, 1, 0, 0x11, NULL);
    size_t len = sd_wr_len(&g->w);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(detect(g->bytes, cut),
                         cut == len / 2 ? SD_BEGINS_HELLO : SD_BEGINS_NOTHING);
    g->bytes[len] = 1;
    assert_int_equal(detect(g->bytes, len + 1), SD_BEGINS_NOTHING);
    g->bytes[len] = 0; /* padding of a TURN relay */
    assert_int_equal(detect(g->bytes, len + 1), SD_BEGINS_HELLO);
}

static void a_snapped_chain_needs_more_than_its_first_header(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    put_client_hello(g, 1, 0, 0x11, NULL);
    size_t len = sd_wr_len(&g->w);
    for (size_t captured = 0; captured < len; captured++)
        assert_int_equal(detect_snapped(g->bytes, len, captured),
                         captured > SD_RECORD_HEADER_LEN ? SD_BEGINS_HELLO : SD_BEGINS_NOTHING);
}

static void a_message_of_no_known_type_is_not_a_handshake(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_message(g, 0, 99, 0, "abc", 3);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
    g = gram();
    put_record(g, SD_CT_HANDSHAKE, 0, 0, "", 0);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
}

static void what_follows_the_message_must_be_one(void **state)
{
    (void)state;
    uint8_t body[64] = {SD_HS_SERVER_HELLO_DONE};
    struct gram *g = gram();
    put_record(g, SD_CT_HANDSHAKE, 0, 0, body, 12);
    assert_int_equal(detect_gram(g), SD_BEGINS_HELLO);
    g = gram();
    put_record(g, SD_CT_HANDSHAKE, 0, 0, body, 13);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
}

static void alerts_and_ccs_have_their_own_form(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_record(g, SD_CT_ALERT, 0, 0, "\3\0", 2);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
    g = gram();
    put_record(g, SD_CT_CCS, 0, 0, "\2", 1);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
    g = gram();
    put_record(g, SD_CT_APPDATA, 0, 0, "plain", 5);
    assert_int_equal(detect_gram(g), SD_BEGINS_NOTHING);
}

static void text_that_begins_like_dtls_1_3_is_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<html><body>not DTLS at all</body></html>", "<134>Jan 1 00:00:00 host program: a line",
        "/a/path/and/more/of/it/as/long/as/it/must", "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(detect(texts[i], strlen(texts[i])), SD_BEGINS_NOTHING);
}

static void a_unified_header_counts_only_with_its_length(void **state)
{
    (void)state;
    uint8_t with[5 + 32] = {0x2c | 2, 0x12, 0x34, 0, 32};
    assert_int_equal(detect(with, sizeof with), SD_BEGINS_SEALED);
    assert_int_equal(detect(with, sizeof with - 1), SD_BEGINS_NOTHING);
    with[0] = 0x2c | 1; /* epoch 1 is early data: no handshake begins with it */
    assert_int_equal(detect(with, sizeof with), SD_BEGINS_NOTHING);
    uint8_t without[3 + 32] = {0x28 | 2, 0x12, 0x34};
    assert_int_equal(detect(without, sizeof without), SD_BEGINS_NOTHING);
}

static void other_versions_are_not_dtls(void **state)
{
    (void)state;
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, NULL);
    size_t len = sd_wr_len(&g->w);
    g->bytes[1] = 0x03; /* TLS */
    assert_int_equal(detect(g->bytes, len), SD_BEGINS_NOTHING);
    g->bytes[1] = 0xfe;
    g->bytes[2] = 0xff;
    assert_int_equal(detect(g->bytes, len), SD_BEGINS_HELLO);
}

static void noise_is_hardly_ever_dtls(void **state)
{
    (void)state;
    uint8_t noise[64];
    uint32_t x = 5;
    for (int i = 0; i < 200000; i++) {
        for (size_t k = 0; k < sizeof noise; k++) {
            x = x * 1664525 + 1013904223;
            noise[k] = (uint8_t)(x >> 24);
        }
        noise[0] = 0x16;
        assert_int_equal(detect(noise, sizeof noise), SD_BEGINS_NOTHING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plaintext_records_of_epoch_0_begin_a_handshake),
        cmocka_unit_test(protected_records_are_sealed),
        cmocka_unit_test(a_chain_that_does_not_end_with_the_datagram_is_none),
        cmocka_unit_test(a_snapped_chain_needs_more_than_its_first_header),
        cmocka_unit_test(a_message_of_no_known_type_is_not_a_handshake),
        cmocka_unit_test(what_follows_the_message_must_be_one),
        cmocka_unit_test(alerts_and_ccs_have_their_own_form),
        cmocka_unit_test(text_that_begins_like_dtls_1_3_is_text),
        cmocka_unit_test(a_unified_header_counts_only_with_its_length),
        cmocka_unit_test(other_versions_are_not_dtls),
        cmocka_unit_test(noise_is_hardly_ever_dtls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
