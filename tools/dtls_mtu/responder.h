/* SPDX-License-Identifier: MIT */
/* dtls_mtu --responder: the cooperating end of dtls_mtu --peer. */
#ifndef MTU_RESPONDER_H
#define MTU_RESPONDER_H

#include "common/output.h"
#include "common/signals.h"
#include "dtls_mtu/options.h"

/* Serves until a signal comes; the exit status. */
int mtu_responder_run(const struct mtu_config *c, const struct tool_out *out,
                      const struct tool_signals *signals);

#endif
