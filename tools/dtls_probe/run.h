/* SPDX-License-Identifier: MIT */
/* One source from beginning to end: frames in, findings out. */
#ifndef PROBE_RUN_H
#define PROBE_RUN_H

#include "capture/frame.h"
#include "dtls_probe/details.h"
#include "dtls_probe/json.h"
#include "dtls_probe/keylog.h"
#include "dtls_probe/lines.h"
#include "dtls_probe/probe.h"
#include "dtls_probe/stage.h"

struct sd_decap;
struct sd_bpf;
struct sd_secrets;
struct sd_x509read;

/* A module that gets the results, besides the standard output. */
struct probe_listener {
    void *arg;
    void (*packet)(void *arg, const struct sd_packet *p);
    void (*result)(void *arg, const struct probe_report *r);
    void (*lone)(void *arg, const struct sd_lone *l, const struct sd_finding *f);
};

struct probe_run {
    const struct probe_config *config;
    const struct tool_out *out;
    struct sd_tracker *tracker;
    struct probe_stage *stage; /* NULL when live: then everything is reported at once */
    FILE *text;                /* where packets are printed */
    struct sd_decap *decap;
    struct sd_bpf *filter;
    struct sd_secrets *secrets;
    struct sd_x509read *certs, *shown_certs; /* of rules; of messages that are printed */
    struct sd_unprotect unprotect, unseal;   /* for the tracker; what is behind it when live */
    struct sd_cert_reader reader, shown_reader;
    struct probe_lines lines;
    struct probe_messages messages; /* of the next packet */
    struct probe_totals totals;
    struct probe_listener listeners[4];
    unsigned listener_count;
    struct probe_keylog keylog; /* all key logs read */
    bool keylog_failed;         /* it is not followed any more */
    uint64_t psk_useless;       /* handshakes for which a pre-shared key is not enough */
    bool color;
    bool expected; /* the finding of --expect occurred */
    char damage[256];
};

/* False after an error was printed. */
bool probe_run_open(struct probe_run *r, const struct probe_config *c, const struct tool_out *out);
void probe_run_close(struct probe_run *r);
void probe_listen(struct probe_run *r, const struct probe_listener *l);

void probe_run_frame(struct probe_run *r, const struct sd_frame *f);
/* Live: reads what was added to the key log. Before the frames that need it. */
void probe_run_follow(struct probe_run *r);
/* The end of the source: reports everything that is open, then the totals. */
void probe_run_end(struct probe_run *r);
/* Reads a whole file. False when it could not be read at all. */
bool probe_run_file(struct probe_run *r, const char *path);
/* The exit status. */
int probe_run_status(const struct probe_run *r);

#endif
