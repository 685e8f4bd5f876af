/* SPDX-License-Identifier: MIT */
/* What the readers of both formats have in common: how the reading ends, what it left out, and
 * which interfaces there are. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/internal.h"

enum { MAX_INTERFACES = 65536 };

static const char *unpacked(const struct sd_reader *r)
{
    return r->source.gunzip ? " of the unpacked data" : "";
}

enum sd_reader_status sd_reader_end(struct sd_reader *r, enum sd_reader_status status,
                                    const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(r->reason, sizeof r->reason, fmt, ap);
    va_end(ap);
    if (status != SD_READER_FOREIGN && n > 0 && (size_t)n < sizeof r->reason)
        snprintf(r->reason + n, sizeof r->reason - (size_t)n, " at byte %" PRIu64 "%s",
                 sd_bytes_offset(&r->source), unpacked(r));
    r->status = status;
    return status;
}

static enum sd_reader_status whole_file(struct sd_reader *r)
{
    char first[sizeof r->reason];
    if (!r->damaged)
        return r->status = SD_READER_END;
    memcpy(first, r->reason, sizeof first);
    snprintf(r->reason, sizeof r->reason, "%" PRIu64 " damaged %s left out, the first: %.180s",
             r->damaged, r->damaged == 1 ? "block was" : "blocks were", first);
    return r->status = SD_READER_CORRUPT;
}

enum sd_reader_status sd_reader_short(struct sd_reader *r, const char *what)
{
    const struct sd_bytes *s = &r->source;
    if (s->error)
        return sd_reader_end(r, SD_READER_IO, "cannot read %s: %s", what, strerror(s->error));
    if (s->fault)
        return sd_reader_end(r, s->cut ? SD_READER_TRUNCATED : SD_READER_CORRUPT, "%s", s->fault);
    if (!sd_bytes_have(s))
        return whole_file(r);
    return sd_reader_end(r, SD_READER_TRUNCATED, "the file ends within %s that begins", what);
}

void sd_reader_damaged(struct sd_reader *r, uint64_t offset, const char *what)
{
    if (r->damaged++ == 0)
        snprintf(r->reason, sizeof r->reason, "%s at byte %" PRIu64 "%s", what, offset,
                 unpacked(r));
}

struct sd_interface *sd_reader_add_interface(struct sd_reader *r)
{
    if (r->interface_count == MAX_INTERFACES) {
        sd_reader_end(r, SD_READER_CORRUPT, "more than %d interfaces", MAX_INTERFACES);
        return NULL;
    }
    if (r->interface_count == r->interface_room) {
        uint32_t room = r->interface_room ? r->interface_room * 2 : 4;
        struct sd_interface *larger = realloc(r->interfaces, room * sizeof *larger);
        if (!larger) {
            sd_reader_end(r, SD_READER_IO, "out of memory for more than %" PRIu32 " interfaces",
                          r->interface_count);
            return NULL;
        }
        r->interfaces = larger;
        r->interface_room = room;
    }
    struct sd_interface *i = &r->interfaces[r->interface_count++];
    *i = (struct sd_interface){.factor = 1000, .divisor = 1};
    return i;
}
