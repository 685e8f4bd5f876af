/* SPDX-License-Identifier: MIT */
/* Gives built frames to a decapsulator, and keeps what comes out. Include after cmocka. */
#ifndef CAPTURE_SEEN_H
#define CAPTURE_SEEN_H

#include "capture/decap.h"
#include "capture_build.h"

struct seen {
    unsigned datagrams, icmp, incomplete;
    struct sd_datagram last; /* payload: as far as it was copied to `payload` */
    struct sd_icmp error;
    uint8_t payload[BUILD_MAX];
    uint8_t quoted[BUILD_MAX];
};

static inline void copy_span(struct sd_span *s, uint8_t *to)
{
    assert_true(s->len <= BUILD_MAX);
    if (s->len)
        memcpy(to, s->p, s->len);
    s->p = to;
}

static inline void on_datagram(void *arg, const struct sd_datagram *d)
{
    struct seen *s = arg;
    s->datagrams++;
    s->last = *d;
    assert_true(d->payload.len <= d->length);
    copy_span(&s->last.payload, s->payload);
}

static inline void on_icmp(void *arg, const struct sd_icmp *e)
{
    struct seen *s = arg;
    s->icmp++;
    s->error = *e;
    copy_span(&s->error.quoted, s->quoted);
}

static inline void on_incomplete(void *arg, const struct sd_ip_incomplete *i)
{
    struct seen *s = arg;
    (void)i;
    s->incomplete++;
}

static inline struct sd_decap *open_decap(struct seen *s)
{
    memset(s, 0, sizeof *s);
    struct sd_decap_config config = {.sink = {s, on_datagram, on_icmp, on_incomplete},
                                     .key = {1, 2}};
    struct sd_decap *d = sd_decap_new(&config);
    assert_non_null(d);
    return d;
}

/* Gives the first `captured` of the frame's bytes, on the heap. */
static inline void give(struct sd_decap *d, const struct build *b, uint16_t linktype,
                        size_t captured)
{
    uint8_t *copy = heap_copy(build_bytes(b), captured);
    struct sd_frame f = {.data = {copy, captured},
                         .length = build_len(b),
                         .linktype = linktype,
                         .time = 5,
                         .number = 3,
                         .interface = 1};
    sd_decap_frame(d, &f);
    free(copy);
}

static inline struct sd_decap_counts show(struct seen *s, const struct build *b, uint16_t linktype)
{
    struct sd_decap *d = open_decap(s);
    give(d, b, linktype, build_len(b));
    struct sd_decap_counts counts = sd_decap_counts(d);
    sd_decap_free(d);
    return counts;
}

static inline struct sd_addr address(int family, bool dst, uint16_t port)
{
    struct sd_addr a = sd_addr_any(family, port);
    if (family == AF_INET)
        memcpy(&a.in.sin_addr, dst ? v4_dst : v4_src, 4);
    else
        memcpy(&a.in6.sin6_addr, dst ? v6_dst : v6_src, 16);
    return a;
}

static inline void check_addresses(const struct sd_addr *src, const struct sd_addr *dst, int family)
{
    struct sd_addr from = address(family, false, 40000), to = address(family, true, 4433);
    assert_true(sd_addr_eq(src, &from));
    assert_true(sd_addr_eq(dst, &to));
}

static inline uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

#endif
