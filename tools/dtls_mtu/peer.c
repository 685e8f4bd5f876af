/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/peer.h"

#include <errno.h>
#include <poll.h>

#include "dtls_mtu/message.h"

enum { SIGNAL_CHECK_MS = 50, TRIES = 6, FIRST_ID = 1 << 30 };

static const sd_time first_wait = 200 * SD_MS, longest_wait = SD_SEC;

static int send_message(struct mtu_link *l, enum mtu_message_type type, uint32_t id,
                        unsigned packet, bool padded)
{
    uint8_t text[MTU_MESSAGE_LEN];
    unsigned size = packet > l->headers ? packet - l->headers : 0;
    struct mtu_message m = {.type = type, .id = id, .size = (uint16_t)size};
    mtu_message_build(text, &m);
    int rc = padded ? sdtls_send_padded(l->conn, text, sizeof text, size)
                    : sdtls_send(l->conn, text, sizeof text);
    if (rc == SDTLS_AGAIN || rc == SDTLS_IO)
        return 0; /* lost on this host: to a probe that is the same as lost on the path */
    return rc == SDTLS_TOOBIG ? -EMSGSIZE : rc ? -EIO : 0;
}

static void note_fragment(unsigned *largest, size_t fragment)
{
    if (fragment > *largest)
        *largest = (unsigned)fragment;
}

/* The peer's host refuses the size: a hint like that of a router, and no more trusted. */
static void note_refusal(struct mtu_link *l, const struct mtu_message *m, struct mtu_heard *h)
{
    unsigned packet = m->size + l->headers;
    if (!l->peer->refused || packet < l->peer->refused)
        l->peer->refused = packet;
    h->kind = MTU_HEARD_REPORT;
    h->known = true;
    h->report = (struct sd_report){
        .error = EMSGSIZE, .from = l->to, .mtu = m->fragment ? m->fragment + l->headers : 0};
}

static void on_peer_message(struct mtu_link *l, const sdtls_event *ev, const struct mtu_message *m,
                            struct mtu_heard *h)
{
    struct mtu_peer *p = l->peer;
    bool echo = m->type == MTU_MESSAGE_ASK;
    size_t fragment = m->type == MTU_MESSAGE_ARRIVED ? m->fragment : ev->fragment;
    h->id = m->id;
    h->size = ev->datagram;
    p->kind = echo ? MTU_PEER_ECHO : MTU_PEER_RESPONDER;
    if (m->type == MTU_MESSAGE_REFUSED) {
        note_refusal(l, m, h);
        return;
    }
    if (m->type == MTU_MESSAGE_SENT && m->fragment)
        p->kernel = m->fragment + l->headers;
    if (!echo)
        note_fragment(m->type == MTU_MESSAGE_ARRIVED ? &p->c2s_fragment : &p->s2c_fragment,
                      fragment);
    h->kind = MTU_HEARD_ANSWER;
    h->known = echo || !l->whole || !fragment;
}

static void on_peer_event(struct mtu_link *l, const sdtls_event *ev, struct mtu_heard *h)
{
    struct mtu_message m;
    if (ev->type == SDTLS_EV_CLOSED)
        l->gone = true;
    if (ev->type != SDTLS_EV_DATA)
        return;
    if (mtu_message_parse(&m, ev->data, ev->len))
        on_peer_message(l, ev, &m, h);
    else if (l->peer->kind == MTU_PEER_UNKNOWN)
        l->peer->kind = MTU_PEER_OTHER;
}

static void hear_peer(void *arg, struct mtu_heard *h, sd_time until)
{
    struct mtu_link *l = arg;
    struct pollfd stop = {.fd = l->signals, .events = POLLIN};
    *h = (struct mtu_heard){.kind = MTU_HEARD_NOTHING};
    do {
        sdtls_event ev;
        int left = sd_clock_wait_ms(until);
        int rc = sdtls_next(l->s, &ev, left < SIGNAL_CHECK_MS ? left : SIGNAL_CHECK_MS);
        h->at = sd_clock_now();
        if (rc > 0)
            on_peer_event(l, &ev, h);
        if (rc < 0 || l->gone || poll(&stop, 1, 0) > 0)
            h->kind = MTU_HEARD_STOP;
    } while (h->kind == MTU_HEARD_NOTHING && sd_clock_now() < until);
}

static int ask_peer(void *arg, uint32_t id, unsigned packet)
{
    struct mtu_link *l = arg;
    if (l->gone)
        return -EPIPE;
    return l->back ? send_message(l, MTU_MESSAGE_SEND, id, packet, false)
                   : send_message(l, MTU_MESSAGE_ASK, id, packet, true);
}

struct mtu_carrier mtu_peer_carrier(struct mtu_link *l, bool back, bool whole)
{
    l->back = back;
    l->whole = whole;
    return (struct mtu_carrier){.arg = l, .send = ask_peer, .hear = hear_peer};
}

void mtu_peer_identify(struct mtu_link *l, sd_time deadline)
{
    struct mtu_peer *p = l->peer;
    sd_time wait = first_wait;
    for (unsigned i = 0; i < TRIES && p->kind == MTU_PEER_UNKNOWN && !l->gone; i++) {
        struct mtu_heard h;
        sd_time sent = sd_clock_now();
        if (sent >= deadline || send_message(l, MTU_MESSAGE_ASK, FIRST_ID + i, 0, false))
            break;
        hear_peer(l, &h, sent + wait);
        p->rtt = h.at - sent;
        wait = 2 * wait < longest_wait ? 2 * wait : longest_wait;
        if (h.kind == MTU_HEARD_STOP)
            break;
    }
    if (p->kind == MTU_PEER_UNKNOWN)
        p->kind = MTU_PEER_SILENT;
}
