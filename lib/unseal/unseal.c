/* SPDX-License-Identifier: MIT */
#include "unseal/unseal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "unseal/keys12.h"
#include "unseal/keys13.h"
#include "unseal/psk.h"

enum { SUITES_OF_13 = 0x13 }; /* first byte, of these suites only (RFC 8446 appendix B.4) */

/* The keys of a handshake, or what they are with one of the pre-shared keys. */
struct candidate {
    struct candidate *next;
    bool tls13;
    union {
        struct sd_keys12 old;
        struct sd_keys13 new;
    };
    struct sd_psk13 psk13;
    struct sd_secret derived[SD_SECRET_KINDS]; /* by psk13 */
};

struct handshake_keys {
    struct candidate *candidates; /* one, as soon as a record was opened with it */
    bool from_psk;
};

static bool any_traffic_secret(const struct sd_secret *secrets)
{
    for (int i = SD_SECRET_CLIENT_HANDSHAKE; i <= SD_SECRET_SERVER_TRAFFIC; i++)
        if (secrets[i].len)
            return true;
    return false;
}

static bool init_logged(struct candidate *k, const struct sd_unprotect_params *params,
                        const struct sd_secret *secrets)
{
    if (k->tls13)
        return any_traffic_secret(secrets) && sd_keys13_init(&k->new, params->suite, secrets);
    const struct sd_secret *master = &secrets[SD_SECRET_MASTER];
    return master->len == SD_MASTER_LEN && sd_keys12_init(&k->old, params, master->bytes);
}

static bool init_with_psk(struct candidate *k, const struct sd_unprotect_params *params,
                          const struct sd_shared_key *psk)
{
    uint8_t master[SD_MASTER_LEN];
    if (!k->tls13) {
        bool ok = sd_psk_master(psk, params, master) && sd_keys12_init(&k->old, params, master);
        OPENSSL_cleanse(master, sizeof master);
        return ok;
    }
    if (!sd_psk13_init(&k->psk13, psk, params, k->derived))
        return false;
    if (sd_keys13_init(&k->new, params->suite, k->derived))
        return true;
    sd_psk13_fini(&k->psk13);
    return false;
}

/* With the secrets of a key log, or with a pre-shared key. NULL when they are of no use here. */
static struct candidate *make_candidate(const struct sd_unprotect_params *params,
                                        const struct sd_secret *secrets,
                                        const struct sd_shared_key *psk)
{
    bool tls13 = params->version == SD_DTLS_1_3;
    if (tls13 != (params->suite >> 8 == SUITES_OF_13) ||
        (!tls13 && !sd_record_version_ok(params->version)))
        return NULL;
    struct candidate *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->tls13 = tls13;
    if (secrets ? init_logged(k, params, secrets) : init_with_psk(k, params, psk))
        return k;
    free(k);
    return NULL;
}

static void free_candidates(struct candidate *k)
{
    while (k) {
        struct candidate *next = k->next;
        if (k->tls13)
            sd_keys13_fini(&k->new);
        else
            sd_keys12_fini(&k->old);
        sd_psk13_fini(&k->psk13);
        OPENSSL_cleanse(k, sizeof *k);
        free(k);
        k = next;
    }
}

static struct candidate *candidates_of_psks(const struct sd_secrets *s,
                                            const struct sd_unprotect_params *params)
{
    size_t count;
    const struct sd_shared_key *psks = sd_secrets_psks(s, &count);
    struct candidate *all = NULL;
    while (count) {
        struct candidate *k = make_candidate(params, NULL, &psks[--count]);
        if (!k)
            continue;
        k->next = all;
        all = k;
    }
    return all;
}

static void *begin_opening(void *arg, const struct sd_unprotect_params *params)
{
    size_t psks;
    const struct sd_secret *secrets = sd_secrets_find(arg, params->client_random);
    sd_secrets_psks(arg, &psks);
    if (!secrets && !psks)
        return NULL; /* with each handshake of a capture, so without asking OpenSSL for anything */
    struct candidate *candidates = secrets ? make_candidate(params, secrets, NULL) : NULL;
    bool from_psk = !candidates;
    if (!candidates)
        candidates = candidates_of_psks(arg, params);
    struct handshake_keys *k = candidates ? calloc(1, sizeof *k) : NULL;
    if (k)
        *k = (struct handshake_keys){candidates, from_psk};
    else
        free_candidates(candidates);
    ERR_clear_error();
    return k;
}

static bool open_with(struct candidate *k, bool from_server, const struct sd_record *rec,
                      uint8_t *out, struct sd_record *plain)
{
    struct sd_record opened;
    bool ok = k->tls13 ? sd_keys13_open(&k->new, from_server, rec, out, &opened)
                       : sd_keys12_open(&k->old, from_server, rec, out, &opened);
    if (ok)
        *plain = opened;
    return ok;
}

/* The one that opened a record is the right one. */
static void settle(struct handshake_keys *k, struct candidate **at)
{
    struct candidate *right = *at;
    *at = right->next;
    right->next = NULL;
    free_candidates(k->candidates);
    k->candidates = right;
}

static bool open_protected(void *keys, bool from_server, const struct sd_record *rec, uint8_t *out,
                           struct sd_record *plain)
{
    struct handshake_keys *k = keys;
    struct candidate **at = &k->candidates;
    while (*at && !open_with(*at, from_server, rec, out, plain))
        at = &(*at)->next;
    bool ok = *at;
    if (ok && k->candidates->next)
        settle(k, at);
    ERR_clear_error();
    return ok;
}

static void take_server_message(void *keys, bool from_server, uint8_t type, struct sd_span body)
{
    struct handshake_keys *k = keys;
    if (from_server && !k->candidates->next && k->candidates->tls13)
        sd_psk13_message(&k->candidates->psk13, type, body, k->candidates->derived);
    ERR_clear_error();
}

static bool are_from_psk(const void *keys)
{
    return ((const struct handshake_keys *)keys)->from_psk;
}

static void end_opening(void *keys)
{
    struct handshake_keys *k = keys;
    if (!k)
        return;
    free_candidates(k->candidates);
    free(k);
}

struct sd_unprotect sd_unseal_hooks(struct sd_secrets *s)
{
    size_t psks;
    sd_secrets_psks(s, &psks);
    return (struct sd_unprotect){.arg = s,
                                 .begin = begin_opening,
                                 .open = open_protected,
                                 .end = end_opening,
                                 .psk = psks > 0,
                                 .message = psks ? take_server_message : NULL,
                                 .from_psk = psks ? are_from_psk : NULL};
}

const char *sd_unseal_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
