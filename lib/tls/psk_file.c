/* SPDX-License-Identifier: MIT */
#include "tls/psk_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "sukat_dtls.h"

struct psk_entry {
    uint64_t hash; /* of the identity */
    size_t line, key_len;
    unsigned char *key; /* stands after the identity */
    char identity[];
};

/* Open addressing, at most half full. */
struct sd_psk_file {
    struct sd_hash_key seed; /* identities are the clients' choice */
    struct psk_entry **slots;
    size_t cap, count;
};

/* Where the identity is, or the free slot where it belongs. */
static struct psk_entry **psk_slot(const struct sd_psk_file *f, uint64_t hash, const char *identity)
{
    size_t at = hash & (f->cap - 1);
    while (f->slots[at] &&
           (f->slots[at]->hash != hash || strcmp(f->slots[at]->identity, identity) != 0))
        at = (at + 1) & (f->cap - 1);
    return &f->slots[at];
}

static bool grow_slots(struct sd_psk_file *f)
{
    enum { FIRST = 64 };
    struct sd_psk_file bigger = *f;
    bigger.cap = f->cap ? f->cap * 2 : FIRST;
    bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < f->cap; i++)
        if (f->slots[i])
            *psk_slot(&bigger, f->slots[i]->hash, f->slots[i]->identity) = f->slots[i];
    free(f->slots);
    *f = bigger;
    return true;
}

static void free_entry(struct psk_entry *e)
{
    if (!e)
        return;
    OPENSSL_cleanse(e->key, e->key_len);
    free(e);
}

static struct psk_entry *new_entry(const struct sd_psk_file *f, const char *identity,
                                   size_t key_len, size_t line)
{
    size_t len = strlen(identity);
    struct psk_entry *e = malloc(sizeof *e + len + 1 + key_len);
    if (!e)
        return NULL;
    memcpy(e->identity, identity, len + 1);
    e->key = (unsigned char *)e->identity + len + 1;
    e->key_len = key_len;
    e->hash = sd_hash(f->seed, identity, len);
    e->line = line;
    return e;
}

static int key_digit(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *p = c ? strchr(digits, c) : NULL;
    if (!p)
        return -1;
    int value = (int)(p - digits);
    return value < 16 ? value : value - 6;
}

static bool put_hex(unsigned char *out, const char *hex, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = key_digit(hex[2 * i]), low = key_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static void cut_blanks(char *line, size_t len)
{
    while (len && strchr(" \t\r\n", line[len - 1]))
        len--;
    line[len] = '\0';
}

/* Takes over the entry. NULL, or why not. */
static const char *add_entry(struct sd_psk_file *f, struct psk_entry *e, size_t *twin)
{
    if (f->count >= f->cap / 2 && !grow_slots(f)) {
        free_entry(e);
        return "out of memory";
    }
    struct psk_entry **slot = psk_slot(f, e->hash, e->identity);
    if (*slot) {
        *twin = (*slot)->line;
        free_entry(e);
        return "its identity has a key already";
    }
    *slot = e;
    f->count++;
    return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct sd_psk_file *f, char *line, size_t number, size_t *twin)
{
    char *hex = strrchr(line, ':');
    if (!hex)
        return "there is no colon: write identity:hexkey";
    *hex++ = '\0';
    size_t digits = strlen(hex);
    if (!*line)
        return "the identity is empty";
    if (strlen(line) >= PSK_MAX_IDENTITY_LEN)
        return "the identity is too long for this OpenSSL";
    if (!digits || digits % 2)
        return "write the key as pairs of hex digits";
    if (digits / 2 > PSK_MAX_PSK_LEN)
        return "the key is too long for this OpenSSL";
    struct psk_entry *e = new_entry(f, line, digits / 2, number);
    if (!e)
        return "out of memory";
    if (put_hex(e->key, hex, e->key_len))
        return add_entry(f, e, twin);
    free_entry(e);
    return "write the key as pairs of hex digits";
}

static int line_error(struct sd_err *err, const char *file, size_t number, size_t twin,
                      const char *why)
{
    if (twin)
        return sd_err_set(err, SDTLS_CRED, "psk_file %s, lines %zu and %zu have the same identity",
                          file, twin, number);
    return sd_err_because(err, SDTLS_CRED, why, "psk_file %s, line %zu", file, number);
}

static int read_lines(struct sd_psk_file *f, FILE *in, const char *file, struct sd_err *err)
{
    char *line = NULL;
    size_t cap = 0, number = 0, twin = 0;
    const char *why = NULL;
    ssize_t len;
    while (!why && (len = getline(&line, &cap, in)) >= 0) {
        number++;
        if (memchr(line, '\0', (size_t)len))
            why = "it is not text";
        else
            cut_blanks(line, (size_t)len);
        if (!why && *line && *line != '#')
            why = take_line(f, line, number, &twin);
    }
    int error = !why && ferror(in) ? errno : 0;
    if (line)
        OPENSSL_cleanse(line, cap);
    free(line);
    if (error)
        return sd_err_because(err, SDTLS_CRED, strerrordesc_np(error), "cannot read psk_file %s",
                              file);
    return why ? line_error(err, file, number, twin, why) : SDTLS_OK;
}

static int read_file(struct sd_psk_file *f, const char *file, struct sd_err *err)
{
    char buffer[BUFSIZ]; /* stdio's own would keep keys in freed memory */
    FILE *in = fopen(file, "re");
    if (!in)
        return sd_err_because(err, SDTLS_CRED, strerrordesc_np(errno), "cannot read psk_file %s",
                              file);
    setvbuf(in, buffer, _IOFBF, sizeof buffer);
    int rc = read_lines(f, in, file, err);
    fclose(in);
    OPENSSL_cleanse(buffer, sizeof buffer);
    if (!rc && !f->count)
        rc = sd_err_set(err, SDTLS_CRED, "psk_file %s contains no key", file);
    return rc;
}

int sd_psk_file_read(struct sd_psk_file **pf, const char *file, struct sd_err *err)
{
    struct sd_psk_file *f = calloc(1, sizeof *f);
    *pf = NULL;
    if (!f || !sd_random(&f->seed, sizeof f->seed) || !grow_slots(f)) {
        sd_psk_file_free(f);
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    }
    int rc = read_file(f, file, err);
    if (rc)
        sd_psk_file_free(f);
    else
        *pf = f;
    return rc;
}

const unsigned char *sd_psk_file_find(const struct sd_psk_file *f, const char *identity,
                                      size_t *len)
{
    const struct psk_entry *e =
        *psk_slot(f, sd_hash(f->seed, identity, strlen(identity)), identity);
    *len = e ? e->key_len : 0;
    return e ? e->key : NULL;
}

void sd_psk_file_free(struct sd_psk_file *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->cap; i++)
        free_entry(f->slots[i]);
    free(f->slots);
    free(f);
}
