/* SPDX-License-Identifier: MIT */
#include "wire/alert.h"

bool sd_alert_parse(struct sd_alert *a, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    a->level = sd_rd_u8(&r);
    a->description = sd_rd_u8(&r);
    if (sd_rd_done(&r) && (a->level == SD_ALERT_WARNING || a->level == SD_ALERT_FATAL))
        return true;
    *a = (struct sd_alert){0};
    return false;
}

void sd_alert_build(struct sd_wr *w, const struct sd_alert *a)
{
    sd_wr_u8(w, a->level);
    sd_wr_u8(w, a->description);
}
