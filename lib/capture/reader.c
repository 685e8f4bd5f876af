#include "capture/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader_internal.h"
#include "sukat_dtls.h"

enum { MAX_INTERFACES = 65536 };

static enum sd_reader_status begin(struct sd_reader *r, struct sd_frame *f);

int sd_reader_open(struct sd_reader **out, const char *path, const struct sd_reader_config *config,
                   struct sd_err *e)
{
    struct sd_reader *r = calloc(1, sizeof *r);
    if (!r)
        return sd_err_set(e, SDTLS_NOMEM, "out of memory");
    int rc = sd_bytes_open(&r->source, path, config ? config->window : 0);
    if (rc) {
        sd_reader_close(r);
        return sd_err_set(e, SDTLS_IO, "cannot open %s: %s", path, strerror(-rc));
    }
    if (config)
        r->config = *config;
    r->next = begin;
    *out = r;
    return 0;
}

void sd_reader_close(struct sd_reader *r)
{
    if (!r)
        return;
    sd_bytes_close(&r->source);
    free(r->interfaces);
    free(r);
}

enum sd_reader_status sd_reader_next(struct sd_reader *r, struct sd_frame *f)
{
    if (r->status == SD_READER_FRAME)
        r->status = r->next(r, f);
    return r->status;
}

const char *sd_reader_reason(const struct sd_reader *r)
{
    return r->reason;
}

bool sd_reader_comment(struct sd_reader *r, struct sd_span *text)
{
    return r->status == SD_READER_FRAME && sd_pcapng_comment(r, text);
}

const struct sd_reader_interface *sd_reader_interface(const struct sd_reader *r, uint32_t index)
{
    return index < r->interface_count ? &r->interfaces[index].info : NULL;
}

uint64_t sd_reader_dropped(const struct sd_reader *r)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < r->interface_count; i++)
        sum += r->interfaces[i].info.dropped;
    return sum;
}

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
    snprintf(r->reason, sizeof r->reason, "%" PRIu64 " damaged %s left out, first %.180s",
             r->damaged, r->damaged == 1 ? "block was" : "blocks were", first);
    return r->status = SD_READER_CORRUPT;
}

enum sd_reader_status sd_reader_short(struct sd_reader *r, const char *what)
{
    const struct sd_bytes *s = &r->source;
    if (s->error)
        return sd_reader_end(r, SD_READER_IO, "reading %s: %s", what, strerror(s->error));
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
            sd_reader_end(r, SD_READER_IO, "out of memory for interface %" PRIu32, room);
            return NULL;
        }
        r->interfaces = larger;
        r->interface_room = room;
    }
    struct sd_interface *i = &r->interfaces[r->interface_count++];
    *i = (struct sd_interface){.factor = 1000, .divisor = 1};
    return i;
}

static enum sd_reader_status not_a_capture(struct sd_reader *r)
{
    const struct sd_bytes *s = &r->source;
    if (s->error || s->fault)
        return sd_reader_short(r, "the file header");
    if (!sd_bytes_have(s))
        return sd_reader_end(r, SD_READER_FOREIGN, "the file is empty");
    char hex[3 * 4 + 1] = "";
    for (size_t i = 0; i < 4 && i < sd_bytes_have(s); i++)
        snprintf(hex + 3 * i, 4, " %02x", s->p[i]);
    return sd_reader_end(r, SD_READER_FOREIGN, "neither pcap nor pcapng: begins with%s", hex);
}

static bool is_pcapng(uint32_t magic)
{
    return magic == 0x0a0d0d0a;
}

static bool is_pcap(uint32_t magic)
{
    return magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xa1b2cd34;
}

static enum sd_reader_status begin(struct sd_reader *r, struct sd_frame *f)
{
    struct sd_bytes *s = &r->source;
    int rc = sd_bytes_unpack(s);
    if (rc == -ENOTSUP)
        return sd_reader_end(r, SD_READER_FOREIGN,
                             "packed with gzip, which this build cannot read");
    if (rc)
        return sd_reader_end(r, SD_READER_IO, "%s", strerror(-rc));
    if (!sd_bytes_want(s, 4))
        return not_a_capture(r);
    struct sd_rd rd = sd_rd_init(s->p, 4);
    uint32_t magic = sd_order_u32(&rd, false);
    if (is_pcapng(magic))
        r->next = sd_pcapng_next;
    else if (is_pcap(magic) || is_pcap(__builtin_bswap32(magic)))
        r->next = sd_pcap_begin;
    else
        return not_a_capture(r);
    return r->next(r, f);
}
