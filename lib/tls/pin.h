/* SPDX-License-Identifier: MIT */
/* Certificates and public keys that are known by their SHA-256 (RFC 7858 section 3.2, RFC 8122). */
#ifndef SD_TLS_PIN_H
#define SD_TLS_PIN_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { SD_PIN_LEN = 32, SD_PINS_MAX = 64 };

struct sd_pins {
    size_t count;
    unsigned char sha256[SD_PINS_MAX][SD_PIN_LEN];
};

/* Reads the pins in `text`: 64 hex digits, with or without ":" or "-" between the pairs, or base64;
 * commas and spaces separate them. Labels are skipped, so that lines can be pasted: "SHA-256:
 * AB:...", "sha-256 AB:..." (SDP), "sha256//..." (curl), "pin-sha256=..." (RFC 7469), and what
 * `openssl x509 -fingerprint` prints. Error OPTION: names what is neither a pin nor a label, or
 * text without a pin. */
int sd_pins_parse(struct sd_pins *pins, const char *text, struct sd_err *err);
/* Is one of them the SHA-256 of the certificate, or of its public key (SubjectPublicKeyInfo)? */
bool sd_pins_match(const struct sd_pins *pins, const X509 *cert);

#endif
