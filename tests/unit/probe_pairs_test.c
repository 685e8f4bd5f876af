/* SPDX-License-Identifier: MIT */
/* Handshakes of two captures, paired: with randoms that repeat, behind NATs, by other clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_probe/pairs.h"

enum { ROOM = 8 };

static const int64_t noon = 1000000 * SD_NS_SECOND;

struct two_captures {
    struct probe_end at_client[ROOM], at_server[ROOM];
    struct probe_ends client, server;
};

static void begin_captures(struct two_captures *t)
{
    memset(t, 0, sizeof *t);
    t->client.list = t->at_client;
    t->server.list = t->at_server;
}

static struct sd_addr host_and_port(uint8_t host, uint16_t port)
{
    return (struct sd_addr){.in = {.sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(0xc0000200U | host)}};
}

/* A handshake of 100 ms, from host 1 to host 9; `server_random` 0 = no ServerHello came. */
static struct probe_end *add_end(struct probe_ends *e, int64_t start, uint8_t random,
                                 uint8_t server_random, uint16_t port)
{
    assert_true(e->count < ROOM);
    struct probe_end *end = &e->list[e->count++];
    end->x = (struct sd_exchange){.id = e->count,
                                  .start = start,
                                  .last = start + 100 * SD_NS_MS,
                                  .client = host_and_port(1, port),
                                  .server = host_and_port(9, 4433),
                                  .has_client_random = true,
                                  .has_server_random = server_random > 0,
                                  .server_randoms = server_random > 0};
    memset(end->x.client_random, random, sizeof end->x.client_random);
    memset(end->x.server_random, server_random, sizeof end->x.server_random);
    return end;
}

static void assert_pair(const struct probe_end *client, const struct probe_end *server)
{
    assert_ptr_equal(client->other, server);
    assert_ptr_equal(server->other, client);
}

static void the_random_makes_a_pair_behind_a_nat_and_by_another_clock(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    for (uint8_t i = 1; i <= 3; i++) {
        add_end(&t.client, noon + i * SD_NS_SECOND, i, 0, 1000 + i);
        add_end(&t.server, (4 - i) * SD_NS_SECOND, 4 - i, 0, 60000 - i)->x.client =
            host_and_port(200, 60000);
    }
    assert_true(probe_pairs_find(&t.client, &t.server));
    for (size_t i = 0; i < 3; i++)
        assert_pair(&t.at_client[i], &t.at_server[2 - i]);
}

static void each_end_is_used_once(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    for (int i = 0; i < 3; i++)
        add_end(&t.client, noon + i * 10 * SD_NS_SECOND, 7, 0, 1000);
    add_end(&t.server, noon + 10 * SD_NS_SECOND + 20 * SD_NS_MS, 7, 0, 1000);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_null(t.at_client[0].other);
    assert_pair(&t.at_client[1], &t.at_server[0]);
    assert_null(t.at_client[2].other);
}

static void the_server_random_decides_between_equal_client_randoms(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    add_end(&t.client, noon, 7, 1, 1000);
    add_end(&t.client, noon + SD_NS_SECOND, 7, 2, 1001);
    add_end(&t.server, noon, 7, 2, 1000);
    add_end(&t.server, noon + SD_NS_SECOND, 7, 1, 1001);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_pair(&t.at_client[0], &t.at_server[1]);
    assert_pair(&t.at_client[1], &t.at_server[0]);
}

static void two_server_randoms_are_two_handshakes(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    add_end(&t.client, noon, 7, 1, 1000);
    add_end(&t.server, noon, 7, 2, 1000);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_null(t.at_client[0].other);
    assert_null(t.at_server[0].other);
    t.at_server[0].x.server_randoms = 2; /* the server answered twice: one answer was lost */
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_pair(&t.at_client[0], &t.at_server[0]);
}

static void the_addresses_decide_between_equal_randoms(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    for (uint16_t i = 0; i < 4; i++)
        add_end(&t.client, noon + i * SD_NS_MS, 7, 0, 1000 + i);
    for (uint16_t i = 3; i > 0; i--) /* of the first, nothing arrived */
        add_end(&t.server, noon + (4 - i) * SD_NS_MS, 7, 0, 1000 + i);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_null(t.at_client[0].other);
    for (size_t i = 0; i < 3; i++)
        assert_pair(&t.at_client[3 - i], &t.at_server[i]);
}

static void behind_a_nat_the_times_decide_between_equal_randoms(void **state)
{
    (void)state;
    const int64_t clock = -3600 * SD_NS_SECOND;
    struct two_captures t;
    begin_captures(&t);
    add_end(&t.client, noon, 5, 1, 999); /* is certain, and gives the difference of the clocks */
    add_end(&t.server, noon + clock, 5, 1, 60000);
    for (uint16_t i = 0; i < 4; i++)
        add_end(&t.client, noon + (i + 1) * 10 * SD_NS_SECOND, 7, 0, 1000 + i);
    for (uint16_t i = 1; i < 4; i += 2)
        add_end(&t.server, noon + clock + (i + 1) * 10 * SD_NS_SECOND, 7, 0, 60001 + i);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_pair(&t.at_client[0], &t.at_server[0]);
    assert_null(t.at_client[1].other);
    assert_pair(&t.at_client[2], &t.at_server[1]);
    assert_null(t.at_client[3].other);
    assert_pair(&t.at_client[4], &t.at_server[2]);
}

static void what_begins_after_the_end_is_another_handshake(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    add_end(&t.client, noon, 5, 1, 1000);
    add_end(&t.server, noon, 5, 1, 1000);
    add_end(&t.client, noon, 7, 0, 1001);
    add_end(&t.server, noon + 30 * SD_NS_SECOND, 7, 0, 1001);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_pair(&t.at_client[0], &t.at_server[0]);
    assert_null(t.at_client[1].other);
}

static void times_out_of_the_world_do_no_harm(void **state)
{
    (void)state;
    const int64_t times[] = {INT64_MIN, INT64_MAX, 0};
    for (int i = 0; i < 9; i++) {
        struct two_captures t;
        begin_captures(&t);
        for (int k = 0; k < 2; k++) {
            add_end(&t.client, 0, 7, 0, 1000)->x.start = times[i % 3];
            add_end(&t.server, 0, 7, 0, 1000)->x.start = times[i / 3];
        }
        assert_true(probe_pairs_find(&t.client, &t.server));
    }
}

static void nothing_pairs_with_nothing(void **state)
{
    (void)state;
    struct two_captures t;
    begin_captures(&t);
    assert_true(probe_pairs_find(&t.client, &t.server));
    add_end(&t.client, noon, 7, 0, 1000);
    assert_true(probe_pairs_find(&t.client, &t.server));
    assert_null(t.at_client[0].other);
}

/* --- records --- */

static struct sd_event hello_at(int64_t time, uint32_t seq)
{
    return (struct sd_event){.time = time,
                             .seq = seq,
                             .kind = SD_EV_HANDSHAKE,
                             .content = 22,
                             .message = 1,
                             .ip_length = 200,
                             .flags = SD_EVF_FIRST};
}

static void a_record_number_used_again_arrives_once_for_each_time(void **state)
{
    (void)state;
    struct sd_event sent[] = {hello_at(0, 0), hello_at(SD_NS_SECOND, 0)};
    struct sd_event received[] = {hello_at(10 * SD_NS_MS, 0), hello_at(1010 * SD_NS_MS, 0)};
    struct sd_exchange client = {.log = sent, .count = 2}, server = {.log = received, .count = 2};
    struct probe_way w = probe_way_between(&client, &server, SD_CLIENT);
    assert_int_equal(w.arrived, 2);
    assert_int_equal(w.quickest, 10 * SD_NS_MS);
    server.count = 1;
    w = probe_way_between(&client, &server, SD_CLIENT);
    assert_int_equal(w.arrived, 1);
    assert_int_equal(w.lost_count, 1);
    assert_int_equal(w.quickest, 10 * SD_NS_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_random_makes_a_pair_behind_a_nat_and_by_another_clock),
        cmocka_unit_test(each_end_is_used_once),
        cmocka_unit_test(the_server_random_decides_between_equal_client_randoms),
        cmocka_unit_test(two_server_randoms_are_two_handshakes),
        cmocka_unit_test(the_addresses_decide_between_equal_randoms),
        cmocka_unit_test(behind_a_nat_the_times_decide_between_equal_randoms),
        cmocka_unit_test(what_begins_after_the_end_is_another_handshake),
        cmocka_unit_test(times_out_of_the_world_do_no_harm),
        cmocka_unit_test(nothing_pairs_with_nothing),
        cmocka_unit_test(a_record_number_used_again_arrives_once_for_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
