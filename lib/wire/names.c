/* SPDX-License-Identifier: MIT */
#include "wire/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "wire/iana.h"

struct named_value {
    uint16_t value;
    const char *text;
};

/* All tables are in the order of their values: they are searched by halves. */
#define SD_X(name, value, text) {value, text},
static const struct named_value contents[] = {SD_CONTENT_TYPES(SD_X)};
static const struct named_value handshakes[] = {SD_HANDSHAKE_TYPES(SD_X)};
static const struct named_value alerts[] = {SD_ALERTS(SD_X)};
static const struct named_value extensions[] = {SD_EXTENSIONS(SD_X)};
static const struct named_value srtp[] = {SD_SRTP_PROFILES(SD_X)};
#undef SD_X

static const struct named_value suites[] = {
#define X(value, name) {value, #name},
#include "wire/suites.def"
#undef X
};

static const struct named_value levels[] = {{1, "warning"}, {2, "fatal"}};

static const struct named_value versions[] = {
    {0x0100, "DTLS 0.9"}, /* of before RFC 4347, without a name of its own */
    {0x0300, "SSL 3.0"},  {0x0301, "TLS 1.0"},  {0x0302, "TLS 1.1"},  {0x0303, "TLS 1.2"},
    {0x0304, "TLS 1.3"},  {0xfefc, "DTLS 1.3"}, {0xfefd, "DTLS 1.2"}, {0xfeff, "DTLS 1.0"},
};

static const struct named_value groups[] = {
    {1, "sect163k1"},
    {2, "sect163r1"},
    {3, "sect163r2"},
    {4, "sect193r1"},
    {5, "sect193r2"},
    {6, "sect233k1"},
    {7, "sect233r1"},
    {8, "sect239k1"},
    {9, "sect283k1"},
    {10, "sect283r1"},
    {11, "sect409k1"},
    {12, "sect409r1"},
    {13, "sect571k1"},
    {14, "sect571r1"},
    {15, "secp160k1"},
    {16, "secp160r1"},
    {17, "secp160r2"},
    {18, "secp192k1"},
    {19, "secp192r1"},
    {20, "secp224k1"},
    {21, "secp224r1"},
    {22, "secp256k1"},
    {23, "secp256r1"},
    {24, "secp384r1"},
    {25, "secp521r1"},
    {26, "brainpoolP256r1"},
    {27, "brainpoolP384r1"},
    {28, "brainpoolP512r1"},
    {29, "x25519"},
    {30, "x448"},
    {31, "brainpoolP256r1tls13"},
    {32, "brainpoolP384r1tls13"},
    {33, "brainpoolP512r1tls13"},
    {34, "GC256A"},
    {35, "GC256B"},
    {36, "GC256C"},
    {37, "GC256D"},
    {38, "GC512A"},
    {39, "GC512B"},
    {40, "GC512C"},
    {41, "curveSM2"},
    {256, "ffdhe2048"},
    {257, "ffdhe3072"},
    {258, "ffdhe4096"},
    {259, "ffdhe6144"},
    {260, "ffdhe8192"},
    {512, "MLKEM512"},
    {513, "MLKEM768"},
    {514, "MLKEM1024"},
    {4587, "SecP256r1MLKEM768"},
    {4588, "X25519MLKEM768"},
    {4589, "SecP384r1MLKEM1024"},
    {4590, "curveSM2MLKEM768"},
    {25497, "X25519Kyber768Draft00"},
    {25498, "SecP256r1Kyber768Draft00"},
    {65281, "arbitrary_explicit_prime_curves"},
    {65282, "arbitrary_explicit_char2_curves"},
};

/* Pairs of hash and signature that only RFC 5246 knows have no name in the
 * registry of schemes; theirs are made after the same pattern. */
static const struct named_value schemes[] = {
    {0x0101, "rsa_pkcs1_md5"},
    {0x0201, "rsa_pkcs1_sha1"},
    {0x0202, "dsa_sha1"},
    {0x0203, "ecdsa_sha1"},
    {0x0301, "rsa_pkcs1_sha224"},
    {0x0302, "dsa_sha224"},
    {0x0303, "ecdsa_sha224"},
    {0x0401, "rsa_pkcs1_sha256"},
    {0x0402, "dsa_sha256"},
    {0x0403, "ecdsa_secp256r1_sha256"},
    {0x0420, "rsa_pkcs1_sha256_legacy"},
    {0x0501, "rsa_pkcs1_sha384"},
    {0x0502, "dsa_sha384"},
    {0x0503, "ecdsa_secp384r1_sha384"},
    {0x0520, "rsa_pkcs1_sha384_legacy"},
    {0x0601, "rsa_pkcs1_sha512"},
    {0x0602, "dsa_sha512"},
    {0x0603, "ecdsa_secp521r1_sha512"},
    {0x0620, "rsa_pkcs1_sha512_legacy"},
    {0x0704, "eccsi_sha256"},
    {0x0705, "iso_ibs1"},
    {0x0706, "iso_ibs2"},
    {0x0707, "iso_chinese_ibs"},
    {0x0708, "sm2sig_sm3"},
    {0x0709, "gostr34102012_256a"},
    {0x070a, "gostr34102012_256b"},
    {0x070b, "gostr34102012_256c"},
    {0x070c, "gostr34102012_256d"},
    {0x070d, "gostr34102012_512a"},
    {0x070e, "gostr34102012_512b"},
    {0x070f, "gostr34102012_512c"},
    {0x0804, "rsa_pss_rsae_sha256"},
    {0x0805, "rsa_pss_rsae_sha384"},
    {0x0806, "rsa_pss_rsae_sha512"},
    {0x0807, "ed25519"},
    {0x0808, "ed448"},
    {0x0809, "rsa_pss_pss_sha256"},
    {0x080a, "rsa_pss_pss_sha384"},
    {0x080b, "rsa_pss_pss_sha512"},
    {0x081a, "ecdsa_brainpoolP256r1tls13_sha256"},
    {0x081b, "ecdsa_brainpoolP384r1tls13_sha384"},
    {0x081c, "ecdsa_brainpoolP512r1tls13_sha512"},
    {0x0904, "mldsa44"},
    {0x0905, "mldsa65"},
    {0x0906, "mldsa87"},
};

static const struct named_value cert_types[] = {
    {1, "rsa_sign"},         {2, "dss_sign"},          {3, "rsa_fixed_dh"},  {4, "dss_fixed_dh"},
    {5, "rsa_ephemeral_dh"}, {6, "dss_ephemeral_dh"},  {20, "fortezza_dms"}, {64, "ecdsa_sign"},
    {65, "rsa_fixed_ecdh"},  {66, "ecdsa_fixed_ecdh"}, {67, "gost_sign256"}, {68, "gost_sign512"},
};

static const struct named_value cert_formats[] = {
    {0, "X.509"}, {1, "OpenPGP"}, {2, "Raw Public Key"}, {3, "1609Dot2"}};

static const struct named_value cert_compressions[] = {{1, "zlib"}, {2, "brotli"}, {3, "zstd"}};

static const struct named_value point_formats[] = {
    {0, "uncompressed"}, {1, "ansiX962_compressed_prime"}, {2, "ansiX962_compressed_char2"}};

static const struct named_value psk_modes[] = {{0, "psk_ke"}, {1, "psk_dhe_ke"}};

static const struct named_value compressions[] = {{0, "null"}, {1, "DEFLATE"}, {64, "LZS"}};

struct name_table {
    const struct named_value *entries;
    size_t count;
    bool wide; /* 16-bit values, with room for GREASE */
};

#define TABLE(of, wide)                                                                            \
    {                                                                                              \
        of, sizeof of / sizeof of[0], wide                                                         \
    }
static const struct name_table tables[] = {
    [SD_NAME_CONTENT] = TABLE(contents, false),
    [SD_NAME_HANDSHAKE] = TABLE(handshakes, false),
    [SD_NAME_ALERT] = TABLE(alerts, false),
    [SD_NAME_LEVEL] = TABLE(levels, false),
    [SD_NAME_VERSION] = TABLE(versions, true),
    [SD_NAME_SUITE] = TABLE(suites, true),
    [SD_NAME_EXTENSION] = TABLE(extensions, true),
    [SD_NAME_GROUP] = TABLE(groups, true),
    [SD_NAME_SCHEME] = TABLE(schemes, true),
    [SD_NAME_SRTP] = TABLE(srtp, true),
    [SD_NAME_CERT_TYPE] = TABLE(cert_types, false),
    [SD_NAME_CERT_FORMAT] = TABLE(cert_formats, false),
    [SD_NAME_CERT_COMPRESSION] = TABLE(cert_compressions, true),
    [SD_NAME_POINT_FORMAT] = TABLE(point_formats, false),
    [SD_NAME_PSK_MODE] = TABLE(psk_modes, false),
    [SD_NAME_COMPRESSION] = TABLE(compressions, false),
};
#undef TABLE

static const char *find_name(const struct name_table *t, uint16_t value)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->entries[mid].value == value)
            return t->entries[mid].text;
        if (t->entries[mid].value < value)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static bool is_grease_value(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

const char *sd_name(enum sd_registry registry, uint16_t value, char buf[static SD_NAME_TEXT])
{
    const struct name_table *t = &tables[registry];
    const char *text = find_name(t, value);
    if (text)
        return text;
    if (t->wide && is_grease_value(value))
        return "GREASE";
    snprintf(buf, SD_NAME_TEXT, t->wide ? "0x%04x" : "0x%02x", value);
    return buf;
}
