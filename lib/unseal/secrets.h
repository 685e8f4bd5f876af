/* SPDX-License-Identifier: MIT */
/* The secrets of a key log (draft-ietf-tls-keylogfile, also known as SSLKEYLOGFILE), by
 * client random. */
#ifndef SD_UNSEAL_SECRETS_H
#define SD_UNSEAL_SECRETS_H

#include "unseal/prf.h"

enum sd_secret_kind {
    SD_SECRET_MASTER,
    SD_SECRET_CLIENT_HANDSHAKE,
    SD_SECRET_SERVER_HANDSHAKE,
    SD_SECRET_CLIENT_TRAFFIC,
    SD_SECRET_SERVER_TRAFFIC,
    SD_SECRET_KINDS
};

struct sd_secret {
    uint8_t len; /* 0 = not known */
    uint8_t bytes[SD_DIGEST_MAX];
};

enum {
    SD_PSKS_MAX = 16,
    SD_PSK_LEN_MAX = 512 /* as OpenSSL's */
};

/* A pre-shared key. */
struct sd_shared_key {
    size_t len;
    uint8_t key[SD_PSK_LEN_MAX];
};

struct sd_secrets;

/* NULL when there is no memory. */
struct sd_secrets *sd_secrets_new(void);
void sd_secrets_free(struct sd_secrets *s);

/* Adds whole lines of a key log, any number of them. A line that is not one of a key log is
 * counted and skipped; a secret given twice replaces the first. False when there is no
 * memory. */
bool sd_secrets_add(struct sd_secrets *s, const char *text, size_t len);
/* The number of handshakes with at least one secret. */
size_t sd_secrets_count(const struct sd_secrets *s);
/* The number of lines that were skipped because they are not lines of a key log. */
size_t sd_secrets_bad(const struct sd_secrets *s);
/* From the first call on, only the secrets of wanted handshakes are taken. False when there is no
 * memory. */
bool sd_secrets_want(struct sd_secrets *s, const uint8_t *client_random);
void sd_secrets_want_all(struct sd_secrets *s);
/* The number of lines with a secret that nobody wants. */
size_t sd_secrets_unwanted(const struct sd_secrets *s);
/* The number of lines whose secret was taken. */
size_t sd_secrets_taken(const struct sd_secrets *s);

/* Adds a pre-shared key, to try with every handshake. False when it is too long, when there are
 * SD_PSKS_MAX already, or no memory. */
bool sd_secrets_add_psk(struct sd_secrets *s, struct sd_span key);
/* All of them; *count is how many. */
const struct sd_shared_key *sd_secrets_psks(const struct sd_secrets *s, size_t *count);

/* The secrets of one handshake, SD_SECRET_KINDS of them; NULL when the key log has none. The
 * array stays where it is until `s` is freed; a secret may become known later. */
const struct sd_secret *sd_secrets_find(const struct sd_secrets *s, const uint8_t *client_random);

#endif
