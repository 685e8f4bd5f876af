/* SPDX-License-Identifier: MIT */
#include "unseal/suite.h"

#include <stddef.h>
#include <string.h>

#include "wire/names.h"

#define AES_GCM(bits, h)                                                                           \
    {                                                                                              \
        .tail = "AES_" #bits "_GCM_SHA" #h, .cipher = "aes-" #bits "-gcm",                         \
        .mask = "aes-" #bits "-ecb", .hash = "SHA" #h, .kind = SD_SUITE_GCM, .key_len = bits / 8,  \
        .tag_len = 16                                                                              \
    }
#define AES_CCM(bits, end, h, tag)                                                                 \
    {                                                                                              \
        .tail = "AES_" #bits "_CCM" end, .cipher = "aes-" #bits "-ccm",                            \
        .mask = "aes-" #bits "-ecb", .hash = h, .kind = SD_SUITE_CCM, .key_len = bits / 8,         \
        .tag_len = tag                                                                             \
    }
#define ARIA_GCM(bits, h)                                                                          \
    {                                                                                              \
        .tail = "ARIA_" #bits "_GCM_SHA" #h, .cipher = "aria-" #bits "-gcm", .hash = "SHA" #h,     \
        .kind = SD_SUITE_GCM, .key_len = bits / 8, .tag_len = 16                                   \
    }
#define CBC(name, ossl, key, block, m, h)                                                          \
    {                                                                                              \
        .tail = name "_CBC_" m, .cipher = ossl "-cbc", .mac = m, .hash = h, .kind = SD_SUITE_CBC,  \
        .key_len = key, .block_len = block                                                         \
    }
#define NO_CIPHER(m, h)                                                                            \
    {                                                                                              \
        .tail = "NULL_" m, .mac = m, .hash = h, .kind = SD_SUITE_NULL                              \
    }

/* The end of a suite's name decides, so the key exchanges need no rows of their own.
 * DTLS 1.2 derives keys with SHA-256 unless the suite names SHA-384 (RFC 5246 section 5). */
static const struct sd_suite suites[] = {
    AES_GCM(128, 256),
    AES_GCM(256, 384),
    AES_CCM(128, "", "SHA256", 16),
    AES_CCM(256, "", "SHA256", 16),
    AES_CCM(128, "_8", "SHA256", 8),
    AES_CCM(256, "_8", "SHA256", 8),
    AES_CCM(128, "_SHA256", "SHA256", 16),
    AES_CCM(256, "_SHA384", "SHA384", 16),
    AES_CCM(128, "_8_SHA256", "SHA256", 8),
    ARIA_GCM(128, 256),
    ARIA_GCM(256, 384),
    {.tail = "CHACHA20_POLY1305_SHA256",
     .cipher = "chacha20-poly1305",
     .mask = "chacha20",
     .hash = "SHA256",
     .kind = SD_SUITE_CHACHA,
     .key_len = 32,
     .tag_len = 16},
    CBC("AES_128", "aes-128", 16, 16, "SHA", "SHA256"),
    CBC("AES_256", "aes-256", 32, 16, "SHA", "SHA256"),
    CBC("AES_128", "aes-128", 16, 16, "SHA256", "SHA256"),
    CBC("AES_256", "aes-256", 32, 16, "SHA256", "SHA256"),
    CBC("AES_256", "aes-256", 32, 16, "SHA384", "SHA384"),
    CBC("CAMELLIA_128", "camellia-128", 16, 16, "SHA", "SHA256"),
    CBC("CAMELLIA_256", "camellia-256", 32, 16, "SHA", "SHA256"),
    CBC("CAMELLIA_128", "camellia-128", 16, 16, "SHA256", "SHA256"),
    CBC("CAMELLIA_256", "camellia-256", 32, 16, "SHA256", "SHA256"),
    CBC("CAMELLIA_256", "camellia-256", 32, 16, "SHA384", "SHA384"),
    CBC("ARIA_128", "aria-128", 16, 16, "SHA256", "SHA256"),
    CBC("ARIA_256", "aria-256", 32, 16, "SHA384", "SHA384"),
    CBC("3DES_EDE", "des-ede3", 24, 8, "SHA", "SHA256"),
    NO_CIPHER("MD5", "SHA256"),
    NO_CIPHER("SHA", "SHA256"),
    NO_CIPHER("SHA256", "SHA256"),
    NO_CIPHER("SHA384", "SHA384"),
};

const struct sd_suite *sd_suite_find(uint16_t suite)
{
    char buf[SD_NAME_TEXT];
    const char *name = sd_name(SD_NAME_SUITE, suite, buf);
    const char *with = strstr(name, "_WITH_");
    if (strncmp(name, "TLS_", 4) != 0)
        return NULL;
    const char *tail = with ? with + strlen("_WITH_") : name + strlen("TLS_");
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i].tail, tail) == 0)
            return &suites[i];
    return NULL;
}
