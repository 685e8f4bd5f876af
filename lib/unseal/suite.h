/* What a cipher suite says about the protection of records. */
#ifndef SD_UNSEAL_SUITE_H
#define SD_UNSEAL_SUITE_H

#include <stdint.h>

enum sd_protection {
    SD_PROTECT_GCM,
    SD_PROTECT_CCM,
    SD_PROTECT_CHACHA,
    SD_PROTECT_CBC,
    SD_PROTECT_NULL /* a MAC and no cipher */
};

struct sd_suite {
    /* Digests as tls/prf.h calls them. */
    const char *tail;   /* what follows _WITH_, or TLS_, in the name of the suite */
    const char *cipher; /* OpenSSL's name */
    const char *mask;   /* cipher of the record numbers of DTLS 1.3, or NULL */
    const char *mac;    /* HMAC of the records: CBC and NULL */
    const char *hash;   /* of the key derivation, DTLS 1.2 and later */
    enum sd_protection protection;
    uint8_t key_len, tag_len /* AEAD */, block_len /* CBC */;
};

/* NULL when nothing here can open its records. */
const struct sd_suite *sd_suite_find(uint16_t suite);

#endif
