/* SPDX-License-Identifier: MIT */
/* PEM files, read once and whole. */
#ifndef SD_TLS_PEM_H
#define SD_TLS_PEM_H

#include <openssl/bio.h>

#include "base/err.h"

/* Reads a file into a memory BIO, in one go, so that pipes work too. `what` names the kind of
 * file in errors ("certificate"). Errors: CRED, NOMEM. */
int sd_pem_open(BIO **pbio, const char *what, const char *file, struct sd_err *err);
/* A pem_password_cb that gives no password, and sets *(bool *)asked (may be NULL) when one was
 * wanted. */
int sd_pem_no_password(char *buf, int size, int rwflag, void *asked);

#endif
