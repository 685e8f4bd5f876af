/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sd_err_set(struct sd_err *e, int code, const char *fmt, ...)
{
    if (!e)
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = code;
    e->alert = -1;
    return code;
}

int sd_err_because(struct sd_err *e, int code, const char *reason, const char *fmt, ...)
{
    if (!e)
        return code;
    char text[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t room = sizeof e->text - 3; /* ": " and the terminator */
    size_t len = strlen(reason) < room ? strlen(reason) : room;
    return sd_err_set(e, code, "%.*s: %.*s", (int)(room - len), text, (int)len, reason);
}
