/* SPDX-License-Identifier: MIT */
/* The command line of nc_dtls. */
#ifndef NC_OPTIONS_H
#define NC_OPTIONS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/options.h"
#include "common/parse.h"
#include "common/psk.h"
#include "common/term.h"
#include "sukat_dtls.h"

enum nc_role { NC_CLIENT, NC_SERVER, NC_PROBE, NC_LOAD, NC_HELP, NC_VERSION, NC_COMPLETION };

enum { NC_UNSET = -1, NC_WORKERS = 64 };

struct nc_config {
    sdtls_config tls;
    enum nc_role role;
    struct tool_target target;

    /* As on the command line. */
    unsigned workers; /* threads of a server; UINT32_MAX = not given */
    bool listen, probe, help, version, insecure, verify, gdb;
    const char *completion;
    int client_cert; /* enum sdtls_verify */
    const char *psk; /* hex digits, or @FILE */
    const char *export;
    const char *mtu;        /* a number, or auto */
    uint16_t port;          /* -p */
    unsigned max_connected; /* UINT32_MAX = not given */
    const char *interface;
    bool numeric;
    unsigned fd; /* UINT32_MAX = none */

    /* Data. */
    bool echo, once, no_stdin, close_at_eof, line, strict;
    const char *rate_text; /* --rate: of data, or with --clients of connections */
    uint64_t bits_per_sec; /* 0 = as fast as the socket takes */
    const char *exec;
    unsigned max_exec;      /* 0 = not given */
    unsigned quit_after_ms; /* UINT32_MAX = not given */

    /* Load. */
    unsigned clients, rate, count;

    /* Output. */
    unsigned verbose;
    bool quiet, json, stats;
    int color; /* enum tool_color */
    const char *keylog;

    char port_text[sizeof "65535"];
    struct tool_psk psk_bytes;
    char interface_name[IF_NAMESIZE];
    char export_label[128];
    unsigned export_len;
};

/* option_table.c */
extern const struct tool_usage nc_usage;

/* version.c: "DTLS 1.2"; NULL for a version that is not known. */
const char *nc_version_text(int version);

/* Fills c and checks it; false with the sentence in `why`. Hides a PSK given in
 * argv. c is large and points into itself: do not move it afterwards. */
bool nc_options(struct nc_config *c, int argc, char **argv, char why[static TOOL_WHY]);

#endif
