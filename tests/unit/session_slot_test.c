/* SPDX-License-Identifier: MIT */
/* A socket without room: data waits in the slot, and nobody tells OpenSSL. */
#include "session_pair.h"

struct full_socket {
    int error; /* what a send of `from` meets; 0 = it goes out */
    int from;
    size_t tried;
};

static struct full_socket sock;

static int refuse(struct pair *p, int from, size_t n, uint8_t *data, size_t *len)
{
    (void)p;
    (void)n;
    (void)data;
    (void)len;
    if (from != sock.from)
        return 1;
    sock.tried++;
    return sock.error ? -sock.error : 1;
}

static struct pair *ready_pair(int error)
{
    struct pair *p = pair_new(NULL, NULL);
    handshake(p);
    assert_ready(p);
    deliver(p);
    sock = (struct full_socket){.error = error, .from = CLIENT};
    p->network = refuse;
    return p;
}

static int send_text(struct pair *p, const char *text)
{
    return sd_session_send(p->side[CLIENT].session, text, strlen(text));
}

static void assert_server_has(struct pair *p, const char *text)
{
    deliver(p);
    assert_int_equal(p->side[SERVER].data_len, strlen(text));
    assert_memory_equal(p->side[SERVER].data, text, strlen(text));
}

static void what_the_socket_does_not_take_is_sent_later(int error)
{
    struct pair *p = ready_pair(error);
    struct sd_session *s = p->side[CLIENT].session;
    unsigned before = p->side[SERVER].data_events;
    assert_int_equal(send_text(p, "one"), SDTLS_OK);
    assert_true(sd_session_unsent(s) > 3);
    deliver(p);
    assert_int_equal(p->side[SERVER].data_events, before);

    size_t tried = sock.tried;
    assert_int_equal(send_text(p, "two"), SDTLS_AGAIN);
    assert_int_equal(sock.tried, tried + 1); /* of "one": "two" was not sealed */
    assert_false(sd_session_flush(s));
    sock.error = 0;
    assert_true(sd_session_flush(s));
    assert_int_equal(sd_session_unsent(s), 0);
    assert_server_has(p, "one");
    assert_int_equal(send_text(p, "two"), SDTLS_OK);
    assert_server_has(p, "two");
    assert_int_equal(p->side[SERVER].data_events, before + 2);
    assert_int_equal(p->counters[SD_GUARD_KEPT], 1);
    assert_int_equal(p->counters[SD_GUARD_UNSENT], 0);
    assert_int_equal(p->counters[SD_GUARD_WRITE_ERROR], 0);
    assert_alive(p);
    pair_free(p);
}

static void a_full_socket_keeps_one_datagram(void **state)
{
    (void)state;
    what_the_socket_does_not_take_is_sent_later(EAGAIN);
}

static void so_does_a_full_interface(void **state)
{
    (void)state;
    what_the_socket_does_not_take_is_sent_later(ENOBUFS);
}

/* RFC 6347 section 4.1: a gap looks like loss to whoever watches. */
static void no_record_number_is_skipped(void **state)
{
    (void)state;
    struct pair *p = ready_pair(EAGAIN);
    struct sd_record first, second;
    assert_int_equal(send_text(p, "one"), SDTLS_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(send_text(p, "two"), SDTLS_AGAIN);
    sock.error = 0;
    assert_int_equal(send_text(p, "two"), SDTLS_OK);
    struct side *to = &p->side[SERVER];
    assert_int_equal(to->tail - to->head, 2);
    const struct packet *k = &to->ring[to->head % PACKETS],
                        *l = &to->ring[(to->head + 1) % PACKETS];
    struct sd_records it = sd_records_init(k->data, k->len, 0);
    assert_int_equal(sd_record_next(&it, &first), SD_RECORD_OK);
    it = sd_records_init(l->data, l->len, 0);
    assert_int_equal(sd_record_next(&it, &second), SD_RECORD_OK);
    assert_int_equal(second.seq, first.seq + 1);
    pair_free(p);
}

static void what_this_host_refuses_is_not_sent(void **state)
{
    (void)state;
    static const int errors[] = {ENETUNREACH, ENETDOWN, EPERM, EHOSTUNREACH};
    struct pair *p = ready_pair(0);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        sock.error = errors[i];
        assert_int_equal(send_text(p, "lost"), SDTLS_IO);
        assert_int_equal(sd_session_refused(p->side[CLIENT].session), errors[i]);
        assert_int_equal(sd_session_unsent(p->side[CLIENT].session), 0);
    }
    assert_int_equal(p->counters[SD_GUARD_WRITE_ERROR], 4);
    sock.error = 0;
    assert_alive(p);
    pair_free(p);
}

static void a_datagram_that_waits_for_ever_is_counted(void **state)
{
    (void)state;
    struct pair *p = ready_pair(EAGAIN);
    assert_int_equal(send_text(p, "one"), SDTLS_OK);
    sd_session_shutdown(p->side[CLIENT].session);
    sd_session_free(p->side[CLIENT].session);
    p->side[CLIENT].session = NULL;
    assert_int_equal(p->counters[SD_GUARD_UNSENT], 1);
    pair_free(p);
}

static void what_waits_goes_out_before_close_notify(void **state)
{
    (void)state;
    struct pair *p = ready_pair(EAGAIN);
    unsigned before = p->side[SERVER].data_events;
    assert_int_equal(send_text(p, "last"), SDTLS_OK);
    sock.error = 0;
    sd_session_shutdown(p->side[CLIENT].session);
    deliver(p);
    assert_int_equal(p->side[SERVER].data_events, before + 1);
    assert_true(p->side[SERVER].closed);
    pair_free(p);
}

/* A flight is sent again by the timers of the handshake; it never waits. */
static void the_handshake_is_as_it_was(void **state)
{
    (void)state;
    struct pair *p = pair_new(NULL, NULL);
    sock = (struct full_socket){.error = EAGAIN, .from = CLIENT};
    p->network = refuse;
    connect_client(p);
    assert_int_equal(sd_session_unsent(p->side[CLIENT].session), 0);
    assert_int_equal(p->counters[SD_GUARD_KEPT], 0);
    sock.error = 0;
    drive(p);
    assert_alive(p);
    assert_true(p->side[CLIENT].retransmits > 0);
    pair_free(p);
}

static void a_held_session_reads_nothing_and_loses_nothing(void **state)
{
    (void)state;
    struct pair *p = ready_pair(0);
    struct side *to = &p->side[SERVER];
    unsigned before = to->data_events;
    size_t len;
    sd_session_hold(to->session, true, 0);
    assert_int_equal(send_text(p, "one"), SDTLS_OK);
    assert_int_equal(send_text(p, "two"), SDTLS_OK);
    for (; to->head < to->tail; to->head++) {
        const struct packet *k = &to->ring[to->head % PACKETS];
        sd_session_input(to->session, k->data, k->len, test_clock());
        assert_int_equal(
            sd_session_next(to->session, to->data, sizeof to->data, &len, test_clock()),
            SD_SESSION_IDLE);
    }
    assert_int_equal(sd_session_send(to->session, "meanwhile", 9), SDTLS_OK);
    deliver(p);
    assert_int_equal(p->side[CLIENT].data_len, 9);
    sd_session_hold(to->session, false, 0);
    pump(to);
    assert_int_equal(to->data_events, before + 2);
    assert_alive(p);
    pair_free(p);
}

/* Two records of one datagram, which is the caller's. */
static size_t two_records(struct pair *p, uint8_t *both)
{
    struct side *to = &p->side[SERVER];
    size_t len = 0;
    assert_int_equal(send_text(p, "one"), SDTLS_OK);
    assert_int_equal(send_text(p, "two"), SDTLS_OK);
    for (; to->head < to->tail; to->head++) {
        const struct packet *k = &to->ring[to->head % PACKETS];
        memcpy(both + len, k->data, k->len);
        len += k->len;
    }
    return len;
}

static void expect_text(struct side *to, const char *text)
{
    size_t len;
    assert_int_equal(sd_session_next(to->session, to->data, sizeof to->data, &len, test_clock()),
                     SD_SESSION_DATA);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(to->data, text, len);
}

/* What was read of it is not read again, and nothing of it is needed any more. */
static void a_lent_datagram_is_kept_when_it_must_be(void **state)
{
    (void)state;
    for (int hold = 0; hold < 2; hold++) {
        struct pair *p = ready_pair(0);
        struct side *to = &p->side[SERVER];
        uint8_t both[256];
        size_t len = two_records(p, both);
        sd_session_lend(to->session, both, len, test_clock());
        expect_text(to, "one");
        assert_true(sd_session_has_more(to->session));
        if (hold)
            sd_session_hold(to->session, true, 0);
        else
            sd_session_keep(to->session);
        memset(both, 0, sizeof both);
        sd_session_hold(to->session, false, 0);
        expect_text(to, "two");
        assert_false(sd_session_has_more(to->session));
        assert_alive(p);
        pair_free(p);
    }
}

static void a_lent_datagram_that_was_read_is_not_kept(void **state)
{
    (void)state;
    struct pair *p = ready_pair(0);
    struct side *to = &p->side[SERVER];
    uint8_t both[256];
    sd_session_lend(to->session, both, two_records(p, both), test_clock());
    expect_text(to, "one");
    expect_text(to, "two");
    assert_false(sd_session_has_more(to->session));
    memset(both, 0, sizeof both);
    sd_session_keep(to->session);
    assert_int_equal(sd_session_waiting(to->session), 0);
    /* Behind one that is kept the next one is kept, too. */
    sd_session_hold(to->session, true, 0);
    size_t len = two_records(p, both);
    sd_session_lend(to->session, both, len, test_clock());
    sd_session_hold(to->session, false, 0);
    sd_session_lend(to->session, (const uint8_t *)"x", 1, test_clock());
    memset(both, 0, sizeof both);
    expect_text(to, "one");
    expect_text(to, "two");
    assert_alive(p);
    pair_free(p);
}

static void a_held_queue_has_the_room_that_it_is_given(void **state)
{
    (void)state;
    enum { LARGE = 16000, MORE = 40000 };
    static const uint8_t large[LARGE];
    for (size_t more = 0; more <= MORE; more += MORE) {
        struct pair *p = ready_pair(0);
        struct side *to = &p->side[SERVER];
        sd_session_hold(to->session, true, more);
        for (int i = 0; i < 10; i++)
            sd_session_input(to->session, large, sizeof large, test_clock());
        size_t fit = (SD_GUARD_QUEUE_BYTES + more) / LARGE;
        assert_int_equal(sd_session_waiting(to->session), fit * LARGE);
        assert_int_equal(p->counters[SD_GUARD_QUEUE_FULL], 10 - fit);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_socket_keeps_one_datagram),
        cmocka_unit_test(so_does_a_full_interface),
        cmocka_unit_test(no_record_number_is_skipped),
        cmocka_unit_test(what_this_host_refuses_is_not_sent),
        cmocka_unit_test(a_datagram_that_waits_for_ever_is_counted),
        cmocka_unit_test(what_waits_goes_out_before_close_notify),
        cmocka_unit_test(the_handshake_is_as_it_was),
        cmocka_unit_test(a_held_session_reads_nothing_and_loses_nothing),
        cmocka_unit_test(a_lent_datagram_is_kept_when_it_must_be),
        cmocka_unit_test(a_lent_datagram_that_was_read_is_not_kept),
        cmocka_unit_test(a_held_queue_has_the_room_that_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
