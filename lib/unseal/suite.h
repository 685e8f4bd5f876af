/* SPDX-License-Identifier: MIT */
/* How a cipher suite protects records. */
#ifndef SD_UNSEAL_SUITE_H
#define SD_UNSEAL_SUITE_H

#include <stdint.h>

enum sd_suite_kind {
    SD_SUITE_GCM,
    SD_SUITE_CCM,
    SD_SUITE_CHACHA,
    SD_SUITE_CBC,
    SD_SUITE_NULL /* a MAC, no encryption */
};

struct sd_suite {
    /* Digests are named as in unseal/prf.h. */
    const char *tail;   /* the name of the suite after _WITH_, or after TLS_ */
    const char *cipher; /* OpenSSL's name */
    const char *mask;   /* cipher of the record numbers of DTLS 1.3, or NULL */
    const char *mac;    /* digest of the records' HMAC: CBC and NULL */
    const char *hash;   /* digest of the key derivation, DTLS 1.2 and later */
    enum sd_suite_kind kind;
    uint8_t key_len, tag_len /* AEAD */, block_len /* CBC */;
};

/* NULL when records of this suite cannot be opened here. */
const struct sd_suite *sd_suite_find(uint16_t suite);

#endif
