/* SPDX-License-Identifier: MIT */
/* What went wrong, to whom: a code of the public enum sdtls_err, the TLS alert
 * if one was involved, and one sentence for the user. */
#ifndef SD_BASE_ERR_H
#define SD_BASE_ERR_H

#include <stddef.h>

struct sd_err {
    int code;  /* enum sdtls_err, 0 = none */
    int alert; /* AlertDescription sent or received, -1 = none */
    char text[256];
};

/* Fills e (when not NULL) and returns code, so that a caller can write
 * `return sd_err_set(e, SDTLS_CRED, "cannot read %s", file);`. */
int sd_err_set(struct sd_err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with "text: reason". A text that is too long loses its own end, not the reason. */
int sd_err_because(struct sd_err *e, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
