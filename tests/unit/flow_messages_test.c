/* SPDX-License-Identifier: MIT */
/* lib/flow/messages: who asks for whole messages gets each of them once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow_tools.h"

enum { WHOLES_MAX = 64, TICKET = 300 };

struct whole {
    uint8_t type;
    bool server;
    size_t length;
    uint32_t number; /* frame */
    uint8_t first, last;
};

static struct whole wholes[WHOLES_MAX];
static size_t whole_count;

static void keep_whole(void *arg, const struct sd_exchange *x, const struct sd_event *last,
                       struct sd_span body)
{
    (void)arg;
    assert_non_null(x);
    assert_true(whole_count < WHOLES_MAX);
    assert_int_equal(body.len, last->length);
    wholes[whole_count++] = (struct whole){
        last->message, last->flags & SD_EVF_SERVER, body.len,
        last->number,  body.len ? body.p[0] : 0,    body.len ? body.p[body.len - 1] : 0};
}

static struct rig *asking_rig(void)
{
    whole_count = 0;
    return rig_open(&(struct sd_tracker_config){.message = keep_whole});
}

static size_t count_of(uint8_t type)
{
    size_t n = 0;
    for (size_t i = 0; i < whole_count; i++)
        n += wholes[i].type == type;
    return n;
}

static void each_message_comes_with_its_packet(void **state)
{
    (void)state;
    static const uint8_t types[] = {SD_HS_CLIENT_HELLO,      SD_HS_HELLO_VERIFY_REQUEST,
                                    SD_HS_CLIENT_HELLO,      SD_HS_SERVER_HELLO,
                                    SD_HS_CERTIFICATE,       SD_HS_SERVER_KEY_EXCHANGE,
                                    SD_HS_SERVER_HELLO_DONE, SD_HS_CLIENT_KEY_EXCHANGE};
    struct rig *r = asking_rig();
    full_handshake(r, 0x11);
    rig_close(r);
    assert_int_equal(whole_count, sizeof types);
    for (size_t i = 0; i < sizeof types; i++) {
        assert_int_equal(wholes[i].type, types[i]);
        assert_int_equal(wholes[i].server, i == 1 || (i >= 3 && i <= 6));
    }
    assert_int_equal(wholes[3].number, wholes[6].number);
}

static void send_ticket_piece(struct rig *r, uint64_t seq, uint32_t off, uint32_t len)
{
    uint8_t ticket[TICKET];
    for (size_t i = 0; i < TICKET; i++)
        ticket[i] = (uint8_t)i;
    struct gram *g = gram();
    put_fragment(g, seq, SD_HS_NEW_SESSION_TICKET, 5, (struct sd_span){ticket, TICKET}, off, len);
    send_gram(r, SD_SERVER, g);
}

/* A ticket is nothing that the tracker keeps for itself. */
static void pieces_are_joined_in_any_order(void **state)
{
    (void)state;
    struct rig *r = asking_rig();
    send_client_hello(r, 0, 0x11, NULL);
    send_server_flight(r, 0, 0, 0x99);
    send_ticket_piece(r, 10, 200, 100);
    send_ticket_piece(r, 11, 0, 120);
    assert_int_equal(count_of(SD_HS_NEW_SESSION_TICKET), 0);
    send_ticket_piece(r, 12, 100, 100);
    assert_int_equal(count_of(SD_HS_NEW_SESSION_TICKET), 1);
    const struct whole *w = &wholes[whole_count - 1];
    assert_int_equal(w->length, TICKET);
    assert_int_equal(w->first, 0);
    assert_int_equal(w->last, (TICKET - 1) & 0xff);
    rig_close(r);
    assert_int_equal(r->memory.blocks, 0);
}

static void what_is_sent_again_does_not_come_again(void **state)
{
    (void)state;
    struct rig *r = asking_rig();
    send_client_hello(r, 0, 0x11, NULL);
    after(r, 1000);
    send_client_hello(r, 1, 0x11, NULL);
    assert_int_equal(whole_count, 1);
    send_ticket_piece(r, 10, 0, 200);
    send_ticket_piece(r, 11, 200, 100);
    after(r, 1000);
    send_ticket_piece(r, 12, 0, 150);
    send_ticket_piece(r, 13, 150, 150);
    after(r, 1000);
    send_ticket_piece(r, 14, 0, TICKET);
    assert_int_equal(count_of(SD_HS_NEW_SESSION_TICKET), 1);
    rig_close(r);
}

/* The first time only a piece of it arrived. */
static void a_retransmission_may_be_the_first_that_is_whole(void **state)
{
    (void)state;
    struct rig *r = asking_rig();
    send_client_hello(r, 0, 0x11, NULL);
    send_ticket_piece(r, 11, 200, 100);
    after(r, 1000);
    send_ticket_piece(r, 12, 0, TICKET);
    assert_int_equal(count_of(SD_HS_NEW_SESSION_TICKET), 1);
    rig_close(r);
}

/* With the number of the first, as old stacks have it. */
static void a_hello_with_other_bytes_comes_again(void **state)
{
    (void)state;
    struct rig *r = asking_rig();
    struct gram *g = gram();
    put_client_hello(g, 0, 0, 0x11, "one cookie");
    send_gram(r, SD_CLIENT, g);
    after(r, 1000);
    g = gram();
    put_client_hello(g, 1, 0, 0x11, "a new one.");
    send_gram(r, SD_CLIENT, g);
    assert_int_equal(count_of(SD_HS_CLIENT_HELLO), 2);
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_comes_with_its_packet),
        cmocka_unit_test(pieces_are_joined_in_any_order),
        cmocka_unit_test(what_is_sent_again_does_not_come_again),
        cmocka_unit_test(a_retransmission_may_be_the_first_that_is_whole),
        cmocka_unit_test(a_hello_with_other_bytes_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
