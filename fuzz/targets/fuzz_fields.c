/* SPDX-License-Identifier: MIT */
/* A handshake message on its way to a terminal and to JSON: its type, the version, the suite,
 * whether somebody reads certificates, the body. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_probe/details.h"
#include "dtls_probe/values.h"
#include "harness/common.h"
#include "harness/watch.h"
#include "wire/iana.h"
#include "wire/record.h"

enum { NO_READER = 0x80, STRING_MAX = 4 * PROBE_BYTES_MAX + 3, COLUMN_MAX = STRING_MAX + 64 };

static const uint8_t types[16] = {
    SD_HS_CLIENT_HELLO,         SD_HS_SERVER_HELLO,        SD_HS_HELLO_VERIFY_REQUEST,
    SD_HS_ENCRYPTED_EXTENSIONS, SD_HS_CERTIFICATE,         SD_HS_CERTIFICATE_REQUEST,
    SD_HS_CERTIFICATE_VERIFY,   SD_HS_SERVER_KEY_EXCHANGE, SD_HS_CLIENT_KEY_EXCHANGE,
    SD_HS_NEW_SESSION_TICKET,   SD_HS_KEY_UPDATE,          SD_HS_FINISHED,
    SD_HS_CLIENT_HELLO,         SD_HS_SERVER_HELLO,        SD_HS_CERTIFICATE,
    SD_HS_ENCRYPTED_EXTENSIONS};
static const uint16_t versions[4] = {SD_DTLS_1_2, SD_DTLS_1_3, SD_DTLS_1_0, SD_DTLS_BAD};

static void check_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fuzz_check(text[i] >= ' ' && text[i] <= '~', "byte %02x gets through", text[i] & 0xff);
}

static void check_value(const json_t *value)
{
    const char *text = json_string_value(value), *key;
    json_t *inner, *all = (json_t *)(uintptr_t)value;
    size_t i;
    fuzz_check(value && !json_is_null(value), "a field without a value");
    if (text) {
        check_printable(text, strlen(text));
        fuzz_check(strlen(text) <= STRING_MAX, "a text of %zu bytes", strlen(text));
    }
    fuzz_check(json_array_size(value) <= PROBE_LIST_MAX + 1, "a list of %zu values",
               json_array_size(value));
    json_array_foreach(all, i, inner) check_value(inner);
    json_object_foreach(all, key, inner) check_value(inner);
}

static void check_lines(const json_t *fields)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    fuzz_check(to, "no memory for the lines");
    probe_details_print(to, fields, 10);
    fclose(to);
    fuzz_check(len && text[len - 1] == '\n', "the lines have no end");
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        check_printable(line, n);
        fuzz_check(n <= COLUMN_MAX && n, "a line of %zu columns", n);
        line += n + 1;
    }
    fuzz_note_bytes(text, len);
    free(text);
}

/* Distinguished names of one kind. */
static bool read_dn(void *arg, struct sd_span der, char *text, size_t cap)
{
    (void)arg;
    snprintf(text, cap, "CN=%zu", der.len);
    return der.len % 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    uint8_t type = sd_rd_u8(&in), how = sd_rd_u8(&in);
    struct sd_exchange x = {
        .version = versions[how & 3], .negotiated = true, .suite = sd_rd_u16(&in)};
    struct sd_cert_reader certs = watch_certs();
    if (in.bad)
        return 0;
    certs.dn = read_dn;
    struct sd_span body = sd_rd_rest(&in);
    uint8_t *copy = fuzz_copy(body);
    json_t *fields = probe_details(&x, types[type & 15], (struct sd_span){copy, body.len},
                                   how & NO_READER ? NULL : &certs);
    free(copy); /* nothing of the body is borrowed */
    if (fields) {
        check_value(fields);
        check_lines(fields);
    }
    json_decref(fields);
    return 0;
}

/* --- seeds --- */

/* An extension whose body is a list, with a length of one byte or two. */
static void put_extension(struct sd_wr *w, uint16_t code, unsigned width)
{
    sd_wr_u16(w, code);
    size_t body = sd_wr_open(w, 2), list = sd_wr_open(w, width);
    sd_wr_u32(w, 0x001d0017);
    sd_wr_close(w, list, width);
    sd_wr_close(w, body, 2);
}

static void seed_hello(struct fuzz_seeder *s, uint16_t first, unsigned width)
{
    static const uint8_t random[32];
    uint8_t bytes[1024];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    sd_wr_u32(&w, 0x0000c02b);
    sd_wr_u16(&w, SD_DTLS_1_2);
    sd_wr_bytes(&w, random, sizeof random);
    sd_wr_u16(&w, 0);
    sd_wr_u32(&w, 0x0002c02b);
    sd_wr_u16(&w, 0x0100);
    size_t block = sd_wr_open(&w, 2);
    for (uint16_t code = first; code < first + 16; code++)
        put_extension(&w, code, width);
    put_extension(&w, SD_EXT_RENEGOTIATION_INFO, 1);
    sd_wr_close(&w, block, 2);
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    for (uint16_t first = 0; first < 64; first = (uint16_t)(first + 16)) {
        seed_hello(s, first, 1);
        seed_hello(s, first, 2);
    }
}
