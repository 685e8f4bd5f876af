/* SPDX-License-Identifier: MIT */
/* lib/endpoint: endpoints that serve together. Here one thread drives them in turn, so that each
 * test decides who reads what. endpoint_threads_test.c has threads. */
#include <unistd.h>

#include "duo.h"
#include "endpoint/internal.h"
#include "identity.h"

enum { WORKERS = 2, PEERS = 8 };

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

struct team {
    sdtls_group *group;
    sdtls *worker[WORKERS], *client;
    char port[8];
    sdtls_event last[WORKERS]; /* ACCEPTED, READY and CLOSED */
    unsigned seen[WORKERS][DUO_TYPES];
    char text[WORKERS][64]; /* the last data */
};

static sdtls_config team_config(void)
{
    return (sdtls_config){SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
}

static void team_up(struct team *t, const sdtls_config *config)
{
    memset(t, 0, sizeof *t);
    t->group = sdtls_group_new(config);
    assert_non_null(t->group);
    for (int i = 0; i < WORKERS; i++)
        assert_non_null(t->worker[i] = sdtls_group_endpoint(t->group));
    t->client = sdtls_new(&trusting);
    if (sdtls_listen(t->worker[0], "127.0.0.1", NULL))
        fail_msg("listen: %s", sdtls_errmsg(t->worker[0]));
    struct duo d = {.server = t->worker[0]};
    duo_port(&d);
    memcpy(t->port, d.port, sizeof t->port);
}

static void team_down(struct team *t)
{
    sdtls_group_free(t->group);
    sdtls_free(t->client);
    for (int i = 0; i < WORKERS; i++)
        sdtls_free(t->worker[i]);
}

/* One turn of a worker; true when it had an event. */
static bool work(struct team *t, int i)
{
    sdtls_event ev;
    if (!t->worker[i] || !duo_step(t->worker[i], &ev, 0))
        return false;
    t->seen[i][ev.type]++;
    if (ev.type == SDTLS_EV_DATA) {
        snprintf(t->text[i], sizeof t->text[i], "%.*s", (int)ev.len, (const char *)ev.data);
        return true;
    }
    t->last[i] = ev;
    return true;
}

static uint64_t sum(const struct team *t, const char *name)
{
    uint64_t n = 0;
    for (int i = 0; i < WORKERS; i++)
        n += t->worker[i] ? sdtls_counter_named(t->worker[i], name) : 0;
    return n;
}

/* Everybody in turn, until the counters of all have this sum. */
static void until(struct team *t, const char *name, uint64_t value)
{
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (sum(t, name) < value) {
        if (sd_clock_now() > end)
            fail_msg("%s stays at %llu", name, (unsigned long long)sum(t, name));
        for (int i = 0; i < WORKERS; i++)
            work(t, i);
        duo_step(t->client, &ev, 1);
    }
}

static sdtls_conn *join_team(struct team *t)
{
    sdtls_conn *c;
    if (sdtls_connect(t->client, "127.0.0.1", t->port, &c))
        fail_msg("connect: %s", sdtls_errmsg(t->client));
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev = {0};
    while (ev.type != SDTLS_EV_READY || ev.conn != c) {
        assert_true(sd_clock_now() < end);
        for (int i = 0; i < WORKERS; i++)
            work(t, i);
        duo_step(t->client, &ev, 1);
    }
    return c;
}

static void tell(struct team *t, sdtls_conn *c, int to, int reader, const char *text)
{
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    assert_int_equal(sdtls_send(c, text, strlen(text)), SDTLS_OK);
    for (int i = 0; i < 3; i++)
        work(t, reader); /* it reads the listener first */
    while (strcmp(t->text[to], text)) {
        assert_true(sd_clock_now() < end);
        for (int i = 0; i < WORKERS; i++)
            work(t, i);
    }
}

static void clients_are_shared_out_evenly(void **state)
{
    (void)state;
    struct team t;
    const sdtls_config config = team_config();
    team_up(&t, &config);
    for (int i = 0; i < PEERS; i++)
        join_team(&t);
    until(&t, "conn.established", PEERS);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(sdtls_counter_named(t.worker[i], "conn.established"), PEERS / WORKERS);
    assert_int_equal(sum(&t, "conn.accepted"), PEERS);
    assert_int_equal(sum(&t, "gate.good-cookie"), PEERS);
    team_down(&t);
}

/* Without sockets of their own: the listener has the datagrams of all. */
static void a_datagram_reaches_the_one_that_has_its_client(void **state)
{
    (void)state;
    struct team t;
    sdtls_config config = team_config();
    config.flags |= SDTLS_F_SHARED;
    team_up(&t, &config);
    sdtls_conn *of[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        of[i] = join_team(&t);
    until(&t, "conn.established", WORKERS);
    /* The first hello was read by worker 0, and the second given to worker 1. */
    int first = sdtls_counter_named(t.worker[0], "conn.established") == 1 ? 0 : 1;
    assert_int_equal(sdtls_counter_named(t.worker[!first], "conn.established"), 1);
    for (int reader = 0; reader < WORKERS; reader++)
        for (int i = 0; i < WORKERS; i++) {
            char text[48];
            snprintf(text, sizeof text, "for %d, read by %d", i, reader);
            const struct sockaddr *local = sdtls_conn_local(of[i], NULL);
            int owner = 0;
            struct sdtls_conn *c;
            TAILQ_FOREACH(c, &t.worker[1]->conns, all)
            owner |= !memcmp(local, sdtls_peer(c, NULL), sizeof(struct sockaddr_in));
            tell(&t, of[i], owner, reader, text);
        }
    assert_true(sum(&t, "net.handed-over") >= WORKERS);
    assert_int_equal(sum(&t, "gate.epoch"), 0);
    team_down(&t);
}

static void the_end_of_one_does_not_touch_the_clients_of_another(void **state)
{
    (void)state;
    struct team t;
    sdtls_config config = team_config();
    team_up(&t, &config);
    sdtls_conn *c[PEERS];
    for (int i = 0; i < PEERS; i++)
        c[i] = join_team(&t);
    until(&t, "conn.established", PEERS);
    sdtls_free(t.worker[0]); /* it had opened the listener */
    t.worker[0] = NULL;
    unsigned closed = 0;
    sdtls_event ev;
    for (sd_time end = sd_clock_now() + DUO_DEADLINE; closed < PEERS / 2 && sd_clock_now() < end;) {
        if (!duo_step(t.client, &ev, 10) || ev.type != SDTLS_EV_CLOSED)
            continue;
        for (int i = 0; i < PEERS; i++)
            c[i] = c[i] == ev.conn ? NULL : c[i];
        closed++;
    }
    assert_int_equal(closed, PEERS / 2);
    unsigned told = 0;
    for (int i = 0; i < PEERS; i++)
        told += c[i] && sdtls_send(c[i], "x", 1) == SDTLS_OK;
    assert_int_equal(told, PEERS / 2);
    for (sd_time end = sd_clock_now() + DUO_DEADLINE;
         t.seen[1][SDTLS_EV_DATA] < told && sd_clock_now() < end;)
        work(&t, 1);
    assert_int_equal(t.seen[1][SDTLS_EV_DATA], told);
    join_team(&t); /* and new ones come */
    assert_int_equal(t.seen[1][SDTLS_EV_CLOSED], 0);
    team_down(&t);
}

/* Hellos that one has read and not answered, or was given, when it ends. */
static void the_end_of_one_takes_no_hello_along(void **state)
{
    (void)state;
    struct team t;
    const sdtls_config config = team_config();
    team_up(&t, &config);
    join_team(&t); /* worker 0 has one, so worker 1 gets the next */
    until(&t, "conn.established", 1);
    int has = sdtls_counter_named(t.worker[1], "conn.established") != 0;
    assert_int_equal(sdtls_connect(t.client, "127.0.0.1", t.port, NULL), SDTLS_OK);
    sd_time begin = sd_clock_now(), end = begin + DUO_DEADLINE;
    sdtls_event ev;
    /* Only the one with a client runs: it hands over the hello that has a cookie. */
    while (!sdtls_counter_named(t.worker[has], "net.handed-over") && sd_clock_now() < end) {
        work(&t, has);
        duo_step(t.client, &ev, 1);
    }
    sdtls_free(t.worker[!has]);
    t.worker[!has] = NULL;
    while (sdtls_counter_named(t.worker[has], "conn.established") < 2 && sd_clock_now() < end) {
        work(&t, has);
        duo_step(t.client, &ev, 1);
    }
    assert_int_equal(sdtls_counter_named(t.worker[has], "conn.established"), 2);
    assert_true(sd_clock_now() - begin < SD_SEC); /* before the client repeats it */
    team_down(&t);
}

static void limits_are_those_of_all(void **state)
{
    (void)state;
    struct team t;
    sdtls_config config = team_config();
    config.max_clients = 3;
    team_up(&t, &config);
    for (int i = 0; i < 3; i++)
        join_team(&t);
    until(&t, "conn.established", 3);
    assert_int_equal(sdtls_connect(t.client, "127.0.0.1", t.port, NULL), SDTLS_OK);
    until(&t, "conn.limit-clients", 1);
    assert_int_equal(sum(&t, "conn.accepted"), 3);
    team_down(&t);
}

/* Runs all but the client until it has told n events of this type in all. */
static void until_seen(struct team *t, enum sdtls_event_type type, unsigned n)
{
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (t->seen[0][type] + t->seen[1][type] < n) {
        assert_true(sd_clock_now() < end);
        for (int i = 0; i < WORKERS; i++)
            work(t, i);
        duo_step(t->client, &ev, 1);
    }
}

/* The client that is idle longest leaves, also when another one has it. */
static void who_gives_way_may_be_the_client_of_another(void **state)
{
    (void)state;
    struct team t;
    sdtls_config config = team_config();
    config.max_clients = 2;
    team_up(&t, &config);
    struct sdtls_conn *old, *newer;
    join_team(&t);
    join_team(&t);
    until(&t, "conn.established", 2);
    old = TAILQ_FIRST(&t.worker[0]->conns);
    newer = TAILQ_FIRST(&t.worker[1]->conns);
    assert_non_null(old);
    assert_non_null(newer);
    /* As if it had no data for a minute. */
    sd_conn_touch(newer, sd_clock_now() - 60 * SD_SEC);
    sd_conn_touch(old, sd_clock_now());
    join_team(&t);
    until_seen(&t, SDTLS_EV_CLOSED, 1);
    assert_int_equal(t.seen[1][SDTLS_EV_CLOSED], 1);
    assert_int_equal(t.last[1].err, SDTLS_LIMIT);
    assert_int_equal(sum(&t, "conn.evicted-idle"), 1);
    /* And the other way round. */
    sd_conn_touch(old, sd_clock_now() - 60 * SD_SEC);
    join_team(&t);
    until_seen(&t, SDTLS_EV_CLOSED, 2);
    assert_int_equal(t.seen[0][SDTLS_EV_CLOSED], 1);
    assert_int_equal(sum(&t, "conn.established"), 4);
    assert_int_equal(t.worker[0]->limits->places[SD_ESTABLISHED], 2);
    team_down(&t);
}

static void a_half_open_client_of_another_gives_way(void **state)
{
    (void)state;
    struct team t;
    sdtls_config config = team_config();
    config.max_half_open = 1;
    config.timer_ms = 20000; /* it keeps its place until it is taken away */
    team_up(&t, &config);
    sdtls *silent = sdtls_new(&trusting);
    sdtls_event ev;
    assert_int_equal(sdtls_connect(silent, "127.0.0.1", t.port, NULL), SDTLS_OK);
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    while (!sum(&t, "conn.accepted") && sd_clock_now() < end) {
        for (int i = 0; i < WORKERS; i++)
            work(&t, i);
        if (!sum(&t, "conn.accepted"))
            duo_step(silent, &ev, 0);
    }
    int has =
        t.seen[1][SDTLS_EV_ACCEPTED] != 0 || sdtls_counter_named(t.worker[1], "conn.accepted");
    struct sdtls_conn *c = TAILQ_FIRST(&t.worker[has]->conns);
    assert_non_null(c);
    sdtls_free(silent);
    c->began -= 5 * SD_SEC; /* old enough to be replaced by one of its own host */
    /* What its end has said waits in the socket, which keeps it its place; so it is read first. */
    for (int i = 0; i < 20; i++)
        work(&t, has);
    join_team(&t);
    until_seen(&t, SDTLS_EV_CLOSED, 1);
    assert_int_equal(t.seen[has][SDTLS_EV_CLOSED], 1);
    assert_int_equal(sdtls_counter_named(t.worker[has], "conn.evicted"), 1);
    assert_int_equal(sdtls_counter_named(t.worker[!has], "conn.established"), 1);
    team_down(&t);
}

/* A client that has lost its state and begins again from the same port. Its first end stays open,
 * but the new one gets what comes to the port. */
static void a_restart_is_seen_whoever_reads_it(void **state)
{
    (void)state;
    enum { ROUNDS = 6 };
    struct team t;
    sdtls_config config = team_config(), from = trusting;
    config.flags |= SDTLS_F_SHARED;
    team_up(&t, &config);
    from.source = "127.0.0.1";
    from.source_port = 20100;
    for (unsigned round = 0; round < ROUNDS; round++) {
        sdtls_free(t.client);
        t.client = sdtls_new(&from);
        join_team(&t);
        until(&t, "conn.established", round + 1);
        assert_int_equal(sum(&t, "conn.restarted"), round);
        TAILQ_FIRST(&t.client->conns)->state = SD_CONN_CLOSING; /* it leaves without a word */
        int reader = (int)(round % WORKERS);
        for (int i = 0; i < 3; i++)
            work(&t, reader);
    }
    assert_int_equal(t.worker[0]->limits->places[SD_ESTABLISHED], 1);
    team_down(&t);
}

static void tickets_are_good_everywhere(void **state)
{
    (void)state;
    struct team t;
    const sdtls_config config = team_config();
    char file[128];
    snprintf(file, sizeof file, "%s/session", temp_dir);
    team_up(&t, &config);
    sdtls_config resuming = trusting;
    resuming.session_file = file;
    sdtls_free(t.client);
    t.client = sdtls_new(&resuming);
    sdtls_info first, second;
    sdtls_conn_info(join_team(&t), &first);
    sdtls_conn_info(join_team(&t), &second);
    until(&t, "conn.established", 2);
    assert_int_equal(first.resumed, 0);
    assert_int_equal(second.resumed, 1);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(sdtls_counter_named(t.worker[i], "conn.established"), 1);
    assert_string_equal(sdtls_fingerprint(t.worker[0]), sdtls_fingerprint(t.worker[1]));
    team_down(&t);
}

static void one_that_comes_later_listens_as_well(void **state)
{
    (void)state;
    struct team t;
    const sdtls_config config = team_config();
    team_up(&t, &config);
    join_team(&t);
    sdtls_free(t.worker[1]);
    t.worker[1] = sdtls_group_endpoint(t.group);
    join_team(&t);
    until(&t, "conn.established", 1);
    join_team(&t);
    assert_true(sdtls_counter_named(t.worker[1], "conn.established") > 0);
    assert_non_null(sdtls_local(t.worker[1], 0, NULL));
    team_down(&t);
}

static void what_a_group_cannot_do_is_said(void **state)
{
    (void)state;
    enum { MOST = 64 };
    sdtls *all[MOST + 1];
    const sdtls_config config = team_config(),
                       bad = {SDTLS_CONFIG_INIT, .cert_file = "/nonexistent"};
    sdtls_group *g = sdtls_group_new(&config);
    for (int i = 0; i <= MOST; i++) {
        all[i] = sdtls_group_endpoint(g);
        assert_int_equal(sdtls_listen(all[i], "127.0.0.1", NULL), i < MOST ? 0 : SDTLS_LIMIT);
    }
    sdtls_group_free(g);
    for (int i = 0; i <= MOST; i++)
        sdtls_free(all[i]);
    g = sdtls_group_new(&bad);
    all[0] = sdtls_group_endpoint(g);
    assert_int_equal(sdtls_listen(all[0], "127.0.0.1", NULL), SDTLS_CRED);
    sdtls_free(all[0]);
    sdtls_group_free(g);
    sdtls_group_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_shared_out_evenly),
        cmocka_unit_test(a_datagram_reaches_the_one_that_has_its_client),
        cmocka_unit_test(the_end_of_one_does_not_touch_the_clients_of_another),
        cmocka_unit_test(the_end_of_one_takes_no_hello_along),
        cmocka_unit_test(limits_are_those_of_all),
        cmocka_unit_test(who_gives_way_may_be_the_client_of_another),
        cmocka_unit_test(a_half_open_client_of_another_gives_way),
        cmocka_unit_test(a_restart_is_seen_whoever_reads_it),
        cmocka_unit_test(tickets_are_good_everywhere),
        cmocka_unit_test(one_that_comes_later_listens_as_well),
        cmocka_unit_test(what_a_group_cannot_do_is_said),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
