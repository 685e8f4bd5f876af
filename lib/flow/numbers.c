/* SPDX-License-Identifier: MIT */
#include "flow/internal.h"

enum {
    WINDOW = 64,     /* RFC 6347 section 4.1.2.6 recommends as much for replay */
    FAR = UINT16_MAX /* a step that no loss explains: some stacks give alerts such numbers */
};

static void advance(struct sd_numbers *n, uint64_t seq, uint16_t *gap)
{
    uint64_t step = seq - n->max;
    *gap = (uint16_t)(step - 1);
    n->window = step < WINDOW ? n->window << step : 0;
    n->window |= 1;
    n->max = seq;
    n->seen++;
}

static void begin_at(struct sd_numbers *n, uint64_t seq)
{
    *n = (struct sd_numbers){.min = seq & SD_U48,
                             .largest = n->largest,
                             .max = seq,
                             .seen = 1,
                             .window = 1,
                             .late = n->late};
}

/* One that is far away stands alone, until the next ones follow it: then the capture missed
 * what was between. */
static bool note_far(struct sd_numbers *n, uint64_t seq)
{
    bool again = n->far && seq == n->far;
    if (n->far && seq > n->far && seq - n->far < WINDOW)
        begin_at(n, seq);
    else
        n->far = seq;
    return again;
}

bool sd_numbers_note(struct sd_numbers *n, uint64_t seq, uint16_t *gap, bool *reordered)
{
    *gap = 0;
    *reordered = false;
    if (!n->seen) {
        begin_at(n, seq);
        return false;
    }
    if (seq > n->max && seq - n->max > FAR)
        return note_far(n, seq);
    if (seq > n->max) {
        advance(n, seq, gap);
        return false;
    }
    uint64_t behind = n->max - seq;
    if (n->seen == 1 && behind > FAR) { /* rather the first one stood alone */
        uint64_t alone = n->max;
        begin_at(n, seq);
        n->far = alone;
        return false;
    }
    if (behind >= WINDOW) {
        n->late++;
        return false;
    }
    if (n->window >> behind & 1)
        return true;
    n->window |= UINT64_C(1) << behind;
    n->seen++;
    *reordered = true;
    if (seq < n->min)
        n->min = seq & SD_U48;
    return false;
}

uint32_t sd_numbers_missing(const struct sd_numbers *n)
{
    if (!n->seen)
        return 0;
    uint64_t range = n->max - n->min + 1;
    uint64_t missing = range > (uint64_t)n->seen + n->late ? range - n->seen - n->late : 0;
    return missing < UINT32_MAX ? (uint32_t)missing : UINT32_MAX;
}
