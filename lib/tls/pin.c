/* SPDX-License-Identifier: MIT */
#include "tls/pin.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "tls/context.h"

enum {
    BASE64_LEN = 44,  /* of 32 bytes, with its "=" */
    BASE64_ROOM = 33, /* EVP_DecodeBlock() writes a byte for the padding */
    LABEL_MAX = 31,   /* longer words are pins, or meant to be */
    HEX_LEN = 2 * SD_PIN_LEN,
};

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10 : -1;
}

static bool read_hex(const char *s, size_t len, unsigned char out[static SD_PIN_LEN])
{
    size_t digits = 0;
    for (size_t i = 0; i < len; i++) {
        int value = hex_value(s[i]);
        if (value < 0 && (s[i] == ':' || s[i] == '-') && digits % 2 == 0 && digits)
            continue;
        if (value < 0 || digits == HEX_LEN)
            return false;
        out[digits / 2] = (unsigned char)(digits % 2 ? out[digits / 2] << 4 | value : value);
        digits++;
    }
    return digits == HEX_LEN;
}

/* The last "=" may be missing. */
static bool read_base64(const char *s, size_t len, unsigned char out[static SD_PIN_LEN])
{
    unsigned char text[BASE64_LEN], bytes[BASE64_ROOM];
    if ((len != BASE64_LEN && len != BASE64_LEN - 1) || memchr(s, '=', BASE64_LEN - 1))
        return false;
    memcpy(text, s, BASE64_LEN - 1);
    text[BASE64_LEN - 1] = '=';
    bool ok = s[BASE64_LEN - 2] != '=' && (len < BASE64_LEN || s[BASE64_LEN - 1] == '=') &&
              EVP_DecodeBlock(bytes, text, BASE64_LEN) == BASE64_ROOM;
    ERR_clear_error();
    memcpy(out, bytes, ok ? SD_PIN_LEN : 0);
    return ok;
}

static bool read_value(const char *s, size_t len, unsigned char out[static SD_PIN_LEN])
{
    return read_hex(s, len, out) || read_base64(s, len, out);
}

/* What stands in front of a pin in the same word. "sha256/" also begins "sha256//": the whole word
 * decides. */
static bool read_word(const char *s, size_t len, unsigned char out[static SD_PIN_LEN])
{
    static const char *const labels[] = {
        "",         "sha256//", "sha256/",     "sha256:",      "sha256-",
        "sha-256:", "sha-256/", "pin-sha256=", "fingerprint=", "sha256="};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        size_t skip = strlen(labels[i]);
        if (len > skip && !strncasecmp(s, labels[i], skip) && read_value(s + skip, len - skip, out))
            return true;
    }
    return false;
}

/* Has a letter that is no hex digit: "Fingerprint", and not half a pin. */
static bool is_label(const char *s, size_t len)
{
    bool letter = false;
    for (size_t i = 0; i < len; i++)
        letter = letter || (isalpha((unsigned char)s[i]) && !isxdigit((unsigned char)s[i]));
    return letter && len <= LABEL_MAX;
}

static int take_word(struct sd_pins *p, const char *s, size_t len, struct sd_err *err)
{
    if (is_label(s, len))
        return SDTLS_OK;
    if (p->count == SD_PINS_MAX)
        return sd_err_set(err, SDTLS_OPTION, "pins is too long: more than %d fingerprints",
                          SD_PINS_MAX);
    if (!read_word(s, len, p->sha256[p->count]))
        return sd_err_set(err, SDTLS_OPTION,
                          "pins \"%.*s\" is not a SHA-256: write 64 hex digits, or base64",
                          (int)len, s);
    p->count++;
    return SDTLS_OK;
}

int sd_pins_parse(struct sd_pins *p, const char *text, struct sd_err *err)
{
    static const char between[] = " \t\r\n,;\"'";
    *p = (struct sd_pins){0};
    int rc = SDTLS_OK;
    for (const char *s = text + strspn(text, between); *s && !rc; s += strspn(s, between)) {
        size_t len = strcspn(s, between);
        rc = take_word(p, s, len, err);
        s += len;
    }
    if (!rc && !p->count)
        rc = sd_err_set(err, SDTLS_OPTION,
                        "pins \"%.100s\" contains no pin: write 64 hex digits, or base64", text);
    return rc;
}

static bool is_pinned(const struct sd_pins *p, const unsigned char *hash, unsigned len)
{
    for (size_t i = 0; i < p->count; i++)
        if (len == SD_PIN_LEN && !memcmp(p->sha256[i], hash, len))
            return true;
    return false;
}

/* X509_pubkey_digest() is of the bits alone, without the algorithm. */
static bool key_digest(const X509 *cert, unsigned char hash[static EVP_MAX_MD_SIZE], unsigned *len)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = size > 0 && EVP_Digest(der, (size_t)size, hash, len, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return ok;
}

bool sd_pins_match(const struct sd_pins *p, const X509 *cert)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool match = X509_digest(cert, EVP_sha256(), hash, &len) && is_pinned(p, hash, len);
    match = match || (key_digest(cert, hash, &len) && is_pinned(p, hash, len));
    ERR_clear_error();
    return match;
}
