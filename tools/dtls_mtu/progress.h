/* SPDX-License-Identifier: MIT */
/* One line of progress on stderr, which the next one overwrites. */
#ifndef MTU_PROGRESS_H
#define MTU_PROGRESS_H

#include <stdbool.h>

#include "mtu/search.h"

struct mtu_progress {
    bool on, shown;
    const char *what; /* "to the server" */
};

/* `progress`: a struct mtu_progress. */
void mtu_progress_show(void *progress, const struct sd_mtu *m);
void mtu_progress_clear(struct mtu_progress *p);

#endif
