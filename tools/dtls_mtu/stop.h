/* SPDX-License-Identifier: MIT */
/* The signals that stop the program. */
#ifndef MTU_STOP_H
#define MTU_STOP_H

#include "common/signals.h"

/* SIGINT, SIGTERM or SIGHUP when one came, or 0. Others are taken and ignored. */
int mtu_stop_signal(const struct tool_signals *signals);

#endif
