/* SPDX-License-Identifier: MIT */
#include "tls/versions.h"

#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>

#include "wire/names.h"

static bool known_version(int v)
{
    return v == SDTLS_V1_0 || v == SDTLS_V1_2 || v == SDTLS_V1_3;
}

/* "3.0.19" out of "OpenSSL 3.0.19 27 Jan 2026". */
static int no_dtls13(struct sd_err *err)
{
    const char *name = OpenSSL_version(OPENSSL_VERSION);
    const char *number = strchr(name, ' ');
    number = number ? number + 1 : name;
    return sd_err_set(err, SDTLS_OPTION,
                      "this OpenSSL (%.*s) does not support DTLS 1.3: use 1.2 or lower",
                      (int)strcspn(number, " "), number);
}

int sd_versions_choose(struct sd_versions *v, const sdtls_config *c, struct sd_err *err)
{
    v->min = c->min_version ? c->min_version : SDTLS_V1_2;
    v->max = c->max_version ? c->max_version : SDTLS_V1_2;
    if (!known_version(v->min) || !known_version(v->max))
        return sd_err_set(err, SDTLS_OPTION, "%s 0x%04x is not a value of enum sdtls_version",
                          known_version(v->min) ? "max_version" : "min_version",
                          (unsigned)(known_version(v->min) ? v->max : v->min));
    /* DTLS counts downwards. */
    if (v->min < v->max) {
        if (c->min_version && c->max_version)
            return sd_err_set(err, SDTLS_OPTION, "min_version is higher than max_version");
        if (c->min_version)
            v->max = v->min;
        else
            v->min = v->max;
    }
#ifndef SD_HAVE_DTLS1_3
    if (v->max == SDTLS_V1_3)
        return no_dtls13(err);
#endif
    return SDTLS_OK;
}

int sd_versions_limit(SSL *ssl, struct sd_versions v, struct sd_err *err)
{
    char min[SD_NAME_TEXT], max[SD_NAME_TEXT];
    if ((!v.min || SSL_set_min_proto_version(ssl, v.min)) &&
        (!v.max || SSL_set_max_proto_version(ssl, v.max)))
        return SDTLS_OK;
    ERR_clear_error();
    if (v.max == SDTLS_V1_3)
        return no_dtls13(err);
    return sd_err_set(err, SDTLS_OPTION, "this OpenSSL does not support %s to %s",
                      sd_name(SD_NAME_VERSION, (uint16_t)(v.min ? v.min : v.max), min),
                      sd_name(SD_NAME_VERSION, (uint16_t)(v.max ? v.max : v.min), max));
}
