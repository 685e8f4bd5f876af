/* SPDX-License-Identifier: MIT */
/* tools/dtls_mtu: probes of exact size, what answers them, and what the peers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_mtu/hello.h"
#include "dtls_mtu/message.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

enum { SEQ = 0x123456789a };

/* The hello of the datagram parses as a whole, and nothing but junk follows it. */
static void check_hello(const uint8_t *p, size_t len)
{
    struct sd_records it = sd_records_init(p, len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    struct sd_client_hello ch;
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    assert_int_equal(rec.seq, SEQ);
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    assert_int_equal(sd_handshake_next(&r, &h), SD_HANDSHAKE_OK);
    assert_int_equal(sd_client_hello_parse(&ch, h.body, h.length), SD_HELLO_WHOLE);
    assert_int_equal(ch.cookie.len, 0);
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        assert_int_equal(rec.type, SD_CT_APPDATA);
    assert_int_equal(it.status, SD_RECORD_END);
}

static void a_hello_has_exactly_the_size_asked_for(void **state)
{
    (void)state;
    static uint8_t buf[65536];
    static const enum mtu_hello_pad pads[] = {MTU_HELLO_EXT, MTU_HELLO_JUNK};
    for (size_t i = 0; i < 2; i++)
        for (size_t size = mtu_hello_least() + 4; size < 65500; size += size < 2000 ? 1 : 997) {
            assert_int_equal(mtu_hello_build(buf, sizeof buf, SEQ, size, pads[i]), size);
            check_hello(buf, size);
        }
}

static void a_plain_hello_is_as_small_as_it_is(void **state)
{
    (void)state;
    uint8_t buf[512];
    assert_int_equal(mtu_hello_build(buf, sizeof buf, SEQ, mtu_hello_least(), MTU_HELLO_PLAIN),
                     mtu_hello_least());
    check_hello(buf, mtu_hello_least());
    assert_true(mtu_hello_least() + 28 < 256);
}

static void what_cannot_be_built_is_not(void **state)
{
    (void)state;
    uint8_t buf[512];
    assert_int_equal(mtu_hello_build(buf, sizeof buf, SEQ, mtu_hello_least() - 1, MTU_HELLO_EXT),
                     0);
    assert_int_equal(mtu_hello_build(buf, sizeof buf, SEQ, sizeof buf + 1, MTU_HELLO_EXT), 0);
    assert_int_equal(mtu_hello_build(buf, sizeof buf, SEQ, mtu_hello_least() + 3, MTU_HELLO_JUNK),
                     0);
}

static size_t answer(uint8_t *buf, size_t cap, uint8_t type, const void *body, size_t len)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, SEQ);
    size_t message = sd_handshake_open(&w, type, 0);
    sd_wr_bytes(&w, body, len);
    sd_handshake_close(&w, message);
    sd_record_close(&w, record);
    return sd_wr_len(&w);
}

static void answers_are_told_apart(void **state)
{
    (void)state;
    uint8_t buf[128], alert;
    uint64_t seq;
    static const uint8_t verify[] = {0xfe, 0xff, 2, 'o', 'k'};
    size_t len = answer(buf, sizeof buf, SD_HS_HELLO_VERIFY_REQUEST, verify, sizeof verify);
    assert_int_equal(mtu_hello_read(buf, len, &seq, &alert), MTU_HELLO_COOKIE);
    assert_int_equal(seq, SEQ);
    static const uint8_t server[38] = {0xfe, 0xfd};
    len = answer(buf, sizeof buf, SD_HS_SERVER_HELLO, server, sizeof server);
    assert_int_equal(mtu_hello_read(buf, len, &seq, &alert), MTU_HELLO_NO_COOKIE);
    len = mtu_hello_goodbye(buf, sizeof buf, SEQ);
    assert_int_equal(mtu_hello_read(buf, len, &seq, &alert), MTU_HELLO_ALERT);
    assert_int_equal(alert, SD_ALERT_USER_CANCELED);
    assert_int_equal(mtu_hello_read("SSH-2.0", 7, &seq, &alert), MTU_HELLO_FOREIGN);
    assert_int_equal(mtu_hello_read("", 0, &seq, &alert), MTU_HELLO_FOREIGN);
}

static void a_quotation_gives_the_number_of_the_probe(void **state)
{
    (void)state;
    uint8_t buf[512];
    uint64_t seq;
    size_t len = mtu_hello_build(buf, sizeof buf, SEQ, 300, MTU_HELLO_EXT);
    assert_int_equal(len, 300);
    assert_true(mtu_hello_quoted(buf, 11, &seq));
    assert_int_equal(seq, SEQ);
    assert_false(mtu_hello_quoted(buf, 10, &seq));
    buf[0] = SD_CT_APPDATA;
    assert_false(mtu_hello_quoted(buf, len, &seq));
}

static void messages_come_back_as_they_were(void **state)
{
    (void)state;
    uint8_t buf[MTU_MESSAGE_LEN + 1];
    struct mtu_message out = {MTU_MESSAGE_SEND, 0x12345678, 1400, 1372}, in;
    mtu_message_build(buf, &out);
    assert_true(mtu_message_parse(&in, buf, MTU_MESSAGE_LEN));
    assert_int_equal(in.type, out.type);
    assert_int_equal(in.id, out.id);
    assert_int_equal(in.size, out.size);
    assert_int_equal(in.fragment, out.fragment);
    for (size_t len = 0; len < MTU_MESSAGE_LEN; len++)
        assert_false(mtu_message_parse(&in, buf, len));
    assert_false(mtu_message_parse(&in, buf, MTU_MESSAGE_LEN + 1));
    buf[4] = 99;
    assert_false(mtu_message_parse(&in, buf, MTU_MESSAGE_LEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_has_exactly_the_size_asked_for),
        cmocka_unit_test(a_plain_hello_is_as_small_as_it_is),
        cmocka_unit_test(what_cannot_be_built_is_not),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(a_quotation_gives_the_number_of_the_probe),
        cmocka_unit_test(messages_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
