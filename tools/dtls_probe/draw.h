/* SPDX-License-Identifier: MIT */
/* A handshake as a drawing or a report, on a stream. */
#ifndef PROBE_DRAW_H
#define PROBE_DRAW_H

#include <stdio.h>

#include "dtls_probe/probe.h"
#include "dtls_probe/report.h"

/* What config->show asks for: ladder, Mermaid or Markdown. */
void probe_draw(FILE *to, const struct probe_config *c, const struct probe_report *r);

#endif
