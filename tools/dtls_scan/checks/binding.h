/* SPDX-License-Identifier: MIT */
/* Does a cookie hold when something else changes between the two hellos? */
#ifndef SCAN_CHECKS_BINDING_H
#define SCAN_CHECKS_BINDING_H

#include "dtls_scan/checks/facts.h"

#define SCAN_BINDINGS(X)                                                                           \
    X(PORT, "port")                                                                                \
    X(ADDRESS, "address")                                                                          \
    X(VERSION, "version")                                                                          \
    X(RANDOM, "random")                                                                            \
    X(SESSION_ID, "session id")                                                                    \
    X(SUITES, "suites")                                                                            \
    X(COMPRESSION, "compression")                                                                  \
    X(EXTENSIONS, "extensions")

enum scan_binding {
#define SCAN_X(name, text) SCAN_BOUND_##name,
    SCAN_BINDINGS(SCAN_X)
#undef SCAN_X
        SCAN_BOUND_COUNT
};

const char *scan_binding_name(enum scan_binding b);
/* YES: with this changed, the server does not take the cookie any more. Asks each time. */
enum scan_tri scan_binding_ask(struct scan *s, enum scan_binding b);

/* A cookie that is kept to be used later, with the port that got it. */
struct scan_kept_cookie {
    struct scan_port port;
    struct scan_hello hello;
    uint64_t seq;
    sd_time since;
    bool there;
};
void scan_cookie_keep(struct scan *s, struct scan_kept_cookie *k);
/* Uses it, and ends what it began. YES: it is still good. */
enum scan_tri scan_cookie_use(struct scan *s, struct scan_kept_cookie *k);

#endif
