/* SPDX-License-Identifier: MIT */
/* What the puppet does wrong when it is moved to. */
#include "puppet_server.h"

static const uint8_t gcm[2] = {0xc0, 0x2b}, cbc[2] = {0xc0, 0x09};

static struct server *connected(const uint8_t suite[2], size_t extensions)
{
    struct server *s = server_new("ALL", DTLS1_2_VERSION);
    struct puppet_config c = usual_config(s, suite);
    c.offer.extensions.len = extensions;
    begin(s, &c);
    shake(s);
    assert_connected(s);
    return s;
}

static bool alive(struct server *s)
{
    unsigned before = s->puppet.data;
    puppet_say(&s->puppet, "alive?", 6);
    settle(s);
    return s->puppet.data == before + 1;
}

/* --- the flight is changed --- */

static void (*change)(struct puppet *p, struct puppet_flight *f);

static void change_answer(void *arg, struct puppet *p, struct puppet_flight *f)
{
    (void)arg;
    if (puppet_flight_find(f, SD_HS_FINISHED))
        change(p, f);
}

static struct server *answer_with(void (*how)(struct puppet *, struct puppet_flight *))
{
    struct server *s = server_new("ALL", DTLS1_2_VERSION);
    struct puppet_config c = usual_config(s, gcm);
    change = how;
    c.edit = change_answer;
    begin(s, &c);
    shake(s);
    return s;
}

static void as_it_is(struct puppet *p, struct puppet_flight *f)
{
    (void)p, (void)f;
}

static void wrong_finished(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    puppet_flight_body(f, puppet_flight_find(f, SD_HS_FINISHED))[0] ^= 1;
}

static void plain_finished(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    puppet_flight_find(f, SD_HS_FINISHED)->epoch = 0;
}

static void spoilt_finished(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    puppet_flight_find(f, SD_HS_FINISHED)->spoil = PUPPET_SPOIL_MAC;
}

static void no_key_exchange(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    assert_int_equal(f->item[0].message_type, SD_HS_CLIENT_KEY_EXCHANGE);
    puppet_flight_drop(f, 0);
}

static void backwards(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    struct puppet_item first = f->item[0];
    f->item[0] = f->item[f->count - 1];
    f->item[f->count - 1] = first;
}

static void in_pieces(struct puppet *p, struct puppet_flight *f)
{
    (void)p;
    for (size_t i = 0; i < f->count; i++) {
        f->item[i].fragment = 5;
        f->item[i].alone = true;
    }
}

static void sends_what_the_caller_makes_of_the_flight(void **state)
{
    (void)state;
    static const struct {
        void (*how)(struct puppet *, struct puppet_flight *);
        bool connects;
    } cases[] = {{as_it_is, true},         {wrong_finished, false},  {plain_finished, false},
                 {spoilt_finished, false}, {no_key_exchange, false}, {in_pieces, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server *s = answer_with(cases[i].how);
        if ((s->puppet.stage == PUPPET_CONNECTED && s->done) != cases[i].connects)
            fail_msg("case %zu: stage %d", i, s->puppet.stage);
        server_free(s);
    }
}

/* The server reads ClientKeyExchange last, and then has no Finished: a retransmission in the same
 * order helps no server, so the puppet gives up. */
static void keeps_its_changes_when_it_retransmits(void **state)
{
    (void)state;
    struct server *s = answer_with(backwards);
    assert_true(s->puppet.retransmitted > 0);
    assert_int_equal(s->puppet.flight.item[0].message_type, SD_HS_FINISHED);
    server_free(s);
}

static void reports_the_alert(void **state)
{
    (void)state;
    struct server *s = answer_with(wrong_finished);
    assert_int_equal(s->puppet.end, PUPPET_END_ALERT);
    assert_int_equal(s->puppet.alert.level, SD_ALERT_FATAL);
    server_free(s);
}

/* OpenSSL hears no alert between ChangeCipherSpec and Finished: only the right flight gets it out
 * of there. */
static void amends_a_handshake_that_is_stuck(void **state)
{
    (void)state;
    static void (*const how[])(struct puppet *, struct puppet_flight *) = {
        plain_finished, spoilt_finished, no_key_exchange};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct server *s = answer_with(how[i]);
        assert_false(s->dead);
        assert_int_equal(s->puppet.end, PUPPET_END_TIMEOUT);
        puppet_amend(&s->puppet, virtual_time);
        shake(s);
        assert_connected(s);
        assert_echo(s);
        server_free(s);
    }
}

/* --- records at any time --- */

/* Long enough: an OpenSSL that finds less than a tag in a record ends the association. */
static void is_heard_only_under_the_right_keys(void **state)
{
    (void)state;
    static const uint8_t text[64] = "a text";
    const struct puppet_item good = {
        .type = SD_CT_APPDATA, .epoch = 1, .seq = PUPPET_NEXT, .body = {text, sizeof text}};
    struct puppet_item plain = good, spoilt = good, epoch = good, zero = good;
    plain.plain = true;
    spoilt.spoil = PUPPET_SPOIL_MAC;
    epoch.epoch = 2;
    zero.epoch = 0;
    const struct puppet_item *bad[] = {&plain, &spoilt, &epoch, &zero};
    struct server *s = connected(gcm, WITHOUT_TICKET);
    for (size_t i = 0; i < 4; i++) {
        unsigned before = s->puppet.data;
        assert_true(puppet_send(&s->puppet, bad[i], 1));
        settle(s);
        assert_int_equal(s->puppet.data, before);
        if (!alive(s))
            fail_msg("record %zu ends the association", i);
    }
    assert_true(puppet_send(&s->puppet, &good, 1));
    settle(s);
    assert_int_equal(s->data_len, sizeof text);
    server_free(s);
}

/* The record numbers are the caller's: the same one twice is a replay. */
static void repeats_a_record_number(void **state)
{
    (void)state;
    struct server *s = connected(gcm, WITHOUT_TICKET);
    const struct puppet_item item = {
        .type = SD_CT_APPDATA, .epoch = 1, .seq = 40, .body = {(const uint8_t *)"x", 1}};
    unsigned before = s->puppet.data;
    for (int i = 0; i < 2; i++) {
        assert_true(puppet_send(&s->puppet, &item, 1));
        settle(s);
    }
    assert_int_equal(s->puppet.data, before + 1);
    server_free(s);
}

/* OpenSSL ends an association with encrypt-then-MAC when a MAC is wrong, and none without. */
static void spoils_a_mac_and_a_padding(void **state)
{
    (void)state;
    static const enum puppet_spoil how[] = {PUPPET_SPOIL_MAC, PUPPET_SPOIL_PADDING,
                                            PUPPET_SPOIL_BOTH, PUPPET_SPOIL_CUT};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct server *s = connected(cbc, WITHOUT_ETM);
        const struct puppet_item item = {.type = SD_CT_APPDATA,
                                         .epoch = 1,
                                         .seq = PUPPET_NEXT,
                                         .body = {(const uint8_t *)"x", 1},
                                         .spoil = how[i]};
        assert_false(s->puppet.encrypt_then_mac);
        s->data_len = 0;
        assert_true(puppet_send(&s->puppet, &item, 1));
        settle(s);
        assert_int_equal(s->data_len, 0);
        assert_true(alive(s));
        server_free(s);
    }
}

static void sends_raw_bytes_and_alerts(void **state)
{
    (void)state;
    struct server *s = connected(gcm, WITHOUT_TICKET);
    const struct puppet_item raw = {.raw = true, .body = {(const uint8_t *)"\x16\xfe", 2}};
    size_t bytes = s->puppet.sent_bytes;
    assert_true(puppet_send(&s->puppet, &raw, 1));
    assert_int_equal(s->puppet.sent_bytes, bytes + 2);
    settle(s);
    assert_true(alive(s));
    assert_true(puppet_warn(&s->puppet, SD_ALERT_FATAL, SD_ALERT_INTERNAL_ERROR));
    settle(s);
    assert_true(s->dead);
    server_free(s);
}

/* --- hostile servers --- */

static void hostile_to_nowhere(void *arg, const uint8_t *datagram, size_t len)
{
    (void)arg, (void)datagram, (void)len;
}

static size_t fragment(uint8_t *buf, size_t cap, uint8_t type, uint16_t seq, uint32_t length,
                       uint32_t off, uint32_t len)
{
    static const uint8_t zeros[1024];
    struct sd_wr w = sd_wr_init(buf, cap);
    size_t mark = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, 0);
    sd_handshake_build(&w, &(struct sd_handshake){.type = type,
                                                  .length = length,
                                                  .message_seq = seq,
                                                  .frag_off = off,
                                                  .frag_len = len,
                                                  .body = {zeros, len}});
    sd_record_close(&w, mark);
    return sd_wr_len(&w);
}

/* Messages that are announced and never whole hold bounded memory. */
static void holds_little_for_endless_fragments(void **state)
{
    (void)state;
    uint8_t buf[2048];
    struct puppet *p = calloc(1, sizeof *p);
    const struct puppet_config c = {.offer = {.version = SD_DTLS_1_2, .suites = {gcm, 2}},
                                    .send = hostile_to_nowhere};
    assert_true(puppet_begin(p, &c, virtual_time));
    for (uint32_t i = 0; i < 2000; i++) {
        size_t len = fragment(buf, sizeof buf, SD_HS_CERTIFICATE, (uint16_t)(i % 64), 100000,
                              i * 7 % 90000, 1000);
        puppet_input(p, buf, len, virtual_time);
        assert_true(p->inbox.held <= PUPPET_INBOX_BYTES);
    }
    assert_true(p->refused > 0);
    assert_int_equal(p->stage, PUPPET_HELLO);
    puppet_fini(p);
    free(p);
}

/* A server that asks for a cookie again and again gets a few hellos. */
static void is_led_by_few_cookies(void **state)
{
    (void)state;
    struct puppet *p = calloc(1, sizeof *p);
    const struct puppet_config c = {.offer = {.version = SD_DTLS_1_2, .suites = {gcm, 2}},
                                    .send = hostile_to_nowhere};
    assert_true(puppet_begin(p, &c, virtual_time));
    for (uint8_t i = 0; i < 100; i++) {
        uint8_t buf[128], cookie[8] = {i};
        struct sd_wr w = sd_wr_init(buf, sizeof buf);
        size_t r = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, i);
        size_t h = sd_handshake_open(&w, SD_HS_HELLO_VERIFY_REQUEST, 0);
        sd_hello_verify_build(&w, &(struct sd_hello_verify){SD_DTLS_1_0, {cookie, sizeof cookie}});
        sd_handshake_close(&w, h);
        sd_record_close(&w, r);
        puppet_input(p, buf, sd_wr_len(&w), virtual_time);
    }
    assert_true(p->sent_datagrams <= 6);
    puppet_fini(p);
    free(p);
}

/* Every byte of the server's flight is changed once: the puppet connects or ends, and the
 * sanitizers see nothing. */
static void survives_any_changed_byte(void **state)
{
    (void)state;
    for (size_t changed_byte = 0; changed_byte < 1500; changed_byte += 7) {
        struct server *s = server_new("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
        struct puppet_config c = usual_config(s, gcm);
        c.retransmissions = 1;
        begin(s, &c);
        for (int turn = 0; turn < 6; turn++) {
            server_turn(s);
            size_t at = changed_byte;
            for (size_t i = s->head[TO_PUPPET]; i < s->tail[TO_PUPPET]; i++) {
                struct datagram *d = &s->ring[TO_PUPPET][i % RING];
                if (turn && at < d->len)
                    d->data[at] ^= (uint8_t)(1 << changed_byte % 8);
            }
            puppet_turn(s);
        }
        server_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_what_the_caller_makes_of_the_flight),
        cmocka_unit_test(keeps_its_changes_when_it_retransmits),
        cmocka_unit_test(reports_the_alert),
        cmocka_unit_test(amends_a_handshake_that_is_stuck),
        cmocka_unit_test(is_heard_only_under_the_right_keys),
        cmocka_unit_test(repeats_a_record_number),
        cmocka_unit_test(spoils_a_mac_and_a_padding),
        cmocka_unit_test(sends_raw_bytes_and_alerts),
        cmocka_unit_test(holds_little_for_endless_fragments),
        cmocka_unit_test(is_led_by_few_cookies),
        cmocka_unit_test(survives_any_changed_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
