/* SPDX-License-Identifier: MIT */
/* A check: one question about the server, answered by one line of the report. It prints nothing,
 * and may use what others found (facts.h), in any order. */
#ifndef SCAN_CHECKS_CHECK_H
#define SCAN_CHECKS_CHECK_H

#include <stddef.h>

#include "dtls_scan/checks/outcome.h"
#include "dtls_scan/scan.h"

#define SCAN_GROUPS(X)                                                                             \
    X(PROTOCOL, "protocol", "Protocol versions")                                                   \
    X(CRYPTO, "crypto", "Cipher suites and extensions")                                            \
    X(CERTIFICATE, "certificate", "Certificate")                                                   \
    X(LISTEN, "listen", "Listen path: before the cookie")                                          \
    X(BEHAVIOUR, "behaviour", "Behaviour under loss and change")                                   \
    X(WEAKNESS, "weakness", "Weaknesses")

enum scan_group {
#define SCAN_X(name, id, title) SCAN_GROUP_##name,
    SCAN_GROUPS(SCAN_X)
#undef SCAN_X
        SCAN_GROUP_COUNT
};

enum scan_check_flag {
    SCAN_QUICK = 1,          /* part of --quick */
    SCAN_INTRUSIVE = 1 << 1, /* only with --intrusive */
    SCAN_APP = 1 << 2,       /* only with --app */
    SCAN_LATE = 1 << 3       /* after all others: a server of one client may get stuck */
};

struct scan_check {
    const char *id;    /* stable: lower case, digits and "-" */
    const char *title; /* what the line is about, in at most 26 columns */
    enum scan_group group;
    unsigned flags;
    void (*run)(struct scan *s, struct scan_outcome *o);
};

/* All checks in the order of the report. */
const struct scan_check *scan_check_at(size_t index); /* NULL after the last */
const struct scan_check *scan_check_find(const char *id);
const char *scan_group_id(enum scan_group group);
const char *scan_group_title(enum scan_group group);

/* The tables of each file. */
extern const struct scan_check scan_protocol_checks[], scan_suite_checks[], scan_extension_checks[],
    scan_session_checks[], scan_certificate_checks[], scan_listen_checks[], scan_hello_checks[],
    scan_tolerance_checks[], scan_behaviour_checks[], scan_weakness_checks[], scan_stack_checks[],
    scan_service_checks[], scan_robot_checks[];
extern const size_t scan_protocol_count, scan_suite_check_count, scan_extension_count,
    scan_session_count, scan_certificate_count, scan_listen_count, scan_hello_count,
    scan_tolerance_count, scan_behaviour_count, scan_weakness_count, scan_stack_count,
    scan_service_count, scan_robot_count;

#endif
