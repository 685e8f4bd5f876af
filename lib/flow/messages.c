/* SPDX-License-Identifier: MIT */
/* Reassembly of handshake messages (RFC 6347 section 4.2.3), and what whole ones tell. */
#include <string.h>

#include "flow/internal.h"
#include "wire/extension.h"
#include "wire/hello.h"

enum {
    MESSAGE_MAX = 1 << 16, /* longer ones are followed, not kept */
    PENDING_MAX = 6,       /* messages in pieces at once, of one handshake */
    SHOWN_MAX = 12         /* the same where all messages are wanted */
};

/* Fills `keep` with the place of a message that is kept; false for others. */
static bool kept_as(const struct sd_exchange *x, enum sd_side side, uint8_t type,
                    enum sd_kept *keep)
{
    switch (type) {
    case SD_HS_CLIENT_HELLO:
        *keep = SD_KEPT_CLIENT_HELLO;
        return side == SD_CLIENT;
    case SD_HS_SERVER_HELLO:
        *keep = SD_KEPT_SERVER_HELLO;
        return side == SD_SERVER;
    case SD_HS_SERVER_KEY_EXCHANGE:
        *keep = SD_KEPT_SERVER_KEY_EXCHANGE;
        return side == SD_SERVER;
    case SD_HS_CERTIFICATE_REQUEST:
        *keep = SD_KEPT_CERTIFICATE_REQUEST;
        return side == SD_SERVER;
    case SD_HS_ENCRYPTED_EXTENSIONS:
        *keep = SD_KEPT_ENCRYPTED_EXTENSIONS;
        return side == SD_SERVER;
    case SD_HS_CERTIFICATE_VERIFY:
        *keep = SD_KEPT_CERTIFICATE_VERIFY;
        return side == SD_CLIENT;
    case SD_HS_CLIENT_KEY_EXCHANGE:
        *keep = SD_KEPT_CLIENT_KEY_EXCHANGE;
        return side == SD_CLIENT;
    case SD_HS_CERTIFICATE:
        *keep = side == SD_SERVER ? SD_KEPT_SERVER_CERTIFICATE : SD_KEPT_CLIENT_CERTIFICATE;
        return true;
    default:
        (void)x;
        return false;
    }
}

static void keep_message(struct sd_tracker *t, struct sd_exchange *x, enum sd_kept which,
                         struct sd_span body)
{
    size_t had = sd_kept(x, which).len;
    const struct sd_alloc *a = &t->config.alloc;
    if (t->kept - had + body.len > t->config.max_kept)
        return;
    struct sd_message *m = a->resize(a->arg, x->kept[which], sizeof *m + body.len);
    if (!m) {
        t->counts.no_memory++;
        return;
    }
    t->kept += body.len - had;
    m->length = (uint32_t)body.len;
    memcpy(m->body, body.p, body.len);
    x->kept[which] = m;
}

/* The transcript of DTLS 1.3 begins with the hello that a HelloRetryRequest answers. Its bytes do
 * not count as kept any more: there is one. */
static void keep_first_hello(struct sd_tracker *t, struct sd_exchange *x, struct sd_span body)
{
    struct sd_span before = sd_kept(x, SD_KEPT_CLIENT_HELLO);
    bool same = before.len == body.len && before.len && !memcmp(before.p, body.p, body.len);
    if (!t->config.unprotect || !t->config.unprotect->psk || !x->kept[SD_KEPT_RETRY] ||
        !before.len || same)
        return;
    struct sd_rare *rare = sd_rare_new(t, x);
    if (!rare || rare->first_hello)
        return;
    rare->first_hello = x->kept[SD_KEPT_CLIENT_HELLO];
    x->kept[SD_KEPT_CLIENT_HELLO] = NULL;
    t->kept -= before.len;
}

/* --- what hellos tell --- */

/* The best version that the client offers (RFC 9147 section 5.3). Versions of DTLS count
 * down; those of TLS that a browser lists, too, are none. */
static uint16_t offered_version(const struct sd_client_hello *ch)
{
    struct sd_span body;
    struct sd_rd list;
    uint16_t best = ch->version;
    if (!sd_ext_find(ch->extensions, SD_EXT_SUPPORTED_VERSIONS, &body) ||
        !sd_ext_u16s(body, 1, &list))
        return best;
    while (sd_rd_left(&list)) {
        uint16_t v = sd_version_final(sd_rd_u16(&list));
        if (v >> 8 == 0xfe && v < best)
            best = v;
    }
    return best;
}

/* The receiver of records chose the length of the connection id in them (RFC 9146 section 3). */
static void learn_cid(const struct sd_tracker *t, struct sd_exchange *x, enum sd_side receiver,
                      struct sd_span extensions)
{
    struct sd_span body, cid;
    if (!sd_ext_find(extensions, SD_EXT_CONNECTION_ID, &body) || !sd_ext_opaque(body, 1, &cid))
        return;
    x->cid_len[receiver] = (uint8_t)cid.len;
    x->cid_hash[receiver] = (uint32_t)sd_hash(t->config.key, cid.p, cid.len);
}

static void read_client_hello(const struct sd_tracker *t, struct sd_exchange *x,
                              struct sd_span body)
{
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, body, body.len) != SD_HELLO_WHOLE)
        return;
    if (!x->negotiated)
        x->version = offered_version(&ch);
    learn_cid(t, x, SD_CLIENT, ch.extensions);
}

static void read_server_hello(struct sd_tracker *t, struct sd_flow *f, struct sd_span body,
                              size_t length)
{
    struct sd_exchange *x = f->x;
    struct sd_server_hello sh;
    bool bad = sd_server_hello_parse(&sh, body, length) == SD_HELLO_BAD;
    if (bad && body.len == length && !x->has_server_random)
        keep_message(t, x, SD_KEPT_SERVER_HELLO, body); /* to say what is wrong with it */
    if (bad || sh.missing < SD_HELLO_EXTENSIONS)
        return;
    if (sh.retry) {
        keep_message(t, x, SD_KEPT_RETRY, body);
        return;
    }
    if (!x->has_server_random || memcmp(x->server_random, sh.random.p, SD_RANDOM_LEN) != 0)
        x->server_randoms++;
    if (x->has_server_random)
        return;
    memcpy(x->server_random, sh.random.p, SD_RANDOM_LEN);
    x->has_server_random = x->negotiated = true;
    x->version = sd_server_hello_version(&sh);
    x->suite = sh.suite;
    x->encrypt_then_mac = sd_ext_has(sh.extensions, SD_EXT_ENCRYPT_THEN_MAC);
    learn_cid(t, x, SD_SERVER, sh.extensions);
    if (body.len == length)
        keep_message(t, x, SD_KEPT_SERVER_HELLO, body);
}

static void message_whole(struct sd_tracker *t, struct sd_flow *f, enum sd_side side,
                          const struct sd_handshake *h, struct sd_span body, unsigned pieces)
{
    enum sd_kept which;
    struct sd_exchange *x = f->x;
    if (!kept_as(x, side, h->type, &which))
        return;
    if (which == SD_KEPT_CLIENT_HELLO) {
        x->hello_fragments = (uint16_t)pieces;
        keep_first_hello(t, x, body);
        keep_message(t, x, which, body);
        read_client_hello(t, x, body);
    } else if (which == SD_KEPT_SERVER_HELLO) {
        read_server_hello(t, f, body, body.len);
    } else if (!x->kept[which]) {
        keep_message(t, x, which, body);
    }
    if (side == SD_CLIENT && h->type != SD_HS_CLIENT_HELLO)
        x->proven = true;
}

/* --- first fragments of hellos: counted as often as they come --- */

bool sd_cookie_known(const struct sd_tracker *t, const struct sd_exchange *x, struct sd_span cookie)
{
    uint32_t hash = (uint32_t)sd_hash(t->config.key, cookie.p, cookie.len);
    unsigned known = x->cookie_count < SD_COOKIES_MAX ? x->cookie_count : SD_COOKIES_MAX;
    for (unsigned i = 0; i < known; i++)
        if (x->cookies[i].hash == hash)
            return true;
    return false;
}

static void count_client_hello(struct sd_exchange *x, const struct sd_tracker *t,
                               const struct sd_handshake *h)
{
    struct sd_client_hello ch;
    if (sd_client_hello_parse(&ch, h->body, h->length) == SD_HELLO_BAD ||
        ch.missing <= SD_HELLO_COOKIE)
        return;
    if (!ch.cookie.len) {
        x->hellos_plain++;
        return;
    }
    bool ours = sd_cookie_known(t, x, ch.cookie);
    x->hellos_cookie++;
    x->cookie_strangers += !ours;
    x->proven |= ours;
}

unsigned sd_hellos_unseen(const struct sd_exchange *x)
{
    enum { MANY = 32 }; /* of a client that counts from anywhere */
    for (const struct sd_event *e = x->log; e < x->log + x->count; e++)
        if (e->kind == SD_EV_HANDSHAKE && e->message == SD_HS_CLIENT_HELLO &&
            sd_event_side(e) == SD_CLIENT)
            return e->seq < MANY ? (unsigned)e->seq : 0;
    return 0;
}

/* Some servers answer each piece of a hello with a request (GnuTLS 3.7). */
bool sd_hello_pieces_answered(const struct sd_exchange *x)
{
    unsigned pieces = sd_hellos_unseen(x), requests = 0;
    for (const struct sd_event *e = x->log; e < x->log + x->count; e++) {
        if (e->kind != SD_EV_HANDSHAKE || e->flags & SD_EVF_DUPLICATE)
            continue;
        pieces += e->message == SD_HS_CLIENT_HELLO && e->flight == 1;
        requests += e->message == SD_HS_HELLO_VERIFY_REQUEST;
    }
    return requests >= pieces;
}

static void count_hello_verify(struct sd_exchange *x, const struct sd_tracker *t,
                               const struct sd_handshake *h)
{
    struct sd_hello_verify hv;
    if (!sd_hello_verify_parse(&hv, h->body))
        return;
    unsigned at = x->cookie_count < SD_COOKIES_MAX ? x->cookie_count : SD_COOKIES_MAX - 1;
    if (x->cookie_count >= SD_COOKIES_MAX)
        memmove(x->cookies, x->cookies + 1, (SD_COOKIES_MAX - 1) * sizeof x->cookies[0]);
    x->cookies[at] =
        (struct sd_cookie){.len = (uint8_t)hv.cookie.len,
                           .hash = (uint32_t)sd_hash(t->config.key, hv.cookie.p, hv.cookie.len)};
    x->cookie_count++;
    /* The first ones may answer hellos without a cookie that were still on the way. */
    x->verify_after_cookie += x->hellos_cookie > 0 && sd_hello_pieces_answered(x);
}

static void count_hello(struct sd_exchange *x, const struct sd_tracker *t, enum sd_side side,
                        const struct sd_handshake *h)
{
    if (h->frag_off)
        return;
    if (side == SD_CLIENT && h->type == SD_HS_CLIENT_HELLO)
        count_client_hello(x, t, h);
    else if (side == SD_SERVER && h->type == SD_HS_HELLO_VERIFY_REQUEST)
        count_hello_verify(x, t, h);
}

/* --- pieces --- */

/* The place of the first range that ends at or after `from`. */
static size_t first_touching(const struct sd_range *r, size_t count, uint32_t from)
{
    size_t i = 0;
    while (i < count && r[i].to < from)
        i++;
    return i;
}

bool sd_ranges_add(struct sd_range *r, size_t *count, size_t room, uint32_t from, uint32_t to)
{
    size_t i = first_touching(r, *count, from), j = i;
    for (; j < *count && r[j].from <= to; j++) {
        from = r[j].from < from ? r[j].from : from;
        to = r[j].to > to ? r[j].to : to;
    }
    if (i == j && *count == room)
        return false;
    memmove(r + i + 1, r + j, (*count - j) * sizeof *r);
    r[i] = (struct sd_range){from, to};
    *count = *count - (j - i) + 1;
    return true;
}

void sd_message_free(struct sd_tracker *t, struct sd_pending *p)
{
    if (!p)
        return;
    t->pending -= p->length;
    sd_alloc_free(&t->config.alloc, p);
}

static struct sd_pending *unlink_pending(struct sd_pending **at)
{
    struct sd_pending *p = *at;
    *at = p->next;
    return p;
}

void sd_pending_free(struct sd_tracker *t, struct sd_flow *f)
{
    while (f->pending)
        sd_message_free(t, unlink_pending(&f->pending));
}

static struct sd_pending **find_pending(struct sd_flow *f, enum sd_side side,
                                        const struct sd_handshake *h, unsigned *count)
{
    struct sd_pending **at = &f->pending;
    for (*count = 0; *at; at = &(*at)->next, ++*count)
        if ((*at)->side == side && (*at)->type == h->type && (*at)->length == h->length &&
            (*at)->message_seq == h->message_seq)
            break;
    return at;
}

static struct sd_pending **begin_pending(struct sd_tracker *t, struct sd_flow *f, enum sd_side side,
                                         const struct sd_handshake *h)
{
    unsigned count;
    struct sd_pending **at = find_pending(f, side, h, &count);
    if (*at)
        return at;
    if (count >= (t->config.message ? SHOWN_MAX : PENDING_MAX) || h->length > MESSAGE_MAX ||
        t->pending + h->length > t->config.max_pending)
        return NULL;
    struct sd_pending *p = sd_alloc_new(&t->config.alloc, sizeof *p + h->length);
    if (!p) {
        t->counts.no_memory++;
        return NULL;
    }
    *p = (struct sd_pending){
        .side = side, .type = h->type, .message_seq = h->message_seq, .length = h->length};
    t->pending += h->length;
    return *at = p, at;
}

/* Its bytes are those that this one brings again. */
static bool brings_nothing_new(const struct sd_event *old, const struct sd_event *e)
{
    bool exact = old->frag_off == e->frag_off && old->frag_len == e->frag_len;
    return e->kind == SD_EV_HANDSHAKE && old->kind == e->kind &&
           sd_event_side(old) == sd_event_side(e) && old->message_seq == e->message_seq &&
           old->message == e->message && old->length == e->length && old->epoch == e->epoch &&
           (!exact || old->hash == e->hash);
}

static void add_old_piece(struct sd_range *have, size_t *count, const struct sd_event *e)
{
    sd_ranges_add(have, count, SD_RANGES_MAX, e->frag_off, e->frag_off + e->frag_len);
}

/* All bytes of its message came before. A hello may come with others. */
static bool complete_before(const struct sd_tracker *t, const struct sd_exchange *x,
                            const struct sd_event *e)
{
    struct sd_range have[SD_RANGES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < x->count; i++)
        if (brings_nothing_new(&x->log[i], e))
            add_old_piece(have, &count, &x->log[i]);
    for (const struct sd_event *o = t->events; o < e; o++)
        if (brings_nothing_new(o, e))
            add_old_piece(have, &count, o);
    return count == 1 && !have[0].from && have[0].to == e->length;
}

void sd_message_show(struct sd_tracker *t, const struct sd_exchange *x, const struct sd_event *e,
                     struct sd_span body)
{
    if (t->config.message && !complete_before(t, x, e))
        t->config.message(t->config.arg, x, e, body);
}

/* Whether its pieces are worth to be joined. */
static bool is_wanted(const struct sd_tracker *t, const struct sd_exchange *x, enum sd_side side,
                      const struct sd_handshake *h, const struct sd_event *e)
{
    enum sd_kept which;
    if (kept_as(x, side, h->type, &which) && (!x->kept[which] || which == SD_KEPT_CLIENT_HELLO))
        return true;
    return t->config.message && !complete_before(t, x, e);
}

static bool add_fragment(struct sd_pending *p, const struct sd_handshake *h)
{
    if (!sd_ranges_add(p->have, &p->have_count, SD_RANGES_MAX, h->frag_off,
                       h->frag_off + h->frag_len))
        return false;
    memcpy(p->body + h->frag_off, h->body.p, h->frag_len);
    p->pieces = (uint8_t)(p->pieces + (p->pieces < UINT8_MAX));
    return p->have_count == 1 && !p->have[0].from && p->have[0].to == p->length;
}

struct sd_pending *sd_message_fragment(struct sd_tracker *t, struct sd_flow *f,
                                       const struct sd_handshake *h, const struct sd_event *e)
{
    enum sd_side side = sd_event_side(e);
    count_hello(f->x, t, side, h);
    if (h->body.len < h->frag_len) { /* the capture has only its beginning */
        if (h->type == SD_HS_SERVER_HELLO && side == SD_SERVER && !h->frag_off)
            read_server_hello(t, f, h->body, h->length);
        return NULL;
    }
    if (sd_handshake_whole(h)) {
        message_whole(t, f, side, h, h->body, 1);
        return NULL;
    }
    struct sd_pending **at = is_wanted(t, f->x, side, h, e) ? begin_pending(t, f, side, h) : NULL;
    if (!at || !add_fragment(*at, h))
        return NULL;
    struct sd_pending *p = *at;
    message_whole(t, f, side, h, (struct sd_span){p->body, p->length}, p->pieces);
    return unlink_pending(at);
}
