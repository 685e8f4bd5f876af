/* SPDX-License-Identifier: MIT */
#include "common/why.h"

#include <stdarg.h>
#include <stdio.h>

bool tool_wrong(char why[static TOOL_WHY], const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, TOOL_WHY, fmt, ap);
    va_end(ap);
    return false;
}
