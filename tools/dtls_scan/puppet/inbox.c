/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/inbox.h"

#include <stdlib.h>
#include <string.h>

static void free_slot(struct puppet_inbox *in, struct puppet_slot *s)
{
    if (s->have)
        in->held -= s->length;
    free(s->body);
    free(s->have);
    *s = (struct puppet_slot){0};
}

static bool begin_slot(struct puppet_inbox *in, struct puppet_slot *s, const struct sd_handshake *h)
{
    if (h->length > PUPPET_INBOX_BYTES - in->held)
        return false;
    uint8_t *body = malloc(h->length + 1), *have = calloc(1, h->length + 1);
    if (!body || !have) {
        free(body);
        free(have);
        return false;
    }
    *s = (struct puppet_slot){.body = body, .have = have, .type = h->type, .length = h->length};
    in->held += h->length;
    return true;
}

static uint32_t fill_slot(struct puppet_slot *s, const struct sd_handshake *h)
{
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < h->frag_len; i++) {
        if (s->have[h->frag_off + i])
            continue;
        s->have[h->frag_off + i] = 1;
        s->body[h->frag_off + i] = h->body.p[i];
        fresh++;
    }
    s->got += fresh;
    return fresh;
}

enum puppet_inbox_result puppet_inbox_add(struct puppet_inbox *in, const struct sd_handshake *h)
{
    struct puppet_slot *s = &in->slot[h->message_seq % PUPPET_INBOX_AHEAD];
    if (h->message_seq < in->next)
        return PUPPET_INBOX_REPEATED;
    if (h->message_seq - in->next >= PUPPET_INBOX_AHEAD)
        return PUPPET_INBOX_REFUSED;
    bool fresh = !s->have;
    if (fresh && !begin_slot(in, s, h))
        return PUPPET_INBOX_REFUSED;
    if (s->type != h->type || s->length != h->length)
        return PUPPET_INBOX_REFUSED;
    return fill_slot(s, h) || fresh ? PUPPET_INBOX_NEW : PUPPET_INBOX_REPEATED;
}

bool puppet_inbox_next(struct puppet_inbox *in, struct sd_handshake *h, uint8_t **body)
{
    struct puppet_slot *s = &in->slot[in->next % PUPPET_INBOX_AHEAD];
    if (!s->have || s->got < s->length)
        return false;
    *body = s->body;
    *h = (struct sd_handshake){.type = s->type,
                               .length = s->length,
                               .message_seq = in->next,
                               .frag_len = s->length,
                               .body = {s->body, s->length}};
    s->body = NULL;
    free_slot(in, s);
    in->next++;
    return true;
}

void puppet_inbox_skip(struct puppet_inbox *in, uint16_t next)
{
    for (; in->next < next; in->next++)
        free_slot(in, &in->slot[in->next % PUPPET_INBOX_AHEAD]);
}

void puppet_inbox_clear(struct puppet_inbox *in)
{
    for (size_t i = 0; i < PUPPET_INBOX_AHEAD; i++)
        free_slot(in, &in->slot[i]);
    in->next = 0;
}
