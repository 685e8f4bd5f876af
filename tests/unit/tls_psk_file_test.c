/* SPDX-License-Identifier: MIT */
/* lib/tls/psk_file.c and the callback: which client has which key. */
#include "tls/psk_file.h"

#include "tls_support.h"

#define CLIENT(id, secret)                                                                         \
    SDTLS_CONFIG_INIT, .psk_identity = id, .psk = secret, .psk_len = sizeof secret - 1

static bool connects(const sdtls_config *client, const sdtls_config *server)
{
    struct pair p = pair_new(client, server, NULL);
    bool ready = pair_ready(&p);
    pair_free(&p);
    return ready;
}

static const char *key_file(const char *text)
{
    return write_file("keys", text, strlen(text));
}

static void each_identity_has_its_own_key(void **state)
{
    (void)state;
    const sdtls_config server = {SDTLS_CONFIG_INIT,
                                 .psk_file = key_file("# two\n\nann:616e6e\n a:b :626F62 \r\n")};
    assert_true(connects(&(sdtls_config){CLIENT("ann", "ann")}, &server));
    assert_true(connects(&(sdtls_config){CLIENT(" a:b ", "bob")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("ann", "bob")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT(" a:b ", "ann")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("carl", "ann")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("# two", "ann")}, &server));
    assert_false(connects(&(sdtls_config){SDTLS_CONFIG_INIT}, &server));
}

static int key_of(void *arg, const char *identity, void *key, size_t max)
{
    assert_string_equal(arg, "mine");
    assert_true(max >= 3);
    if (!strcmp(identity, "long"))
        return (int)max + 1;
    if (!strcmp(identity, "fails"))
        return -1;
    memcpy(key, "ann", 3);
    return strcmp(identity, "ann") ? 0 : 3;
}

static void the_program_is_asked_for_the_key(void **state)
{
    (void)state;
    const sdtls_config server = {SDTLS_CONFIG_INIT, .psk_lookup = key_of,
                                 .cb_arg = (char[]){"mine"}};
    assert_true(connects(&(sdtls_config){CLIENT("ann", "ann")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("ann", "bob")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("bob", "ann")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("long", "ann")}, &server));
    assert_false(connects(&(sdtls_config){CLIENT("fails", "ann")}, &server));
}

static void no_certificate_is_made_beside_the_keys(void **state)
{
    (void)state;
    const sdtls_config server = {SDTLS_CONFIG_INIT, .psk_file = key_file("ann:616e6e"),
                                 .flags = SDTLS_F_SELF_SIGNED};
    struct sd_tls *t = context(SD_ROLE_SERVER, &server);
    assert_null(sd_tls_fingerprint(t));
    sd_tls_free(t);
}

static void ten_thousand_keys_are_found(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    struct sd_psk_file *f;
    struct sd_err err = {0};
    char *text = NULL, identity[32];
    size_t len;
    FILE *to = open_memstream(&text, &len);
    for (int i = 0; i < MANY; i++)
        fprintf(to, "device-%d:%08x\n", i, (unsigned)i);
    fclose(to);
    assert_int_equal(sd_psk_file_read(&f, write_file("many", text, len), &err), SDTLS_OK);
    free(text);
    for (int i = 0; i < MANY; i++) {
        snprintf(identity, sizeof identity, "device-%d", i);
        const unsigned char *key = sd_psk_file_find(f, identity, &len);
        assert_true(key && len == 4 && key[2] == i >> 8 && key[3] == (i & 0xff));
    }
    assert_null(sd_psk_file_find(f, "device-10000", &len));
    assert_null(sd_psk_file_find(f, "", &len));
    sd_psk_file_free(f);
}

static void wrong(const char *text, const char *words)
{
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .psk_file = key_file(text)},
            SDTLS_CRED, words);
}

static void a_wrong_file_is_refused_with_the_line(void **state)
{
    (void)state;
    char big[2000];
    wrong("ann:616e6e\nbob\n", ", line 2: there is no colon: write identity:hexkey");
    wrong(":616e6e", ", line 1: the identity is empty");
    wrong("#\nann:", ", line 2: write the key as pairs of hex digits");
    wrong("ann:616", ", line 1: write the key as pairs of hex digits");
    wrong("ann:61 6", ", line 1: write the key as pairs of hex digits");
    wrong("ann:\x11\x11", ", line 1: write the key as pairs of hex digits");
    wrong("ann:6x", ", line 1: write the key as pairs of hex digits");
    wrong("ann:61\nbob:62\nann:63\n", ", lines 1 and 3 have the same identity");
    wrong("# nothing\n", " contains no key");
    wrong("", " contains no key");
    snprintf(big, sizeof big, "%0*d:61", PSK_MAX_IDENTITY_LEN, 1);
    wrong(big, ", line 1: the identity is too long");
    snprintf(big, sizeof big, "ann:%0*d", 2 * PSK_MAX_PSK_LEN + 2, 1);
    wrong(big, ", line 1: the key is too long");
    refused(SD_ROLE_SERVER,
            &(sdtls_config){SDTLS_CONFIG_INIT, .psk_file = write_file("nul", "a\0b:61", 6)},
            SDTLS_CRED, ", line 1: it is not text");
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .psk_file = "/nonexistent"},
            SDTLS_CRED, "cannot read psk_file /nonexistent: No such file");
    refused(SD_ROLE_SERVER, &(sdtls_config){SDTLS_CONFIG_INIT, .psk_file = "/"}, SDTLS_CRED,
            "cannot read psk_file /: Is a directory");
}

static void one_source_of_keys_is_enough(void **state)
{
    (void)state;
    refused(SD_ROLE_SERVER, &(sdtls_config){CLIENT("ann", "ann"), .psk_file = "/nonexistent"},
            SDTLS_CRED, "psk and psk_file are set");
    refused(SD_ROLE_SERVER, &(sdtls_config){CLIENT("ann", "ann"), .psk_lookup = key_of}, SDTLS_CRED,
            "psk and psk_lookup are set");
    refused(SD_ROLE_SERVER,
            &(sdtls_config){SDTLS_CONFIG_INIT, .psk_file = "/nonexistent", .psk_lookup = key_of},
            SDTLS_CRED, "psk_file and psk_lookup are set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_identity_has_its_own_key),
        cmocka_unit_test(the_program_is_asked_for_the_key),
        cmocka_unit_test(no_certificate_is_made_beside_the_keys),
        cmocka_unit_test(ten_thousand_keys_are_found),
        cmocka_unit_test(a_wrong_file_is_refused_with_the_line),
        cmocka_unit_test(one_source_of_keys_is_enough),
    };
    return cmocka_run_group_tests_name("tls/psk_file", tests, temp_setup, temp_teardown);
}
