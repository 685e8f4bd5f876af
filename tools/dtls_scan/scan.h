/* SPDX-License-Identifier: MIT */
/* The scan of one server: what the checks share. */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include "dtls_scan/ask/ask.h"
#include "dtls_scan/checks/facts.h"

struct scan_config;
struct scan_login;

struct scan {
    const struct scan_config *cfg;
    const struct scan_login *login;
    const char *host;        /* as the user wrote it: a name, or an address */
    const char *server_name; /* for SNI; NULL when the host is an address */
    struct scan_line line;   /* sends, receives, paces, counts */
    struct scan_asker asker; /* asks with hellos; its answer is that to the last question */
    struct scan_facts facts; /* what was found so far, gathered when first wanted */
};

#endif
