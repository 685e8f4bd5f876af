/* SPDX-License-Identifier: MIT */
/* The command line of dtls_scan. */
#ifndef SCAN_OPTIONS_H
#define SCAN_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"
#include "common/parse.h"
#include "common/psk.h"
#include "dtls_scan/checks/outcome.h"

enum { SCAN_ONLY = 32 };

/* Datagrams a second; on loopback nobody is in the way. */
#define SCAN_RATE 20
#define SCAN_RATE_LOOPBACK 200
#define SCAN_BUDGET 700
#define SCAN_BUDGET_QUICK 60
#define SCAN_LIMIT_S 90
#define SCAN_LIMIT_QUICK_S 5

struct scan_config {
    struct tool_target target;
    const char *targets;         /* file with a target on each line */
    const char *only[SCAN_ONLY]; /* ids of checks or groups; none = all */
    bool quick, intrusive, app, list, help, version;
    const char *explain, *completion;

    int family;
    const char *source, *ca_file, *server_name;
    const char *certificate, *key; /* files; key NULL = in that of the certificate */
    const char *psk, *psk_identity;
    struct tool_psk psk_bytes; /* of psk */

    unsigned rate;       /* datagrams a second; 0 = the default */
    unsigned budget;     /* datagrams; 0 = the default */
    unsigned timeout_ms; /* of one target; 0 = the default */

    unsigned verbose;
    bool quiet, json;
    const char *html, *baseline;
    const char *fail_on;        /* name of a level */
    enum scan_level fail_level; /* the same; 0 = none */
    int color;
};

extern const struct tool_usage scan_usage;

/* Fills c and checks it; false with the sentence in `why`. */
bool scan_options(struct scan_config *c, int argc, char **argv, char why[static TOOL_WHY]);
/* One line of a file of targets, or the command line: HOST[:PORT] [PORT]. */
bool scan_target_parse(struct tool_target *t, char *const *args, int count,
                       char why[static TOOL_WHY]);

#endif
