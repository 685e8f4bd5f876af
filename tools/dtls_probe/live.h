/* SPDX-License-Identifier: MIT */
/* -i: live frames, until a signal, a time or a number of frames ends the capture. */
#ifndef PROBE_LIVE_H
#define PROBE_LIVE_H

#include "dtls_probe/run.h"

/* Opens the interface, captures and reports; returns the exit status. */
int probe_live(const struct probe_config *c, const struct tool_out *out);

#endif
