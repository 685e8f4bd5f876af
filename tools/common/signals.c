/* SPDX-License-Identifier: MIT */
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/signals.h"

static void watched_signals(sigset_t *set)
{
    static const int list[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        sigaddset(set, list[i]);
}

bool tool_signals_open(struct tool_signals *s)
{
    sigset_t set;
    watched_signals(&set);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, &s->before))
        return false;
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->fd >= 0;
}

void tool_signals_close(struct tool_signals *s)
{
    if (s->fd < 0)
        return;
    /* timeout(1) sends a signal twice: the second one must not end us during cleanup. */
    while (tool_signals_next(s))
        ;
    close(s->fd);
    s->fd = -1;
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

int tool_signals_next(const struct tool_signals *s)
{
    struct signalfd_siginfo info;
    if (s->fd < 0 || read(s->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

void tool_signals_child(const struct tool_signals *s)
{
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}
