/* SPDX-License-Identifier: MIT */
#include "tls/ossl.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *first_reason(void)
{
    unsigned long first = ERR_get_error();
    ERR_clear_error();
    if (!first)
        return "unknown reason";
    const char *text = ERR_GET_LIB(first) == ERR_LIB_SYS ? strerrordesc_np(ERR_GET_REASON(first))
                                                         : ERR_reason_error_string(first);
    return text ? text : "unknown reason";
}

int sd_ossl_err(struct sd_err *e, int code, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return sd_err_because(e, code, first_reason(), "%s", text);
}
