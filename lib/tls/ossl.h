/* OpenSSL's error queue as words. Whoever calls OpenSSL ends with an empty
 * queue: SSL_get_error() of another connection would read what was left. */
#ifndef SD_TLS_OSSL_H
#define SD_TLS_OSSL_H

#include "base/err.h"

/* The first reason in the queue ("key values mismatch", "No such file or
 * directory") or "unknown reason"; empties the queue. The text is constant. */
const char *sd_ossl_reason(void);
/* "text: reason". A text too long loses its own end, never the reason. */
int sd_err_because(struct sd_err *e, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with sd_ossl_reason(). */
int sd_ossl_err(struct sd_err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
