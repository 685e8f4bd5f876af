/* SPDX-License-Identifier: MIT */
/* wrong-psk, where a pre-shared key was given: what it proves of each side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules_tools.h"

enum { PLAIN_PSK = 0x00a8, SUITE_AT = 2 + 32 + 1 };

/* Whether the given key is that of the client, of the server. */
struct given {
    bool of[SD_SIDES];
};

static void *given_begin(void *arg, const struct sd_unprotect_params *p)
{
    (void)p;
    return arg;
}

/* Nothing was encrypted. */
static bool given_open(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                       struct sd_record *plain)
{
    const struct given *g = keys;
    if (!g->of[from_server])
        return false;
    *plain = *rec;
    memcpy(out, rec->body.p, rec->body.len);
    plain->body.p = out;
    return true;
}

static void given_end(void *keys)
{
    (void)keys;
}

static bool given_from_psk(const void *keys)
{
    return keys != NULL;
}

static void put_psk_finished(struct gram *g)
{
    static const uint8_t finished[24] = {SD_HS_FINISHED, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 12};
    put_record(g, SD_CT_HANDSHAKE, 1, 0, finished, sizeof finished);
}

/* Up to the client's Finished, without a cookie. */
static struct rig *begun(struct given *g)
{
    static struct sd_unprotect u;
    u = (struct sd_unprotect){.arg = g,
                              .begin = given_begin,
                              .open = given_open,
                              .end = given_end,
                              .psk = true,
                              .from_psk = given_from_psk};
    struct rig *r = rules_open(&(struct sd_tracker_config){.unprotect = &u});
    struct hello_body b = server_hello(&(struct hello_options){.random = 0x99});
    b.bytes[SUITE_AT] = PLAIN_PSK >> 8;
    b.bytes[SUITE_AT + 1] = PLAIN_PSK & 0xff;
    send_client_hello(r, 0, 0x11, NULL);
    struct gram *m = gram();
    put_message(m, 0, SD_HS_SERVER_HELLO, 0, b.bytes, b.len);
    put_message(m, 1, SD_HS_SERVER_HELLO_DONE, 1, "", 0);
    send_gram(r, SD_SERVER, m);
    m = gram();
    put_message(m, 1, SD_HS_CLIENT_KEY_EXCHANGE, 1, "\0\2me", 4);
    put_ccs(m, 2);
    put_psk_finished(m);
    send_gram(r, SD_CLIENT, m);
    return r;
}

static void send_refusal(struct rig *r, uint16_t epoch)
{
    static const uint8_t refusal[] = {2, SD_ALERT_BAD_RECORD_MAC};
    struct gram *g = gram();
    put_record(g, SD_CT_ALERT, epoch, epoch ? 0 : 2, refusal, sizeof refusal);
    send_gram(r, SD_SERVER, g);
}

static const struct sd_finding *verdict(struct rig *r)
{
    rig_close(r);
    return found(&r->report[0], "wrong-psk");
}

static void a_client_with_another_key_is_named(void **state)
{
    (void)state;
    struct given g = {{false, false}};
    struct rig *r = begun(&g);
    send_refusal(r, 0);
    const struct sd_finding *f = verdict(r);
    check_said(f, "wrong-psk", "The client made its Finished with another key than the one given");
    check_said(f, "wrong-psk", "the PSK identity \"me\"");
    assert_int_equal(f->confidence, SD_HIGH);
}

static void a_server_that_refuses_the_given_key_is_named(void **state)
{
    (void)state;
    struct given g = {{true, false}};
    struct rig *r = begun(&g);
    send_refusal(r, 0);
    const struct sd_finding *f = verdict(r);
    check_said(f, "wrong-psk", "with the given key, but the server refused it");
    assert_int_equal(f->confidence, SD_HIGH);
}

/* What it encrypted with the given key shows that it has it, whatever it does not like. */
static void a_server_with_the_given_key_is_not_suspected(void **state)
{
    (void)state;
    struct given g = {{true, true}};
    struct rig *r = begun(&g);
    send_refusal(r, 1);
    assert_null(verdict(r));
    assert_int_equal(r->report[0].outcome, SD_FAILED);
    assert_int_equal(r->report[0].x.key_proof[SD_SERVER], SD_KEY_GIVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_with_another_key_is_named),
        cmocka_unit_test(a_server_that_refuses_the_given_key_is_named),
        cmocka_unit_test(a_server_with_the_given_key_is_not_suspected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
