/* -i: frames as they come, until a signal, a time or a number ends it. */
#ifndef PROBE_LIVE_H
#define PROBE_LIVE_H

#include "dtls_probe/run.h"

/* From opening the interface to the last report; returns the exit status. */
int probe_live(const struct probe_config *c, const struct tool_out *out);

#endif
