#include "dtls_mtu/peer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "dtls_mtu/message.h"

enum { PACE_MS = 50, TRIES = 6, HELLO_ID = 1 << 30 };

static int say(struct peer *p, enum message_type type, uint32_t id, unsigned packet, bool padded)
{
    uint8_t text[MESSAGE_LEN];
    unsigned size = packet > p->headers ? packet - p->headers : 0;
    struct message m = {.type = type, .id = id, .size = (uint16_t)size};
    message_build(text, &m);
    int rc = padded ? sdtls_send_padded(p->conn, text, sizeof text, size)
                    : sdtls_send(p->conn, text, sizeof text);
    return rc == SDTLS_TOOBIG ? -EMSGSIZE : rc ? -EIO : 0;
}

static void note_fragment(unsigned *largest, size_t fragment)
{
    if (fragment > *largest)
        *largest = (unsigned)fragment;
}

/* Their host refuses the size: a hint as good as that of a router, and as little trusted. */
static void on_refused(struct peer *p, const struct message *m, struct heard *h)
{
    unsigned packet = m->size + p->headers;
    if (!p->refused || packet < p->refused)
        p->refused = packet;
    h->kind = HEARD_REPORT;
    h->known = true;
    h->report = (struct sd_report){
        .error = EMSGSIZE, .from = p->to, .mtu = m->fragment ? m->fragment + p->headers : 0};
}

static void on_message(struct peer *p, const sdtls_event *ev, const struct message *m,
                       struct heard *h)
{
    bool echo = m->type == MESSAGE_ASK;
    size_t fragment = m->type == MESSAGE_ARRIVED ? m->fragment : ev->fragment;
    h->id = m->id;
    h->size = ev->datagram;
    p->kind = echo ? PEER_ECHO : PEER_RESPONDER;
    if (m->type == MESSAGE_REFUSED) {
        on_refused(p, m, h);
        return;
    }
    if (m->type == MESSAGE_SENT && m->fragment)
        p->told = m->fragment + p->headers;
    if (!echo)
        note_fragment(m->type == MESSAGE_ARRIVED ? &p->c2s_fragment : &p->s2c_fragment, fragment);
    h->kind = HEARD_ANSWER;
    h->known = echo || !p->whole || !fragment;
}

static void on_event(struct peer *p, const sdtls_event *ev, struct heard *h)
{
    struct message m;
    if (ev->type == SDTLS_EV_CLOSED)
        p->gone = true;
    if (ev->type != SDTLS_EV_DATA)
        return;
    if (message_parse(&m, ev->data, ev->len))
        on_message(p, ev, &m, h);
    else if (p->kind == PEER_UNKNOWN)
        p->kind = PEER_OTHER;
}

static void peer_hear(void *arg, struct heard *h, sd_time until)
{
    struct peer *p = arg;
    struct pollfd stop = {.fd = p->signals, .events = POLLIN};
    *h = (struct heard){.kind = HEARD_NOTHING};
    do {
        sdtls_event ev;
        sd_time now = sd_clock_now();
        uint64_t left = until > now ? (until - now + SD_MS - 1) / SD_MS : 0;
        int rc = sdtls_next(p->s, &ev, left < PACE_MS ? (int)left : PACE_MS);
        h->at = sd_clock_now();
        if (rc > 0)
            on_event(p, &ev, h);
        if (rc < 0 || p->gone || poll(&stop, 1, 0) > 0)
            h->kind = HEARD_STOP;
    } while (h->kind == HEARD_NOTHING && sd_clock_now() < until);
}

static int peer_send(void *arg, uint32_t id, unsigned packet)
{
    struct peer *p = arg;
    if (p->gone)
        return -EPIPE;
    return p->back ? say(p, MESSAGE_SEND, id, packet, false)
                   : say(p, MESSAGE_ASK, id, packet, true);
}

struct carrier peer_carrier(struct peer *p, bool back, bool whole)
{
    p->back = back;
    p->whole = whole;
    return (struct carrier){.arg = p, .send = peer_send, .hear = peer_hear};
}

void peer_identify(struct peer *p, sd_time deadline)
{
    sd_time wait = 200 * SD_MS;
    for (unsigned i = 0; i < TRIES && p->kind == PEER_UNKNOWN && !p->gone; i++) {
        struct heard h;
        sd_time sent = sd_clock_now();
        if (sent >= deadline || say(p, MESSAGE_ASK, HELLO_ID + i, 0, false))
            break;
        peer_hear(p, &h, sent + wait);
        p->rtt = h.at - sent;
        wait = 2 * wait < SD_SEC ? 2 * wait : SD_SEC;
        if (h.kind == HEARD_STOP)
            break;
    }
    if (p->kind == PEER_UNKNOWN)
        p->kind = PEER_SILENT;
}
