/* SPDX-License-Identifier: MIT */
/* A check: one experiment on OpenSSL, and the words about it. */
#ifndef REGRESS_CHECK_H
#define REGRESS_CHECK_H

#include <stddef.h>

#include "dtls_regress/outcome.h"

struct regress_check {
    const char *name;
    const char *measures; /* what the value is of: "default security level"; NULL: seeks a defect */
    const char *refs;  /* public: CVE, issue or pull request of OpenSSL, RFC section; "" for none */
    const char *does;  /* the experiment */
    const char *means; /* what the result means for a program that uses OpenSSL */
    const char *ours;  /* what sukat_dtls does about it */
    struct regress_outcome (*run)(void);
};

/* The checks of each check_*.c. */
extern const struct regress_check regress_listen_checks[], regress_error_checks[],
    regress_forgery_checks[], regress_timer_checks[], regress_mtu_checks[], regress_read_checks[],
    regress_session_checks[], regress_memory_checks[];
extern const size_t regress_listen_count, regress_error_count, regress_forgery_count,
    regress_timer_count, regress_mtu_count, regress_read_count, regress_session_count,
    regress_memory_count;

#endif
