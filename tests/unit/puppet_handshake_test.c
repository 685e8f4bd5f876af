/* SPDX-License-Identifier: MIT */
#include "puppet_server.h"

#include "wire/names.h"

struct kind {
    uint16_t suite;
    const char *openssl;
};

static const struct kind kinds[] = {
    {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {0xc030, "ECDHE-RSA-AES256-GCM-SHA384"},
    {0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {0xc0ac, "ECDHE-ECDSA-AES128-CCM"},
    {0xc0ae, "ECDHE-ECDSA-AES128-CCM8"},
    {0xc009, "ECDHE-ECDSA-AES128-SHA"},
    {0xc024, "ECDHE-ECDSA-AES256-SHA384"},
    {0x009e, "DHE-RSA-AES128-GCM-SHA256"},
    {0x0039, "DHE-RSA-AES256-SHA"},
    {0x009c, "AES128-GCM-SHA256"},
    {0x002f, "AES128-SHA"},
    {0x003d, "AES256-SHA256"},
    {0x00a8, "PSK-AES128-GCM-SHA256"},
    {0xc0a8, "PSK-AES128-CCM8"},
    {0x00ae, "PSK-AES128-CBC-SHA256"},
    {0xc037, "ECDHE-PSK-AES128-CBC-SHA256"},
    {0xccac, "ECDHE-PSK-CHACHA20-POLY1305"},
    {0x00aa, "DHE-PSK-AES128-GCM-SHA256"},
    {0x00ac, "RSA-PSK-AES128-GCM-SHA256"},
    {0xc018, "AECDH-AES128-SHA"},
    {0x00a6, "ADH-AES128-GCM-SHA256"},
    {0xc006, "ECDHE-ECDSA-NULL-SHA"},
};

static void connect_with(const struct kind *k, int version, size_t extensions,
                         bool (*lost)(struct server *, int, size_t))
{
    const uint8_t suite[2] = {(uint8_t)(k->suite >> 8), (uint8_t)k->suite};
    struct server *s = server_new(k->openssl, version);
    struct puppet_config c = usual_config(s, suite);
    c.offer.extensions.len = extensions;
    c.offer.version = version == DTLS1_VERSION ? SD_DTLS_1_0 : SD_DTLS_1_2;
    s->lost = lost;
    begin(s, &c);
    shake(s);
    s->lost = NULL;
    assert_connected(s);
    assert_int_equal(s->puppet.suite, k->suite);
    assert_int_equal(s->puppet.cookies, 1);
    assert_true(s->puppet.extended_master);
    assert_echo(s);
    puppet_leave(&s->puppet);
    settle(s);
    assert_int_equal(SSL_get_shutdown(s->ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    server_free(s);
}

static void shakes_hands_in_every_suite(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        connect_with(&kinds[i], DTLS1_2_VERSION, WITHOUT_TICKET, NULL);
}

static void works_without_encrypt_then_mac(void **state)
{
    (void)state;
    const struct kind cbc[] = {{0xc009, "ECDHE-ECDSA-AES128-SHA"}, {0x003d, "AES256-SHA256"}};
    for (size_t i = 0; i < 2; i++)
        connect_with(&cbc[i], DTLS1_2_VERSION, WITHOUT_ETM, NULL);
}

static void speaks_dtls_1_0(void **state)
{
    (void)state;
    const struct kind old[] = {
        {0xc009, "ECDHE-ECDSA-AES128-SHA"}, {0xc014, "ECDHE-RSA-AES256-SHA"},
        {0x0033, "DHE-RSA-AES128-SHA"},     {0x002f, "AES128-SHA"},
        {0x008c, "PSK-AES128-CBC-SHA"},     {0x0090, "DHE-PSK-AES128-CBC-SHA"}};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        connect_with(&old[i], DTLS1_VERSION, WITHOUT_TICKET, NULL);
}

static void takes_every_group(void **state)
{
    (void)state;
    const uint8_t suite[2] = {0xc0, 0x2f};
    const uint8_t groups[] = {29, 23, 24, 25, 30};
    for (size_t i = 0; i < sizeof groups; i++) {
        uint8_t ext[sizeof usual_extensions];
        struct server *s = server_new("ECDHE-RSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
        assert_true(SSL_CTX_set1_groups_list(s->ctx, "X25519:P-256:P-384:P-521:X448"));
        struct puppet_config c = usual_config(s, suite);
        memcpy(ext, usual_extensions, sizeof ext);
        for (size_t j = 0; j < 4; j++) /* the same one four times */
            ext[7 + 2 * j] = groups[i];
        c.offer.extensions.p = ext;
        begin(s, &c);
        shake(s);
        assert_connected(s);
        assert_int_equal(s->puppet.group, groups[i]);
        assert_echo(s);
        server_free(s);
    }
}

static void has_no_certificate_to_show(void **state)
{
    (void)state;
    const uint8_t suite[2] = {0xc0, 0x2b};
    struct server *s = server_new("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
    struct puppet_config c = usual_config(s, suite);
    begin(s, &c);
    shake(s);
    assert_connected(s);
    assert_true(s->puppet.certificate_wanted);
    assert_echo(s);
    server_free(s);
}

/* --- resumption --- */

static void resumes(bool ticket)
{
    const uint8_t suite[2] = {0xc0, 0x2b};
    struct server *s = server_new("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
    struct puppet_config c = usual_config(s, suite);
    static struct puppet_session session;
    if (ticket)
        c.offer.extensions.len = sizeof usual_extensions;
    begin(s, &c);
    shake(s);
    assert_connected(s);
    assert_false(s->puppet.resumed);
    session = s->puppet.session;
    assert_int_equal(session.ticket_len != 0, ticket);
    if (ticket) /* a client makes up an id, to see whether the server takes the ticket */
        memset(session.id, 0x11, session.id_len = SD_SESSION_ID_MAX);
    puppet_leave(&s->puppet);
    settle(s);
    SSL_shutdown(s->ssl);
    puppet_fini(&s->puppet);
    c.offer.resume = &session;
    c.offer.extensions.len = WITHOUT_TICKET;
    begin(s, &c);
    shake(s);
    assert_connected(s);
    assert_true(s->puppet.resumed);
    assert_true(SSL_session_reused(s->ssl));
    assert_echo(s);
    server_free(s);
}

static void resumes_by_id_and_by_ticket(void **state)
{
    (void)state;
    resumes(false);
    resumes(true);
}

/* --- loss --- */

static size_t lost_one;

static bool lose_one(struct server *s, int way, size_t n)
{
    return (size_t)way == lost_one % 2 && n == lost_one / 2 && s->arg++ < 1;
}

static bool lose_every_third(struct server *s, int way, size_t n)
{
    (void)way, (void)n;
    return s->arg++ % 3 == 2;
}

static void loss_costs_time_only(void **state)
{
    (void)state;
    const struct kind k = {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256"};
    for (lost_one = 0; lost_one < 10; lost_one++)
        if (lost_one != 1 || OPENSSL_VERSION_NUMBER >= 0x30000000L) /* 1.1.1 never repeats that */
            connect_with(&k, DTLS1_2_VERSION, WITHOUT_TICKET, lose_one);
    connect_with(&k, DTLS1_2_VERSION, WITHOUT_TICKET, lose_every_third);
}

static void gives_up_after_its_retransmissions(void **state)
{
    (void)state;
    const uint8_t suite[2] = {0xc0, 0x2b};
    struct server *s = server_new("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
    struct puppet_config c = usual_config(s, suite);
    c.retransmissions = 3;
    c.first_timeout = 100 * SD_MS;
    begin(s, &c);
    sd_time start = virtual_time;
    while (s->puppet.stage != PUPPET_ENDED) {
        virtual_time = s->puppet.deadline;
        puppet_timer(&s->puppet, virtual_time);
    }
    assert_int_equal(s->puppet.end, PUPPET_END_TIMEOUT);
    assert_int_equal(s->puppet.sent_datagrams, 4);
    assert_int_equal(virtual_time - start, (100 + 200 + 400 + 800) * SD_MS);
    server_free(s);
}

/* A puppet that is told to be still waits for ever. */
static void waits_when_it_is_still(void **state)
{
    (void)state;
    const uint8_t suite[2] = {0xc0, 0x2b};
    struct server *s = server_new("ECDHE-ECDSA-AES128-GCM-SHA256", DTLS1_2_VERSION);
    struct puppet_config c = usual_config(s, suite);
    begin(s, &c);
    s->puppet.still = true;
    virtual_time = s->puppet.deadline + 100 * SD_SEC;
    puppet_timer(&s->puppet, virtual_time);
    assert_int_equal(s->puppet.stage, PUPPET_HELLO);
    assert_int_equal(s->puppet.sent_datagrams, 1);
    server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shakes_hands_in_every_suite),
        cmocka_unit_test(works_without_encrypt_then_mac),
        cmocka_unit_test(speaks_dtls_1_0),
        cmocka_unit_test(takes_every_group),
        cmocka_unit_test(has_no_certificate_to_show),
        cmocka_unit_test(resumes_by_id_and_by_ticket),
        cmocka_unit_test(loss_costs_time_only),
        cmocka_unit_test(waits_when_it_is_still),
        cmocka_unit_test(gives_up_after_its_retransmissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
