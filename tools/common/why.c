/* SPDX-License-Identifier: MIT */
#include "common/why.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/printable.h"

bool tool_wrong(char why[static TOOL_WHY], const char *fmt, ...)
{
    char raw[TOOL_WHY]; /* it may repeat an argument, or the line of a file */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    tool_printable(raw, why, TOOL_WHY);
    return false;
}
