/* SPDX-License-Identifier: MIT */
/* OpenSSL's error queue as words. Every function that calls OpenSSL empties the queue at its end:
 * SSL_get_error() of another connection would read what is left in it. */
#ifndef SD_TLS_OSSL_H
#define SD_TLS_OSSL_H

#include "base/err.h"

/* sd_err_because() with the first reason in the queue ("key values mismatch", "No such file or
 * directory") or "unknown reason"; empties the queue. */
int sd_ossl_err(struct sd_err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
