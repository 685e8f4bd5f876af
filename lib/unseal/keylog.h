/* Opens the records of a capture with the secrets of a key log
 * (draft-ietf-tls-keylogfile, also known as SSLKEYLOGFILE). */
#ifndef SD_UNSEAL_KEYLOG_H
#define SD_UNSEAL_KEYLOG_H

#include "wire/unprotect.h"

struct sd_secrets;

/* NULL when there is no memory. */
struct sd_secrets *sd_secrets_new(void);
void sd_secrets_free(struct sd_secrets *s);

/* Whole lines of a key log, as many as there are; what is not such a line is counted
 * and skipped. A line seen twice replaces the first. False when there is no memory. */
bool sd_secrets_add(struct sd_secrets *s, const char *text, size_t len);
/* Handshakes there are secrets for. */
size_t sd_secrets_count(const struct sd_secrets *s);
/* Lines that were no lines of a key log. */
size_t sd_secrets_bad(const struct sd_secrets *s);

/* Good, like everything that begins with them, until `s` is freed; one thread at a
 * time. A DTLS 1.3 handshake may begin before all its secrets are known. What is opened
 * loses its unified header: it has a type, its whole epoch and record number, and the
 * version of DTLSPlaintext (RFC 9147 section 4). */
struct sd_unprotect sd_secrets_hooks(struct sd_secrets *s);

#endif
