/* SPDX-License-Identifier: MIT */
/* A handshake as a report for an issue tracker, in Markdown. */
#ifndef PROBE_MARKDOWN_H
#define PROBE_MARKDOWN_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_probe/report.h"

/* True when all was written. */
bool probe_markdown(FILE *to, const struct probe_report *r);

#endif
