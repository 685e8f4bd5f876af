/* SPDX-License-Identifier: MIT */
#include "session/sent.h"

#include <stdlib.h>
#include <string.h>

void sd_sent_init(struct sd_sent *s)
{
    STAILQ_INIT(&s->flight);
}

static void keep_copy(struct sd_sent *s, const uint8_t *data, size_t len)
{
    if (len > SD_SENT_FLIGHT - s->kept)
        return;
    struct sd_sent_copy *c = malloc(sizeof *c + len);
    if (!c)
        return; /* the retransmission timer repeats the flight */
    c->len = len;
    memcpy(c->data, data, len);
    STAILQ_INSERT_TAIL(&s->flight, c, next);
    s->kept += len;
}

void sd_sent_note(struct sd_sent *s, const uint8_t *data, size_t len, bool keep)
{
    if (len < SD_SENT_LARGE)
        return;
    unsigned i = s->next++ % SD_SENT_RECENT;
    s->recent[i].len = len;
    memcpy(s->recent[i].head, data, SD_SENT_HEAD);
    if (keep)
        keep_copy(s, data, len);
}

void sd_sent_forget(struct sd_sent *s)
{
    struct sd_sent_copy *c;
    while ((c = STAILQ_FIRST(&s->flight))) {
        STAILQ_REMOVE_HEAD(&s->flight, next);
        free(c);
    }
    s->kept = 0;
}

size_t sd_sent_quoted(const struct sd_sent *s, const uint8_t *quote, size_t len)
{
    if (len < SD_SENT_HEAD)
        return 0;
    for (unsigned i = 0; i < SD_SENT_RECENT; i++)
        if (s->recent[i].len && !memcmp(s->recent[i].head, quote, SD_SENT_HEAD))
            return s->recent[i].len;
    return 0;
}

void sd_sent_take(struct sd_sent *s, size_t mtu, struct sd_sent_flight *out)
{
    struct sd_sent_flight rest = STAILQ_HEAD_INITIALIZER(rest);
    struct sd_sent_copy *c;
    STAILQ_INIT(out);
    while ((c = STAILQ_FIRST(&s->flight))) {
        STAILQ_REMOVE_HEAD(&s->flight, next);
        if (c->len <= mtu) {
            STAILQ_INSERT_TAIL(&rest, c, next);
            continue;
        }
        s->kept -= c->len;
        STAILQ_INSERT_TAIL(out, c, next);
    }
    STAILQ_CONCAT(&s->flight, &rest);
}
