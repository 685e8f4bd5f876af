/* SPDX-License-Identifier: MIT */
/* Whether a stream may have colors. */
#ifndef TOOL_TERM_H
#define TOOL_TERM_H

#include <stdbool.h>

enum tool_color { TOOL_COLOR_AUTO, TOOL_COLOR_ALWAYS, TOOL_COLOR_NEVER };

/* The option decides, then NO_COLOR, then CLICOLOR_FORCE, then whether fd is a terminal with colors
 * (TERM is not "dumb"). */
bool tool_term_color(enum tool_color wish, int fd);

#endif
