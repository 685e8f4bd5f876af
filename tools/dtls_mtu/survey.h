/* SPDX-License-Identifier: MIT */
/* One measurement of one server: which of the modules below it takes, and in which order. */
#ifndef MTU_SURVEY_H
#define MTU_SURVEY_H

#include "common/output.h"
#include "dtls_mtu/options.h"
#include "dtls_mtu/result.h"

struct mtu_survey_setup {
    const struct mtu_config *cfg;
    const struct tool_out *out;
    int signals;   /* readable when it is time to stop */
    bool progress; /* show it on stderr */
};

enum mtu_survey_end {
    MTU_SURVEY_DONE,
    MTU_SURVEY_STOPPED, /* by a signal */
    MTU_SURVEY_NO_PATH  /* no address or no socket; the error is printed */
};

/* Fills everything but the findings and the exit status. */
enum mtu_survey_end mtu_survey_run(struct mtu_result *r, const struct mtu_survey_setup *setup);

#endif
