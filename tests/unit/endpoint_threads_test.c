/* SPDX-License-Identifier: MIT */
/* lib/endpoint: endpoints that serve together, each in a thread. ThreadSanitizer watches in
 * ci/test. */
#include <linux/filter.h>
#include <pthread.h>

#include "duo.h"

enum { WORKERS = 3, CLIENTS = 60, MESSAGES = 40 };

static const sdtls_config trusting = {SDTLS_CONFIG_INIT, .verify = SDTLS_VERIFY_NONE};

struct worker {
    sdtls *s;
    pthread_t thread;
    bool stop;          /* atomic */
    uint64_t evictions; /* CLOSED events with LIMIT; read after the thread's end */
};

struct crew {
    sdtls_group *group;
    struct worker worker[WORKERS];
    char port[8];
};

static void *echo_all(void *arg)
{
    struct worker *w = arg;
    sdtls_event ev;
    while (!__atomic_load_n(&w->stop, __ATOMIC_RELAXED)) {
        int rc = sdtls_next(w->s, &ev, 5);
        if (rc < 0)
            break;
        if (ev.type == SDTLS_EV_DATA)
            (void)!sdtls_send(ev.conn, ev.data, ev.len);
        w->evictions += ev.type == SDTLS_EV_CLOSED && ev.err == SDTLS_LIMIT;
    }
    return NULL;
}

static void crew_up(struct crew *k, const sdtls_config *config)
{
    memset(k, 0, sizeof *k);
    assert_non_null(k->group = sdtls_group_new(config));
    for (int i = 0; i < WORKERS; i++)
        assert_non_null(k->worker[i].s = sdtls_group_endpoint(k->group));
    assert_int_equal(sdtls_listen(k->worker[0].s, "127.0.0.1", NULL), SDTLS_OK);
    struct duo d = {.server = k->worker[0].s};
    duo_port(&d);
    memcpy(k->port, d.port, sizeof k->port);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&k->worker[i].thread, NULL, echo_all, &k->worker[i]), 0);
}

static void end_worker(struct worker *w)
{
    if (!w->s)
        return;
    __atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
    pthread_join(w->thread, NULL);
}

static uint64_t counted(const struct crew *k, const char *name)
{
    uint64_t n = 0;
    for (int i = 0; i < WORKERS; i++)
        n += k->worker[i].s ? sdtls_counter_named(k->worker[i].s, name) : 0;
    return n;
}

static void stop_all(struct crew *k)
{
    for (int i = 0; i < WORKERS; i++)
        end_worker(&k->worker[i]);
}

static void crew_down(struct crew *k)
{
    sdtls_group_free(k->group);
    for (int i = 0; i < WORKERS; i++)
        sdtls_free(k->worker[i].s);
}

/* The clients of one endpoint: each sends numbers, and gets all of them back in this order. */
struct crowd {
    sdtls *s;
    sdtls_conn *conn[CLIENTS];
    unsigned sent[CLIENTS], back[CLIENTS], ready, closed, done;
};

static unsigned index_of(const struct crowd *c, const sdtls_conn *conn)
{
    unsigned i = 0;
    while (i < CLIENTS && c->conn[i] != conn)
        i++;
    assert_true(i < CLIENTS);
    return i;
}

static void send_number(struct crowd *c, unsigned i)
{
    if (c->sent[i] < MESSAGES && !sdtls_send(c->conn[i], &c->sent[i], sizeof c->sent[i]))
        c->sent[i]++;
}

static void take_number(struct crowd *c, unsigned i, const sdtls_event *ev)
{
    unsigned number;
    assert_int_equal(ev->len, sizeof number);
    memcpy(&number, ev->data, sizeof number);
    assert_int_equal(number, c->back[i]);
    c->done += ++c->back[i] == MESSAGES;
    send_number(c, i);
}

static void crowd_step(struct crowd *c)
{
    enum { IN_FLIGHT = 3 };
    sdtls_event ev;
    if (!duo_step(c->s, &ev, 5))
        return;
    unsigned i = index_of(c, ev.conn);
    c->ready += ev.type == SDTLS_EV_READY;
    for (int k = 0; k < IN_FLIGHT && ev.type == SDTLS_EV_READY; k++)
        send_number(c, i);
    if (ev.type == SDTLS_EV_DATA)
        take_number(c, i, &ev);
    if (ev.type == SDTLS_EV_CLOSED) {
        c->closed++;
        c->conn[i] = NULL;
    }
}

static void crowd_begin(struct crowd *c, const struct crew *k, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(sdtls_connect(c->s, "127.0.0.1", k->port, &c->conn[i]), SDTLS_OK);
}

static void every_client_gets_its_answers(const sdtls_config *config)
{
    struct crew k;
    struct crowd c = {.s = sdtls_new(&trusting)};
    crew_up(&k, config);
    crowd_begin(&c, &k, CLIENTS);
    for (sd_time end = sd_clock_now() + DUO_DEADLINE; c.done < CLIENTS && sd_clock_now() < end;)
        crowd_step(&c);
    assert_int_equal(c.closed, 0);
    assert_int_equal(c.done, CLIENTS);
    stop_all(&k);
    assert_int_equal(counted(&k, "conn.established"), CLIENTS);
    for (int i = 0; i < WORKERS; i++)
        assert_in_range(sdtls_counter_named(k.worker[i].s, "conn.established"),
                        CLIENTS / WORKERS / 2, CLIENTS / 2);
    sdtls_free(c.s);
    crew_down(&k);
}

static void with_sockets_of_their_own(void **state)
{
    (void)state;
    const sdtls_config config = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
    every_client_gets_its_answers(&config);
}

static void over_the_shared_listener(void **state)
{
    (void)state;
    const sdtls_config config = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED | SDTLS_F_SHARED};
    every_client_gets_its_answers(&config);
}

static void some_of_each(void **state)
{
    (void)state;
    const sdtls_config config = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                 .max_connected = CLIENTS / 2};
    every_client_gets_its_answers(&config);
}

/* Workers end while handshakes are under way, and the clients of the last one finish. */
static void workers_that_end(void **state)
{
    (void)state;
    const sdtls_config config = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED};
    struct crew k;
    struct crowd c = {.s = sdtls_new(&trusting)};
    crew_up(&k, &config);
    crowd_begin(&c, &k, CLIENTS);
    sd_time end = sd_clock_now() + DUO_DEADLINE;
    for (int i = 0; i < WORKERS - 1; i++) {
        while (c.ready < (unsigned)(i + 1) * CLIENTS / 4 && sd_clock_now() < end)
            crowd_step(&c);
        end_worker(&k.worker[i]);
        sdtls_free(k.worker[i].s);
        k.worker[i].s = NULL;
    }
    /* A client whose worker ended in the middle of its handshake waits for its timer, and then for
     * the end: nobody has it any more. All others are done, or were told. */
    while (c.done + c.closed < c.ready && sd_clock_now() < end)
        crowd_step(&c);
    assert_true(c.done + c.closed >= c.ready);
    unsigned before = c.ready;
    assert_int_equal(sdtls_connect(c.s, "127.0.0.1", k.port, &c.conn[0]), SDTLS_OK);
    c.sent[0] = c.back[0] = 0;
    while (c.ready <= before && sd_clock_now() < end)
        crowd_step(&c);
    assert_true(c.ready > before);
    stop_all(&k);
    sdtls_free(c.s);
    crew_down(&k);
}

enum { PLACES = 16, SILENT = 2 * PLACES };

/* From the first answer on the kernel drops whatever comes for it. */
static void go_deaf(void *arg, sdtls_conn *c, int sent, const void *datagram, size_t len)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K};
    const struct sock_fprog drop = {.len = 1, .filter = &nothing};
    (void)datagram, (void)len;
    if (sent)
        return;
    assert_int_equal(setsockopt(sdtls_conn_fd(c), SOL_SOCKET, SO_ATTACH_FILTER, &drop, sizeof drop),
                     0);
    ++*(unsigned *)arg;
}

/* A client that says no more after the hello that has the cookie. */
static sdtls *silent_client(const struct crew *k)
{
    unsigned answers = 0;
    const sdtls_config config = {SDTLS_CONFIG_INIT, .source = "127.0.0.2", .tap = go_deaf,
                                 .cb_arg = &answers};
    sdtls *s = sdtls_new(&config);
    sdtls_event ev;
    assert_int_equal(sdtls_connect(s, "127.0.0.1", k->port, NULL), SDTLS_OK);
    for (sd_time end = sd_clock_now() + DUO_DEADLINE; !answers && sd_clock_now() < end;)
        duo_step(s, &ev, 5);
    return s;
}

/* Who gives way is often the client of another thread. */
static void half_open_clients_give_way_to_those_of_other_threads(void **state)
{
    (void)state;
    enum { MOST = 16 };
    const sdtls_config config = {SDTLS_CONFIG_INIT, .flags = SDTLS_F_SELF_SIGNED,
                                 .max_half_open = MOST};
    enum { NEWCOMERS = PLACES - 4 };
    struct crew k;
    struct crowd c = {.s = sdtls_new(&trusting)};
    crew_up(&k, &config);
    sdtls *silent[SILENT];
    for (int i = 0; i < SILENT; i++)
        silent[i] = silent_client(&k);
    crowd_begin(&c, &k, NEWCOMERS);
    for (sd_time end = sd_clock_now() + DUO_DEADLINE; c.done < NEWCOMERS && sd_clock_now() < end;)
        crowd_step(&c);
    assert_int_equal(c.done, NEWCOMERS);
    stop_all(&k);
    assert_int_equal(counted(&k, "conn.established"), NEWCOMERS);
    assert_true(counted(&k, "conn.evicted") > 0);
    uint64_t told = 0;
    for (int i = 0; i < WORKERS; i++)
        told += k.worker[i].evictions;
    assert_int_equal(told, counted(&k, "conn.evicted"));
    sdtls_free(c.s);
    for (int i = 0; i < SILENT; i++)
        sdtls_free(silent[i]);
    crew_down(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_sockets_of_their_own),
        cmocka_unit_test(over_the_shared_listener),
        cmocka_unit_test(some_of_each),
        cmocka_unit_test(workers_that_end),
        cmocka_unit_test(half_open_clients_give_way_to_those_of_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
