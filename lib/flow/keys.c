/* SPDX-License-Identifier: MIT */
/* The keys of an exchange: when they can be had, what they need, and what they prove. */
#include "flow/internal.h"
#include "wire/extension.h"
#include "wire/hello.h"

struct transcript {
    struct sd_transcript_part parts[SD_TRANSCRIPT_MAX];
    size_t count;
    bool incomplete;
};

static void add_message(struct transcript *s, uint8_t type, unsigned message_seq,
                        struct sd_span body)
{
    s->parts[s->count++] = (struct sd_transcript_part){type, (uint16_t)message_seq, body};
}

static void add_kept(struct transcript *s, const struct sd_exchange *x, uint8_t type,
                     unsigned message_seq, enum sd_kept which)
{
    s->incomplete |= !x->kept[which];
    add_message(s, type, message_seq, sd_kept(x, which));
}

static const struct sd_event *newest_of(const struct sd_event *events, size_t count,
                                        enum sd_side side, uint8_t type)
{
    for (size_t i = count; i-- > 0;)
        if (events[i].kind == SD_EV_HANDSHAKE && events[i].message == type &&
            sd_event_side(&events[i]) == side)
            return &events[i];
    return NULL;
}

/* In this datagram, or in the log; NULL = not seen. */
static const struct sd_event *find_message(const struct sd_tracker *t, const struct sd_exchange *x,
                                           enum sd_side side, uint8_t type)
{
    const struct sd_event *e = newest_of(t->events, t->event_count, side, type);
    return e ? e : newest_of(x->log, x->count, side, type);
}

/* A plain PSK suite has no other messages than these; whether one is missing in the capture shows
 * in the numbers of those after it. */
static void fill_transcript12(struct transcript *s, const struct sd_tracker *t,
                              const struct sd_exchange *x)
{
    const struct sd_event *ch = find_message(t, x, SD_CLIENT, SD_HS_CLIENT_HELLO);
    const struct sd_event *sh = find_message(t, x, SD_SERVER, SD_HS_SERVER_HELLO);
    const struct sd_event *done = find_message(t, x, SD_SERVER, SD_HS_SERVER_HELLO_DONE);
    const struct sd_event *key = find_message(t, x, SD_CLIENT, SD_HS_CLIENT_KEY_EXCHANGE);
    bool hint = x->kept[SD_KEPT_SERVER_KEY_EXCHANGE];
    s->incomplete = !ch || !sh || !done || !key ||
                    done->message_seq != sh->message_seq + 1 + hint ||
                    key->message_seq != ch->message_seq + 1;
    if (s->incomplete)
        return;
    add_kept(s, x, SD_HS_CLIENT_HELLO, ch->message_seq, SD_KEPT_CLIENT_HELLO);
    add_kept(s, x, SD_HS_SERVER_HELLO, sh->message_seq, SD_KEPT_SERVER_HELLO);
    if (hint)
        add_kept(s, x, SD_HS_SERVER_KEY_EXCHANGE, sh->message_seq + 1U,
                 SD_KEPT_SERVER_KEY_EXCHANGE);
    add_message(s, SD_HS_SERVER_HELLO_DONE, done->message_seq, (struct sd_span){0});
    add_kept(s, x, SD_HS_CLIENT_KEY_EXCHANGE, key->message_seq, SD_KEPT_CLIENT_KEY_EXCHANGE);
}

static void fill_transcript13(struct transcript *s, const struct sd_exchange *x)
{
    const struct sd_message *first = sd_rare(x)->first_hello;
    bool retry = x->kept[SD_KEPT_RETRY];
    s->incomplete = retry && !first;
    if (retry && first) {
        add_message(s, SD_HS_CLIENT_HELLO, 0, (struct sd_span){first->body, first->length});
        add_kept(s, x, SD_HS_SERVER_HELLO, 0, SD_KEPT_RETRY);
    }
    add_kept(s, x, SD_HS_CLIENT_HELLO, 0, SD_KEPT_CLIENT_HELLO);
    add_kept(s, x, SD_HS_SERVER_HELLO, 0, SD_KEPT_SERVER_HELLO);
}

static bool agreed_master_secret(const struct sd_exchange *x)
{
    struct sd_server_hello sh;
    struct sd_span body = sd_kept(x, SD_KEPT_SERVER_HELLO);
    return sd_server_hello_parse(&sh, body, body.len) == SD_HELLO_WHOLE &&
           sd_ext_has(sh.extensions, SD_EXT_EXTENDED_MASTER_SECRET);
}

/* False when what a pre-shared key needs is not there yet. */
static bool add_psk_params(struct sd_unprotect_params *p, struct transcript *s,
                           const struct sd_tracker *t, const struct sd_exchange *x)
{
    if (x->version == SD_DTLS_1_3)
        fill_transcript13(s, x);
    else
        fill_transcript12(s, t, x);
    p->extended_master_secret = agreed_master_secret(x);
    p->transcript = s->parts;
    p->transcript_count = s->incomplete ? 0 : s->count;
    return !s->incomplete;
}

/* Keys are asked for once both hellos were seen. */
static void *keys_of(struct sd_tracker *t, struct sd_flow *f)
{
    const struct sd_unprotect *u = t->config.unprotect;
    const struct sd_exchange *x = f->x;
    struct transcript s = {.count = 0};
    if (!u || f->tried_keys || !x->negotiated || !x->has_client_random)
        return f->keys;
    struct sd_unprotect_params p = {.client_random = x->client_random,
                                    .server_random = x->server_random,
                                    .version = x->version,
                                    .suite = x->suite,
                                    .encrypt_then_mac = x->encrypt_then_mac};
    bool all = !u->psk || add_psk_params(&p, &s, t, x);
    f->keys = u->begin(u->arg, &p);
    f->tried_keys = all || f->keys;
    return f->keys;
}

/* Whether a side has the pre-shared key shows in its Finished, the first record of epoch 1. */
static void note_proof(struct sd_exchange *x, enum sd_side side, const struct sd_record *rec,
                       bool opened)
{
    bool finished = rec->type == SD_CT_HANDSHAKE || rec->type == SD_CT_CID;
    if (rec->unified || rec->epoch != 1)
        return;
    if (opened)
        x->key_proof[side] = SD_KEY_GIVEN;
    else if (finished && rec->body.len == rec->length && !x->key_proof[side] && !x->established)
        x->key_proof[side] = SD_KEY_OTHER;
}

bool sd_keys_open(struct sd_tracker *t, struct sd_flow *f, enum sd_side side,
                  const struct sd_record *rec, struct sd_record *plain)
{
    const struct sd_unprotect *u = t->config.unprotect;
    void *keys = keys_of(t, f);
    if (!keys)
        return false;
    bool opened = u->open(keys, side == SD_SERVER, rec, t->plain, plain);
    if (u->from_psk && u->from_psk(keys))
        note_proof(f->x, side, rec, opened);
    return opened;
}

void sd_keys_message(const struct sd_tracker *t, const struct sd_flow *f, enum sd_side side,
                     uint8_t type, struct sd_span body)
{
    const struct sd_unprotect *u = t->config.unprotect;
    if (f->keys && u->message && f->x->version == SD_DTLS_1_3)
        u->message(f->keys, side == SD_SERVER, type, body);
}
