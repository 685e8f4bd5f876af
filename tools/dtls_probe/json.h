/* SPDX-License-Identifier: MIT */
/* NDJSON on stdout; docs/dtls_probe.json.md explains it. */
#ifndef PROBE_JSON_H
#define PROBE_JSON_H

#include <stdio.h>

#include "dtls_probe/details.h"
#include "dtls_probe/probe.h"
#include "dtls_probe/report.h"

struct probe_totals {
    const char *file;                 /* NULL = live */
    uint64_t frames, datagrams, dtls; /* read; UDP; with DTLS records */
    uint64_t handshakes, ok, failed, incomplete;
    uint64_t findings[SD_FATAL + 1]; /* by severity */
    uint64_t dropped;                /* by the capturing host, as far as is known */
    uint64_t evicted, no_memory, early;
    const char *damage; /* why the file could not be read completely; NULL = it could */
};

/* `messages`: those that the packet completes. */
void probe_json_packet(FILE *to, const struct sd_packet *p, const struct probe_messages *messages);
/* A "handshake" line, then a "finding" line for each. Certificates only if `certs` reads them. */
void probe_json_handshake(FILE *to, const struct probe_report *r,
                          const struct sd_cert_reader *certs);
/* A "finding" line without a handshake. */
void probe_json_lone(FILE *to, const struct sd_lone *l, const struct sd_finding *f);
void probe_json_summary(FILE *to, const struct probe_totals *t);

#endif
