/* SPDX-License-Identifier: MIT */
/* A handshake as a sequence diagram for Mermaid. */
#ifndef PROBE_MERMAID_H
#define PROBE_MERMAID_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_probe/report.h"

/* True when all was written. */
bool probe_mermaid(FILE *to, const struct probe_report *r);

#endif
