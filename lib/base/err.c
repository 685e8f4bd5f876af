#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

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
