/* SPDX-License-Identifier: MIT */
/* lib/unseal/unseal.c and what it uses, against what OpenSSL sends: DTLS 1.0 and 1.2. */
#include "identity.h"

#include "unseal/unseal.h"
#include "wire/handshake.h"

enum { CLIENT, SERVER, RECORDS = 64, BIG = 5000 };

struct sealed {
    bool from_server;
    size_t len;
    uint8_t data[SD_RECORD_HEADER_LEN + SD_RECORD_BODY_MAX];
};

/* Two SSLs with their datagrams written down, and what a key log says of them. */
struct talk {
    SSL_CTX *ctx[2];
    SSL *ssl[2];
    char log[4096];
    uint8_t client_random[32], server_random[32];
    struct sd_unprotect_params params;
    struct sealed *records;
    size_t count;
};

struct opening {
    const char *cipher;
    uint16_t suite;
    int version;
    bool no_etm;
};

static void on_key(const SSL *ssl, const char *line)
{
    struct talk *t = SSL_get_app_data(ssl);
    assert_true(strlen(t->log) + strlen(line) + 2 < sizeof t->log);
    strcat(strcat(t->log, line), "\n");
}

static unsigned psk_client(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
                           unsigned char *psk, unsigned max_psk)
{
    (void)ssl, (void)hint, (void)max_psk;
    strncpy(identity, "me", max_identity);
    memset(psk, 7, 16);
    return 16;
}

static unsigned psk_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
    (void)ssl, (void)identity, (void)max;
    memset(psk, 7, 16);
    return 16;
}

/* False when this OpenSSL does not have the suite or the version. */
static bool half_new(struct talk *t, int who, const struct opening *w)
{
    SSL_CTX *ctx = t->ctx[who] = SSL_CTX_new(DTLS_method());
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    char list[128];
    snprintf(list, sizeof list, "%s:@SECLEVEL=0", w->cipher);
    SSL_CTX_set_keylog_callback(ctx, on_key);
    SSL_CTX_set_psk_client_callback(ctx, psk_client);
    SSL_CTX_set_psk_server_callback(ctx, psk_server);
    SSL_CTX_set_options(ctx, w->no_etm ? SSL_OP_NO_ENCRYPT_THEN_MAC : 0);
    bool ok = SSL_CTX_set_min_proto_version(ctx, w->version) &&
              SSL_CTX_set_max_proto_version(ctx, w->version) && SSL_CTX_set_cipher_list(ctx, list);
    SSL *ssl = t->ssl[who] = SSL_new(ctx);
    SSL_set_app_data(ssl, t);
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, 1400);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    return ok;
}

static void write_down(struct talk *t, bool from_server, const uint8_t *data, size_t len)
{
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        if (!rec.epoch)
            continue;
        struct sealed *s = &t->records[t->count++];
        assert_true(t->count < RECORDS);
        s->from_server = from_server;
        s->len = rec.header.len + rec.body.len;
        memcpy(s->data, rec.header.p, s->len);
    }
    assert_int_equal(it.status, SD_RECORD_END);
}

static void carry(struct talk *t, int from)
{
    uint8_t buf[65536];
    int n = BIO_read(SSL_get_wbio(t->ssl[from]), buf, sizeof buf);
    if (n <= 0)
        return;
    write_down(t, from == SERVER, buf, (size_t)n);
    assert_int_equal(BIO_write(SSL_get_rbio(t->ssl[!from]), buf, n), n);
}

static void send_data(struct talk *t, int from, const void *data, size_t len)
{
    uint8_t got[BIG];
    assert_int_equal(SSL_write(t->ssl[from], data, (int)len), len);
    carry(t, from);
    assert_int_equal(SSL_read(t->ssl[!from], got, sizeof got), len);
    assert_memory_equal(got, data, len);
}

static void identify(struct talk *t)
{
    struct identity i = issue((struct wish){.cn = "server"});
    assert_int_equal(SSL_use_certificate(t->ssl[SERVER], i.cert), 1);
    assert_int_equal(SSL_use_PrivateKey(t->ssl[SERVER], i.key), 1);
    identity_free(i);
}

static const uint8_t big[BIG] = {[0] = 'b', [BIG - 1] = 'g'};

static void talk_free(struct talk *t)
{
    for (int i = CLIENT; i <= SERVER; i++) {
        SSL_free(t->ssl[i]);
        SSL_CTX_free(t->ctx[i]);
    }
    free(t->records);
    free(t);
    ERR_clear_error();
}

/* A whole connection; NULL when this OpenSSL cannot have one of that kind. */
static struct talk *talk_new(const struct opening *w)
{
    struct talk *t = calloc(1, sizeof *t);
    t->records = calloc(RECORDS, sizeof *t->records);
    bool ok = half_new(t, CLIENT, w);
    ok = half_new(t, SERVER, w) && ok;
    identify(t);
    SSL_set_connect_state(t->ssl[CLIENT]);
    SSL_set_accept_state(t->ssl[SERVER]);
    for (int i = 0; i < 12; i++) {
        SSL_do_handshake(t->ssl[i % 2]);
        carry(t, i % 2);
    }
    if (!ok || !SSL_is_init_finished(t->ssl[CLIENT]) || !SSL_is_init_finished(t->ssl[SERVER])) {
        talk_free(t);
        return NULL;
    }
    send_data(t, CLIENT, "from the client", 15);
    send_data(t, SERVER, "from the server", 15);
    send_data(t, SERVER, "x", 1);
    send_data(t, CLIENT, big, 1200);
    SSL_shutdown(t->ssl[SERVER]);
    carry(t, SERVER);
    SSL_get_client_random(t->ssl[CLIENT], t->client_random, 32);
    SSL_get_server_random(t->ssl[CLIENT], t->server_random, 32);
    t->params = (struct sd_unprotect_params){.client_random = t->client_random,
                                             .server_random = t->server_random,
                                             .version = (uint16_t)SSL_version(t->ssl[CLIENT]),
                                             .suite = w->suite,
                                             .encrypt_then_mac = !w->no_etm};
    return t;
}

static struct sd_secrets *secrets_of(const struct talk *t)
{
    struct sd_secrets *s = sd_secrets_new();
    assert_non_null(s);
    assert_true(sd_secrets_add(s, t->log, strlen(t->log)));
    assert_int_equal(sd_secrets_count(s), 1);
    assert_int_equal(sd_secrets_bad(s), 0);
    return s;
}

static struct sd_record record_of(const struct sealed *s, size_t len)
{
    struct sd_records it = sd_records_init(s->data, s->len, 0);
    struct sd_record rec;
    assert_int_equal(sd_record_next(&it, &rec), SD_RECORD_OK);
    rec.body.len -= s->len - len;
    rec.length = rec.body.len;
    return rec;
}

/* The n-th record that was sealed, as talk_new() had it sent. */
static void assert_content(size_t n, const struct sd_record *plain)
{
    static const struct {
        uint8_t type;
        size_t len;
        const void *text;
    } expected[] = {{SD_CT_HANDSHAKE, 24, "\x14\0\0\x0c"},
                    {SD_CT_HANDSHAKE, 24, "\x14\0\0\x0c"},
                    {SD_CT_APPDATA, 15, "from the client"},
                    {SD_CT_APPDATA, 15, "from the server"},
                    {SD_CT_APPDATA, 1, "x"},
                    {SD_CT_APPDATA, 1200, big},
                    {SD_CT_ALERT, 2, "\x01\0"}};
    assert_true(n < sizeof expected / sizeof *expected);
    size_t check = expected[n].type == SD_CT_HANDSHAKE ? 4 : expected[n].len;
    assert_int_equal(plain->type, expected[n].type);
    assert_int_equal(plain->body.len, expected[n].len);
    assert_int_equal(plain->length, expected[n].len);
    assert_memory_equal(plain->body.p, expected[n].text, check);
}

static void opens_all(const struct talk *t, const struct sd_unprotect *u, void *keys)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    assert_int_equal(t->count, 7);
    for (size_t i = 0; i < t->count; i++) {
        const struct sealed *s = &t->records[i];
        struct sd_record rec = record_of(s, s->len), plain;
        if (!u->open(keys, s->from_server, &rec, out, &plain))
            fail_msg("suite %04x, version %04x, encrypt-then-MAC %d: record %zu does not open",
                     t->params.suite, t->params.version, t->params.encrypt_then_mac, i);
        assert_content(i, &plain);
        assert_int_equal(plain.seq, rec.seq);
        assert_int_equal(plain.epoch, 1);
        assert_false(u->open(keys, !s->from_server, &rec, out, &plain));
    }
}

/* Nothing that is not the whole record opens, and *plain stays as it was. */
static void opens_no_part(const struct talk *t, const struct sd_unprotect *u, void *keys)
{
    static uint8_t out[SD_RECORD_BODY_MAX];
    struct sealed *s = &t->records[2];
    struct sd_record plain = {.type = 99};
    for (size_t len = SD_RECORD_HEADER_LEN; len < s->len; len++) {
        struct sd_record rec = record_of(s, len);
        uint8_t *exact = malloc(rec.body.len + 1); /* the sanitizer guards its end */
        memcpy(exact + 1, rec.body.p, rec.body.len);
        rec.body.p = exact + 1;
        assert_false(u->open(keys, s->from_server, &rec, out, &plain));
        free(exact);
    }
    for (size_t at = 0; at < s->len; at++) {
        if (at == 11 || at == 12)
            continue; /* the length was tried above */
        s->data[at] ^= 1;
        struct sd_records it = sd_records_init(s->data, s->len, 0);
        struct sd_record rec;
        if (sd_record_next(&it, &rec) == SD_RECORD_OK)
            assert_false(u->open(keys, s->from_server, &rec, out, &plain));
        s->data[at] ^= 1;
    }
    assert_int_equal(plain.type, 99);
}

static bool try_wish(const struct opening *w)
{
    struct talk *t = talk_new(w);
    if (!t) {
        print_message("not in this OpenSSL: %s, version %04x\n", w->cipher, (unsigned)w->version);
        return false;
    }
    struct sd_secrets *s = secrets_of(t);
    struct sd_unprotect u = sd_unseal_hooks(s);
    void *keys = u.begin(u.arg, &t->params);
    if (!keys)
        fail_msg("no keys: %s", w->cipher);
    opens_all(t, &u, keys);
    opens_no_part(t, &u, keys);
    u.end(keys);
    assert_int_equal(ERR_peek_error(), 0);
    sd_secrets_free(s);
    talk_free(t);
    return true;
}

static void records_of_every_kind_of_suite_open(void **state)
{
    static const struct opening wishes[] = {
        {"PSK-AES128-GCM-SHA256", 0x00a8, DTLS1_2_VERSION, false},
        {"PSK-AES256-GCM-SHA384", 0x00a9, DTLS1_2_VERSION, false},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b, DTLS1_2_VERSION, false},
        {"PSK-AES128-CCM", 0xc0a4, DTLS1_2_VERSION, false},
        {"PSK-AES256-CCM8", 0xc0a9, DTLS1_2_VERSION, false},
        {"ECDHE-ECDSA-AES128-CCM8", 0xc0ae, DTLS1_2_VERSION, false},
        {"PSK-ARIA128-GCM-SHA256", 0xc06a, DTLS1_2_VERSION, false},
        {"PSK-CHACHA20-POLY1305", 0xccab, DTLS1_2_VERSION, false},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9, DTLS1_2_VERSION, false},
    };
    unsigned tried = 0;
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        tried += try_wish(&wishes[i]);
    assert_true(tried >= 5); /* distributions leave some out */
}

static void records_with_a_mac_open(void **state)
{
    static const struct opening wishes[] = {
        {"PSK-AES128-CBC-SHA", 0x008c, 0, false},
        {"PSK-AES256-CBC-SHA", 0x008d, 0, false},
        {"ECDHE-ECDSA-AES256-SHA", 0xc00a, 0, false},
        {"PSK-AES128-CBC-SHA256", 0x00ae, 0, false},
        {"PSK-AES256-CBC-SHA384", 0x00af, 0, false},
        {"ECDHE-ECDSA-AES256-SHA384", 0xc024, 0, false},
        {"PSK-CAMELLIA128-SHA256", 0xc094, 0, false},
        {"PSK-CAMELLIA256-SHA384", 0xc095, 0, false},
        {"PSK-3DES-EDE-CBC-SHA", 0x008b, 0, false},
        {"PSK-NULL-SHA", 0x002c, 0, false},
        {"PSK-NULL-SHA256", 0x00b0, 0, false},
        {"PSK-NULL-SHA384", 0x00b1, 0, false},
    };
    unsigned tried = 0;
    (void)state;
    for (size_t i = 0; i < 4 * (sizeof wishes / sizeof *wishes); i++) {
        struct opening w = wishes[i / 4];
        w.version = i % 2 ? DTLS1_VERSION : DTLS1_2_VERSION;
        w.no_etm = i / 2 % 2;
        tried += try_wish(&w);
    }
    assert_true(tried >= 20);
}

static void wrong_keys_open_nothing(void **state)
{
    static const struct opening wishes[] = {
        {"PSK-AES128-GCM-SHA256", 0x00a8, DTLS1_2_VERSION, false},
        {"PSK-AES128-CCM8", 0xc0a8, DTLS1_2_VERSION, false},
        {"PSK-AES128-CBC-SHA", 0x008c, DTLS1_2_VERSION, true},
        {"PSK-AES128-CBC-SHA", 0x008c, DTLS1_2_VERSION, false},
        {"PSK-NULL-SHA256", 0x00b0, DTLS1_2_VERSION, false}};
    static uint8_t out[SD_RECORD_BODY_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        struct talk *t = talk_new(&wishes[i]);
        assert_non_null(t);
        char *last = t->log + strlen(t->log) - 2;
        *last = *last == '0' ? '1' : '0'; /* a bit of the master secret */
        struct sd_secrets *s = secrets_of(t);
        struct sd_unprotect u = sd_unseal_hooks(s);
        void *keys = u.begin(u.arg, &t->params);
        assert_non_null(keys);
        for (size_t r = 0; r < t->count; r++) {
            struct sd_record rec = record_of(&t->records[r], t->records[r].len), plain;
            assert_false(u.open(keys, t->records[r].from_server, &rec, out, &plain));
        }
        u.end(keys);
        sd_secrets_free(s);
        talk_free(t);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void without_a_secret_or_a_known_suite_nothing_begins(void **state)
{
    uint8_t client[32] = {1}, server[32] = {2};
    struct sd_unprotect_params p = {.client_random = client,
                                    .server_random = server,
                                    .version = SD_DTLS_1_2,
                                    .suite = 0x00a8,
                                    .encrypt_then_mac = false};
    struct sd_secrets *s = sd_secrets_new();
    struct sd_unprotect u = sd_unseal_hooks(s);
    char line[256] = "CLIENT_RANDOM 01";
    (void)state;
    assert_null(u.begin(u.arg, &p));
    memset(line + 16, '0', 62);
    line[78] = ' ';
    memset(line + 79, 'a', 96);
    assert_true(sd_secrets_add(s, line, strlen(line)));
    void *keys = u.begin(u.arg, &p);
    assert_non_null(keys);
    u.end(keys);
    u.end(NULL);
    for (unsigned suite = 0x0004; suite <= 0xffff; suite += suite == 0x0004 ? 0xfffb : 1) {
        p.suite = (uint16_t)suite; /* RC4, and one that does not exist */
        assert_null(u.begin(u.arg, &p));
    }
    p.suite = 0x00a8;
    p.version = SD_DTLS_1_3;
    assert_null(u.begin(u.arg, &p));
    p.version = 0x0303;
    assert_null(u.begin(u.arg, &p));
    p.version = SD_DTLS_1_2;
    client[31] = 1;
    assert_null(u.begin(u.arg, &p));
    memcpy(line, "CLIENT_TRAFFIC_SECRET_0 ", 24);
    memset(line + 24, '0', 62);
    snprintf(line + 86, 3, "02");
    memset(line + 88, ' ', 1);
    memset(line + 89, 'b', 64);
    client[0] = 0, client[31] = 2;
    assert_true(sd_secrets_add(s, line, 89 + 64));
    assert_int_equal(sd_secrets_count(s), 2);
    assert_null(u.begin(u.arg, &p)); /* there are secrets, but not of DTLS 1.2 */
    p.version = SD_DTLS_1_3;
    assert_null(u.begin(u.arg, &p)); /* nor is that a suite of DTLS 1.3 */
    assert_int_equal(ERR_peek_error(), 0);
    sd_secrets_free(s);
}

#define R1 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define S32 R1
#define S48 R1 "00112233445566778899aabbccddeeff"

static void bad_lines_of_a_key_log_are_counted_and_skipped(void **state)
{
    static const char good[] = "# comment\r\n\n  \nCLIENT_RANDOM " R1 " " S48 "\r\n"
                               "EXPORTER_SECRET " R1 " " S32 "\n"
                               "CLIENT_TRAFFIC_SECRET_0 " R1 " " S32 " \n"
                               "SERVER_TRAFFIC_SECRET_0 " R1 " " S48;
    static const char *const bad[] = {
        "CLIENT_RANDOM",
        "CLIENT_RANDOM " R1,
        "CLIENT_RANDOM " R1 " ",
        "CLIENT_RANDOM " R1 " 0",
        "CLIENT_RANDOM " R1 " " S32,
        "CLIENT_RANDOM " R1 "00 " S48,
        "CLIENT_RANDOM " R1 " " S48 "0",
        "CLIENT_RANDOM " R1 " " S48 "00",
        "CLIENT_RANDOM " R1 " g" S48,
        "CLIENT_RANDOM 0x" R1 " " S48,
        "CLIENT_TRAFFIC_SECRET_0 " R1 " 00",
        "\x80\xff",
    };
    (void)state;
    struct sd_secrets *s = sd_secrets_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(sd_secrets_add(s, bad[i], strlen(bad[i])));
        assert_int_equal(sd_secrets_bad(s), i + 1);
        assert_int_equal(sd_secrets_count(s), 0);
    }
    assert_true(sd_secrets_add(s, good, strlen(good)));
    assert_true(sd_secrets_add(s, good, strlen(good)));
    assert_true(sd_secrets_add(s, NULL, 0));
    assert_int_equal(sd_secrets_bad(s), sizeof bad / sizeof *bad);
    assert_int_equal(sd_secrets_count(s), 1);
    uint8_t random[32];
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)(0x11 * (i % 16));
    const struct sd_secret *found = sd_secrets_find(s, random);
    assert_non_null(found);
    assert_int_equal(found[SD_SECRET_MASTER].len, 48);
    assert_int_equal(found[SD_SECRET_CLIENT_TRAFFIC].len, 32);
    assert_int_equal(found[SD_SECRET_SERVER_TRAFFIC].len, 48);
    assert_int_equal(found[SD_SECRET_CLIENT_HANDSHAKE].len, 0);
    sd_secrets_free(s);
}

static void a_thousand_handshakes_are_found(void **state)
{
    struct sd_secrets *s = sd_secrets_new();
    struct sd_unprotect u = sd_unseal_hooks(s);
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char line[256];
        snprintf(line, sizeof line, "CLIENT_RANDOM %08x%056d %s\n", i, 0, S48);
        assert_true(sd_secrets_add(s, line, strlen(line)));
    }
    assert_int_equal(sd_secrets_count(s), 1000);
    for (unsigned i = 0; i < 1001; i += 10) {
        uint8_t client[32] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i}, server[32] = {0};
        struct sd_unprotect_params p = {.client_random = client,
                                        .server_random = server,
                                        .version = SD_DTLS_1_2,
                                        .suite = 0x00a8,
                                        .encrypt_then_mac = false};
        void *keys = u.begin(u.arg, &p);
        assert_int_equal(keys != NULL, i < 1000);
        u.end(keys);
    }
    sd_secrets_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_every_kind_of_suite_open),
        cmocka_unit_test(records_with_a_mac_open),
        cmocka_unit_test(wrong_keys_open_nothing),
        cmocka_unit_test(without_a_secret_or_a_known_suite_nothing_begins),
        cmocka_unit_test(bad_lines_of_a_key_log_are_counted_and_skipped),
        cmocka_unit_test(a_thousand_handshakes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
