#include "tls/ossl.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *sd_ossl_reason(void)
{
    unsigned long first = ERR_get_error();
    ERR_clear_error();
    if (!first)
        return "unknown reason";
    const char *text = ERR_GET_LIB(first) == ERR_LIB_SYS ? strerrordesc_np(ERR_GET_REASON(first))
                                                         : ERR_reason_error_string(first);
    return text ? text : "unknown reason";
}

__attribute__((format(printf, 4, 0))) static int
because(struct sd_err *e, int code, const char *reason, const char *fmt, va_list ap)
{
    if (!e)
        return code;
    char text[sizeof e->text];
    vsnprintf(text, sizeof text, fmt, ap);
    size_t room = sizeof e->text - 3; /* ": " and the terminator */
    size_t len = strlen(reason) < room ? strlen(reason) : room;
    return sd_err_set(e, code, "%.*s: %.*s", (int)(room - len), text, (int)len, reason);
}

int sd_err_because(struct sd_err *e, int code, const char *reason, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    because(e, code, reason, fmt, ap);
    va_end(ap);
    return code;
}

int sd_ossl_err(struct sd_err *e, int code, const char *fmt, ...)
{
    const char *reason = sd_ossl_reason();
    va_list ap;
    va_start(ap, fmt);
    because(e, code, reason, fmt, ap);
    va_end(ap);
    return code;
}
