/* SPDX-License-Identifier: MIT */
/* A handshake and its findings in sentences. */
#ifndef PROBE_SUMMARY_H
#define PROBE_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_probe/report.h"

void probe_summary(FILE *to, const struct probe_report *r, bool color);
/* What its messages say. `certs` reads certificates. */
void probe_summary_messages(FILE *to, const struct probe_report *r,
                            const struct sd_cert_reader *certs);
/* A finding about addresses without a handshake. */
void probe_summary_lone(FILE *to, const struct sd_lone *l, const struct sd_finding *f, bool color);

const char *probe_outcome_name(enum sd_outcome o); /* "ok", "failed", "incomplete" */
const char *probe_vantage_name(enum sd_vantage v); /* "near the client", ... or NULL */
/* Why missing packets prove little in this capture: a sentence, or NULL. */
const char *probe_doubt(const struct sd_view *v);
/* From the first packet to the second Finished; -1 when that did not arrive. */
double probe_duration_ms(const struct sd_exchange *x);

#endif
