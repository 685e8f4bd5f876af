/* SPDX-License-Identifier: MIT */
/* stdout of a program that gets its signals through a descriptor. */
#ifndef TOOL_STDOUT_H
#define TOOL_STDOUT_H

#include "common/signals.h"

/* While signals are blocked, nothing would interrupt a write to a pipe that nobody reads. From now
 * on a signal that waits in `s` does, after half a second: the write fails, and so does every one
 * after it. */
void tool_stdout_obeys(const struct tool_signals *s);

#endif
