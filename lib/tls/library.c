/* SPDX-License-Identifier: MIT */
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <stdio.h>

#include "tls/context.h"

const char *sd_tls_library(void)
{
    /* A thread's own, so that the text needs neither a lock nor an owner. */
    static _Thread_local char text[160];
    snprintf(text, sizeof text, "%s (built against %s)", OpenSSL_version(OPENSSL_VERSION),
             OPENSSL_VERSION_TEXT);
    return text;
}
