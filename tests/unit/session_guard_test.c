/* SPDX-License-Identifier: MIT */
#include "session_pair.h"

#include "session_forge.h"

/* Where and what to inject: before the arg-th datagram that reaches side arg2. */
struct injection {
    int to;
    size_t at, seen;
    enum forgery what;
    bool done;
};

static struct injection job;

static void inject(struct pair *p, int to, const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    if (to != job.to || !p->side[to].session || job.seen++ != job.at)
        return;
    uint8_t buf[256];
    size_t n = forge(job.what, buf, sizeof buf);
    job.done = true;
    sd_session_input(p->side[to].session, buf, n, test_clock());
    pump(&p->side[to]);
}

/* One handshake with one forged datagram; false when there was no such moment. */
static bool handshake_with(struct pair *p, int to, size_t at, enum forgery what)
{
    pair_again(p);
    job = (struct injection){.to = to, .at = at, .what = what};
    p->before = inject;
    handshake(p);
    p->before = NULL;
    return job.done;
}

static void no_forged_datagram_stops_a_handshake(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = 300;
    for (int to = CLIENT; to <= SERVER; to++)
        for (enum forgery what = 0; what < FORGERIES; what++)
            for (size_t at = 0; handshake_with(p, to, at, what); at++) {
                if (p->side[CLIENT].failed || p->side[SERVER].failed)
                    print_message("forgery %d to %d before datagram %zu\n", (int)what, to, at);
                assert_alive(p);
                assert_int_equal(p->side[CLIENT].retransmits + p->side[SERVER].retransmits, 0);
            }
    pair_free(p);
}

static void nor_one_with_client_certificates(void **state)
{
    (void)state;
    const sdtls_config asks = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                               .verify = SDTLS_VERIFY_CHECK};
    struct pair *p = pair_new(NULL, &asks);
    for (int to = CLIENT; to <= SERVER; to++)
        for (enum forgery what = 0; what < FORGERIES; what++)
            for (size_t at = 0; handshake_with(p, to, at, what); at++)
                assert_alive(p);
    pair_free(p);
}

static void no_forged_datagram_hurts_a_session(void **state)
{
    (void)state;
    static const char *const ciphers[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
    };
    for (size_t c = 0; c < sizeof ciphers / sizeof *ciphers; c++) {
        const sdtls_config client = {SDTLS_CONFIG_INIT, .ciphers = ciphers[c]};
        const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                     .ciphers = ciphers[c]};
        struct pair *p = pair_new(&client, &server);
        handshake(p);
        for (int to = CLIENT; to <= SERVER; to++)
            for (enum forgery what = 0; what < FORGERIES; what++) {
                uint8_t buf[256];
                input(p, to, buf, forge(what, buf, sizeof buf));
                assert_alive(p);
            }
        assert_true(p->counters[SD_GUARD_OLD_EPOCH] > 0);
        assert_true(p->counters[SD_GUARD_SHORT] > 0);
        assert_true(p->counters[SD_GUARD_MALFORMED] > 0);
        pair_free(p);
    }
}

/* Protected records of every length, made of junk. */
static void no_length_of_a_forged_record_hurts(void **state)
{
    (void)state;
    static const char *const ciphers[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",      "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-CCM:@SECLEVEL=0", "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0",
        "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0",
    };
    static const uint8_t junk[128];
    for (size_t c = 0; c < sizeof ciphers / sizeof *ciphers; c++) {
        const sdtls_config client = {SDTLS_CONFIG_INIT, .ciphers = ciphers[c]};
        const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                     .ciphers = ciphers[c]};
        struct pair *p = pair_new(&client, &server);
        handshake(p);
        assert_alive(p);
        for (size_t len = 0; len <= sizeof junk; len++) {
            uint8_t buf[256];
            struct sd_wr w = sd_wr_init(buf, sizeof buf);
            record(&w, SD_CT_APPDATA, 1, junk, len);
            input(p, SERVER, buf, sd_wr_len(&w));
            input(p, CLIENT, buf, sd_wr_len(&w));
        }
        assert_alive(p);
        pair_free(p);
    }
}

/* The control: without the guard the same datagrams do end the session. */
static void without_the_guard_they_kill(void **state)
{
    (void)state;
    const sdtls_config client = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_RAW};
    const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED | SDTLS_F_RAW};
    struct pair *p = pair_new(&client, &server);
    static const enum forgery deadly[] = {FATAL, APPDATA, CLOSE_NOTIFY};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        assert_true(handshake_with(p, CLIENT, 1, deadly[i]));
        assert_true(p->side[CLIENT].failed);
        assert_true(handshake_with(p, SERVER, 0, deadly[i]));
        assert_true(p->side[SERVER].failed);
    }
    pair_free(p);
}

static int no_tampering(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)p, (void)from, (void)n, (void)data, (void)len;
    return 1;
}

/* A copy of a real datagram, with record numbers that would move the replay
 * window past all others. */
static void echo_high(struct pair *p, int to, const uint8_t *data, size_t len)
{
    uint8_t copy[2000];
    assert_true(len <= sizeof copy);
    memcpy(copy, data, len);
    copy[5] = 0x40;
    if (!p->side[to].session)
        return;
    sd_session_input(p->side[to].session, copy, len, test_clock());
    pump(&p->side[to]);
}

static void a_copy_with_a_high_number_does_not_deafen(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = 300;
    p->before = echo_high;
    handshake(p);
    p->before = NULL;
    assert_alive(p);
    assert_int_equal(p->side[CLIENT].retransmits + p->side[SERVER].retransmits, 0);
    pair_free(p);
}

static void a_flood_of_protected_records_is_not_kept(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    session_new(p, CLIENT);
    struct side *c = &p->side[CLIENT];
    assert_int_equal(sd_session_connect(c->session, test_clock()), SDTLS_OK);
    for (size_t i = 0; i < 200; i++) {
        static const uint8_t junk[100];
        uint8_t buf[256];
        struct sd_wr w = sd_wr_init(buf, sizeof buf);
        record(&w, SD_CT_APPDATA, 1, junk, i < 100 ? 1 : 100);
        input(p, CLIENT, buf, sd_wr_len(&w));
    }
    assert_int_equal(p->counters[SD_GUARD_SHORT], 100);
    assert_int_equal(p->counters[SD_GUARD_EARLY], 100 - SD_GUARD_EARLY_RECORDS);
    drive(p);
    assert_alive(p);
    pair_free(p);
}

/* One in arg, scattered: every n-th would hit the same message of each
 * retransmission. */
static int fail_some(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)data, (void)len;
    uint32_t h = (uint32_t)(n * 2 + (size_t)from + 1) * 2654435761u;
    return (h >> 16) % p->arg == 0 ? -(int)p->arg2 : 1;
}

static void write_errors_cost_a_datagram_and_no_more(void **state)
{
    (void)state;
    static const int errors[] = {EAGAIN,  EMSGSIZE,     ENETUNREACH, ECONNREFUSED,
                                 ENOBUFS, EHOSTUNREACH, EPERM};
    struct pair *p = pair_new(NULL, NULL);
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (size_t one_in = 2; one_in <= 5; one_in++) {
            pair_again(p);
            p->network = fail_some;
            p->arg = one_in;
            p->arg2 = (size_t)errors[e];
            p->side[CLIENT].config.timer_ms = p->side[SERVER].config.timer_ms = 20;
            handshake(p);
            p->network = no_tampering;
            assert_alive(p);
            assert_true(p->counters[SD_GUARD_WRITE_ERROR] > 0);
        }
    pair_free(p);
}

static void report(struct side *s, int error)
{
    const struct sd_session_report r = {.error = error, .limit = 600};
    sd_session_net_error(s->session, &r, test_clock());
}

static void network_errors_are_hints(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    connect_client(p);
    report(&p->side[CLIENT], ECONNREFUSED);
    report(&p->side[CLIENT], EMSGSIZE);
    drive(p);
    report(&p->side[CLIENT], ECONNREFUSED);
    report(&p->side[SERVER], EMSGSIZE);
    assert_alive(p);
    assert_int_equal(p->counters[SD_GUARD_READ_ERROR], 4);
    assert_int_equal(p->side[CLIENT].mtu_events, 0);
    pair_free(p);
}

/* Loses the first ClientHello; notes the number of the first ServerHello. */
static int lose_first_hello(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    struct sd_records it = sd_records_init(data, *len, 0);
    struct sd_record rec;
    if (from == CLIENT)
        return n != 0;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK && !p->fired)
        if (rec.type == SD_CT_HANDSHAKE && *rec.body.p == SD_HS_SERVER_HELLO) {
            p->fired = 1;
            p->arg = (size_t)rec.seq;
        }
    return 1;
}

static void answers_carry_the_number_of_the_hello(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->network = lose_first_hello;
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->server_seq, 2);
    assert_true(p->arg >= 2);
    /* The client lost its first datagram, and no other flight was repeated. */
    assert_int_equal(p->side[CLIENT].retransmits, 1);
    assert_int_equal(p->side[SERVER].retransmits, 0);
    pair_free(p);
}

/* A ClientHello that needs two datagrams. */
static struct pair *pair_with_long_hello(void)
{
    static const char alpn[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                               "aaaaaaaaaaaaaaaaaaaaaaaaa,"
                               "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                               "bbbbbbbbbbbbbbbbbbbbbbbbb";
    const sdtls_config client = {SDTLS_CONFIG_INIT, .alpn = alpn};
    struct pair *p = pair_new(&client, NULL);
    p->side[CLIENT].config.mtu = 256;
    return p;
}

static void a_hello_in_two_datagrams_is_put_together(void **state)
{
    (void)state;
    struct pair *p = pair_with_long_hello();
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->side[CLIENT].retransmits, 0);
    pair_free(p);
}

static struct packet glue;

/* Sends each pair of datagrams of the client as one. */
static int glue_pairs(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)p;
    if (from == SERVER || n >= 4)
        return 1;
    if (n % 2 == 0) {
        memcpy(glue.data, data, *len);
        glue.len = *len;
        return 0;
    }
    memcpy(glue.data + glue.len, data, *len);
    *len += glue.len;
    memcpy(data, glue.data, *len);
    return 1;
}

static void a_hello_in_two_records_of_one_datagram_is_put_together(void **state)
{
    (void)state;
    struct pair *p = pair_with_long_hello();
    p->network = glue_pairs;
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->side[CLIENT].retransmits, 0);
    pair_free(p);
}

static void more_than_the_queue_holds_is_dropped(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_alive(p);
    for (int i = 0; i < SD_GUARD_QUEUE + 3; i++)
        sd_session_input(p->side[SERVER].session, (const uint8_t *)"x", 1, test_clock());
    assert_int_equal(p->counters[SD_GUARD_QUEUE_FULL], 3);
    pump(&p->side[SERVER]);
    assert_alive(p);
    pair_free(p);
}

static void only_what_was_let_through_counts_as_heard(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    session_new(p, CLIENT);
    struct side *c = &p->side[CLIENT];
    assert_int_equal(sd_session_connect(c->session, test_clock()), SDTLS_OK);
    input(p, CLIENT, (const uint8_t *)"HTTP/1.1 400 Bad Request", 24);
    assert_int_equal(sd_session_heard(c->session), 0);
    deliver(p);
    assert_true(sd_session_heard(c->session) > 0);
    pair_free(p);
}

static void what_is_no_record_is_counted_once(void **state)
{
    (void)state;
    static const enum forgery damaged[] = {OLD_VERSION, TLS_VERSION, UNKNOWN_TYPE, CUT, NOISE};
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    for (uint64_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        uint8_t buf[256];
        input(p, SERVER, buf, forge(damaged[i], buf, sizeof buf));
        assert_true(p->counters[SD_GUARD_MALFORMED] == i + 1);
    }
    pair_free(p);
}

/* The server's first four datagrams arrive, then none for three seconds. */
static int silence_of_the_server(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)data, (void)len;
    if (from == CLIENT || n < 4)
        return 1;
    p->fired += test_clock() < (sd_time)p->arg;
    return test_clock() >= (sd_time)p->arg;
}

/* A forged alert, and longer silence than it takes to believe one: but the peer has gone on in
 * between. */
static void an_alert_is_forgotten_when_the_handshake_goes_on(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[SERVER].config.mtu = 300;
    job = (struct injection){.to = CLIENT, .at = 2, .what = FATAL};
    p->before = inject;
    p->network = silence_of_the_server;
    p->arg = test_clock() + 3 * SD_SEC;
    handshake(p);
    p->before = NULL;
    assert_true(job.done && p->fired > 1);
    assert_alive(p);
    pair_free(p);
}

/* What only a signature could distinguish (docs/guard.md): a key exchange
 * message in its very place. It ends the handshake, and says so. */
static void a_key_exchange_forged_in_its_place_is_believed(struct pair *p, int to,
                                                           const uint8_t *data, size_t len)
{
    (void)data;
    (void)len;
    if (to != SERVER || !p->side[to].session || p->fired++)
        return;
    uint8_t buf[256];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    message(&w, SD_HS_CLIENT_KEY_EXCHANGE, 33, 2, 0, 33);
    sd_session_input(p->side[to].session, buf, sd_wr_len(&w), test_clock());
    pump(&p->side[to]);
}

static void a_forged_key_exchange_cannot_be_told_apart(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->before = a_key_exchange_forged_in_its_place_is_believed;
    handshake(p);
    assert_true(p->side[SERVER].failed);
    assert_int_equal(sd_session_error(p->side[SERVER].session)->code, SDTLS_ALERT_SENT);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_forged_datagram_stops_a_handshake),
        cmocka_unit_test(nor_one_with_client_certificates),
        cmocka_unit_test(no_forged_datagram_hurts_a_session),
        cmocka_unit_test(no_length_of_a_forged_record_hurts),
        cmocka_unit_test(without_the_guard_they_kill),
        cmocka_unit_test(a_copy_with_a_high_number_does_not_deafen),
        cmocka_unit_test(a_flood_of_protected_records_is_not_kept),
        cmocka_unit_test(write_errors_cost_a_datagram_and_no_more),
        cmocka_unit_test(network_errors_are_hints),
        cmocka_unit_test(answers_carry_the_number_of_the_hello),
        cmocka_unit_test(a_hello_in_two_datagrams_is_put_together),
        cmocka_unit_test(a_hello_in_two_records_of_one_datagram_is_put_together),
        cmocka_unit_test(more_than_the_queue_holds_is_dropped),
        cmocka_unit_test(only_what_was_let_through_counts_as_heard),
        cmocka_unit_test(what_is_no_record_is_counted_once),
        cmocka_unit_test(an_alert_is_forgotten_when_the_handshake_goes_on),
        cmocka_unit_test(a_forged_key_exchange_cannot_be_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
