/* SPDX-License-Identifier: MIT */
#include "tls/keylog.h"

#include "tls/internal.h"

static void one_line(const SSL *ssl, const char *line)
{
    const struct sd_tls *t = sd_tls_of(ssl);
    if (t && t->keylog)
        t->keylog(t->cb_arg, line);
}

void sd_keylog_setup(SSL_CTX *ctx)
{
    SSL_CTX_set_keylog_callback(ctx, one_line);
}
