/* SPDX-License-Identifier: MIT */
#include "flow/internal.h"

enum { WINDOW = 64 }; /* RFC 6347 section 4.1.2.6 recommends as much for replay */

static void advance(struct sd_numbers *n, uint64_t seq, uint16_t *gap)
{
    uint64_t step = seq - n->max;
    *gap = step - 1 < UINT16_MAX ? (uint16_t)(step - 1) : UINT16_MAX;
    n->window = step < WINDOW ? n->window << step : 0;
    n->window |= 1;
    n->max = seq;
    n->seen++;
}

bool sd_numbers_note(struct sd_numbers *n, uint64_t seq, uint16_t *gap, bool *reordered)
{
    *gap = 0;
    *reordered = false;
    if (!n->seen) {
        *n = (struct sd_numbers){.min = seq & SD_U48, .max = seq, .seen = 1, .window = 1};
        return false;
    }
    if (seq > n->max) {
        advance(n, seq, gap);
        return false;
    }
    uint64_t behind = n->max - seq;
    if (behind >= WINDOW) {
        n->late++;
        return false;
    }
    if (n->window >> behind & 1) {
        n->duplicates++;
        return true;
    }
    n->window |= UINT64_C(1) << behind;
    n->seen++;
    n->reordered++;
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
