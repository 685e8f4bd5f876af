/* SPDX-License-Identifier: MIT */
/* The files that a run writes: -w, --save-failed, --svg, --html. */
#ifndef PROBE_FILES_H
#define PROBE_FILES_H

#include "dtls_probe/comments.h"
#include "dtls_probe/html.h"
#include "dtls_probe/members.h"
#include "dtls_probe/run.h"

struct probe_files {
    const struct probe_config *config;
    const struct tool_out *out;
    struct probe_comments comments;
    struct probe_members members;
    struct probe_html html;
    FILE *html_file, *svg_file, *copy,
        *failed;              /* opened first, so that a wrong path is reported at once */
    bool drawn, drawn_failed; /* --svg has a handshake; it has one that failed */
};

/* Opens the files of the options, and listens to the run. False after an error was printed. */
bool probe_files_open(struct probe_files *f, struct probe_run *r, const char *source);
/* After the run: reads the frames of `path` again. False when a file is incomplete. */
bool probe_files_finish(struct probe_files *f, struct probe_run *r, const char *path);
void probe_files_close(struct probe_files *f);

#endif
