/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/internal.h"

#include <string.h>

/* The digest of the PRF; NULL before DTLS 1.2. */
static const char *prf_digest(const struct puppet *p)
{
    const struct sd_suite *s = sd_suite_find(p->suite);
    return p->version == SD_DTLS_1_2 && s ? s->hash : NULL;
}

bool puppet_derive_master(struct puppet *p, const struct puppet_secret *secret)
{
    uint8_t seed[2 * SD_RANDOM_LEN > PUPPET_HASH_MAX ? 2 * SD_RANDOM_LEN : PUPPET_HASH_MAX];
    size_t len = 2 * SD_RANDOM_LEN;
    memcpy(seed, p->client_random, SD_RANDOM_LEN);
    memcpy(seed + SD_RANDOM_LEN, p->server_random, SD_RANDOM_LEN);
    if (p->extended_master)
        len = puppet_transcript_hash(&p->transcript, prf_digest(p), seed);
    return len && sd_prf(prf_digest(p), (struct sd_span){secret->premaster, secret->premaster_len},
                         p->extended_master ? "extended master secret" : "master secret",
                         (struct sd_span){seed, len}, p->session.master, SD_MASTER_LEN);
}

bool puppet_derive_keys(struct puppet *p)
{
    const struct sd_unprotect_params params = {.client_random = p->client_random,
                                               .server_random = p->server_random,
                                               .version = p->version,
                                               .suite = p->suite,
                                               .encrypt_then_mac = p->encrypt_then_mac};
    if (p->keyed)
        sd_keys12_fini(&p->keys);
    p->keyed = sd_keys12_init(&p->keys, &params, p->session.master);
    return p->keyed;
}

bool puppet_verify_data(struct puppet *p, const char *label, uint8_t out[PUPPET_VERIFY_LEN])
{
    uint8_t hash[PUPPET_HASH_MAX];
    size_t len = puppet_transcript_hash(&p->transcript, prf_digest(p), hash);
    return len && sd_prf(prf_digest(p), (struct sd_span){p->session.master, SD_MASTER_LEN}, label,
                         (struct sd_span){hash, len}, out, PUPPET_VERIFY_LEN);
}
