/* SPDX-License-Identifier: MIT */
#include "wire/junk.h"

#include <string.h>

#include "wire/record.h"

bool sd_junk_fits(size_t room)
{
    return room == 0 || room >= SD_RECORD_HEADER_LEN;
}

/* The body of the next record: never so long that what is left is too short for a header. */
static size_t next_body(size_t room)
{
    size_t body = room - SD_RECORD_HEADER_LEN;
    if (body <= SD_RECORD_BODY_MAX)
        return body;
    body = SD_RECORD_BODY_MAX;
    return sd_junk_fits(room - SD_RECORD_HEADER_LEN - body) ? body : body - SD_RECORD_HEADER_LEN;
}

static void one_record(struct sd_wr *w, size_t body, void (*fill)(void *buf, size_t len))
{
    size_t mark = sd_record_open(w, SD_CT_APPDATA, SD_DTLS_1_2, 0, 0);
    if (w->bad || (size_t)(w->end - w->p) < body) {
        w->bad = true;
        return;
    }
    if (fill)
        fill(w->p, body);
    else
        memset(w->p, 0, body);
    w->p += body;
    sd_record_close(w, mark);
}

void sd_junk_build(struct sd_wr *w, size_t room, void (*fill)(void *buf, size_t len))
{
    if (!sd_junk_fits(room))
        w->bad = true;
    while (room && !w->bad) {
        size_t body = next_body(room);
        one_record(w, body, fill);
        room -= SD_RECORD_HEADER_LEN + body;
    }
}
