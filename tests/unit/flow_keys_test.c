/* SPDX-License-Identifier: MIT */
/* lib/flow/keys: what a pre-shared key needs, and what it proves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow_tools.h"

enum { PART_MAX = 256, SEAL = 0x5a };

/* What the tracker asked for, and how it is answered. */
struct vault {
    unsigned begun;
    bool opens;    /* what begins with SEAL */
    bool refuses;  /* there are no keys */
    bool expected; /* extended master secret in the last question */
    size_t count;
    struct sd_transcript_part parts[SD_TRANSCRIPT_MAX];
    uint8_t bodies[SD_TRANSCRIPT_MAX][PART_MAX];
    uint8_t told[8]; /* types of messages */
    size_t told_count;
};

static struct vault vault;

static void *vault_begin(void *arg, const struct sd_unprotect_params *p)
{
    vault.begun++;
    vault.expected = p->extended_master_secret;
    vault.count = p->transcript_count;
    for (size_t i = 0; i < p->transcript_count; i++) {
        vault.parts[i] = p->transcript[i];
        assert_true(p->transcript[i].body.len <= PART_MAX);
        if (p->transcript[i].body.len)
            memcpy(vault.bodies[i], p->transcript[i].body.p, p->transcript[i].body.len);
    }
    return vault.refuses ? NULL : arg;
}

static bool vault_open(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                       struct sd_record *plain)
{
    (void)keys, (void)from_server;
    if (!vault.opens || rec->body.len < 2 || rec->body.p[0] != SEAL)
        return false;
    *plain = *rec;
    plain->unified = false;
    plain->type = SD_CT_HANDSHAKE;
    plain->version = SD_DTLS_1_2;
    plain->body = (struct sd_span){out, rec->body.len - 1};
    memcpy(out, rec->body.p + 1, rec->body.len - 1);
    return true;
}

static void vault_end(void *keys)
{
    assert_ptr_equal(keys, &vault);
}

static void vault_message(void *keys, bool from_server, uint8_t type, struct sd_span body)
{
    assert_ptr_equal(keys, &vault);
    (void)body;
    assert_true(from_server && vault.told_count < sizeof vault.told);
    vault.told[vault.told_count++] = type;
}

static bool vault_from_psk(const void *keys)
{
    return keys == &vault;
}

static const struct sd_unprotect with_psk = {
    .arg = &vault,
    .begin = vault_begin,
    .open = vault_open,
    .end = vault_end,
    .psk = true,
    .message = vault_message,
    .from_psk = vault_from_psk,
};

static struct rig *psk_rig(struct vault v)
{
    vault = v;
    return rig_open(&(struct sd_tracker_config){.unprotect = &with_psk});
}

static void send_psk_answer(struct rig *r, uint16_t message_seq, bool hint, bool done)
{
    static const uint8_t ems[] = {0, SD_EXT_EXTENDED_MASTER_SECRET, 0, 0};
    struct hello_body b =
        server_hello(&(struct hello_options){.random = 0x99, .extensions = {ems, sizeof ems}});
    struct gram *g = gram();
    put_message(g, 1, SD_HS_SERVER_HELLO, message_seq, b.bytes, b.len);
    if (hint)
        put_message(g, 2, SD_HS_SERVER_KEY_EXCHANGE, (uint16_t)(message_seq + 1), "\0\1h", 3);
    if (done)
        put_message(g, 3, SD_HS_SERVER_HELLO_DONE, (uint16_t)(message_seq + 1 + hint), "", 0);
    send_gram(r, SD_SERVER, g);
}

/* In one datagram, as most stacks send it. */
static void send_psk_finished(struct rig *r, uint64_t seq, uint16_t message_seq)
{
    static const uint8_t sealed[30] = {SEAL, SD_HS_FINISHED, 0, 0, 12, 0, 3, 0, 0, 0, 0, 0, 12};
    struct gram *g = gram();
    put_message(g, seq, SD_HS_CLIENT_KEY_EXCHANGE, message_seq, "\0\2me", 4);
    put_ccs(g, seq + 1);
    put_record(g, SD_CT_HANDSHAKE, 1, seq, sealed, 1 + SD_HANDSHAKE_HEADER_LEN + 12);
    send_gram(r, SD_CLIENT, g);
}

static void check_part(size_t i, uint8_t type, uint16_t message_seq, size_t len)
{
    assert_true(i < vault.count);
    assert_int_equal(vault.parts[i].type, type);
    assert_int_equal(vault.parts[i].message_seq, message_seq);
    assert_int_equal(vault.parts[i].body.len, len);
}

static void the_transcript_begins_with_the_hello_that_counts(void **state)
{
    (void)state;
    for (int hint = 0; hint < 2; hint++) {
        struct rig *r = psk_rig((struct vault){.opens = true});
        send_client_hello(r, 0, 0x11, NULL);
        struct gram *g = gram();
        put_hello_verify(g, 0, "cookie");
        send_gram(r, SD_SERVER, g);
        send_client_hello(r, 1, 0x11, "cookie");
        send_psk_answer(r, 1, hint, true);
        send_psk_finished(r, 2, 2);
        struct hello_body hello =
            client_hello(&(struct hello_options){.random = 0x11, .cookie = "cookie"});
        assert_int_equal(vault.begun, 1);
        assert_true(vault.expected);
        assert_int_equal(vault.count, hint ? 5 : 4);
        check_part(0, SD_HS_CLIENT_HELLO, 1, hello.len);
        assert_memory_equal(vault.bodies[0], hello.bytes, hello.len);
        check_part(1, SD_HS_SERVER_HELLO, 1, vault.parts[1].body.len);
        if (hint)
            check_part(2, SD_HS_SERVER_KEY_EXCHANGE, 2, 3);
        check_part(vault.count - 2, SD_HS_SERVER_HELLO_DONE, hint ? 3 : 2, 0);
        check_part(vault.count - 1, SD_HS_CLIENT_KEY_EXCHANGE, 2, 4);
        rig_close(r);
        assert_int_equal(r->report[0].x.key_proof[SD_CLIENT], SD_KEY_GIVEN);
        assert_int_equal(r->report[0].x.key_proof[SD_SERVER], SD_KEY_UNPROVEN);
    }
}

/* The hint is missing in the capture: its number is not. */
static void with_a_gap_there_is_no_transcript(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct rig *r = psk_rig((struct vault){.refuses = true});
        send_client_hello(r, 0, 0x11, NULL);
        send_psk_answer(r, 0, false, false);
        struct gram *g = gram();
        if (which)
            put_message(g, 3, SD_HS_SERVER_HELLO_DONE, 2, "", 0);
        else
            put_ccs(g, 3);
        send_gram(r, SD_SERVER, g);
        send_psk_finished(r, 2, 1);
        assert_int_equal(vault.begun, 1);
        assert_int_equal(vault.count, 0);
        rig_close(r);
        assert_int_equal(r->report[0].x.key_proof[SD_CLIENT], SD_KEY_UNPROVEN);
    }
}

static void what_is_missing_may_come_later(void **state)
{
    (void)state;
    struct rig *r = psk_rig((struct vault){.refuses = true});
    send_client_hello(r, 0, 0x11, NULL);
    send_psk_answer(r, 0, false, false);
    send_psk_finished(r, 2, 1);
    assert_int_equal(vault.count, 0);
    vault.refuses = false;
    struct gram *g = gram();
    put_message(g, 3, SD_HS_SERVER_HELLO_DONE, 1, "", 0);
    send_gram(r, SD_SERVER, g);
    after(r, 1000);
    send_psk_finished(r, 4, 1);
    assert_int_equal(vault.begun, 2);
    assert_int_equal(vault.count, 4);
    send_psk_finished(r, 6, 1);
    assert_int_equal(vault.begun, 2);
    rig_close(r);
}

static void a_finished_that_does_not_open_has_another_key(void **state)
{
    (void)state;
    struct rig *r = psk_rig((struct vault){.opens = false});
    send_client_hello(r, 0, 0x11, NULL);
    send_psk_answer(r, 0, false, true);
    send_psk_finished(r, 2, 1);
    struct gram *g = gram();
    put_sealed(g, SD_CT_APPDATA, 9, 40);
    send_gram(r, SD_SERVER, g); /* data proves nothing when it does not open */
    rig_close(r);
    assert_int_equal(r->report[0].x.key_proof[SD_CLIENT], SD_KEY_OTHER);
    assert_int_equal(r->report[0].x.key_proof[SD_SERVER], SD_KEY_UNPROVEN);
}

/* The first may have been damaged on its way. */
static void one_that_opens_outweighs_one_that_does_not(void **state)
{
    (void)state;
    struct rig *r = psk_rig((struct vault){.opens = false});
    send_client_hello(r, 0, 0x11, NULL);
    send_psk_answer(r, 0, false, true);
    send_psk_finished(r, 2, 1);
    vault.opens = true;
    after(r, 1000);
    send_psk_finished(r, 4, 1);
    rig_close(r);
    assert_int_equal(r->report[0].x.key_proof[SD_CLIENT], SD_KEY_GIVEN);
}

static struct hello_body hello13(bool retry)
{
    static const uint8_t version[] = {0, SD_EXT_SUPPORTED_VERSIONS, 0, 2, 0xfe, 0xfc};
    static const uint8_t magic[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                    0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                    0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct hello_body b = server_hello(
        &(struct hello_options){.random = 0x99, .extensions = {version, sizeof version}});
    if (retry)
        memcpy(b.bytes + 2, magic, sizeof magic);
    return b;
}

static void send_unified(struct rig *r, uint8_t type, uint16_t message_seq)
{
    uint8_t bytes[40] = {0x2e, 0, (uint8_t)message_seq, 0, 32, SEAL};
    bytes[6] = type;
    bytes[9] = 19;
    bytes[11] = (uint8_t)message_seq;
    bytes[17] = 19;
    struct gram *g = gram();
    sd_wr_bytes(&g->w, bytes, 5 + 32);
    send_gram(r, SD_SERVER, g);
}

static void dtls13_begins_before_the_retry(void **state)
{
    (void)state;
    struct rig *r = psk_rig((struct vault){.opens = true});
    struct hello_body retry = hello13(true), hello = hello13(false);
    struct hello_body first = client_hello(&(struct hello_options){.random = 0x11});
    send_client_hello(r, 0, 0x11, NULL);
    struct gram *g = gram();
    put_message(g, 0, SD_HS_SERVER_HELLO, 0, retry.bytes, retry.len);
    send_gram(r, SD_SERVER, g);
    send_client_hello(r, 1, 0x11, "another");
    g = gram();
    put_message(g, 1, SD_HS_SERVER_HELLO, 1, hello.bytes, hello.len);
    send_gram(r, SD_SERVER, g);
    send_unified(r, SD_HS_ENCRYPTED_EXTENSIONS, 2);
    send_unified(r, SD_HS_FINISHED, 3);
    assert_int_equal(vault.begun, 1);
    assert_int_equal(vault.count, 4);
    check_part(0, SD_HS_CLIENT_HELLO, 0, first.len);
    assert_memory_equal(vault.bodies[0], first.bytes, first.len);
    check_part(1, SD_HS_SERVER_HELLO, 0, retry.len);
    assert_true(vault.parts[2].body.len > first.len);
    check_part(3, SD_HS_SERVER_HELLO, 0, hello.len);
    assert_int_equal(vault.told_count, 2);
    assert_int_equal(vault.told[0], SD_HS_ENCRYPTED_EXTENSIONS);
    assert_int_equal(vault.told[1], SD_HS_FINISHED);
    rig_close(r);
    assert_int_equal(r->memory.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transcript_begins_with_the_hello_that_counts),
        cmocka_unit_test(with_a_gap_there_is_no_transcript),
        cmocka_unit_test(what_is_missing_may_come_later),
        cmocka_unit_test(a_finished_that_does_not_open_has_another_key),
        cmocka_unit_test(one_that_opens_outweighs_one_that_does_not),
        cmocka_unit_test(dtls13_begins_before_the_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
