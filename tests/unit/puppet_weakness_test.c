/* SPDX-License-Identifier: MIT */
/* What the checks of weaknesses make of a server: a stock OpenSSL in this process, behind ports of
 * the scan that are no sockets. Time passes only while the scan waits. */
#include "puppet_server.h"

#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"

static struct server *peer;
/* The server hears nothing after this many datagrams of an association; 0 = it hears all. */
static size_t deaf_after;
/* A server with an RSA key that tells when a secret does not begin with 00 02. */
static EVP_PKEY *oracle;
/* A server that takes any flight: what the check changes is not sent. */
static bool takes_anything;

sd_time __wrap_sd_clock_now(void);
bool __wrap_scan_port_open(struct scan_port *p, struct scan_line *line);
bool __wrap_scan_port_send(struct scan_port *p, const void *data, size_t len);
void __wrap_scan_port_farewell(struct scan_port *p, const void *data, size_t len);
void __wrap_scan_port_close(struct scan_port *p);
enum scan_heard __wrap_scan_port_hear(struct scan_port *p, uint8_t *buf, size_t *len,
                                      sd_time until);
struct scan_association *__real_scan_associate(struct scan *s, const struct scan_wish *w);
struct scan_association *__wrap_scan_associate(struct scan *s, const struct scan_wish *w);

sd_time __wrap_sd_clock_now(void)
{
    return virtual_time;
}

bool __wrap_scan_port_open(struct scan_port *p, struct scan_line *line)
{
    *p = (struct scan_port){.line = line, .fd = 1};
    server_accept(peer);
    return true;
}

/* The ClientKeyExchange in a datagram: is its secret of the form that this server wants? */
static bool oracle_objects(const uint8_t *data, size_t len)
{
    enum { HEADERS = 13 + 12 + 2 };
    uint8_t block[256];
    size_t n = sizeof block;
    if (len < HEADERS + sizeof block || data[0] != SD_CT_HANDSHAKE ||
        data[13] != SD_HS_CLIENT_KEY_EXCHANGE)
        return false;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(oracle, NULL);
    assert_true(EVP_PKEY_decrypt_init(c) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) > 0);
    assert_true(EVP_PKEY_decrypt(c, block, &n, data + HEADERS, sizeof block) > 0);
    EVP_PKEY_CTX_free(c);
    return block[0] != 0 || block[1] != 2;
}

bool __wrap_scan_port_send(struct scan_port *p, const void *data, size_t len)
{
    static const uint8_t alert[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 51};
    p->line->sent++;
    if (oracle && oracle_objects(data, len)) {
        carry(peer, TO_PUPPET, alert, sizeof alert);
        return true;
    }
    carry(peer, TO_SERVER, data, len);
    if (deaf_after && peer->sent[TO_SERVER] > deaf_after)
        peer->tail[TO_SERVER]--;
    server_turn(peer);
    return true;
}

void __wrap_scan_port_farewell(struct scan_port *p, const void *data, size_t len)
{
    __wrap_scan_port_send(p, data, len);
}

void __wrap_scan_port_close(struct scan_port *p)
{
    p->fd = -1;
}

enum scan_heard __wrap_scan_port_hear(struct scan_port *p, uint8_t *buf, size_t *len, sd_time until)
{
    (void)p;
    *len = 0;
    server_turn(peer);
    if (peer->head[TO_PUPPET] == peer->tail[TO_PUPPET]) {
        assert_true(until < SD_NEVER);
        virtual_time = until > virtual_time ? until : virtual_time;
        return SCAN_HEARD_NOTHING;
    }
    struct datagram *d = &peer->ring[TO_PUPPET][peer->head[TO_PUPPET]++ % RING];
    memcpy(buf, d->data, *len = d->len);
    return SCAN_HEARD_DATAGRAM;
}

struct scan_association *__wrap_scan_associate(struct scan *s, const struct scan_wish *w)
{
    struct scan_wish changed = *w;
    if (takes_anything)
        changed.edit = NULL;
    return __real_scan_associate(s, &changed);
}

/* --- a scan of it --- */

static struct scan *scan;
static struct scan_outcome outcome;

static int begin_scan(void **state)
{
    (void)state;
    peer = server_new("ALL", DTLS1_2_VERSION);
    scan = calloc(1, sizeof *scan);
    scan->line.deadline = SD_NEVER - 1;
    scan->line.budget = 100000;
    scan->facts.version[SCAN_V12].accepted = SCAN_YES;
    deaf_after = 0;
    takes_anything = false;
    oracle = NULL;
    return 0;
}

static int end_scan(void **state)
{
    (void)state;
    scan_outcome_free(&outcome);
    free(scan);
    server_free(peer);
    return 0;
}

static void assert_level(const char *id, enum scan_level level)
{
    scan_outcome_free(&outcome);
    scan_check_find(id)->run(scan, &outcome);
    if (outcome.level != level)
        fail_msg("%s is %s: %s", id, scan_level_name(outcome.level), outcome.text);
}

static const char *const flights[] = {"plain-finished", "wrong-finished", "early-ccs"};

static void a_sound_server_is_said_to_be_sound(void **state)
{
    (void)state;
    static const char *const ids[] = {"plain-data",    "changed-mac",  "no-ccs",
                                      "early-records", "forged-alert", "heartbleed"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_level(ids[i], SCAN_OK);
    for (size_t i = 0; i < sizeof flights / sizeof *flights; i++)
        assert_level(flights[i], SCAN_OK);
    assert_level("repeated-values", SCAN_OK);
}

/* OpenSSL issue 24972: this OpenSSL has it, or the row says that it has not. */
static void the_bug_of_encrypt_then_mac_shows(void **state)
{
    (void)state;
    assert_true(scan_life(scan)->connected);
    sd_time begun = virtual_time;
    assert_level("bad-mac-etm", SCAN_HIGH);
    /* The alert says that it is dead: nobody waits for more. */
    assert_true(virtual_time - begun < SD_SEC);
}

static void what_is_accepted_is_critical(void **state)
{
    (void)state;
    assert_level("plain-data", SCAN_OK);
    takes_anything = true;
    for (size_t i = 0; i < sizeof flights / sizeof *flights; i++)
        assert_level(flights[i], SCAN_CRITICAL);
}

/* Hello, hello with cookie: from then on it hears nothing, and nothing is known. */
static void a_server_that_goes_silent_is_not_said_to_refuse(void **state)
{
    (void)state;
    assert_true(scan_life(scan)->connected);
    deaf_after = 2;
    for (size_t i = 0; i < sizeof flights / sizeof *flights; i++)
        assert_level(flights[i], SCAN_NOT_KNOWN);
}

/* Hellos and the flight; then it hears nothing. */
static void silence_to_data_is_no_refusal(void **state)
{
    (void)state;
    assert_true(scan_life(scan)->connected && scan->facts.life.echoes);
    deaf_after = 3;
    assert_level("plain-data", SCAN_NOT_KNOWN);
    assert_level("changed-mac", SCAN_NOT_KNOWN);
}

/* --- values that repeat --- */

static void see(uint8_t random, bool proven)
{
    static struct scan_association a;
    a.puppet.answered = true;
    a.puppet.finished_sound = proven;
    memset(a.puppet.server_random, random, SD_RANDOM_LEN);
    memset(a.puppet.session.id, random, SD_SESSION_ID_MAX);
    scan_see(&scan->facts.seen, &a);
}

/* A client is served with this key of ECDHE. */
static void see_share(uint16_t suite, const char *key)
{
    static struct scan_association a;
    static uint8_t random;
    a.puppet.answered = a.puppet.finished_sound = true;
    a.puppet.suite = suite;
    memset(a.puppet.server_random, ++random, SD_RANDOM_LEN);
    a.puppet.server_key = (uint8_t *)(uintptr_t)key;
    a.puppet.params_len = 3; /* what follows is the signature */
    scan_see(&scan->facts.seen, &a);
}

static void a_key_for_several_clients_is_said(void **state)
{
    enum { ECDHE = 0xc02b, PSK = 0x00a8 };
    (void)state;
    assert_true(scan_life(scan)->connected);
    see_share(ECDHE, "oneA");
    see_share(ECDHE, "twoA");
    see_share(PSK, "hintA");
    see_share(PSK, "hintA");
    assert_level("repeated-values", SCAN_OK);
    see_share(ECDHE, "oneB");
    assert_level("repeated-values", SCAN_LOW);
}

static void a_ticket_key_of_zeros_shows(void **state)
{
    (void)state;
    uint8_t zeros[80] = {0};
    assert_level("ticket-key", SCAN_OK);
    assert_true(scan->facts.life.session.ticket_len);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(peer->ctx, zeros, sizeof zeros), 1);
    memset(&scan->facts.life, 0, sizeof scan->facts.life);
    assert_level("ticket-key", SCAN_CRITICAL);
}

static void a_sound_server_is_no_oracle(void **state)
{
    (void)state;
    assert_level("robot", SCAN_OK);
}

static void an_oracle_is_found(void **state)
{
    (void)state;
    oracle = rsa_key();
    assert_level("robot", SCAN_CRITICAL);
    EVP_PKEY_free(oracle);
}

static void without_rsa_there_is_no_oracle(void **state)
{
    (void)state;
    assert_int_equal(SSL_CTX_set_cipher_list(peer->ctx, "ECDHE+AESGCM"), 1);
    assert_level("robot", SCAN_NOT_RUN);
}

static void a_server_without_tickets_has_no_ticket_key(void **state)
{
    (void)state;
    SSL_CTX_set_options(peer->ctx, SSL_OP_NO_TICKET);
    assert_level("ticket-key", SCAN_NOT_RUN);
}

static void a_flight_that_comes_again_is_no_second_use(void **state)
{
    (void)state;
    assert_true(scan_life(scan)->connected);
    see(1, true);
    see(1, false);
    see(1, false);
    assert_level("repeated-values", SCAN_OK);
    see(1, true);
    assert_level("repeated-values", SCAN_CRITICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin_scan, end_scan)
        TEST(a_sound_server_is_said_to_be_sound),
        TEST(the_bug_of_encrypt_then_mac_shows),
        TEST(what_is_accepted_is_critical),
        TEST(a_server_that_goes_silent_is_not_said_to_refuse),
        TEST(silence_to_data_is_no_refusal),
        TEST(a_flight_that_comes_again_is_no_second_use),
        TEST(a_key_for_several_clients_is_said),
        TEST(a_ticket_key_of_zeros_shows),
        TEST(a_sound_server_is_no_oracle),
        TEST(an_oracle_is_found),
        TEST(without_rsa_there_is_no_oracle),
        TEST(a_server_without_tickets_has_no_ticket_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
