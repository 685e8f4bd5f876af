/* SPDX-License-Identifier: MIT */
/* --explain: what a check asks, what its results mean, and what to do. */
#ifndef SCAN_REPORT_EXPLAIN_H
#define SCAN_REPORT_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

struct scan_explanation {
    const char *id;
    const char *meaning;   /* what is asked, and what it means */
    const char *advice;    /* what to do about a bad result */
    const char *reference; /* RFC sections, bugs */
};

/* NULL when there is none for this id. */
const struct scan_explanation *scan_explanation_find(const char *id);
const struct scan_explanation *scan_explanation_at(size_t index); /* NULL after the last */

/* Prints what is known of the check `id`. False for an unknown id. */
bool scan_explain(FILE *to, const char *id);

#endif
