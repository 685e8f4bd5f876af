/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/progress.h"

#include <stdio.h>

#define CLEAR_LINE "\r\033[K"

void mtu_progress_show(void *progress, const struct sd_mtu *m)
{
    struct mtu_progress *p = progress;
    if (!p->on)
        return;
    fprintf(stderr, CLEAR_LINE "%s: %u bytes arrive, probe %u", p->what, m->confirmed, m->probes);
    fflush(stderr);
    p->shown = true;
}

void mtu_progress_clear(struct mtu_progress *p)
{
    if (p->shown)
        fputs(CLEAR_LINE, stderr);
    p->shown = false;
}
