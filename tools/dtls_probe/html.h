/* SPDX-License-Identifier: MIT */
/* All handshakes on one page that needs nothing else: no script, no network, no fonts. */
#ifndef PROBE_HTML_H
#define PROBE_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "dtls_probe/json.h"
#include "dtls_probe/report.h"

/* Written while handshakes end, so that none has to be kept. */
struct probe_html {
    FILE *to;
    unsigned rows, drawn;
    bool opened; /* one failed handshake is shown open */
};

enum { PROBE_HTML_DRAWINGS = 500 }; /* a browser still shows this many without a delay */

/* `source`: a file or an interface, as the user gave it. */
void probe_html_begin(struct probe_html *h, FILE *to, const char *source);
void probe_html_add(struct probe_html *h, const struct probe_report *r);
/* Addresses with a finding, but without a handshake. */
void probe_html_lone(struct probe_html *h, const struct sd_lone *l, const struct sd_finding *f);
void probe_html_end(struct probe_html *h, const struct probe_totals *totals);

#endif
