/* SPDX-License-Identifier: MIT */
/* The files of the configuration, read again while connections go on. A connection keeps the
 * context that it began with, so nothing changes under it. */
#include "endpoint/internal.h"

static bool names_files(const sdtls_config *c)
{
    return c->cert_file || c->ca_file || c->ca_path || c->psk_file;
}

int sdtls_reload(struct sdtls *s)
{
    if (s->unusable)
        return s->unusable;
    if (s->cfg.ssl_ctx)
        return sd_err_set(&s->err, SDTLS_STATE,
                          "the certificates are those of ssl_ctx: the program changes them there");
    if (!names_files(&s->cfg))
        return sd_err_set(&s->err, SDTLS_STATE, "the configuration names no files to read again");
    return s->group ? sd_group_reload(s) : sd_tls_reload(s->tls, &s->cfg, &s->err);
}
