/* SPDX-License-Identifier: MIT */
/* --two-sided: a handshake captured at both ends, and what was lost between them. */
#ifndef PROBE_TWOSIDED_H
#define PROBE_TWOSIDED_H

#include "dtls_probe/probe.h"

/* config->read[0] was captured at the client, [1] at the server. Returns the exit status. */
int probe_two_sided(const struct probe_config *c, const struct tool_out *out);

#endif
