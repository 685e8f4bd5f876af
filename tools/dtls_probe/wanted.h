/* SPDX-License-Identifier: MIT */
/* The handshakes of a capture whose secrets are of use, read before a large key log. */
#ifndef PROBE_WANTED_H
#define PROBE_WANTED_H

#include <stdbool.h>

struct sd_secrets;

/* Wants the secrets of every ClientHello in this file. Does nothing when the file cannot be read
 * twice, or may contain a handshake whose random is not found: then all secrets are wanted. */
void probe_want_secrets(struct sd_secrets *s, const char *path);

#endif
