/* SPDX-License-Identifier: MIT */
#include "session_pair.h"

#include "session_cert.h"

static void a_handshake_completes_and_data_flows(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_alive(p);
    assert_int_equal(p->side[CLIENT].retransmits, 0);
    assert_int_equal(p->side[SERVER].retransmits, 0);
    sdtls_info info;
    sd_session_info(p->side[CLIENT].session, &info);
    assert_int_equal(info.version, SDTLS_V1_2);
    assert_int_equal(info.server, 0);
    assert_non_null(info.cipher);
    assert_non_null(info.group);
    assert_non_null(info.subject);
    assert_string_equal(info.fingerprint, sd_tls_fingerprint(p->side[SERVER].tls));
    assert_false(info.verified);
    assert_non_null(info.verify_text);
    sd_session_info(p->side[SERVER].session, &info);
    assert_int_equal(info.server, 1);
    pair_free(p);
}

static void it_completes_without_a_cookie_exchange(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->no_cookie = true;
    handshake(p);
    assert_alive(p);
    pair_free(p);
}

static void an_rsa_certificate_is_verified(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_RSA, -1, 1, 0);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    const sdtls_config client = {SDTLS_CONFIG_INIT, .ca_file = cert.cert,
                                 .verify_host = "peer.test"};
    struct pair *p = pair_new(&client, &server);
    handshake(p);
    assert_alive(p);
    sdtls_info info;
    sd_session_info(p->side[CLIENT].session, &info);
    assert_true(info.verified);
    assert_null(info.verify_text);
    assert_non_null(strstr(info.subject, "peer.test"));
    pair_free(p);
    test_cert_free(&cert);
}

static void a_psk_is_enough(void **state)
{
    (void)state;
    const sdtls_config c = {SDTLS_CONFIG_INIT, .psk_identity = "me", .psk = "0123456789abcdef",
                            .psk_len = 16};
    struct pair *p = pair_new(&c, &c);
    handshake(p);
    assert_alive(p);
    sdtls_info info;
    sd_session_info(p->side[SERVER].session, &info);
    assert_string_equal(info.psk_identity, "me");
    assert_null(info.subject);
    assert_false(info.verified);
    pair_free(p);
}

static void a_client_shows_its_certificate(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 0);
    const sdtls_config client = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                 .ca_file = cert.cert};
    struct pair *p = pair_new(&client, &server);
    handshake(p);
    assert_alive(p);
    sdtls_info info;
    sd_session_info(p->side[SERVER].session, &info);
    assert_true(info.verified);
    assert_non_null(info.fingerprint);
    pair_free(p);
    test_cert_free(&cert);
}

static void a_server_that_wants_a_certificate_says_so(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 0);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                 .ca_file = cert.cert};
    struct pair *p = pair_new(NULL, &server);
    handshake(p);
    assert_true(p->side[SERVER].failed);
    const struct sd_err *e = sd_session_error(p->side[SERVER].session);
    assert_int_equal(e->code, SDTLS_VERIFY);
    assert_non_null(strstr(e->text, "no certificate"));
    /* The client hears of it in plaintext only, and believes it after a while. */
    while (!p->side[CLIENT].failed && wait_timer(p))
        deliver(p);
    e = sd_session_error(p->side[CLIENT].session);
    assert_int_equal(e->code, SDTLS_ALERT_RECEIVED);
    assert_int_equal(e->alert, SD_ALERT_HANDSHAKE_FAILURE);
    pair_free(p);
    test_cert_free(&cert);
}

static void an_untrusted_server_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 0);
    const sdtls_config client = {SDTLS_CONFIG_INIT, .ca_file = cert.cert};
    struct pair *p = pair_new(&client, NULL);
    handshake(p);
    assert_true(p->side[CLIENT].failed);
    const struct sd_err *e = sd_session_error(p->side[CLIENT].session);
    assert_int_equal(e->code, SDTLS_VERIFY);
    assert_true(e->alert >= 0);
    assert_non_null(strstr(e->text, "not trusted"));
    pair_free(p);
    test_cert_free(&cert);
}

/* An SSL_CTX of the caller's with the session of an earlier one. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **slot = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(*slot);
    *slot = session;
    return 1;
}

/* Loses datagram `arg2` of side `arg`. */
static int lose_one(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)data;
    (void)len;
    if ((size_t)from != p->arg || n != p->arg2)
        return 1;
    p->fired++;
    return 0;
}

/* Offers `session`, and loses datagram p->arg2 of side p->arg; false when there
 * was no such datagram. */
static bool resume(struct pair *p, SSL_SESSION *session)
{
    sdtls_info info;
    pair_again(p);
    session_new(p, CLIENT);
    assert_int_equal(SSL_set_session(sd_session_native(p->side[CLIENT].session), session), 1);
    p->network = lose_one;
    assert_int_equal(sd_session_connect(p->side[CLIENT].session, test_clock()), SDTLS_OK);
    drive(p);
    p->network = NULL;
    assert_alive(p);
    sd_session_info(p->side[SERVER].session, &info);
    assert_true(info.resumed);
    sd_session_shutdown(p->side[CLIENT].session);
    return p->fired;
}

static void a_session_is_resumed_whatever_datagram_is_lost(void **state)
{
    (void)state;
    SSL_SESSION *session = NULL;
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(ctx, &session);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
    const sdtls_config client = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx};
    struct pair *p = pair_new(&client, NULL);
    handshake(p);
    assert_alive(p);
    sd_session_shutdown(p->side[CLIENT].session);
    assert_non_null(session);
    for (p->arg = CLIENT; p->arg <= SERVER; p->arg++) {
        p->arg2 = 0;
        while (resume(p, session))
            p->arg2++;
        assert_true(p->arg2 >= 2);
    }
    SSL_SESSION_free(session);
    pair_free(p);
    SSL_CTX_free(ctx);
}

static size_t lose_each_of(struct pair *p, int from)
{
    size_t n = 0;
    p->network = lose_one;
    p->arg = (size_t)from;
    for (;; n++) {
        pair_again(p);
        p->arg2 = n;
        handshake(p);
        if (!p->fired)
            break;
        assert_alive(p);
        assert_true(p->side[CLIENT].retransmits + p->side[SERVER].retransmits > 0);
    }
    return n;
}

static void it_survives_the_loss_of_any_one_datagram(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    assert_true(lose_each_of(p, CLIENT) >= 3);
    assert_true(lose_each_of(p, SERVER) >= 3);
    pair_free(p);
}

static void it_survives_the_loss_of_any_one_of_many_small_datagrams(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 0);
    const sdtls_config client = {SDTLS_CONFIG_INIT, .cert_file = cert.cert, .key_file = cert.key};
    const sdtls_config server = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                 .ca_file = cert.cert};
    struct pair *p = pair_new(&client, &server);
    p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = 300;
    assert_true(lose_each_of(p, CLIENT) >= 4);
    assert_true(lose_each_of(p, SERVER) >= 4);
    pair_free(p);
    test_cert_free(&cert);
}

static int twice(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)p, (void)from, (void)n, (void)data, (void)len;
    return 2;
}

static void it_survives_duplicates(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->network = twice;
    p->side[SERVER].config.mtu = 300;
    handshake(p);
    assert_ready(p);
    p->network = NULL;
    deliver(p);
    assert_alive(p);
    pair_free(p);
}

/* The newest datagram for a side overtakes the ones before it. */
static void deliver_backwards(struct pair *p)
{
    bool any = true;
    while (any) {
        any = false;
        for (int to = CLIENT; to <= SERVER; to++) {
            struct side *s = &p->side[to];
            size_t from = s->head, end = s->tail;
            s->head = s->tail;
            while (end-- > from) {
                struct packet k = s->ring[end % PACKETS];
                any = true;
                input(p, to, k.data, k.len);
            }
        }
    }
}

static void it_survives_reordering(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    p->side[CLIENT].config.mtu = p->side[SERVER].config.mtu = 300;
    connect_client(p);
    sd_time end = test_clock() + PATIENCE_S * SD_SEC;
    do
        deliver_backwards(p);
    while (!(p->side[CLIENT].ready && p->side[SERVER].ready) && test_clock() < end &&
           wait_timer(p));
    assert_alive(p);
    pair_free(p);
}

static void close_notify_is_answered(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_alive(p);
    size_t before = p->side[SERVER].sent;
    sd_session_shutdown(p->side[CLIENT].session);
    sd_session_shutdown(p->side[CLIENT].session);
    deliver(p);
    assert_true(p->side[SERVER].closed);
    assert_int_equal(p->side[SERVER].sent, before + 1);
    assert_int_equal(sd_session_error(p->side[SERVER].session)->code, SDTLS_OK);
    assert_true(p->side[CLIENT].closed);
    assert_int_equal(sd_session_send(p->side[CLIENT].session, "x", 1), SDTLS_STATE);
    assert_int_equal(sd_session_send(p->side[SERVER].session, "x", 1), SDTLS_STATE);
    assert_true(sd_session_deadline(p->side[SERVER].session, test_clock()) == SD_NEVER);
    pair_free(p);
}

/* All thirteen timeouts, but with a first one of 0.1 ms. */
static void hurry(struct pair *p)
{
    struct side *c = &p->side[CLIENT];
    session_new(p, CLIENT);
    c->session->first_timer_us = 100;
    assert_int_equal(sd_session_connect(c->session, test_clock()), SDTLS_OK);
    drive(p);
}

static void a_wrong_psk_ends_with_a_reason(void **state)
{
    (void)state;
    const sdtls_config client = {SDTLS_CONFIG_INIT, .psk_identity = "me", .psk = "0123456789abcdef",
                                 .psk_len = 16};
    const sdtls_config server = {SDTLS_CONFIG_INIT, .psk_identity = "me", .psk = "0123456789abcdeF",
                                 .psk_len = 16};
    struct pair *p = pair_new(&client, &server);
    hurry(p);
    assert_false(p->side[CLIENT].ready || p->side[SERVER].ready);
    struct side *s = &p->side[p->side[SERVER].failed];
    assert_true(s->failed);
    const struct sd_err *e = sd_session_error(s->session);
    assert_true(e->code == SDTLS_TIMEOUT || e->code == SDTLS_ALERT_SENT);
    assert_true(strlen(e->text) > 20);
    pair_free(p);
}

static void ciphers_without_overlap_are_named(void **state)
{
    (void)state;
    const sdtls_config client = {SDTLS_CONFIG_INIT, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"};
    struct pair *p = pair_new(&client, NULL);
    handshake(p);
    const struct sd_err *e = sd_session_error(p->side[SERVER].session);
    assert_true(p->side[SERVER].failed);
    assert_int_equal(e->code, SDTLS_ALERT_SENT);
    assert_int_equal(e->alert, SD_ALERT_HANDSHAKE_FAILURE);
    assert_non_null(strstr(e->text, "no cipher in common"));
    assert_non_null(strstr(e->text, "(this side sent alert handshake_failure)"));
    pair_free(p);
}

/* The alert of a real peer is believed once nothing else has come for 1.5 s. */
static void a_real_alert_is_believed_soon(void **state)
{
    (void)state;
    const sdtls_config client = {SDTLS_CONFIG_INIT, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"};
    struct pair *p = pair_new(&client, NULL);
    p->side[CLIENT].config.timer_ms = 1000;
    handshake(p);
    struct side *c = &p->side[CLIENT];
    assert_false(c->failed);
    sd_time start = test_clock();
    deliver(p);
    assert_true(sd_session_deadline(c->session, start) <= start + 1500 * SD_MS);
    while (!c->failed && wait_timer(p))
        deliver(p);
    assert_true(c->failed);
    assert_in_range(test_clock(), start + 1400 * SD_MS, start + 1600 * SD_MS);
    const struct sd_err *e = sd_session_error(c->session);
    assert_int_equal(e->code, SDTLS_ALERT_RECEIVED);
    assert_int_equal(e->alert, SD_ALERT_HANDSHAKE_FAILURE);
    assert_non_null(strstr(e->text, "handshake_failure (40)"));
    pair_free(p);
}

/* Also with an SSL_CTX of the user's. */
static void a_server_that_asks_for_no_certificate_has_no_room_for_one(void **state)
{
    (void)state;
    struct test_cert cert = test_cert_new(EVP_PKEY_EC, -1, 1, 0);
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate_file(ctx, cert.cert, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, cert.key, SSL_FILETYPE_PEM), 1);
    const sdtls_config server = {SDTLS_CONFIG_INIT, .ssl_ctx = ctx};
    struct pair *p = pair_new(NULL, &server);
    handshake(p);
    assert_alive(p);
    assert_int_equal(SSL_get_max_cert_list(sd_session_native(p->side[SERVER].session)), 16384);
    pair_free(p);
    SSL_CTX_free(ctx);
    test_cert_free(&cert);
}

static void a_silent_peer_times_out_after_twelve_retransmissions(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->mute = true;
    hurry(p);
    assert_true(c->failed);
    assert_int_equal(sd_session_error(c->session)->code, SDTLS_TIMEOUT);
    assert_int_equal(c->retransmits, 12);
    assert_int_equal(c->sent, 13);
    assert_int_equal(c->mtu_events, 0);
    pump(c);
    pair_free(p);
}

/* Ten seconds by our clock in which OpenSSL's did not move, as after a clock
 * that was set back. */
static void a_clock_that_stands_still_is_watched(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT];
    c->config.timer_ms = 5000;
    connect_client(p);
    sd_time now = test_clock();
    sd_time soon = sd_session_deadline(c->session, now);
    assert_true(soon > now + 4 * SD_SEC && soon <= now + 5 * SD_SEC);
    assert_true(sd_session_deadline(c->session, now + 10 * SD_SEC) == now + 11 * SD_SEC);
    pair_free(p);
}

static void keying_material_agrees(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    uint8_t a[32] = {1}, b[32] = {2};
    connect_client(p);
    assert_int_equal(sd_session_export(p->side[CLIENT].session, "EXPORTER-t", a, 32), SDTLS_STATE);
    drive(p);
    assert_int_equal(sd_session_export(p->side[CLIENT].session, "EXPORTER-t", a, 32), SDTLS_OK);
    assert_int_equal(sd_session_export(p->side[SERVER].session, "EXPORTER-t", b, 32), SDTLS_OK);
    assert_memory_equal(a, b, 32);
    pair_free(p);
}

static void many_records_in_one_datagram_are_all_read(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_alive(p);
    struct side *s = &p->side[SERVER];
    uint8_t all[1000];
    size_t len = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(sd_session_send(p->side[CLIENT].session, "hello", 5), SDTLS_OK);
        struct packet *k = &s->ring[s->head++ % PACKETS];
        memcpy(all + len, k->data, k->len);
        len += k->len;
    }
    unsigned before = s->data_events;
    input(p, SERVER, all, len);
    assert_int_equal(s->data_events, before + 5);
    pair_free(p);
}

/* The server's data overtakes the end of its handshake: OpenSSL may keep it until it has the keys,
 * and the queue of the guard is empty then. */
static void early_data_is_all_read(void **state)
{
    (void)state;
    enum { EARLY = 3 };
    struct pair *p = pair_new(NULL, NULL);
    struct side *c = &p->side[CLIENT], *s = &p->side[SERVER];
    connect_client(p);
    while (!s->ready) {
        struct side *to = c->head < c->tail ? c : s;
        assert_true(to->head < to->tail);
        struct packet k = to->ring[to->head++ % PACKETS];
        input(p, to == s ? SERVER : CLIENT, k.data, k.len);
    }
    assert_false(c->ready);
    size_t flight = c->tail;
    for (int i = 0; i < EARLY; i++)
        assert_int_equal(sd_session_send(s->session, "early", 5), SDTLS_OK);
    for (size_t i = flight; i < flight + EARLY; i++)
        input(p, CLIENT, c->ring[i % PACKETS].data, c->ring[i % PACKETS].len);
    assert_int_equal(c->data_events, 0);
    c->tail = flight;
    deliver(p);
    assert_ready(p);
    /* Nothing stays behind: 1.1.1 drops all of it. */
    assert_true(c->data_events == EARLY || c->data_events == 0);
    assert_alive(p);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_completes_and_data_flows),
        cmocka_unit_test(it_completes_without_a_cookie_exchange),
        cmocka_unit_test(an_rsa_certificate_is_verified),
        cmocka_unit_test(a_psk_is_enough),
        cmocka_unit_test(a_client_shows_its_certificate),
        cmocka_unit_test(a_server_that_wants_a_certificate_says_so),
        cmocka_unit_test(an_untrusted_server_is_refused_with_a_reason),
        cmocka_unit_test(a_session_is_resumed_whatever_datagram_is_lost),
        cmocka_unit_test(it_survives_the_loss_of_any_one_datagram),
        cmocka_unit_test(it_survives_the_loss_of_any_one_of_many_small_datagrams),
        cmocka_unit_test(it_survives_duplicates),
        cmocka_unit_test(it_survives_reordering),
        cmocka_unit_test(close_notify_is_answered),
        cmocka_unit_test(a_wrong_psk_ends_with_a_reason),
        cmocka_unit_test(ciphers_without_overlap_are_named),
        cmocka_unit_test(a_real_alert_is_believed_soon),
        cmocka_unit_test(a_server_that_asks_for_no_certificate_has_no_room_for_one),
        cmocka_unit_test(a_silent_peer_times_out_after_twelve_retransmissions),
        cmocka_unit_test(a_clock_that_stands_still_is_watched),
        cmocka_unit_test(keying_material_agrees),
        cmocka_unit_test(many_records_in_one_datagram_are_all_read),
        cmocka_unit_test(early_data_is_all_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
