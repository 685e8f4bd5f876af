/* SPDX-License-Identifier: MIT */
/* Opens the protected records of a capture with the secrets of a key log, or with pre-shared keys:
 * what the room offers to a program. */
#ifndef SD_UNSEAL_UNSEAL_H
#define SD_UNSEAL_UNSEAL_H

#include "unseal/secrets.h"
#include "wire/unprotect.h"

/* After the last sd_secrets_add_psk(). Valid, like the keys of every handshake begun with them,
 * until `s` is freed; one thread at a time. A DTLS 1.3 handshake may begin before all its secrets
 * are known. An opened record has no unified header any more: it has a type, its whole epoch and
 * record number, and the version of DTLSPlaintext (RFC 9147 section 4). */
struct sd_unprotect sd_unseal_hooks(struct sd_secrets *s);

/* The library that does the cryptography: "OpenSSL 3.0.19 27 Jan 2026". Constant. */
const char *sd_unseal_library(void);

#endif
