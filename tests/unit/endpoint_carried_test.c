/* SPDX-License-Identifier: MIT */
/* lib/endpoint: an endpoint whose program carries the datagrams and tells the time. */
#include "carried.h"

#include <unistd.h>

static const sdtls_config serving = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

static struct net net;

enum { MESSAGES = 2000 };
static unsigned arrivals[MESSAGES];

static int begin(void **state)
{
    (void)state;
    memset(arrivals, 0, sizeof arrivals);
    net_up(&net, &serving, &trusting);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    net_down(&net);
    return 0;
}

static uint64_t of_server(const char *counter)
{
    return sdtls_counter_named(net.server.s, counter);
}

static sdtls_conn *connected(void)
{
    sdtls_conn *c = connect_from(&net, 1000);
    net_until(&net, &net.client, SDTLS_EV_READY, 1);
    net_until(&net, &net.server, SDTLS_EV_READY, 1);
    return c;
}

static void reply(struct end *e, const sdtls_event *ev)
{
    (void)e;
    assert_int_equal(sdtls_send(ev->conn, ev->data, ev->len), 0);
}

static void a_client_proves_its_path_and_its_data_come_back(void **state)
{
    (void)state;
    sdtls_conn *c = connected();
    assert_int_equal(of_server("gate.no-cookie"), 1);
    assert_int_equal(of_server("gate.good-cookie"), 1);
    assert_string_equal(sdtls_peer_text(net.server.last[SDTLS_EV_READY].conn), "192.0.2.1:1000");
    assert_int_equal(sdtls_conn_fd(c), -1);
    net.server.on_data = reply;
    assert_int_equal(sdtls_send(c, "hello", 5), 0);
    net_until(&net, &net.client, SDTLS_EV_DATA, 1);
    assert_int_equal(net.client.last[SDTLS_EV_DATA].len, 5);
    sdtls_close(c);
    net_until(&net, &net.server, SDTLS_EV_CLOSED, 1);
    assert_int_equal(net.server.last[SDTLS_EV_CLOSED].alert, 0);
}

static void a_path_that_the_program_verified_needs_no_cookie(void **state)
{
    (void)state;
    net.verified = true;
    connected();
    assert_int_equal(of_server("gate.no-cookie"), 1);
    assert_int_equal(of_server("gate.good-cookie"), 0);
}

static void paths_without_addresses_are_told_apart_by_their_number(void **state)
{
    (void)state;
    enum { CLIENTS = 20 };
    net.server.on_data = reply;
    sdtls_conn *c[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++)
        c[i] = connect_by_id(&net, UINT64_C(0x100000000) * i + 7);
    net_until(&net, &net.client, SDTLS_EV_READY, CLIENTS);
    net_until(&net, &net.server, SDTLS_EV_READY, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(sdtls_send(c[i], "hello", 5), 0);
        net_until(&net, &net.client, SDTLS_EV_DATA, i + 1);
        assert_ptr_equal(net.client.last[SDTLS_EV_DATA].conn, c[i]);
    }
    socklen_t len = 1;
    assert_null(sdtls_peer(c[0], &len));
    assert_int_equal(len, 0);
    assert_string_equal(sdtls_peer_text(c[0]), "path 7");
}

static void another_protocol_is_left_to_the_program_before_and_after_the_handshake(void **state)
{
    (void)state;
    static const uint8_t stun[20] = {0, 1}, rtp[12] = {128}, zrtp[12] = {19}, turn[4] = {64};
    const sdtls_path path = {.size = sizeof path, .id = 7};
    for (int round = 0; round < 2; round++) {
        const uint64_t before = of_server("net.received");
        assert_int_equal(hand_in(&net.server, &path, stun, sizeof stun), 1);
        assert_int_equal(hand_in(&net.server, &path, rtp, sizeof rtp), 1);
        assert_int_equal(hand_in(&net.server, &path, zrtp, sizeof zrtp), 1);
        assert_int_equal(hand_in(&net.server, &path, turn, sizeof turn), 1);
        assert_int_equal(hand_in(&net.server, &path, "", 0), 1);
        assert_int_equal(of_server("net.received"), before);
        const uint8_t dtls_first[13] = {20}, dtls_last[13] = {63};
        assert_int_equal(hand_in(&net.server, &path, dtls_first, sizeof dtls_first), 0);
        assert_int_equal(hand_in(&net.server, &path, dtls_last, sizeof dtls_last), 0);
        connect_by_id(&net, 7U + (unsigned)round);
        net_until(&net, &net.server, SDTLS_EV_READY, 1);
    }
}

static void note_arrival(struct end *e, const sdtls_event *ev)
{
    unsigned number;
    (void)e;
    assert_int_equal(ev->len, sizeof number);
    memcpy(&number, ev->data, sizeof number);
    assert_true(number < MESSAGES);
    assert_int_equal(arrivals[number]++, 0);
}

/* Every 5 ms: what is delayed by 100 ms is within the replay window of 64. */
static void send_numbers(sdtls_conn *c)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        assert_int_equal(sdtls_send(c, &i, sizeof i), 0);
        net_run(&net, 5 * SD_MS);
    }
    net_run(&net, SD_SEC);
}

static void a_bad_network_costs_only_what_it_loses(void **state)
{
    (void)state;
    enum { CLIENTS = 50 };
    net.lost = 5;
    net.repeated = net.delayed = 30;
    for (unsigned i = 0; i < CLIENTS; i++)
        connect_from(&net, 1000 + i);
    net_until(&net, &net.client, SDTLS_EV_READY, CLIENTS);
    net_until(&net, &net.server, SDTLS_EV_READY, CLIENTS);
    assert_int_equal(net.server.told[SDTLS_EV_CLOSED] + net.client.told[SDTLS_EV_CLOSED], 0);
    assert_int_not_equal(net.client.told[SDTLS_EV_RETRANSMIT], 0);
    net_run(&net, 60 * SD_SEC); /* until nothing is repeated any more */
    net.dropped = 0;
    net.server.on_data = note_arrival;
    send_numbers(net.client.last[SDTLS_EV_READY].conn);
    assert_true(net.dropped > MESSAGES / 50);
    assert_int_equal(net.server.told[SDTLS_EV_DATA], MESSAGES - net.dropped);
}

static void a_silent_path_ends_when_the_deadline_of_the_handshake_has_passed(void **state)
{
    (void)state;
    const sd_time began = virtual_time;
    net.client.mute = true;
    connect_from(&net, 1000);
    net_until(&net, &net.client, SDTLS_EV_CLOSED, 1);
    assert_int_equal(net.client.last[SDTLS_EV_CLOSED].err, SDTLS_TIMEOUT);
    assert_int_equal(virtual_time - began, 30 * SD_SEC);
    assert_int_equal(net.client.told[SDTLS_EV_RETRANSMIT], 4); /* after 1, 3, 7 and 15 s */
    assert_true(sdtls_deadline(net.client.s) == SD_NEVER);
}

static void a_client_that_lost_its_state_begins_again_on_its_path(void **state)
{
    (void)state;
    connected();
    const sdtls_conn *old = net.server.last[SDTLS_EV_READY].conn;
    net.client.mute = true; /* close_notify is lost */
    sdtls_free(net.client.s);
    net.client.mute = false;
    end_up(&net, &net.client, &trusting);
    connect_from(&net, 1000);
    net_until(&net, &net.server, SDTLS_EV_CLOSED, 1);
    assert_ptr_equal(net.server.last[SDTLS_EV_CLOSED].conn, old);
    assert_int_equal(net.server.last[SDTLS_EV_CLOSED].err, SDTLS_RESTARTED);
    net_until(&net, &net.server, SDTLS_EV_READY, 2);
}

static void unproven_paths_cost_one_small_answer_and_nothing_else(void **state)
{
    (void)state;
    enum { PATHS = 1000 };
    net.client.mute = true;
    connect_from(&net, 1000);
    net.client.mute = false;
    connect_from(&net, 1001);
    assert_int_equal(net.count, 1);
    const struct flying hello = net.flying[0];
    net.server.mute = true;
    for (unsigned i = 0; i < PATHS; i++) {
        const sdtls_path path = {.size = sizeof path, .id = i};
        assert_int_equal(hand_in(&net.server, &path, hello.data, hello.len), 0);
        hear(&net.server);
    }
    assert_int_equal(net.server.sent, PATHS);
    assert_true(net.server.largest < hello.len);
    assert_int_equal(net.server.told[SDTLS_EV_ACCEPTED], 0);
    assert_true(sdtls_deadline(net.server.s) == SD_NEVER);
}

static void handshakes_under_way_are_limited(void **state)
{
    (void)state;
    enum { MOST = 8 };
    sdtls_config few = serving;
    few.max_half_open = MOST;
    net_down(&net);
    net_up(&net, &few, &trusting);
    for (unsigned i = 0; i < 4 * MOST; i++)
        connect_by_id(&net, i); /* each is a host of its own */
    net.verified = true;
    net_run(&net, 15 * SD_MS); /* the first flight arrives, its answer is on the way */
    assert_int_equal(net.server.told[SDTLS_EV_ACCEPTED], 4 * MOST);
    assert_int_equal(net.server.told[SDTLS_EV_CLOSED], 3 * MOST);
    assert_int_equal(net.server.last[SDTLS_EV_CLOSED].err, SDTLS_LIMIT);
}

static void datagrams_stay_within_what_the_path_carries(void **state)
{
    (void)state;
    net.payload = 600;
    sdtls_conn *c = connected();
    assert_true(net.server.largest <= 600 && net.server.largest > 500);
    assert_true(net.client.largest <= 600);
    assert_true(sdtls_max_payload(c) < 600);
    assert_true(sdtls_max_payload(net.server.last[SDTLS_EV_READY].conn) < 600);
}

/* The report quotes what was sent, as an ICMP message does. */
static int report_too_big(sdtls_conn *c, const void *quote, size_t quoted, size_t fits)
{
    socklen_t len;
    const sdtls_path path = {
        .size = sizeof path, .peer = sdtls_peer(c, &len), .local = sdtls_conn_local(c, &len)};
    const sdtls_datagram d = {.size = sizeof d,
                              .path = &path,
                              .data = quote,
                              .len = quoted,
                              .error = EMSGSIZE,
                              .limit = fits};
    int rc = sdtls_input(net.client.s, &d, virtual_time);
    hear(&net.client);
    return rc;
}

static void a_report_lowers_the_path_mtu_if_it_quotes_what_was_sent(void **state)
{
    (void)state;
    sdtls_conn *c = connected();
    uint8_t large[1000] = {0};
    assert_true(sdtls_max_payload(c) >= sizeof large);
    net.count = 0;
    assert_int_equal(sdtls_send(c, large, sizeof large), 0);
    assert_int_equal(net.count, 1);
    assert_int_equal(report_too_big(c, large, 500, 700), 0);
    assert_int_equal(net.client.told[SDTLS_EV_MTU], 0);
    assert_int_equal(report_too_big(c, net.flying[0].data, 500, 700), 0);
    assert_int_equal(net.client.told[SDTLS_EV_MTU], 1);
    assert_int_equal(net.client.last[SDTLS_EV_MTU].value, 700);
    assert_true(sdtls_max_payload(c) < 700);
}

static void a_flight_that_the_transport_calls_too_big_goes_out_in_smaller_pieces(void **state)
{
    (void)state;
    net.server.carries = 400;
    net.client.carries = 400;
    connected();
    assert_true(net.server.largest <= 400);
}

static void a_datagram_without_room_waits_and_is_offered_again(void **state)
{
    (void)state;
    sdtls_conn *c = connected();
    net.client.refuses = -EAGAIN;
    assert_int_equal(sdtls_send(c, "first", 5), 0);
    assert_int_not_equal(sdtls_unsent(c), 0);
    assert_int_equal(sdtls_send(c, "second", 6), SDTLS_AGAIN);
    net.client.refuses = 0;
    net_until(&net, &net.client, SDTLS_EV_WRITABLE, 1);
    net_until(&net, &net.server, SDTLS_EV_DATA, 1);
    assert_int_equal(sdtls_unsent(c), 0);
}

static void one_endpoint_is_client_and_server_at_once(void **state)
{
    (void)state;
    if (sdtls_serve(net.client.s) == 0) /* without a certificate it is none */
        fail_msg("served without a certificate");
    sdtls_config both = serving;
    both.verify = SDTLS_VERIFY_NONE;
    net_down(&net);
    net_up(&net, &both, &both);
    assert_int_equal(sdtls_serve(net.client.s), 0);
    connect_by_id(&net, 1);
    net_until(&net, &net.server, SDTLS_EV_READY, 1);
    const sdtls_path path = {.size = sizeof path, .id = 2};
    assert_int_equal(sdtls_connect_path(net.server.s, &path, NULL, virtual_time, NULL), 0);
    net_until(&net, &net.server, SDTLS_EV_READY, 2);
    net_until(&net, &net.client, SDTLS_EV_READY, 2);
    assert_int_equal(net.client.told[SDTLS_EV_ACCEPTED], 1);
}

static void a_path_has_one_connection_at_a_time(void **state)
{
    (void)state;
    const sdtls_path path = {.size = sizeof path, .id = 2};
    sdtls_conn *c = connect_by_id(&net, 2);
    assert_int_equal(sdtls_connect_path(net.client.s, &path, NULL, virtual_time, NULL),
                     SDTLS_STATE);
    assert_string_equal(sdtls_errmsg(net.client.s), "path 2: the path has a connection");
    sdtls_close(c);
    hear(&net.client);
    hear(&net.client);
    assert_int_equal(sdtls_connect_path(net.client.s, &path, NULL, virtual_time, NULL), 0);
}

static void what_is_about_sockets_is_refused_and_the_other_way_round(void **state)
{
    (void)state;
    sdtls *s = net.server.s;
    const sdtls_path path = {.size = sizeof path, .id = 2};
    const sdtls_datagram d = {.size = sizeof d, .path = &path, .data = "\x16", .len = 1};
    assert_int_equal(sdtls_fd(s), -1);
    assert_int_equal(sdtls_listen(s, NULL, "0"), SDTLS_STATE);
    assert_int_equal(sdtls_adopt(s, 0), SDTLS_STATE);
    assert_int_equal(sdtls_connect(s, "127.0.0.1", "1", NULL), SDTLS_STATE);
    assert_null(sdtls_local(s, 0, NULL));
    s = sdtls_new(&serving);
    assert_int_equal(sdtls_serve(s), SDTLS_STATE);
    assert_int_equal(sdtls_input(s, &d, 1), SDTLS_STATE);
    assert_int_equal(sdtls_connect_path(s, &path, NULL, 1, NULL), SDTLS_STATE);
    sdtls_free(s);
}

static int lowest_free_fd(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static void no_descriptor_is_opened(void **state)
{
    (void)state;
    net_down(&net);
    const int before = lowest_free_fd();
    net_up(&net, &serving, &trusting);
    const sdtls_conn *c = connected();
    assert_int_equal(lowest_free_fd(), before);
    assert_int_equal(sdtls_conn_fd(c), -1);
}

static void a_struct_without_its_size_is_refused(void **state)
{
    (void)state;
    const sdtls_transport no_size = {.output = carry}, no_output = {.size = sizeof no_output};
    const sdtls_path path = {.size = sizeof path, .id = 2}, unsized = {.id = 2};
    const struct sockaddr other = {.sa_family = AF_UNIX};
    const sdtls_path foreign = {.size = sizeof foreign, .peer = &other};
    assert_null(sdtls_new_with(&serving, &no_size));
    assert_null(sdtls_new_with(&serving, &no_output));
    assert_null(sdtls_new_with(&serving, NULL));
    const sdtls_datagram bad[] = {
        {.path = &path, .data = "\x16", .len = 1},
        {.size = sizeof *bad, .data = "\x16", .len = 1},
        {.size = sizeof *bad, .path = &unsized, .data = "\x16", .len = 1},
        {.size = sizeof *bad, .path = &foreign, .data = "\x16", .len = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sdtls_input(net.server.s, &bad[i], 1), SDTLS_ARG);
}

/* As a program that was compiled when the structs ended after these members. */
static void a_program_with_smaller_structs_is_served(void **state)
{
    (void)state;
    sdtls_path path = {.size = offsetof(sdtls_path, payload), .id = 2, .payload = 1, .verified = 1};
    connect_by_id(&net, 2);
    assert_int_equal(net.count, 1);
    const sdtls_datagram d = {.size = offsetof(sdtls_datagram, error),
                              .path = &path,
                              .data = net.flying[0].data,
                              .len = net.flying[0].len,
                              .error = ECONNREFUSED};
    assert_int_equal(sdtls_input(net.server.s, &d, virtual_time), 0);
    hear(&net.server);
    assert_int_equal(of_server("gate.no-cookie"), 1);
    assert_int_equal(net.server.told[SDTLS_EV_ACCEPTED], 0); /* `verified` was not looked at */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_proves_its_path_and_its_data_come_back),
        TEST(a_path_that_the_program_verified_needs_no_cookie),
        TEST(paths_without_addresses_are_told_apart_by_their_number),
        TEST(another_protocol_is_left_to_the_program_before_and_after_the_handshake),
        TEST(a_bad_network_costs_only_what_it_loses),
        TEST(a_silent_path_ends_when_the_deadline_of_the_handshake_has_passed),
        TEST(a_client_that_lost_its_state_begins_again_on_its_path),
        TEST(unproven_paths_cost_one_small_answer_and_nothing_else),
        TEST(handshakes_under_way_are_limited),
        TEST(datagrams_stay_within_what_the_path_carries),
        TEST(a_report_lowers_the_path_mtu_if_it_quotes_what_was_sent),
        TEST(a_flight_that_the_transport_calls_too_big_goes_out_in_smaller_pieces),
        TEST(a_datagram_without_room_waits_and_is_offered_again),
        TEST(one_endpoint_is_client_and_server_at_once),
        TEST(a_path_has_one_connection_at_a_time),
        TEST(what_is_about_sockets_is_refused_and_the_other_way_round),
        TEST(no_descriptor_is_opened),
        TEST(a_struct_without_its_size_is_refused),
        TEST(a_program_with_smaller_structs_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
