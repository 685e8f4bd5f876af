/* SPDX-License-Identifier: MIT */
/* lib/flow/offer, and the rules of section C: what was offered, what was chosen, what was
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow/rules/hellos.h"
#include "rules_tools.h"
#include "wire/names.h"

/* --- a list of extensions --- */

struct extensions {
    uint8_t bytes[1024];
    struct sd_wr w;
};

static void no_extensions(struct extensions *e)
{
    e->w = sd_wr_init(e->bytes, sizeof e->bytes);
}

static void add_extension(struct extensions *e, uint16_t type, const void *body, size_t len)
{
    sd_wr_u16(&e->w, type);
    sd_wr_u16(&e->w, (uint16_t)len);
    sd_wr_bytes(&e->w, body, len);
}

static struct sd_span all_of(const struct extensions *e)
{
    return (struct sd_span){e->bytes, sd_wr_len(&e->w)};
}

/* An exchange of which only the hellos are known. */
static struct sd_exchange with_hello(struct hello_body *b)
{
    static _Alignas(struct sd_message) uint8_t room[sizeof(struct sd_message) + sizeof b->bytes];
    struct sd_message *m = (void *)room;
    m->length = (uint32_t)b->len;
    memcpy(m->body, b->bytes, b->len);
    return (struct sd_exchange){.kept[SD_KEPT_CLIENT_HELLO] = m};
}

/* --- offer --- */

static void an_offer_is_read_from_the_hello(void **state)
{
    (void)state;
    struct extensions e;
    struct sd_offer o;
    no_extensions(&e);
    add_extension(&e, SD_EXT_SUPPORTED_GROUPS, "\0\2\0\x1d", 4);
    add_extension(&e, SD_EXT_EXTENDED_MASTER_SECRET, "", 0);
    add_extension(&e, SD_EXT_SUPPORTED_VERSIONS, "\4\xfe\xfc\xfe\xfd", 5);
    struct hello_body b = client_hello(&(struct hello_options){.extensions = all_of(&e)});
    struct sd_exchange x = with_hello(&b);
    assert_true(sd_offer_read(&x, &o));
    assert_true(o.ems && o.reneg && o.v13);
    assert_false(o.compression);
}

static void nothing_is_offered_by_default(void **state)
{
    (void)state;
    static const uint8_t suite[] = {0xc0, 0x2b};
    struct sd_offer o;
    struct hello_body b = client_hello(&(struct hello_options){.suites = {suite, sizeof suite}});
    struct sd_exchange x = with_hello(&b);
    assert_true(sd_offer_read(&x, &o));
    assert_false(o.ems || o.reneg || o.v13 || o.compression);
}

static void renegotiation_is_signalled_in_two_ways(void **state)
{
    (void)state;
    static const uint8_t suite[] = {0xc0, 0x2b};
    struct extensions e;
    struct sd_offer o;
    no_extensions(&e);
    add_extension(&e, SD_EXT_RENEGOTIATION_INFO, "\0", 1);
    struct hello_body b = client_hello(
        &(struct hello_options){.suites = {suite, sizeof suite}, .extensions = all_of(&e)});
    struct sd_exchange x = with_hello(&b);
    assert_true(sd_offer_read(&x, &o) && o.reneg);
    b = client_hello(&(struct hello_options){0}); /* with the signal among the suites */
    x = with_hello(&b);
    assert_true(sd_offer_read(&x, &o) && o.reneg);
}

static void a_hello_that_is_not_whole_offers_nothing(void **state)
{
    (void)state;
    struct sd_offer o;
    struct hello_body b = client_hello(&(struct hello_options){0});
    size_t whole = b.len;
    for (b.len = 0; b.len < whole; b.len++) {
        struct sd_exchange x = with_hello(&b);
        assert_false(sd_offer_read(&x, &o));
    }
}

static void suites_are_counted_without_signals_and_grease(void **state)
{
    (void)state;
    static const uint8_t list[] = {
        0x0a, 0x0a,             /* GREASE */
        0xc0, 0x2b, 0xc0, 0x2f, /* ECDHE_ECDSA, ECDHE_RSA */
        0x00, 0xa8,             /* PSK */
        0x00, 0xff, 0x56, 0x00, /* signals */
        0x00,                   /* a byte too many */
    };
    struct sd_offer o = {.hello.suites = {list, sizeof list}};
    struct sd_suites n = sd_offer_suites(&o);
    assert_int_equal(n.all, 3);
    assert_int_equal(n.ecdsa, 1);
    assert_int_equal(n.rsa, 1);
    assert_int_equal(n.psk, 1);
}

static void a_list_of_names_is_cut_where_it_ends(void **state)
{
    (void)state;
    static const uint8_t two[] = {0xc0, 0x2b, 0x00, 0xff, 0xc0, 0x2f};
    static uint8_t many[400];
    char text[SD_LIST_TEXT];
    sd_offer_names((struct sd_span){two, sizeof two}, SD_NAME_SUITE, text);
    assert_string_equal(text,
                        "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    for (size_t len = 0; len <= sizeof many; len++) {
        for (size_t i = 0; i < len; i++)
            many[i] = (uint8_t)(i % 2 ? 0x2b + i % 4 : 0xc0);
        sd_offer_names((struct sd_span){many, len}, SD_NAME_SUITE, text);
        assert_true(strlen(text) < sizeof text);
        assert_true(len < 20 || strstr(text, ", ..."));
    }
}

static void a_text_from_the_network_is_printable(void **state)
{
    (void)state;
    char buf[8];
    assert_string_equal(sd_offer_text(literal("a\x1b[1\x7f\xfe"), buf, sizeof buf), "a.[1..");
    assert_string_equal(sd_offer_text(literal("longer than it"), buf, sizeof buf), "longer ");
    assert_string_equal(sd_offer_text((struct sd_span){0}, buf, sizeof buf), "");
}

/* --- section C --- */

static void send_hello_with(struct rig *r, const struct hello_options *o)
{
    struct hello_body b = client_hello(o);
    struct gram *g = gram();
    put_message(g, 0, SD_HS_CLIENT_HELLO, 0, b.bytes, b.len);
    send_gram(r, SD_CLIENT, g);
    after(r, 10);
}

static void send_alert(struct rig *r, enum sd_side from, uint64_t seq, uint8_t description)
{
    struct gram *g = gram();
    put_alert(g, seq, SD_ALERT_FATAL, description);
    send_gram(r, from, g);
    after(r, 10);
}

/* A hello that is refused with this alert. */
static const struct report *refused(const struct hello_options *o, uint8_t description)
{
    struct rig *r = rules_open(NULL);
    send_hello_with(r, o);
    send_alert(r, SD_SERVER, 0, description);
    rig_close(r);
    assert_int_equal(r->reports, 1);
    assert_int_equal(r->report[0].outcome, SD_FAILED);
    return &r->report[0];
}

static void a_refused_offer_is_listed(void **state)
{
    (void)state;
    const struct report *p =
        refused(&(struct hello_options){.random = 1}, SD_ALERT_HANDSHAKE_FAILURE);
    check_verdict(p, "no-common-offer", "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_int_equal(p->findings[0].confidence, SD_HIGH);
    assert_int_equal(p->findings[0].packet_count, 2);
}

static void a_warning_refuses_nothing(void **state)
{
    (void)state;
    struct rig *r = rules_open(NULL);
    struct gram *g;
    send_hello_with(r, &(struct hello_options){.random = 1});
    g = gram();
    put_alert(g, 0, SD_ALERT_WARNING, SD_ALERT_HANDSHAKE_FAILURE);
    send_gram(r, SD_SERVER, g);
    for (uint64_t i = 1; i < 6; i++, after(r, 1000))
        send_client_hello(r, i, 1, NULL);
    rig_close(r);
    assert_int_equal(r->report[0].outcome, SD_FAILED); /* of something else */
    assert_null(found(&r->report[0], "no-common-offer"));
}

static void what_only_one_kind_of_server_can_take_is_said(void **state)
{
    (void)state;
    static const uint8_t psk[] = {0x00, 0xa8}, rsa[] = {0xc0, 0x2f};
    check_verdict(refused(&(struct hello_options){.random = 1, .suites = {psk, 2}},
                          SD_ALERT_HANDSHAKE_FAILURE),
                  "no-common-offer", "only PSK");
    check_verdict(refused(&(struct hello_options){.random = 1, .suites = {rsa, 2}},
                          SD_ALERT_HANDSHAKE_FAILURE),
                  "no-common-offer", "RSA certificates");
}

static void a_version_that_is_too_old_is_named(void **state)
{
    (void)state;
    const struct report *p = refused(&(struct hello_options){.random = 1, .version = SD_DTLS_1_0},
                                     SD_ALERT_PROTOCOL_VERSION);
    check_verdict(p, "version-mismatch", "DTLS 1.0");
}

static void a_host_name_the_server_does_not_know_is_named(void **state)
{
    (void)state;
    struct extensions e;
    no_extensions(&e);
    add_extension(&e, SD_EXT_SERVER_NAME, "\0\10\0\0\5a.b\x1b!", 10);
    const struct report *p = refused(&(struct hello_options){.random = 1, .extensions = all_of(&e)},
                                     SD_ALERT_UNRECOGNIZED_NAME);
    check_verdict(p, "sni-unrecognized", "\"a.b.!\"");
}

static void application_protocols_are_listed(void **state)
{
    (void)state;
    struct extensions e;
    no_extensions(&e);
    add_extension(&e, SD_EXT_ALPN, "\0\x0e\6webrtc\6c-webr", 16);
    const struct report *p = refused(&(struct hello_options){.random = 1, .extensions = all_of(&e)},
                                     SD_ALERT_NO_APPLICATION_PROTOCOL);
    check_verdict(p, "alpn-mismatch", "\"webrtc, c-webr\"");
}

static void an_extension_that_nobody_asked_for_is_named(void **state)
{
    (void)state;
    struct extensions e;
    struct rig *r = rules_open(NULL);
    struct gram *g;
    no_extensions(&e);
    add_extension(&e, SD_EXT_RENEGOTIATION_INFO, "\0", 1);
    add_extension(&e, SD_EXT_HEARTBEAT, "\1", 1);
    struct hello_body sh =
        server_hello(&(struct hello_options){.random = 9, .extensions = all_of(&e)});
    send_hello_with(r, &(struct hello_options){.random = 1});
    g = gram();
    put_message(g, 0, SD_HS_SERVER_HELLO, 0, sh.bytes, sh.len);
    send_gram(r, SD_SERVER, g);
    send_alert(r, SD_CLIENT, 1, SD_ALERT_UNSUPPORTED_EXTENSION);
    rig_close(r);
    check_verdict(&r->report[0], "bad-extension", "heartbeat (15)");
}

static void an_empty_client_certificate_is_what_was_refused(void **state)
{
    (void)state;
    for (uint32_t len = 0; len <= 500; len += 500) {
        uint8_t chain[600];
        struct rig *r = rules_open(NULL);
        struct gram *g;
        send_client_hello(r, 0, 1, NULL);
        send_server_flight(r, 0, 0, 9);
        g = gram();
        size_t n = certificate(chain, sizeof chain, &len, len ? 1 : 0);
        put_message(g, 1, SD_HS_CERTIFICATE, 1, chain, n);
        send_gram(r, SD_CLIENT, g);
        send_alert(r, SD_SERVER, 4, SD_ALERT_HANDSHAKE_FAILURE);
        rig_close(r);
        assert_int_equal(found(&r->report[0], "client-certificate-required") != NULL, !len);
    }
}

/* Offer of two profiles; the server answers with `profile`, 0 = not at all. */
static const struct report *media(uint16_t profile)
{
    struct extensions e;
    struct rig *r = rules_open(NULL);
    struct gram *g;
    uint8_t answer[] = {0, 2, (uint8_t)(profile >> 8), (uint8_t)profile, 0};
    no_extensions(&e);
    add_extension(&e, SD_EXT_USE_SRTP, "\0\4\0\7\0\1", 7);
    send_hello_with(r, &(struct hello_options){.random = 1, .extensions = all_of(&e)});
    no_extensions(&e);
    if (profile)
        add_extension(&e, SD_EXT_USE_SRTP, answer, sizeof answer);
    struct hello_body sh =
        server_hello(&(struct hello_options){.random = 9, .extensions = all_of(&e)});
    g = gram();
    put_message(g, 0, SD_HS_SERVER_HELLO, 0, sh.bytes, sh.len);
    put_message(g, 1, SD_HS_SERVER_HELLO_DONE, 1, "", 0);
    send_gram(r, SD_SERVER, g);
    send_client_flight(r, 1, 1);
    send_server_end(r, 2);
    rig_close(r);
    assert_int_equal(r->report[0].outcome, SD_OK);
    return &r->report[0];
}

static void media_needs_a_profile_that_was_offered(void **state)
{
    (void)state;
    assert_null(found(media(0x0001), "srtp-mismatch"));
    assert_null(found(media(0x0007), "srtp-mismatch"));
    assert_non_null(found(media(0x0008), "srtp-mismatch"));
    assert_non_null(found(media(0), "srtp-mismatch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_read_from_the_hello),
        cmocka_unit_test(nothing_is_offered_by_default),
        cmocka_unit_test(renegotiation_is_signalled_in_two_ways),
        cmocka_unit_test(a_hello_that_is_not_whole_offers_nothing),
        cmocka_unit_test(suites_are_counted_without_signals_and_grease),
        cmocka_unit_test(a_list_of_names_is_cut_where_it_ends),
        cmocka_unit_test(a_text_from_the_network_is_printable),
        cmocka_unit_test(a_refused_offer_is_listed),
        cmocka_unit_test(a_warning_refuses_nothing),
        cmocka_unit_test(what_only_one_kind_of_server_can_take_is_said),
        cmocka_unit_test(a_version_that_is_too_old_is_named),
        cmocka_unit_test(a_host_name_the_server_does_not_know_is_named),
        cmocka_unit_test(application_protocols_are_listed),
        cmocka_unit_test(an_extension_that_nobody_asked_for_is_named),
        cmocka_unit_test(an_empty_client_certificate_is_what_was_refused),
        cmocka_unit_test(media_needs_a_profile_that_was_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
