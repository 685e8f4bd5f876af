/* The secrets of a key log, by client random. */
#ifndef SD_UNSEAL_SECRETS_H
#define SD_UNSEAL_SECRETS_H

#include "unseal/prf.h"
#include "unseal/keylog.h"

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

/* SD_SECRET_KINDS of them, or NULL. They stay where they are, and may become known
 * later. */
const struct sd_secret *sd_secrets_find(const struct sd_secrets *s, const uint8_t *client_random);

#endif
