/* SPDX-License-Identifier: MIT */
/* The secrets that follow from a pre-shared key and what both sides said in plaintext: plain PSK
 * suites (RFC 4279 section 2), and DTLS 1.3 without a key exchange (psk_ke, RFC 8446
 * section 4.2.9). Where a Diffie-Hellman or RSA secret goes into the keys, too, no capture has it.
 */
#ifndef SD_UNSEAL_PSK_H
#define SD_UNSEAL_PSK_H

#include <openssl/evp.h>

#include "unseal/secrets.h"
#include "wire/unprotect.h"

/* The master secret of a handshake of DTLS 1.0 or 1.2. False when its suite is no plain PSK suite,
 * or the transcript is missing though needed. */
bool sd_psk_master(const struct sd_shared_key *psk, const struct sd_unprotect_params *params,
                   uint8_t master[static SD_MASTER_LEN]);

/* A handshake of DTLS 1.3 on its way to the keys of application data. */
struct sd_psk13 {
    const char *hash;
    EVP_MD_CTX *transcript; /* NULL = nothing more to come */
    uint8_t secret[SD_DIGEST_MAX];
    bool extensions; /* EncryptedExtensions came */
};

/* Fills in the handshake traffic secrets of `secrets`, SD_SECRET_KINDS of them. False when it is
 * not psk_ke; then there is nothing to free. */
bool sd_psk13_init(struct sd_psk13 *k, const struct sd_shared_key *psk,
                   const struct sd_unprotect_params *params, struct sd_secret *secrets);
/* The next message of the server: after its Finished, `secrets` has those of application data. */
void sd_psk13_message(struct sd_psk13 *k, uint8_t type, struct sd_span body,
                      struct sd_secret *secrets);
void sd_psk13_fini(struct sd_psk13 *k);

#endif
