/* SPDX-License-Identifier: MIT */
/* The sentence about what is wrong with a command line. */
#ifndef TOOL_WHY_H
#define TOOL_WHY_H

#include <stdbool.h>

/* Room for it. */
enum { TOOL_WHY = 256 };

/* Fills `why` and returns false. */
bool tool_wrong(char why[static TOOL_WHY], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
