/* SPDX-License-Identifier: MIT */
#include "unseal/secrets.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/table.h"
#include "wire/hello.h"

enum { SHA256_LEN = 32 };

struct known_handshake {
    struct sd_node node;
    struct known_handshake *next; /* of all */
    uint8_t client_random[SD_RANDOM_LEN];
    bool known; /* at least one of its secrets */
    struct sd_secret secrets[SD_SECRET_KINDS];
};

struct sd_secrets {
    struct sd_table table;
    struct sd_hash_key seed; /* client randoms are the clients' choice */
    struct known_handshake *all;
    size_t known;                /* handshakes */
    size_t bad, taken, unwanted; /* lines */
    bool choosy;
    size_t psk_count;
    struct sd_shared_key *psks; /* room for SD_PSKS_MAX; NULL = none */
};

static const char *const labels[SD_SECRET_KINDS] = {
    [SD_SECRET_MASTER] = "CLIENT_RANDOM",
    [SD_SECRET_CLIENT_HANDSHAKE] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    [SD_SECRET_SERVER_HANDSHAKE] = "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    [SD_SECRET_CLIENT_TRAFFIC] = "CLIENT_TRAFFIC_SECRET_0",
    [SD_SECRET_SERVER_TRAFFIC] = "SERVER_TRAFFIC_SECRET_0",
};

struct sd_secrets *sd_secrets_new(void)
{
    struct sd_secrets *s = calloc(1, sizeof *s);
    if (s && sd_table_init(&s->table) && sd_random(&s->seed, sizeof s->seed))
        return s;
    sd_secrets_free(s);
    return NULL;
}

void sd_secrets_free(struct sd_secrets *s)
{
    if (!s)
        return;
    while (s->all) {
        struct known_handshake *next = s->all->next;
        OPENSSL_cleanse(s->all, sizeof *s->all);
        free(s->all);
        s->all = next;
    }
    sd_table_fini(&s->table);
    if (s->psks)
        OPENSSL_cleanse(s->psks, SD_PSKS_MAX * sizeof *s->psks);
    free(s->psks);
    free(s);
}

bool sd_secrets_add_psk(struct sd_secrets *s, struct sd_span key)
{
    if (s->psk_count == SD_PSKS_MAX || !key.len || key.len > SD_PSK_LEN_MAX)
        return false;
    if (!s->psks && !(s->psks = calloc(SD_PSKS_MAX, sizeof *s->psks)))
        return false;
    struct sd_shared_key *psk = &s->psks[s->psk_count++];
    psk->len = key.len;
    memcpy(psk->key, key.p, key.len);
    return true;
}

const struct sd_shared_key *sd_secrets_psks(const struct sd_secrets *s, size_t *count)
{
    *count = s->psk_count;
    return s->psks;
}

static bool same_random(const struct sd_node *n, const void *key)
{
    const struct known_handshake *e = sd_container(n, const struct known_handshake, node);
    return memcmp(e->client_random, key, SD_RANDOM_LEN) == 0;
}

static struct known_handshake *find_handshake(const struct sd_secrets *s,
                                              const uint8_t *client_random, uint64_t hash)
{
    struct sd_node *n = sd_table_find(&s->table, hash, same_random, client_random);
    return n ? sd_container(n, struct known_handshake, node) : NULL;
}

const struct sd_secret *sd_secrets_find(const struct sd_secrets *s, const uint8_t *client_random)
{
    const struct known_handshake *e =
        s->known ? find_handshake(s, client_random, sd_hash(s->seed, client_random, SD_RANDOM_LEN))
                 : NULL;
    return e && e->known ? e->secrets : NULL;
}

static struct known_handshake *find_or_add_handshake(struct sd_secrets *s,
                                                     const uint8_t *client_random)
{
    uint64_t hash = sd_hash(s->seed, client_random, SD_RANDOM_LEN);
    struct known_handshake *e = find_handshake(s, client_random, hash);
    if (e || !(e = calloc(1, sizeof *e)))
        return e;
    memcpy(e->client_random, client_random, SD_RANDOM_LEN);
    e->next = s->all;
    s->all = e;
    sd_table_add(&s->table, &e->node, hash);
    return e;
}

/* False when there is no memory. */
static bool take_secret(struct sd_secrets *s, const uint8_t *client_random,
                        enum sd_secret_kind kind, const struct sd_secret *secret)
{
    if (s->choosy &&
        !find_handshake(s, client_random, sd_hash(s->seed, client_random, SD_RANDOM_LEN))) {
        s->unwanted++;
        return true;
    }
    struct known_handshake *e = find_or_add_handshake(s, client_random);
    if (!e)
        return false;
    s->known += !e->known;
    e->known = true;
    e->secrets[kind] = *secret;
    s->taken++;
    return true;
}

bool sd_secrets_want(struct sd_secrets *s, const uint8_t *client_random)
{
    s->choosy = true;
    return find_or_add_handshake(s, client_random);
}

void sd_secrets_want_all(struct sd_secrets *s)
{
    s->choosy = false;
}

/* The bytes up to the next `end`, which is skipped, or the rest. */
static struct sd_span take_until(struct sd_rd *rd, char end)
{
    size_t left = sd_rd_left(rd);
    const uint8_t *at = left ? memchr(rd->p, end, left) : NULL;
    struct sd_span s = sd_rd_bytes(rd, at ? (size_t)(at - rd->p) : left);
    if (at)
        sd_rd_u8(rd);
    return s;
}

static int nibble_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes hex digits. The number of bytes, at most `cap`; 0 when the text is not hex. */
static size_t unhex(struct sd_span text, uint8_t *out, size_t cap)
{
    if (text.len % 2 || text.len / 2 > cap)
        return 0;
    struct sd_rd rd = sd_rd_init(text.p, text.len);
    for (size_t i = 0; i < text.len / 2; i++) {
        int high = nibble_of(sd_rd_u8(&rd)), low = nibble_of(sd_rd_u8(&rd));
        if (high < 0 || low < 0)
            return 0;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text.len / 2;
}

static enum sd_secret_kind label_kind(struct sd_span label)
{
    enum sd_secret_kind k = 0;
    while (k < SD_SECRET_KINDS &&
           (strlen(labels[k]) != label.len || memcmp(labels[k], label.p, label.len) != 0))
        k++;
    return k;
}

/* "LABEL hex-of-client-random hex-of-secret". False when there is no memory. */
static bool add_line(struct sd_secrets *s, struct sd_span line)
{
    uint8_t client_random[SD_RANDOM_LEN];
    struct sd_secret secret = {0};
    struct sd_rd rd = sd_rd_init(line.p, line.len);
    enum sd_secret_kind kind = label_kind(take_until(&rd, ' '));
    size_t random_len = unhex(take_until(&rd, ' '), client_random, sizeof client_random);
    struct sd_span value = take_until(&rd, ' ');
    if (random_len != SD_RANDOM_LEN || !value.len) {
        s->bad++;
        return true;
    }
    if (kind == SD_SECRET_KINDS)
        return true; /* of no use for records, such as EXPORTER_SECRET */
    secret.len = (uint8_t)unhex(value, secret.bytes, sizeof secret.bytes);
    if (secret.len != SD_MASTER_LEN && (kind == SD_SECRET_MASTER || secret.len != SHA256_LEN)) {
        s->bad++;
        return true;
    }
    bool ok = take_secret(s, client_random, kind, &secret);
    OPENSSL_cleanse(&secret, sizeof secret);
    return ok;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool sd_secrets_add(struct sd_secrets *s, const char *text, size_t len)
{
    struct sd_rd rd = sd_rd_init(text, len);
    while (sd_rd_left(&rd)) {
        struct sd_span line = take_until(&rd, '\n');
        while (line.len && is_blank(line.p[line.len - 1]))
            line.len--;
        if (line.len && line.p[0] != '#' && !add_line(s, line))
            return false;
    }
    return true;
}

size_t sd_secrets_count(const struct sd_secrets *s)
{
    return s->known;
}

size_t sd_secrets_bad(const struct sd_secrets *s)
{
    return s->bad;
}

size_t sd_secrets_unwanted(const struct sd_secrets *s)
{
    return s->unwanted;
}

size_t sd_secrets_taken(const struct sd_secrets *s)
{
    return s->taken;
}
