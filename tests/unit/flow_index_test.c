/* SPDX-License-Identifier: MIT */
/* lib/flow/index.c: what handshakes of a capture know of each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/internal.h"
#include "flow_tools.h"

static const struct sd_index *index_of(const struct rig *r)
{
    return &r->t->index;
}

static void others_are_found_by_random_server_and_client(void **state)
{
    (void)state;
    const struct sd_exchange *found_others[SD_INDEX_MAX];
    struct rig *r = rig_open(NULL);
    struct sd_addr server = r->server;
    send_client_hello(r, 0, 0x11, NULL);
    r->client = host(3, 40000);
    send_client_hello(r, 0, 0x11, NULL); /* the same random from another client */
    r->client = host(3, 40001);
    send_client_hello(r, 0, 0x22, NULL); /* another port of that one */
    r->server = host(4, 4433);
    send_client_hello(r, 0, 0x33, NULL); /* to another server */
    const struct sd_flow *first = r->t->first;
    assert_int_equal(sd_index_same_random(index_of(r), first->x, found_others), 1);
    assert_int_equal(found_others[0]->id, 2);
    assert_int_equal(sd_index_same_server(index_of(r), first->x, found_others), 2);
    assert_true(sd_addr_eq(&found_others[0]->server, &server));
    assert_int_equal(sd_index_same_pair(index_of(r), first->x, found_others), 0);
    assert_int_equal(sd_index_same_pair(index_of(r), first->next->x, found_others), 1);
    assert_int_equal(found_others[0]->id, 3);
    rig_close(r);
}

static void a_question_looks_at_no_more_than_its_bound(void **state)
{
    (void)state;
    const struct sd_exchange *found_others[SD_INDEX_MAX];
    struct rig *r = rig_open(NULL);
    for (uint16_t i = 0; i < 4 * SD_INDEX_MAX; i++) {
        r->client = host(1, (uint16_t)(10000 + i));
        send_client_hello(r, 0, 0x11, NULL);
    }
    const struct sd_exchange *x = r->t->first->x;
    assert_int_equal(sd_index_same_server(index_of(r), x, found_others), SD_INDEX_MAX);
    assert_int_equal(sd_index_same_random(index_of(r), x, found_others), SD_INDEX_MAX);
    assert_int_equal(sd_index_same_pair(index_of(r), x, found_others), SD_INDEX_MAX);
    rig_close(r);
}

static void who_is_gone_is_found_no_more(void **state)
{
    (void)state;
    const struct sd_exchange *found_others[SD_INDEX_MAX];
    struct rig *r = rig_open(&(struct sd_tracker_config){.max_flows = 2});
    for (uint16_t i = 0; i < 50; i++) {
        r->client = host(1, (uint16_t)(10000 + i));
        send_client_hello(r, 0, (uint8_t)(i / 2 + 1), NULL);
    }
    const struct sd_exchange *x = r->t->first->x;
    assert_int_equal(sd_index_same_server(index_of(r), x, found_others), 1);
    assert_int_equal(sd_index_same_random(index_of(r), x, found_others), 1);
    assert_int_equal(r->t->index.groups[SD_BY_RANDOM].count, 1);
    assert_int_equal(r->t->index.groups[SD_BY_SERVER].count, 1);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_found_by_random_server_and_client),
        cmocka_unit_test(a_question_looks_at_no_more_than_its_bound),
        cmocka_unit_test(who_is_gone_is_found_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
