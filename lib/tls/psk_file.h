/* SPDX-License-Identifier: MIT */
/* A file of pre-shared keys, "identity:hexkey" a line, as GnuTLS' psktool writes it. */
#ifndef SD_TLS_PSK_FILE_H
#define SD_TLS_PSK_FILE_H

#include <stddef.h>

#include "base/err.h"

struct sd_psk_file;

/* Reads a file. Empty lines and lines that begin with '#' are skipped; the last colon of a line
 * ends the identity. Errors: CRED (with the number of the line, never with a key), NOMEM. */
int sd_psk_file_read(struct sd_psk_file **pf, const char *file, struct sd_err *err);
/* The key of an identity and its length in bytes, borrowed; NULL when the file has none. */
const unsigned char *sd_psk_file_find(const struct sd_psk_file *f, const char *identity,
                                      size_t *len);
/* Overwrites the keys. NULL is fine. */
void sd_psk_file_free(struct sd_psk_file *f);

#endif
