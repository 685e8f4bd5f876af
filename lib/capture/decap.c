/* SPDX-License-Identifier: MIT */
#include "capture/internal.h"

#include <stdlib.h>

enum { FRAGMENTED_DEFAULT = 4096, BYTES_DEFAULT = 16 << 20, CHANNELS_DEFAULT = 16384 };

static void default_limit(size_t *value, size_t otherwise)
{
    if (!*value)
        *value = otherwise;
}

struct sd_decap *sd_decap_new(const struct sd_decap_config *config)
{
    struct sd_decap *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->config = *config;
    default_limit(&d->config.max_fragmented, FRAGMENTED_DEFAULT);
    default_limit(&d->config.max_bytes, BYTES_DEFAULT);
    default_limit(&d->config.max_channels, CHANNELS_DEFAULT);
    struct sd_ipfrag_config frag = {.key = config->key,
                                    .max_packets = d->config.max_fragmented,
                                    .max_bytes = d->config.max_bytes,
                                    .arg = config->sink.arg,
                                    .incomplete = config->sink.ip_incomplete};
    d->frag = sd_ipfrag_new(&frag);
    d->carriers = sd_carriers_new(config->key, d->config.max_channels);
    d->streams = sd_streams_new();
    if (!d->frag || !d->carriers || !d->streams) {
        sd_decap_free(d);
        return NULL;
    }
    return d;
}

void sd_decap_free(struct sd_decap *d)
{
    if (!d)
        return;
    sd_ipfrag_free(d->frag);
    sd_carriers_free(d->carriers);
    sd_streams_free(d->streams);
    free(d);
}

void sd_decap_frame(struct sd_decap *d, const struct sd_frame *f)
{
    struct sd_walk w = {.d = d, .frame = f};
    size_t captured = f->data.len;
    struct sd_unread p = {.rd = sd_rd_init(f->data.p, captured),
                          .missing = f->length > captured ? f->length - captured : 0};
    d->frames++;
    sd_ipfrag_expire(d->frag, f->time);
    d->fates[sd_decap_link(&w, f->linktype, &p)]++;
}

void sd_decap_flush(struct sd_decap *d)
{
    sd_ipfrag_flush(d->frag);
}

int64_t sd_decap_oldest(const struct sd_decap *d)
{
    return sd_ipfrag_oldest(d->frag);
}

struct sd_decap_counts sd_decap_counts(const struct sd_decap *d)
{
    return (struct sd_decap_counts){.frames = d->frames,
                                    .datagrams = d->fates[SD_FATE_DATAGRAM],
                                    .icmp = d->fates[SD_FATE_ICMP],
                                    .fragments = d->fates[SD_FATE_FRAGMENT],
                                    .other = d->fates[SD_FATE_OTHER],
                                    .malformed = d->fates[SD_FATE_MALFORMED]};
}
