/* SPDX-License-Identifier: MIT */
/* Names and ports to addresses. Blocks as long as the resolver does. */
#ifndef SD_ENDPOINT_RESOLVE_H
#define SD_ENDPOINT_RESOLVE_H

#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

/* Fills *list (malloc'ed, the caller's) with every address of host and port;
 * passive: for bind(), host NULL = the wildcard addresses. Returns how many, or
 * SDTLS_RESOLVE, SDTLS_NOMEM. */
int sd_resolve(struct sd_addr **list, const char *host, const char *port, int family, bool passive,
               struct sd_err *err);

#endif
