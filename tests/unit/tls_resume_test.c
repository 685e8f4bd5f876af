/* SPDX-License-Identifier: MIT */
/* lib/tls/resume.c: the session file, good and bad. */
#include "tls_support.h"

static char last_log[512];

static void note(void *arg, int level, const char *line)
{
    (void)arg;
    (void)level;
    snprintf(last_log, sizeof last_log, "%s", line);
}

#define CLIENT(file) SDTLS_CONFIG_INIT, .log = note, .session_file = file

static struct sd_tls *server;

static int setup(void **state)
{
    if (temp_setup(state))
        return -1;
    server = context(SD_ROLE_SERVER, &(sdtls_config){SELF_SIGNED_SERVER});
    write_cert("server.crt", SSL_CTX_get0_certificate(sd_tls_native(server)));
    return 0;
}

static int teardown(void **state)
{
    sd_tls_free(server);
    return temp_teardown(state);
}

/* One run of a client: 1 = resumed, 0 = full handshake, -1 = failed. */
static int run(const sdtls_config *c, const char *host)
{
    last_log[0] = 0;
    struct pair p = {.ct = context(SD_ROLE_CLIENT, c), .st = server};
    pair_connect(&p, host);
    int result = !pair_ready(&p) ? -1 : SSL_session_reused(p.c);
    assert_int_equal(ERR_peek_error(), 0);
    pair_hang_up(&p);
    sd_tls_free(p.ct);
    return result;
}

static void second_run_resumes_the_first(void **state)
{
    (void)state;
    const sdtls_config c = {CLIENT(path("s1"))};
    struct stat st;
    assert_int_equal(run(&c, NULL), 0);
    assert_int_equal(stat(path("s1"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(run(&c, NULL), 1);
    assert_int_equal(run(&c, NULL), 1);
}

static SSL_SESSION *read_session(const char *file)
{
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    SSL_SESSION *session = PEM_read_SSL_SESSION(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(session);
    return session;
}

/* OpenSSL compares it with that of a DTLS 1.3 PSK, which has none. */
static void client_has_no_session_id_context(void **state)
{
    (void)state;
    const sdtls_config c = {CLIENT(path("s11"))};
    unsigned len = 1;
    assert_int_equal(run(&c, NULL), 0);
    SSL_SESSION *session = read_session(path("s11"));
    SSL_SESSION_get0_id_context(session, &len);
    assert_int_equal(len, 0);
    /* As 0.1.0 wrote it. */
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"sukat_dtls", 10);
    FILE *f = fopen(path("s11"), "w");
    assert_true(PEM_write_SSL_SESSION(f, session));
    fclose(f);
    SSL_SESSION_free(session);
    assert_int_equal(run(&c, NULL), 1);
}

static void old_file_is_replaced_as_a_whole(void **state)
{
    (void)state;
    static const char junk[10000] = "junk";
    const sdtls_config c = {CLIENT(write_file("s2", junk, sizeof junk))};
    chmod(path("s2"), 0644);
    struct stat st;
    assert_int_equal(run(&c, NULL), 0);
    assert_int_equal(stat(path("s2"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_size < 5000);
    assert_int_equal(run(&c, NULL), 1);
}

/* As `openssl s_client -maxfraglen 512 -sess_out` writes it. */
static void session_of_short_records_is_not_offered(void **state)
{
    (void)state;
    const sdtls_config c = {CLIENT(path("s10"))};
    struct pair p = {.ct = context(SD_ROLE_CLIENT, &c), .st = server};
    SSL_CTX_set_tlsext_max_fragment_length(sd_tls_native(p.ct), TLSEXT_max_fragment_length_512);
    pair_connect(&p, NULL);
    assert_true(pair_ready(&p));
    pair_hang_up(&p);
    sd_tls_free(p.ct);
    assert_int_equal(run(&c, NULL), 0);
    assert_non_null(strstr(last_log, "saved the session"));
    assert_int_equal(run(&c, NULL), 1);
}

static void damaged_file_is_a_line_in_the_log(void **state)
{
    (void)state;
    struct sd_err err;
    const sdtls_config c = {CLIENT(write_file("s3", "junk\n", 5))};
    struct sd_tls *t = context(SD_ROLE_CLIENT, &c);
    SSL *ssl = SSL_new(sd_tls_native(t));
    assert_int_equal(sd_tls_prepare(t, ssl, NULL, &err), SDTLS_OK);
    assert_non_null(strstr(
        last_log,
        "/s3 contains no session that this OpenSSL can read; the handshake will be a full one"));
    SSL_free(ssl);
    sd_tls_free(t);
    assert_int_equal(run(&c, NULL), 0);
}

static void one_flipped_bit_ends_in_a_full_handshake(void **state)
{
    (void)state;
    const sdtls_config c = {CLIENT(path("s4"))};
    char buf[8192];
    assert_int_equal(run(&c, NULL), 0);
    FILE *f = fopen(path("s4"), "r");
    size_t n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    buf[n / 2] = buf[n / 2] == 'A' ? 'B' : 'A'; /* well inside the ticket or the certificate */
    write_file("s4", buf, n);
    assert_true(run(&c, NULL) >= 0);
}

static void unreadable_file_is_a_line_in_the_log(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path("s5"), 0700), 0);
    const sdtls_config c = {CLIENT(path("s5"))};
    assert_int_equal(run(&c, NULL), 0);
    assert_non_null(strstr(last_log, "cannot write session file"));
    const sdtls_config nowhere = {CLIENT(path("no/such/dir"))};
    assert_int_equal(run(&nowhere, NULL), 0);
    assert_non_null(strstr(last_log, "such/dir: No such file or directory"));
}

static void session_of_tls_is_not_used(void **state)
{
    (void)state;
    static const unsigned char secret[48] = {1}, id[32] = {2};
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *s = SSL_SESSION_new();
    SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION);
    SSL_SESSION_set1_master_key(s, secret, sizeof secret);
    SSL_SESSION_set1_id(s, id, sizeof id);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    SSL_SESSION_set_cipher(s, sk_SSL_CIPHER_value(all, sk_SSL_CIPHER_num(all) - 1));
    FILE *f = fopen(path("s6"), "w");
    assert_true(PEM_write_SSL_SESSION(f, s));
    fclose(f);
    const sdtls_config c = {CLIENT(path("s6"))};
    struct sd_tls *t = context(SD_ROLE_CLIENT, &c);
    SSL *ours = SSL_new(sd_tls_native(t));
    assert_int_equal(sd_tls_prepare(t, ours, NULL, NULL), SDTLS_OK);
    assert_non_null(strstr(last_log, "/s6 contains a session of TLS, not of DTLS"));
    SSL_free(ours);
    sd_tls_free(t);
    SSL_SESSION_free(s);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* No certificate is shown in a resumption, so what was not trusted when the
 * session was made would slip through. */
static void strict_client_resumes_trusted_sessions_of_that_host_only(void **state)
{
    (void)state;
    const sdtls_config lax = {CLIENT(path("s7"))};
    const sdtls_config strict = {CLIENT(path("s7")), .ca_file = path("server.crt")};
    assert_int_equal(run(&lax, NULL), 0);
    assert_int_equal(run(&lax, NULL), 1);
    assert_int_equal(run(&strict, "localhost"), 0);
    assert_int_equal(run(&strict, "localhost"), 1);
    assert_int_equal(run(&strict, "127.0.0.1"), 1);
    assert_int_equal(run(&strict, "other.test"), -1);
}

/* Without a session id context, OpenSSL ends such a resumption. */
static void session_with_a_client_certificate_resumes(void **state)
{
    (void)state;
    char text[256];
    struct identity i = issue((struct wish){.cn = "client"});
    const sdtls_config strict = {SELF_SIGNED_SERVER, .ca_file = write_cert("c.crt", i.cert)};
    const sdtls_config c = {CLIENT(path("s8")), .cert_file = path("c.crt"),
                            .key_file = write_key("c.key", i.key, NULL)};
    struct sd_tls *st = context(SD_ROLE_SERVER, &strict);
    for (int round = 0; round < 2; round++) {
        struct pair p = {.ct = context(SD_ROLE_CLIENT, &c), .st = st};
        pair_connect(&p, NULL);
        assert_true(pair_ready(&p));
        assert_int_equal(SSL_session_reused(p.s), round);
        assert_true(sd_tls_verify_text(p.st, p.s, text, sizeof text));
        pair_hang_up(&p);
        sd_tls_free(p.ct);
    }
    sd_tls_free(st);
    identity_free(i);
}

static void note_the_end(void *parent, void *gone, CRYPTO_EX_DATA *ad, int slot, long number,
                         void *arg)
{
    (void)parent, (void)ad, (void)slot, (void)number, (void)arg;
    if (gone)
        *(bool *)gone = true;
}

/* OpenSSL sends a hello again with the session of its time, of which it holds no reference. */
static void offered_session_lives_as_long_as_its_connection(void **state)
{
    (void)state;
    const sdtls_config c = {CLIENT(path("s9"))};
    const int slot = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, note_the_end);
    struct sd_err err;
    bool gone = false;
    assert_int_equal(run(&c, NULL), 0);
    struct sd_tls *t = context(SD_ROLE_CLIENT, &c);
    SSL *ssl = SSL_new(sd_tls_native(t));
    assert_int_equal(sd_tls_prepare(t, ssl, NULL, &err), SDTLS_OK);
    assert_true(SSL_SESSION_set_ex_data(SSL_get_session(ssl), slot, &gone));
    SSL_set_session(ssl, NULL); /* as when the server does not resume it */
    assert_false(gone);
    SSL_free(ssl);
    assert_true(gone);
    sd_tls_free(t);
}

static void no_session_file_no_trace(void **state)
{
    (void)state;
    const sdtls_config c = {SDTLS_CONFIG_INIT, .log = note};
    assert_int_equal(run(&c, NULL), 0);
    assert_int_equal(run(&c, NULL), 0);
    assert_string_equal(last_log, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_run_resumes_the_first),
        cmocka_unit_test(client_has_no_session_id_context),
        cmocka_unit_test(old_file_is_replaced_as_a_whole),
        cmocka_unit_test(session_of_short_records_is_not_offered),
        cmocka_unit_test(damaged_file_is_a_line_in_the_log),
        cmocka_unit_test(one_flipped_bit_ends_in_a_full_handshake),
        cmocka_unit_test(unreadable_file_is_a_line_in_the_log),
        cmocka_unit_test(session_of_tls_is_not_used),
        cmocka_unit_test(strict_client_resumes_trusted_sessions_of_that_host_only),
        cmocka_unit_test(session_with_a_client_certificate_resumes),
        cmocka_unit_test(offered_session_lives_as_long_as_its_connection),
        cmocka_unit_test(no_session_file_no_trace),
    };
    return cmocka_run_group_tests_name("tls/resume", tests, setup, teardown);
}
