/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/stop.h"

int mtu_stop_signal(const struct tool_signals *signals)
{
    int sig;
    while ((sig = tool_signals_next(signals)))
        if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)
            return sig;
    return 0;
}
