/* SPDX-License-Identifier: MIT */
/* lib/endpoint: an attempt to connect goes on whatever somebody off-path sends, and tries all
 * addresses of a name. Errors and time are arguments here; the datagrams are real. */
#include "duo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "endpoint/internal.h"

enum { HELLO_MAX = 2048, MANY = 100, HANDSHAKE_S = 30, NEXT_MS = 250, ANSWERED_S = 3 };

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};
static const sdtls_config self_signed = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};

/* A client, and a socket of a peer that says only what the test lets it say. */
struct attempt {
    sdtls *client;
    sdtls_conn *conn;
    int mute[2];
    struct sd_addr at[2];
    uint8_t hello[HELLO_MAX];
    size_t hello_len;
    struct sockaddr_in from;
};

static int bound_socket(const char *ip, struct sd_addr *at)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    const struct timeval patience = {.tv_sec = 10};
    assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_true(sd_addr_from(at, (const struct sockaddr *)&a, len));
    return fd;
}

static void hear_hello(struct attempt *a, int fd)
{
    socklen_t len = sizeof a->from;
    ssize_t n = recvfrom(fd, a->hello, sizeof a->hello, 0, (struct sockaddr *)&a->from, &len);
    assert_true(n > SD_HELLO_HEAD);
    a->hello_len = (size_t)n;
}

/* As sdtls_connect() does it for a name with these addresses. */
static sdtls_conn *connect_to(sdtls *s, const struct sd_addr *at, size_t count)
{
    sdtls_conn *c;
    assert_int_equal(sd_endpoint_open(s), SDTLS_OK);
    assert_int_equal(sd_endpoint_tls(s, SD_ROLE_CLIENT), SDTLS_OK);
    struct sd_addr *list = calloc(count, sizeof *list);
    assert_non_null(list);
    memcpy(list, at, count * sizeof *list);
    assert_int_equal(sd_connect_begin(s, "peer.test", list, count, &c), SDTLS_OK);
    return c;
}

/* Two mute peers, of which the client knows the first `count`. */
static void begin(struct attempt *a, const sdtls_config *config, size_t count)
{
    memset(a, 0, sizeof *a);
    a->client = sdtls_new(config);
    assert_non_null(a->client);
    a->mute[0] = bound_socket("127.0.0.1", &a->at[0]);
    a->mute[1] = bound_socket("127.0.0.2", &a->at[1]);
    a->conn = connect_to(a->client, a->at, count);
    hear_hello(a, a->mute[0]);
}

static void end(struct attempt *a)
{
    sdtls_free(a->client);
    close(a->mute[0]);
    close(a->mute[1]);
}

static void icmp(sdtls_conn *c, const void *quote, size_t quoted)
{
    struct sd_report report = {.error = ECONNREFUSED, .type = 3, .code = 3, .quoted = quoted};
    if (quoted)
        memcpy(report.quote, quote, quoted);
    const struct sd_received d = {.error = ECONNREFUSED,
                                  .report = quoted ? &report : NULL,
                                  .peer = c->remote,
                                  .local = c->local,
                                  .to = c->peer};
    assert_true(sd_connect_takes(c, &d, sd_clock_now()));
}

static void junk(sdtls_conn *c, const void *data, size_t len)
{
    const struct sd_received d = {
        .data = data, .len = len, .peer = c->remote, .local = c->local, .to = c->peer};
    assert_true(sd_connect_takes(c, &d, sd_clock_now()));
}

static sdtls_event next(sdtls *s, enum sdtls_event_type type)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (sd_clock_now() < until)
        if (duo_step(s, &ev, 1) && ev.type == type)
            return ev;
    fail_msg("no event %d within the deadline", type);
    return ev;
}

/* What is said when nothing better came. */
static sdtls_event at_the_deadline(struct attempt *a)
{
    assert_int_equal(a->conn->state, SD_CONN_HANDSHAKE);
    sd_conn_due(a->conn, a->conn->began + HANDSHAKE_S * SD_SEC - 1);
    assert_int_equal(a->conn->state, SD_CONN_HANDSHAKE);
    sd_conn_due(a->conn, a->conn->began + HANDSHAKE_S * SD_SEC);
    return next(a->client, SDTLS_EV_CLOSED);
}

static void an_error_that_quotes_no_hello_is_a_reason_only(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 1);
    uint8_t guess[HELLO_MAX];
    memcpy(guess, a.hello, a.hello_len);
    guess[SD_HELLO_HEAD - 1] ^= 1; /* all right but the last byte of what is compared */
    for (int i = 0; i < MANY; i++) {
        icmp(a.conn, "xxxxxxxx", 8);
        icmp(a.conn, a.hello, SD_HELLO_HEAD - 1);
        icmp(a.conn, guess, a.hello_len);
        icmp(a.conn, NULL, 0);
    }
    sdtls_event ev = next(a.client, SDTLS_EV_FINDING); /* the user need not wait to hear of it */
    assert_string_equal(ev.finding, "icmp-port-unreachable");
    assert_non_null(strstr(ev.text, "still trying for 2"));
    ev = at_the_deadline(&a);
    assert_int_equal(ev.err, SDTLS_REFUSED);
    end(&a);
}

static void errors_count_once_for_each_hello_sent(void **state)
{
    (void)state;
    struct attempt a;
    sdtls_config hasty = trusting;
    hasty.timer_ms = 50;
    begin(&a, &hasty, 1);
    for (int i = 0; i < MANY; i++)
        icmp(a.conn, a.hello, a.hello_len);
    assert_int_equal(a.conn->state, SD_CONN_HANDSHAKE);
    next(a.client, SDTLS_EV_RETRANSMIT);
    for (int i = 0; i < MANY; i++)
        icmp(a.conn, a.hello, a.hello_len);
    assert_int_equal(a.conn->state, SD_CONN_HANDSHAKE);
    hear_hello(&a, a.mute[0]);
    icmp(a.conn, a.hello, SD_HELLO_HEAD);
    sdtls_event ev = next(a.client, SDTLS_EV_CLOSED);
    assert_int_equal(ev.err, SDTLS_REFUSED);
    end(&a);
}

/* The time is over before the first retransmission: one proof is the reason, and no silence. */
static void one_proof_is_the_reason_at_the_deadline(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 1);
    icmp(a.conn, a.hello, a.hello_len);
    icmp(a.conn, "xxxxxxxx", 8); /* says no more than it did */
    sdtls_event ev = at_the_deadline(&a);
    assert_int_equal(ev.err, SDTLS_REFUSED);
    assert_non_null(strstr(ev.text, "no server listens on this port"));
    end(&a);
}

static void junk_is_a_reason_only(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 1);
    for (int i = 0; i < MANY; i++)
        junk(a.conn, "HTTP/1.1 400 Bad Request", 24);
    assert_string_equal(next(a.client, SDTLS_EV_FINDING).finding, "not-dtls-peer");
    sdtls_event ev = at_the_deadline(&a);
    assert_int_equal(ev.err, SDTLS_NOT_DTLS);
    end(&a);
}

static void a_hello_of_the_peer_is_a_reason_only(void **state)
{
    (void)state;
    enum { RANDOM_AT = 27 };
    struct attempt a;
    begin(&a, &trusting, 1);
    a.hello[RANDOM_AT] ^= 1;
    for (int i = 0; i < MANY; i++)
        junk(a.conn, a.hello, a.hello_len);
    assert_string_equal(next(a.client, SDTLS_EV_FINDING).finding, "role-conflict");
    assert_int_equal(at_the_deadline(&a).err, SDTLS_PROTO);
    end(&a);
}

static void an_echo_of_two_hellos_is_proof(void **state)
{
    (void)state;
    struct attempt a;
    sdtls_config hasty = trusting;
    hasty.timer_ms = 50;
    begin(&a, &hasty, 1);
    junk(a.conn, a.hello, a.hello_len);
    junk(a.conn, a.hello, a.hello_len);
    next(a.client, SDTLS_EV_RETRANSMIT);
    hear_hello(&a, a.mute[0]);
    assert_int_equal(a.conn->state, SD_CONN_HANDSHAKE);
    junk(a.conn, a.hello, a.hello_len);
    assert_int_equal(next(a.client, SDTLS_EV_CLOSED).err, SDTLS_NOT_DTLS);
    end(&a);
}

static void the_strongest_reason_is_said(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 1);
    icmp(a.conn, a.hello, a.hello_len);
    junk(a.conn, "what?", 5);
    icmp(a.conn, "xxxxxxxx", 8);
    assert_int_equal(at_the_deadline(&a).err, SDTLS_REFUSED);
    end(&a);
    begin(&a, &trusting, 1);
    icmp(a.conn, "xxxxxxxx", 8);
    junk(a.conn, "what?", 5);
    assert_int_equal(at_the_deadline(&a).err, SDTLS_NOT_DTLS);
    end(&a);
}

static void forgeries_do_not_keep_a_server_from_being_reached(void **state)
{
    (void)state;
    struct duo d;
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = duo_connect(&d);
    for (int i = 0; i < MANY; i++) {
        icmp(c, "xxxxxxxx", 8);
        junk(c, "what?", 5);
    }
    assert_ptr_equal(duo_wait(&d, d.client, SDTLS_EV_READY).conn, c);
    duo_down(&d);
}

static size_t rivals(const sdtls_conn *c)
{
    return c->race->rival_count;
}

static void the_next_address_begins_after_250_ms_of_silence(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 2);
    assert_true(a.conn->timer.when == a.conn->began + NEXT_MS * SD_MS);
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS - 1);
    assert_int_equal(rivals(a.conn), 0);
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS);
    assert_int_equal(rivals(a.conn), 1);
    hear_hello(&a, a.mute[1]);
    assert_int_equal(at_the_deadline(&a).err, SDTLS_TIMEOUT);
    end(&a);
}

/* It may be forged, so the next address comes sooner, but the first one goes on. */
static void an_error_hurries_the_next_address_and_ends_nothing(void **state)
{
    (void)state;
    struct attempt a;
    struct duo d;
    begin(&a, &trusting, 2);
    duo_up(&d, &self_signed, &trusting);
    socklen_t len;
    struct sd_addr both[2] = {{.sa.sa_family = AF_UNSPEC}, a.at[1]};
    const struct sockaddr *sa = sdtls_local(d.server, 0, &len);
    assert_true(sd_addr_from(&both[0], sa, len));
    sdtls_conn *c = connect_to(d.client, both, 2);
    icmp(c, "xxxxxxxx", 8);
    sd_conn_due(c, sd_clock_now());
    assert_int_equal(rivals(c), 1);
    assert_ptr_equal(duo_wait(&d, d.client, SDTLS_EV_READY).conn, c);
    assert_true(sd_addr_eq(&c->remote, &both[0]));
    assert_int_equal(rivals(c), 0);
    duo_down(&d);
    end(&a);
}

/* The second of three addresses serves, the others are mute; all three are tried. */
static sdtls_conn *lead_to_the_second(struct duo *d, struct attempt *a, struct sd_addr all[3])
{
    socklen_t len;
    const struct sockaddr *sa = sdtls_local(d->server, 0, &len);
    all[0] = a->at[0];
    assert_true(sd_addr_from(&all[1], sa, len));
    all[2] = a->at[1];
    sdtls_conn *c = connect_to(d->client, all, 3);
    hear_hello(a, a->mute[0]);
    sd_conn_due(c, c->began + NEXT_MS * SD_MS);
    sd_conn_due(c, c->began + 2 * NEXT_MS * SD_MS);
    assert_int_equal(rivals(c), 2);
    return c;
}

static void the_second_address_wins_with_its_handshake(void **state)
{
    (void)state;
    struct attempt a;
    struct duo d;
    struct sd_addr all[3];
    begin(&a, &trusting, 1);
    duo_up(&d, &self_signed, &trusting);
    sdtls_conn *c = lead_to_the_second(&d, &a, all);
    sdtls_set_user(c, &d);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_READY);
    assert_ptr_equal(ev.conn, c);
    assert_ptr_equal(sdtls_user(c), &d);
    assert_true(sd_addr_eq(&c->remote, &all[1]));
    assert_int_equal(d.client->conn_total, 1);
    assert_int_equal(sdtls_counter_named(d.client, "conn.established"), 1);
    assert_int_equal(sdtls_counter_named(d.client, "conn.failed"), 0);
    assert_int_equal(sdtls_send(c, "ping", 4), SDTLS_OK);
    assert_int_equal(duo_wait(&d, d.server, SDTLS_EV_DATA).len, 4);
    duo_down(&d);
    end(&a);
}

/* Anybody can forge a HelloVerifyRequest: it decides nothing, and only holds up the next address.
 */
static void a_forged_answer_does_not_win(void **state)
{
    (void)state;
    static const uint8_t verify_request[] = {
        22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 19,                     /* record */
        3,  0,   0,   7, 0, 0, 0, 0, 0, 0, 0, 7, 254, 255, 4, 1, 2, 3, 4 /* message */
    };
    struct attempt a;
    sdtls_event ev;
    begin(&a, &trusting, 2);
    assert_int_equal(sendto(a.mute[0], verify_request, sizeof verify_request, 0,
                            (struct sockaddr *)&a.from, sizeof a.from),
                     sizeof verify_request);
    while (!sd_replies_answered(a.conn))
        duo_step(a.client, &ev, 1);
    hear_hello(&a, a.mute[0]); /* with that cookie */
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS);
    sd_conn_due(a.conn, a.conn->race->begun + ANSWERED_S * SD_SEC - 1);
    assert_int_equal(rivals(a.conn), 0);
    sd_conn_due(a.conn, a.conn->race->begun + ANSWERED_S * SD_SEC);
    assert_int_equal(rivals(a.conn), 1);
    end(&a);
}

static void the_best_reason_of_all_addresses_is_said(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 2);
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS);
    sdtls_conn *r = TAILQ_FIRST(&a.conn->race->rivals);
    junk(r, "what?", 5);
    sdtls_event ev = next(a.client, SDTLS_EV_FINDING);
    assert_ptr_equal(ev.conn, a.conn); /* the only connection that the program knows */
    ev = at_the_deadline(&a);
    assert_int_equal(ev.err, SDTLS_NOT_DTLS);
    assert_true(sd_addr_eq(&a.conn->remote, &a.at[1]));
    end(&a);
}

/* The program's own attempt is proven to be in vain: the rival goes on in its place. */
static void a_failure_leaves_the_others_alone(void **state)
{
    (void)state;
    struct attempt a;
    sdtls_config hasty = trusting;
    hasty.timer_ms = 50;
    begin(&a, &hasty, 2);
    icmp(a.conn, a.hello, a.hello_len);
    next(a.client, SDTLS_EV_RETRANSMIT);
    hear_hello(&a, a.mute[0]);
    icmp(a.conn, a.hello, a.hello_len);
    assert_int_equal(a.conn->state, SD_CONN_HANDSHAKE);
    assert_true(sd_addr_eq(&a.conn->remote, &a.at[1]));
    sdtls_event ev = at_the_deadline(&a);
    assert_int_equal(ev.err, SDTLS_REFUSED); /* the second one was silent, which says less */
    assert_true(sd_addr_eq(&a.conn->remote, &a.at[0]));
    end(&a);
}

static void a_fixed_source_port_means_one_address_after_the_other(void **state)
{
    (void)state;
    struct attempt a;
    struct sd_addr free_port;
    close(bound_socket("127.0.0.1", &free_port));
    sdtls_config fixed = trusting;
    fixed.source_port = sd_addr_port(&free_port);
    fixed.timer_ms = 50;
    begin(&a, &fixed, 2);
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS);
    assert_int_equal(rivals(a.conn), 0);
    icmp(a.conn, a.hello, a.hello_len);
    next(a.client, SDTLS_EV_RETRANSMIT);
    hear_hello(&a, a.mute[0]);
    icmp(a.conn, a.hello, a.hello_len);
    assert_true(sd_addr_eq(&a.conn->remote, &a.at[1]));
    hear_hello(&a, a.mute[1]);
    end(&a);
}

static void a_probe_takes_the_answer_of_any_address(void **state)
{
    (void)state;
    sdtls_config probing = trusting;
    probing.flags = SDTLS_F_PROBE;
    struct attempt a;
    struct duo d;
    struct sd_addr all[3];
    begin(&a, &trusting, 1);
    duo_up(&d, &self_signed, &probing);
    sdtls_conn *c = lead_to_the_second(&d, &a, all);
    sdtls_event ev = duo_wait(&d, d.client, SDTLS_EV_CLOSED);
    assert_ptr_equal(ev.conn, c);
    assert_int_equal(ev.err, SDTLS_OK);
    assert_true(sd_addr_eq(&c->remote, &all[1]));
    duo_down(&d);
    end(&a);
}

static void closing_ends_all_of_it(void **state)
{
    (void)state;
    struct attempt a;
    begin(&a, &trusting, 2);
    sd_conn_due(a.conn, a.conn->began + NEXT_MS * SD_MS);
    assert_int_equal(a.client->conn_total, 2);
    sdtls_close(a.conn);
    assert_int_equal(a.client->conn_total, 1);
    assert_int_equal(next(a.client, SDTLS_EV_CLOSED).err, SDTLS_OK);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_that_quotes_no_hello_is_a_reason_only),
        cmocka_unit_test(errors_count_once_for_each_hello_sent),
        cmocka_unit_test(one_proof_is_the_reason_at_the_deadline),
        cmocka_unit_test(junk_is_a_reason_only),
        cmocka_unit_test(a_hello_of_the_peer_is_a_reason_only),
        cmocka_unit_test(an_echo_of_two_hellos_is_proof),
        cmocka_unit_test(the_strongest_reason_is_said),
        cmocka_unit_test(forgeries_do_not_keep_a_server_from_being_reached),
        cmocka_unit_test(the_next_address_begins_after_250_ms_of_silence),
        cmocka_unit_test(an_error_hurries_the_next_address_and_ends_nothing),
        cmocka_unit_test(the_second_address_wins_with_its_handshake),
        cmocka_unit_test(a_forged_answer_does_not_win),
        cmocka_unit_test(the_best_reason_of_all_addresses_is_said),
        cmocka_unit_test(a_failure_leaves_the_others_alone),
        cmocka_unit_test(a_fixed_source_port_means_one_address_after_the_other),
        cmocka_unit_test(a_probe_takes_the_answer_of_any_address),
        cmocka_unit_test(closing_ends_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
