/* SPDX-License-Identifier: MIT */
/* Signals as a file descriptor. */
#ifndef TOOL_SIGNALS_H
#define TOOL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct tool_signals {
    int fd;
    sigset_t before; /* the mask to restore, also in children */
};

/* SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGCHLD come through fd; SIGPIPE is
 * ignored: write() fails with EPIPE. */
bool tool_signals_open(struct tool_signals *s);
/* Restores the mask. Signals that are pending then are dropped. */
void tool_signals_close(struct tool_signals *s);
/* The next one, or 0. */
int tool_signals_next(const struct tool_signals *s);
/* In a child, between fork() and exec(). */
void tool_signals_child(const struct tool_signals *s);

#endif
