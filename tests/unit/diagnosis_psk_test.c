/* SPDX-License-Identifier: MIT */
/* Sessions of OpenSSL with a pre-shared key, followed by the tracker with the same key and with
 * others. */
#include "identity.h"

#include <string.h>

#include "flow/rules/diagnose.h"
#include "flow/tracker.h"
#include "unseal/unseal.h"

enum { CLIENT, SERVER, KEY_LEN = 16 };

struct kind {
    const char *cipher;
    int version;
    bool no_ems, no_etm, hint;
};

/* What the tracker saw of the newest session. */
struct seen {
    unsigned sealed, opened, finished, data;
    uint8_t proof[SD_SIDES];
    bool reported, ok, wrong_psk;
    enum sd_confidence confidence; /* of wrong-psk */
};

static struct seen seen;

static unsigned client_key(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
                           unsigned char *psk, unsigned max_psk)
{
    (void)ssl, (void)hint, (void)max_psk;
    strncpy(identity, "me", max_identity);
    memset(psk, 7, KEY_LEN);
    return KEY_LEN;
}

static unsigned server_key(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
    (void)ssl, (void)identity, (void)max;
    memset(psk, 7, KEY_LEN);
    return KEY_LEN;
}

static SSL *new_half(SSL_CTX **ctx, const struct kind *k)
{
    char list[128];
    *ctx = SSL_CTX_new(DTLS_method());
    snprintf(list, sizeof list, "%s:@SECLEVEL=0", k->cipher);
    SSL_CTX_set_psk_client_callback(*ctx, client_key);
    SSL_CTX_set_psk_server_callback(*ctx, server_key);
    if (k->hint)
        SSL_CTX_use_psk_identity_hint(*ctx, "a hint");
    SSL_CTX_set_options(*ctx, SSL_OP_NO_TICKET | (k->no_etm ? SSL_OP_NO_ENCRYPT_THEN_MAC : 0));
#ifdef SSL_OP_NO_EXTENDED_MASTER_SECRET
    if (k->no_ems)
        SSL_CTX_set_options(*ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
#endif
    bool ok = SSL_CTX_set_min_proto_version(*ctx, k->version) &&
              SSL_CTX_set_max_proto_version(*ctx, k->version) &&
              SSL_CTX_set_cipher_list(*ctx, list);
    SSL *ssl = ok ? SSL_new(*ctx) : NULL;
    if (!ssl)
        return NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(ssl, 1400);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    return ssl;
}

struct session {
    SSL_CTX *ctx[2];
    SSL *ssl[2];
    struct sd_tracker *t;
    struct sd_datagram next;
    bool one_answer; /* the capture lacks what the server sends after its first flight */
    unsigned answers;
    uint8_t flight5[4096]; /* the client's newest datagram */
    size_t flight5_len;
};

/* To the other side, and to the tracker, which follows both. */
static void bring(struct session *s, int from)
{
    uint8_t buf[65536];
    int n = BIO_read(SSL_get_wbio(s->ssl[from]), buf, sizeof buf);
    if (n <= 0)
        return;
    struct sd_addr client = sd_addr_any(AF_INET, 40000), server = sd_addr_any(AF_INET, 4433);
    s->next.number++;
    s->next.time += SD_NS_MS;
    s->next.src = from == CLIENT ? client : server;
    s->next.dst = from == CLIENT ? server : client;
    s->next.payload = (struct sd_span){buf, (size_t)n};
    s->next.length = (uint32_t)n;
    if (from == CLIENT && (size_t)n <= sizeof s->flight5)
        memcpy(s->flight5, buf, s->flight5_len = (size_t)n);
    if (from == CLIENT || !s->one_answer || !s->answers++)
        sd_tracker_datagram(s->t, &s->next);
    assert_int_equal(BIO_write(SSL_get_rbio(s->ssl[!from]), buf, n), n);
}

static bool shake_hands(struct session *s)
{
    SSL_set_connect_state(s->ssl[CLIENT]);
    SSL_set_accept_state(s->ssl[SERVER]);
    for (int i = 0; i < 12; i++) {
        SSL_do_handshake(s->ssl[i % 2]);
        bring(s, i % 2);
    }
    return SSL_is_init_finished(s->ssl[CLIENT]) && SSL_is_init_finished(s->ssl[SERVER]);
}

static void say_something(struct session *s)
{
    char got[64];
    for (int from = CLIENT; from <= SERVER; from++) {
        assert_int_equal(SSL_write(s->ssl[from], "hello", 5), 5);
        bring(s, from);
        assert_int_equal(SSL_read(s->ssl[!from], got, sizeof got), 5);
    }
    SSL_shutdown(s->ssl[CLIENT]);
    bring(s, CLIENT);
}

/* As a client does that gets no answer. */
static void repeat_flight5(struct session *s)
{
    s->next.src = sd_addr_any(AF_INET, 40000);
    s->next.dst = sd_addr_any(AF_INET, 4433);
    s->next.payload = (struct sd_span){s->flight5, s->flight5_len};
    s->next.length = (uint32_t)s->flight5_len;
    for (int seconds = 1; seconds <= 4; seconds *= 2) {
        s->next.number++;
        s->next.time += seconds * SD_NS_SECOND;
        sd_tracker_datagram(s->t, &s->next);
    }
}

static void count_records(void *arg, const struct sd_packet *p)
{
    (void)arg;
    for (size_t i = 0; i < p->count; i++) {
        const struct sd_event *e = &p->events[i];
        seen.sealed += e->epoch > 0;
        seen.opened += (e->flags & SD_EVF_DECRYPTED) != 0;
        seen.finished += e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_FINISHED;
        seen.data += e->kind == SD_EV_APPDATA && e->flags & SD_EVF_DECRYPTED;
    }
}

static void note_result(void *arg, const struct sd_result *r)
{
    (void)arg;
    seen.reported = true;
    seen.ok = r->outcome == SD_OK;
    memcpy(seen.proof, r->x->key_proof, sizeof seen.proof);
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->findings[i].entry->id, "wrong-psk")) {
            seen.wrong_psk = true;
            seen.confidence = r->findings[i].confidence;
        }
}

static struct sd_tracker *new_tracker(const struct sd_unprotect *u)
{
    return sd_tracker_new(&(struct sd_tracker_config){.alloc = sd_alloc_libc(),
                                                      .unprotect = u,
                                                      .diagnose = sd_diagnose,
                                                      .packet = count_records,
                                                      .done = note_result});
}

/* False when this OpenSSL cannot have such a session. `keys`: the first byte of each that is given
 * to the tracker, 0 at the end. */
static bool follow_as_far(const struct kind *k, const uint8_t *keys, bool one_answer)
{
    struct sd_secrets *secrets = sd_secrets_new();
    uint8_t key[KEY_LEN];
    for (; *keys; keys++) {
        memset(key, *keys, sizeof key);
        assert_true(sd_secrets_add_psk(secrets, (struct sd_span){key, sizeof key}));
    }
    struct sd_unprotect u = sd_unseal_hooks(secrets);
    struct session s = {.t = new_tracker(&u), .next.time = SD_NS_SECOND, .one_answer = one_answer};
    seen = (struct seen){0};
    s.ssl[CLIENT] = new_half(&s.ctx[CLIENT], k);
    s.ssl[SERVER] = new_half(&s.ctx[SERVER], k);
    bool ok = s.ssl[CLIENT] && s.ssl[SERVER] && shake_hands(&s);
    if (ok && !one_answer)
        say_something(&s);
    if (ok && one_answer)
        repeat_flight5(&s);
    sd_tracker_finish(s.t);
    sd_tracker_free(s.t);
    for (int i = CLIENT; i <= SERVER; i++) {
        SSL_free(s.ssl[i]);
        SSL_CTX_free(s.ctx[i]);
    }
    sd_secrets_free(secrets);
    ERR_clear_error();
    return ok;
}

static bool follow(const struct kind *k, const uint8_t *keys)
{
    return follow_as_far(k, keys, false);
}

static const struct kind kinds[] = {
    {"PSK-AES128-GCM-SHA256", DTLS1_2_VERSION, false, false, false},
    {"PSK-AES128-GCM-SHA256", DTLS1_2_VERSION, false, false, true},
    {"PSK-AES256-GCM-SHA384", DTLS1_2_VERSION, false, false, true},
    {"PSK-AES128-CCM8", DTLS1_2_VERSION, false, false, false},
    {"PSK-AES256-CCM", DTLS1_2_VERSION, false, false, false},
    {"PSK-CHACHA20-POLY1305", DTLS1_2_VERSION, false, false, false},
    {"PSK-AES128-CBC-SHA256", DTLS1_2_VERSION, false, false, false},
    {"PSK-AES128-CBC-SHA256", DTLS1_2_VERSION, false, true, false},
    {"PSK-AES256-CBC-SHA384", DTLS1_2_VERSION, false, true, true},
    {"PSK-AES128-CBC-SHA", DTLS1_VERSION, false, false, false},
    {"PSK-AES128-CBC-SHA", DTLS1_VERSION, false, true, true},
    {"PSK-NULL-SHA256", DTLS1_2_VERSION, false, false, false},
#ifdef SSL_OP_NO_EXTENDED_MASTER_SECRET
    {"PSK-AES128-GCM-SHA256", DTLS1_2_VERSION, true, false, false},
    {"PSK-AES256-GCM-SHA384", DTLS1_2_VERSION, true, false, true},
    {"PSK-AES128-CBC-SHA", DTLS1_VERSION, true, false, false},
#endif
};
enum { KINDS = sizeof kinds / sizeof *kinds, AT_LEAST = 6 };

static void the_key_opens_all_records(void **state)
{
    static const uint8_t one[] = {7, 0}, several[] = {1, 2, 7, 9, 0};
    unsigned tried = 0;
    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        for (int many = 0; many < 2; many++) {
            if (!follow(&kinds[i], many ? several : one)) {
                print_message("not in this OpenSSL: %s\n", kinds[i].cipher);
                continue;
            }
            tried++;
            if (!seen.sealed || seen.opened != seen.sealed)
                fail_msg("%s, version %04x, no_ems %d: %u of %u records open", kinds[i].cipher,
                         (unsigned)kinds[i].version, kinds[i].no_ems, seen.opened, seen.sealed);
            assert_int_equal(seen.finished, 2);
            assert_int_equal(seen.data, 2);
            assert_int_equal(seen.proof[SD_CLIENT], SD_KEY_GIVEN);
            assert_int_equal(seen.proof[SD_SERVER], SD_KEY_GIVEN);
            assert_true(seen.ok && !seen.wrong_psk);
        }
    assert_true(tried >= AT_LEAST);
}

/* And says nothing of a session that is fine. */
static void another_key_opens_nothing(void **state)
{
    static const uint8_t others[] = {6, 8, 0};
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        if (!follow(&kinds[i], others))
            continue;
        assert_int_equal(seen.opened, 0);
        assert_int_equal(seen.proof[SD_CLIENT], SD_KEY_OTHER);
        assert_true(seen.ok && !seen.wrong_psk);
    }
}

/* Nothing says that the server refused the client: the user may have given another key. */
static void another_key_and_a_lost_answer_are_no_proof(void **state)
{
    static const uint8_t others[] = {6, 8, 0};
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        if (!follow_as_far(&kinds[i], others, true))
            continue;
        assert_int_equal(seen.proof[SD_CLIENT], SD_KEY_OTHER);
        assert_true(!seen.ok && seen.wrong_psk);
        assert_int_equal(seen.confidence, SD_LOW);
    }
}

/* An ephemeral secret is in these keys, too. */
static void with_a_key_exchange_it_is_not_tried(void **state)
{
    static const uint8_t one[] = {7, 0};
    static const struct kind k = {"ECDHE-PSK-AES128-CBC-SHA256", DTLS1_2_VERSION, 0, 0, 0};
    (void)state;
    assert_true(follow(&k, one));
    assert_int_equal(seen.opened, 0);
    assert_int_equal(seen.proof[SD_CLIENT], SD_KEY_UNPROVEN);
}

static void keys_have_a_size_and_a_number(void **state)
{
    static const uint8_t key[SD_PSK_LEN_MAX + 1];
    struct sd_secrets *s = sd_secrets_new();
    size_t count;
    (void)state;
    assert_false(sd_secrets_add_psk(s, (struct sd_span){key, 0}));
    assert_false(sd_secrets_add_psk(s, (struct sd_span){key, SD_PSK_LEN_MAX + 1}));
    for (size_t i = 0; i < SD_PSKS_MAX; i++)
        assert_true(sd_secrets_add_psk(s, (struct sd_span){key, i ? i : SD_PSK_LEN_MAX}));
    assert_false(sd_secrets_add_psk(s, (struct sd_span){key, 1}));
    sd_secrets_psks(s, &count);
    assert_int_equal(count, SD_PSKS_MAX);
    sd_secrets_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_opens_all_records),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(another_key_and_a_lost_answer_are_no_proof),
        cmocka_unit_test(with_a_key_exchange_it_is_not_tried),
        cmocka_unit_test(keys_have_a_size_and_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
