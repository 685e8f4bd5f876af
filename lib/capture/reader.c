/* SPDX-License-Identifier: MIT */
#include "capture/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/internal.h"
#include "sukat_dtls.h"

static enum sd_reader_status choose_format(struct sd_reader *r, struct sd_frame *f);

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
    r->next = choose_format;
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
    return sd_reader_end(r, SD_READER_FOREIGN,
                         "not a capture file (neither pcap nor pcapng): it begins with the bytes%s",
                         hex);
}

static bool is_pcapng(uint32_t magic)
{
    return magic == 0x0a0d0d0a;
}

static bool is_pcap(uint32_t magic)
{
    return magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xa1b2cd34;
}

static enum sd_reader_status choose_format(struct sd_reader *r, struct sd_frame *f)
{
    struct sd_bytes *s = &r->source;
    int rc = sd_bytes_unpack(s);
    if (rc == -ENOTSUP)
        return sd_reader_end(
            r, SD_READER_FOREIGN,
            "compressed with gzip, which this build cannot read: run gunzip first");
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
