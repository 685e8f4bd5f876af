/* SPDX-License-Identifier: MIT */
/* The rules of section D, with certificates that are no X.509: what the reader says of
 * them is what a test sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/table.h"
#include "flow_fakes.h"
#include "rules_tools.h"

enum { DAY = 86400, LEAF = 1, ISSUER, ROOT };

/* Of the leaf, its issuer and a root, all of them good when a handshake begins. */
static struct fake_certs good_chain(void)
{
    struct fake_certs all = {.issuer = {[LEAF] = ISSUER, [ISSUER] = ROOT, [ROOT] = ROOT}};
    all.cert[LEAF] = fake_cert("host.example");
    all.cert[ISSUER] = fake_cert("Issuing");
    all.cert[ROOT] = fake_cert("Root");
    return all;
}

/* A Certificate message: each entry is filled with the number of its certificate. */
static size_t chain_of(uint8_t *body, size_t room, const uint8_t *ids, size_t count, size_t len)
{
    struct sd_wr w = sd_wr_init(body, room);
    size_t list = sd_wr_open(&w, 3);
    for (size_t i = 0; i < count; i++) {
        size_t entry = sd_wr_open(&w, 3);
        for (size_t n = 0; n < len; n++)
            sd_wr_u8(&w, ids[i]);
        sd_wr_close(&w, entry, 3);
    }
    sd_wr_close(&w, list, 3);
    assert_true(sd_wr_len(&w) > 0);
    return sd_wr_len(&w);
}

static void send_hello_for(struct rig *r, const char *host)
{
    uint8_t bytes[128];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    size_t len = host ? strlen(host) : 0;
    sd_wr_u16(&w, SD_EXT_SERVER_NAME);
    sd_wr_u16(&w, (uint16_t)(len + 5));
    sd_wr_u16(&w, (uint16_t)(len + 3));
    sd_wr_u8(&w, 0);
    sd_wr_u16(&w, (uint16_t)len);
    sd_wr_bytes(&w, host, len);
    struct hello_options o = {.random = 1, .extensions = {bytes, host ? sd_wr_len(&w) : 0}};
    struct hello_body b = client_hello(&o);
    struct gram *g = gram();
    put_message(g, 0, SD_HS_CLIENT_HELLO, 0, b.bytes, b.len);
    send_gram(r, SD_CLIENT, g);
    after(r, 10);
}

struct shown {
    const uint8_t *ids;
    size_t count, len;
    const char *host;
    uint8_t alert; /* 0 = the client goes on */
};

/* The server shows a chain, the client complains. */
static const struct report *show(struct fake_certs *all, const struct shown *s)
{
    static uint8_t body[32768];
    struct sd_cert_reader reader = fake_reader(all);
    struct rig *r = rules_open(&(struct sd_tracker_config){.certs = &reader});
    struct gram *g;
    size_t len = chain_of(body, sizeof body, s->ids, s->count, s->len);
    send_hello_for(r, s->host);
    g = gram();
    put_server_hello(g, 0, 0, 9);
    put_message(g, 1, SD_HS_CERTIFICATE, 1, body, len);
    put_message(g, 2, SD_HS_SERVER_HELLO_DONE, 2, "", 0);
    send_gram(r, SD_SERVER, g);
    after(r, 10);
    if (s->alert) {
        g = gram();
        put_alert(g, 1, SD_ALERT_FATAL, s->alert);
        send_gram(r, SD_CLIENT, g);
    } else {
        send_client_flight(r, 1, 1);
        send_server_end(r, 3);
    }
    rig_close(r);
    assert_int_equal(r->report[0].outcome, s->alert ? SD_FAILED : SD_OK);
    return &r->report[0];
}

static const uint8_t leaf_only[] = {LEAF};
static const uint8_t whole_chain[] = {LEAF, ISSUER};

static const struct report *complain(struct fake_certs *all, uint8_t alert)
{
    return show(all, &(struct shown){leaf_only, 1, 300, "host.example", alert});
}

static void an_expired_certificate_is_found_by_its_date(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    all.cert[LEAF].not_after = EPOCH_2024 - 3 * DAY;
    check_verdict(complain(&all, SD_ALERT_CERTIFICATE_EXPIRED), "certificate-expired", "3 days");
    /* Some stacks say another thing; the date does not. */
    check_verdict(complain(&all, SD_ALERT_BAD_CERTIFICATE), "certificate-expired", "3 days");
}

static void an_expired_certificate_that_nobody_minds_is_no_failure(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    all.cert[LEAF].not_after = EPOCH_2024 - 3 * DAY;
    assert_null(found(complain(&all, 0), "certificate-expired"));
}

static void an_alert_that_says_expired_is_believed_less_than_the_date(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    const struct report *p = complain(&all, SD_ALERT_CERTIFICATE_EXPIRED);
    check_verdict(p, "certificate-expired", "verifier's clock");
    assert_int_equal(p->findings[0].confidence, SD_MEDIUM);
}

static void a_certificate_of_tomorrow_is_not_yet_valid(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    all.cert[LEAF].not_before = EPOCH_2024 + DAY + DAY / 2;
    check_verdict(complain(&all, SD_ALERT_BAD_CERTIFICATE), "certificate-not-yet-valid",
                  "1.5 days");
    all.cert[LEAF].not_before = EPOCH_2024;
    assert_null(found(complain(&all, SD_ALERT_BAD_CERTIFICATE), "certificate-not-yet-valid"));
}

static void a_certificate_for_another_name_is_told(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    struct shown s = {leaf_only, 1, 300, "other.example", SD_ALERT_BAD_CERTIFICATE};
    const struct report *p = show(&all, &s);
    check_verdict(p, "hostname-mismatch", "asked for \"other.example\"");
    assert_int_equal(p->findings[0].confidence, SD_HIGH);
    s.host = "host.example";
    assert_null(found(show(&all, &s), "hostname-mismatch"));
}

static void an_issuer_that_is_not_known_is_named(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    check_verdict(complain(&all, SD_ALERT_UNKNOWN_CA), "unknown-ca", "issuer of host.example");
    all.cert[LEAF].self_signed = true;
    check_verdict(complain(&all, SD_ALERT_UNKNOWN_CA), "unknown-ca", "self-signed");
}

static void without_a_reader_the_alert_still_says_unknown_ca(void **state)
{
    (void)state;
    struct fake_certs none = {0};
    check_verdict(complain(&none, SD_ALERT_UNKNOWN_CA), "unknown-ca", "not captured");
}

static void a_weak_key_is_what_was_refused(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    all.cert[LEAF].key_bits = 1024;
    all.cert[LEAF].security_bits = 80;
    check_verdict(complain(&all, SD_ALERT_BAD_CERTIFICATE), "weak-key", "1024 bits");
    all.cert[LEAF].security_bits = 112;
    assert_null(found(complain(&all, SD_ALERT_BAD_CERTIFICATE), "weak-key"));
    all.cert[LEAF].weak_digest = true;
    assert_non_null(found(complain(&all, SD_ALERT_BAD_CERTIFICATE), "weak-key"));
    all.cert[LEAF].self_signed = true; /* nobody looks at that signature */
    assert_null(found(complain(&all, SD_ALERT_BAD_CERTIFICATE), "weak-key"));
}

static void a_good_chain_is_not_mentioned(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    struct shown s = {whole_chain, 2, 300, "host.example", 0};
    assert_null(found(show(&all, &s), "chain-problem"));
}

static void a_chain_in_another_order_is_broken(void **state)
{
    (void)state;
    static const uint8_t ids[] = {LEAF, ROOT, ISSUER};
    struct fake_certs all = good_chain();
    struct shown s = {ids, 3, 300, "host.example", 0};
    check_said(found(show(&all, &s), "chain-problem"), "chain-problem", "not signed by the next");
}

static void a_certificate_that_comes_twice_is_told(void **state)
{
    (void)state;
    static const uint8_t ids[] = {LEAF, LEAF, ISSUER};
    struct fake_certs all = good_chain();
    struct shown s = {ids, 3, 300, "host.example", 0};
    check_said(found(show(&all, &s), "chain-problem"), "chain-problem", "twice");
}

static void a_long_chain_is_told(void **state)
{
    (void)state;
    struct fake_certs all = good_chain();
    struct shown s = {whole_chain, 2, 2043, "host.example", 0};
    assert_null(found(show(&all, &s), "chain-problem")); /* 4095 bytes with the lengths */
    s.len = 2044;
    assert_non_null(found(show(&all, &s), "chain-problem"));
}

static void bytes_that_are_no_certificate_are_left_alone(void **state)
{
    (void)state;
    static const uint8_t ids[] = {0xff};
    struct fake_certs all = good_chain();
    struct shown s = {ids, 1, 300, "host.example", SD_ALERT_BAD_CERTIFICATE};
    const struct report *p = show(&all, &s);
    assert_null(found(p, "certificate-expired"));
    assert_null(found(p, "weak-key"));
    s.count = 0; /* an empty list */
    show(&all, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expired_certificate_is_found_by_its_date),
        cmocka_unit_test(an_expired_certificate_that_nobody_minds_is_no_failure),
        cmocka_unit_test(an_alert_that_says_expired_is_believed_less_than_the_date),
        cmocka_unit_test(a_certificate_of_tomorrow_is_not_yet_valid),
        cmocka_unit_test(a_certificate_for_another_name_is_told),
        cmocka_unit_test(an_issuer_that_is_not_known_is_named),
        cmocka_unit_test(without_a_reader_the_alert_still_says_unknown_ca),
        cmocka_unit_test(a_weak_key_is_what_was_refused),
        cmocka_unit_test(a_good_chain_is_not_mentioned),
        cmocka_unit_test(a_chain_in_another_order_is_broken),
        cmocka_unit_test(a_certificate_that_comes_twice_is_told),
        cmocka_unit_test(a_long_chain_is_told),
        cmocka_unit_test(bytes_that_are_no_certificate_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
