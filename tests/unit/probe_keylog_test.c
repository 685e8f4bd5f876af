/* SPDX-License-Identifier: MIT */
/* Key logs in pieces: what is kept of them, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dtls_probe/keylog.h"
#include "dtls_probe/wanted.h"
#include "unseal/secrets.h"

enum { LINE = 14 + 64 + 1 + 96, TEXT = 4096, USELESS = 10000 };

struct log {
    struct sd_secrets *secrets;
    struct probe_keylog keylog;
};

static void open_log(struct log *l, bool keep)
{
    *l = (struct log){.secrets = sd_secrets_new()};
    assert_non_null(l->secrets);
    l->keylog.secrets = l->secrets;
    l->keylog.keep = keep;
}

static void close_log(struct log *l)
{
    probe_keylog_free(&l->keylog);
    sd_secrets_free(l->secrets);
}

/* "CLIENT_RANDOM", 32 bytes 0xNN, 48 bytes 0x5a */
static void secret_line(char text[static LINE + 1], unsigned random)
{
    size_t n = (size_t)snprintf(text, LINE + 1, "CLIENT_RANDOM ");
    for (int i = 0; i < 32; i++)
        n += (size_t)snprintf(text + n, LINE + 1 - n, "%02x", random);
    text[n++] = ' ';
    for (int i = 0; i < 48; i++)
        n += (size_t)snprintf(text + n, LINE + 1 - n, "5a");
    assert_int_equal(n, LINE);
}

static void add_text(struct log *l, const char *text, size_t len)
{
    assert_true(probe_keylog_add(&l->keylog, (struct sd_span){(const uint8_t *)text, len}));
}

static void pieces_make_the_same_lines(void **state)
{
    (void)state;
    char line[LINE + 1], text[TEXT];
    int len = 0;
    for (unsigned i = 1; i <= 3; i++) {
        secret_line(line, i);
        len += snprintf(text + len, sizeof text - (size_t)len, "# number %u\r\n\n%s\r\nbad\n", i,
                        line);
    }
    secret_line(line, 4);
    len += snprintf(text + len, sizeof text - (size_t)len, "%s", line); /* no newline */
    for (size_t piece = 1; piece < 400; piece += 13) {
        struct log l;
        open_log(&l, false);
        for (size_t at = 0, n; at < (size_t)len; at += n) {
            n = (size_t)len - at < piece ? (size_t)len - at : piece;
            add_text(&l, text + at, n);
        }
        assert_int_equal(sd_secrets_count(l.secrets), 3);
        assert_true(probe_keylog_end(&l.keylog));
        assert_int_equal(sd_secrets_count(l.secrets), 4);
        assert_int_equal(sd_secrets_bad(l.secrets), 3);
        close_log(&l);
    }
}

static void only_lines_with_secrets_are_kept(void **state)
{
    (void)state;
    char line[LINE + 1], expected[LINE + 2];
    struct log l;
    secret_line(line, 9);
    snprintf(expected, sizeof expected, "%s\n", line);
    for (int keep = 0; keep < 2; keep++) {
        open_log(&l, keep);
        for (int i = 0; i < USELESS; i++)
            add_text(&l, "# nothing\nEXPORTER_SECRET 00 11\n", 32);
        assert_null(l.keylog.text);
        add_text(&l, expected, LINE + 1);
        assert_int_equal(l.keylog.length, keep ? LINE + 1 : 0);
        if (keep)
            assert_memory_equal(l.keylog.text, expected, LINE + 1);
        close_log(&l);
    }
}

static void a_line_without_end_is_one_bad_line(void **state)
{
    (void)state;
    char line[LINE + 1];
    struct log l;
    open_log(&l, true);
    for (int i = 0; i < USELESS; i++)
        add_text(&l, "CLIENT_RANDOM ", 14);
    secret_line(line, 1);
    add_text(&l, "\n", 1);
    add_text(&l, line, LINE);
    assert_true(probe_keylog_end(&l.keylog));
    assert_int_equal(sd_secrets_bad(l.secrets), 1);
    assert_int_equal(sd_secrets_count(l.secrets), 1);
    close_log(&l);
}

/* --- what a capture wants --- */

/* A capture of one frame: a fragment of a ClientHello with the random 0x07..., after other bytes.
 */
static void write_capture(const char *path, uint8_t offset, uint8_t length)
{
    const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
    uint8_t frame[100] = {[40] = 22, 254, 253, [53] = 1, [61] = offset, [64] = length};
    const uint32_t head[4] = {1, 0, sizeof frame, sizeof frame};
    memset(frame + 67, 7, 32);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(header, sizeof header, 1, f), 1);
    assert_int_equal(fwrite(head, sizeof head, 1, f), 1);
    assert_int_equal(fwrite(frame, sizeof frame, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

/* How many of two handshakes are known after the key log of both; the random of one is 0x07... */
static size_t count_known(const char *capture, uint8_t random)
{
    char line[LINE + 1];
    struct log l;
    open_log(&l, false);
    probe_want_secrets(l.secrets, capture);
    for (unsigned i = 7; i <= 8; i++) {
        secret_line(line, i);
        add_text(&l, line, LINE);
        add_text(&l, "\n", 1);
    }
    uint8_t client_random[32];
    memset(client_random, random, sizeof client_random);
    assert_non_null(sd_secrets_find(l.secrets, client_random));
    size_t n = sd_secrets_count(l.secrets);
    assert_int_equal(sd_secrets_unwanted(l.secrets), 2 - n);
    close_log(&l);
    return n;
}

static void only_secrets_of_the_capture_are_taken(void **state)
{
    (void)state;
    char path[] = "/tmp/probe_keylog_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_capture(path, 0, 35);
    assert_int_equal(count_known(path, 7), 1);
    write_capture(path, 0, 20); /* the random is split */
    assert_int_equal(count_known(path, 8), 2);
    write_capture(path, 20, 35);
    assert_int_equal(count_known(path, 8), 2);
    unlink(path);
    assert_int_equal(count_known(path, 8), 2);
    assert_int_equal(count_known("/dev/null", 8), 2);
}

/* --- a log that is followed --- */

static char folder[] = "/tmp/keylog-test.XXXXXX", now[64], old[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(now, sizeof now, "%s/keys", folder);
    snprintf(old, sizeof old, "%s/keys.1", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(now);
    unlink(old);
    return rmdir(folder);
}

/* Appends the lines of these randoms; without any, the file is made. */
static void write_lines(const char *file, const char *mode, unsigned first, unsigned count)
{
    char line[LINE + 1];
    FILE *f = fopen(file, mode);
    assert_non_null(f);
    for (unsigned i = 0; i < count; i++) {
        secret_line(line, first + i);
        fprintf(f, "%s\n", line);
    }
    assert_int_equal(fclose(f), 0);
}

static void follow(struct log *l, size_t secrets)
{
    assert_int_equal(probe_keylog_follow(&l->keylog, now), 0);
    assert_int_equal(sd_secrets_taken(l->secrets), secrets);
}

static void a_log_that_grows_is_read_on(void **state)
{
    struct log l;
    (void)state;
    open_log(&l, false);
    follow(&l, 0);
    write_lines(now, "a", 1, 2);
    follow(&l, 2);
    follow(&l, 2);
    write_lines(now, "a", 3, 1);
    follow(&l, 3);
    close_log(&l);
}

static void a_log_that_is_cut_is_read_again(void **state)
{
    struct log l;
    (void)state;
    open_log(&l, false);
    write_lines(now, "w", 1, 3);
    follow(&l, 3);
    write_lines(now, "w", 4, 1);
    follow(&l, 4);
    close_log(&l);
}

/* The writer has the old file open until something is in the new one. */
static void a_log_that_is_replaced_is_read_after_the_rest_of_the_old_one(void **state)
{
    struct log l;
    (void)state;
    open_log(&l, false);
    write_lines(now, "w", 1, 1);
    follow(&l, 1);
    assert_int_equal(rename(now, old), 0);
    write_lines(old, "a", 2, 1);
    follow(&l, 2);
    write_lines(now, "w", 0, 0);
    write_lines(old, "a", 3, 1);
    follow(&l, 3);
    write_lines(old, "a", 4, 1);
    write_lines(now, "a", 5, 4);
    follow(&l, 8);
    write_lines(now, "a", 9, 1);
    follow(&l, 9);
    close_log(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_same_lines),
        cmocka_unit_test(only_lines_with_secrets_are_kept),
        cmocka_unit_test(a_line_without_end_is_one_bad_line),
        cmocka_unit_test(only_secrets_of_the_capture_are_taken),
#define FOLLOWED(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
        FOLLOWED(a_log_that_grows_is_read_on),
        FOLLOWED(a_log_that_is_cut_is_read_again),
        FOLLOWED(a_log_that_is_replaced_is_read_after_the_rest_of_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
