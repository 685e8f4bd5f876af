/* SPDX-License-Identifier: MIT */
/* Addresses on which ICE succeeds (RFC 8445), whether DTLS follows or not. */
#include <string.h>

#include "flow/internal.h"

enum {
    STUN_HEADER = 20,
    STUN_BINDING_REQUEST = 0x0001,
    STUN_USERNAME = 0x0006,
    ANSWERS_MIN = 4 /* checks that were answered */
};

/* DTLS begins right after the checks; a slow peer takes a second or two. */
#define WITHOUT_HELLO_FOR (5 * SD_NS_SECOND)

/* The username of a Binding request: checks of ICE have one, those of a STUN server do not. */
static struct sd_span username_of(struct sd_span payload)
{
    struct sd_rd r = sd_rd_init(payload.p, payload.len);
    if (sd_rd_u16(&r) != STUN_BINDING_REQUEST)
        return (struct sd_span){0};
    sd_rd_bytes(&r, STUN_HEADER - 2);
    while (!r.bad && sd_rd_left(&r)) {
        uint16_t type = sd_rd_u16(&r), len = sd_rd_u16(&r);
        struct sd_span value = sd_rd_bytes(&r, len);
        if (type == STUN_USERNAME)
            return value;
        sd_rd_bytes(&r, -(size_t)len % 4);
    }
    return (struct sd_span){0};
}

/* The same for the requests of both sides, "B:A" and "A:B": all pairs of one session have it. */
static uint64_t hash_session(const struct sd_tracker *t, struct sd_span name)
{
    const uint8_t *colon = name.len ? memchr(name.p, ':', name.len) : NULL;
    if (!colon)
        return 0;
    size_t first = (size_t)(colon - name.p);
    return sd_hash(t->config.key, name.p, first) +
           sd_hash(t->config.key, colon + 1, name.len - first - 1);
}

/* One bit for each session in which a pair had DTLS. Two may share a bit: then one too few is
 * reported. */
static uint64_t *dtls_word(struct sd_tracker *t, uint64_t session)
{
    return &t->ice_dtls[(session >> 6) % SD_ICE_WORDS];
}

static uint64_t dtls_bit(uint64_t session)
{
    return UINT64_C(1) << (session & 63);
}

void sd_ice_saw_dtls(struct sd_tracker *t, struct sd_flow *f)
{
    f->saw_dtls = true;
    if (f->ice && f->ice->session)
        *dtls_word(t, f->ice->session) |= dtls_bit(f->ice->session);
}

static struct sd_ice *ice_of(struct sd_tracker *t, struct sd_flow *f)
{
    if (!f->ice)
        f->ice = sd_alloc_new(&t->config.alloc, sizeof *f->ice);
    t->counts.no_memory += !f->ice;
    return f->ice;
}

void sd_ice_note(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d)
{
    struct sd_ice *ice = ice_of(t, f);
    if (!ice)
        return;
    ice->media |= d->kind != SD_PAYLOAD_STUN && d->kind != SD_PAYLOAD_STUN_SUCCESS;
    if (d->kind == SD_PAYLOAD_STUN && !ice->session) {
        ice->session = hash_session(t, username_of(d->payload));
        if (f->saw_dtls)
            sd_ice_saw_dtls(t, f);
    }
    if (d->kind != SD_PAYLOAD_STUN_SUCCESS)
        return;
    if (!ice->answers++) {
        ice->first = d->time;
        ice->first_number = (uint32_t)d->number;
    }
    ice->last = d->time;
    ice->last_number = (uint32_t)d->number;
}

struct lone {
    const struct sd_tracker_config *config;
    struct sd_lone found;
};

static void report_lone(void *of)
{
    const struct lone *l = of;
    l->config->lone(l->config->arg, &l->found);
}

void sd_ice_judge(struct sd_tracker *t, struct sd_flow *f)
{
    const struct sd_ice *ice = f->ice;
    if (!t->config.lone || !ice || !ice->session || ice->media || f->saw_dtls ||
        ice->answers < ANSWERS_MIN || ice->last - ice->first < WITHOUT_HELLO_FOR ||
        *dtls_word(t, ice->session) & dtls_bit(ice->session))
        return;
    struct lone l = {.config = &t->config,
                     .found = {.one = &f->addr[0],
                               .other = &f->addr[1],
                               .answers = ice->answers,
                               .first = ice->first,
                               .last = ice->last,
                               .first_number = ice->first_number,
                               .last_number = ice->last_number,
                               .from_the_beginning = ice->first - t->began > SD_NS_SECOND}};
    sd_judge_call(t, report_lone, &l);
}
