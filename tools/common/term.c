/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/term.h"

static bool is_env_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool tool_term_color(enum tool_color wish, int fd)
{
    if (wish != TOOL_COLOR_AUTO)
        return wish == TOOL_COLOR_ALWAYS;
    if (is_env_set("NO_COLOR"))
        return false;
    const char *force = getenv("CLICOLOR_FORCE");
    if (force && *force && strcmp(force, "0"))
        return true;
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb");
}
