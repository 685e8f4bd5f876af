/* --two-sided: one handshake seen from both ends, and what became of each datagram between. */
#ifndef PROBE_TWOSIDED_H
#define PROBE_TWOSIDED_H

#include "dtls_probe/probe.h"

/* config->read[0] was captured near the client, [1] near the server. The exit status. */
int probe_two_sided(const struct probe_config *c, const struct tool_out *out);

#endif
