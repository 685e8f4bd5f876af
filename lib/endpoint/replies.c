/* SPDX-License-Identifier: MIT */
/* What came back to a client that no server has answered yet: the sentence about a silence must
 * be true, and what anybody could have sent is no more than a reason. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint/internal.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

/* One may be an accident of the path; the second one is about a retransmission. */
enum { CERTAIN = 2 };

/* The random of a ClientHello at the beginning of the datagram; false when there is none. */
static bool hello_random(const void *data, size_t len, uint8_t random[static SD_RANDOM_LEN])
{
    enum { VERSION_LEN = 2 };
    struct sd_records it = sd_records_init(data, len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    if (sd_record_next(&it, &rec) != SD_RECORD_OK || rec.type != SD_CT_HANDSHAKE || rec.epoch)
        return false;
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    if (sd_handshake_next(&r, &h) != SD_HANDSHAKE_OK || h.type != SD_HS_CLIENT_HELLO || h.frag_off)
        return false;
    struct sd_rd body = sd_rd_init(h.body.p, h.body.len);
    sd_rd_bytes(&body, VERSION_LEN);
    struct sd_span found = sd_rd_bytes(&body, SD_RANDOM_LEN);
    if (body.bad)
        return false;
    memcpy(random, found.p, SD_RANDOM_LEN);
    return true;
}

bool sd_replies_answered(const struct sdtls_conn *c)
{
    return c->replies.plain && sd_session_heard(c->session);
}

void sd_replies_note_hello(struct sdtls_conn *c, const void *data, size_t len)
{
    struct sd_replies *r = &c->replies;
    if (c->server || c->state != SD_CONN_HANDSHAKE || len < SD_HELLO_HEAD ||
        !hello_random(data, len, c->random))
        return;
    struct sd_hello_sent *h = &r->sent[r->next++ % SD_HELLOS_KEPT];
    memcpy(h->head, data, SD_HELLO_HEAD);
    h->open = true;
}

/* Whether these bytes begin like a ClientHello of ours; *h is the one that they show first, or
 * NULL. */
static bool shows_hello(struct sd_replies *r, const uint8_t *bytes, size_t len,
                        struct sd_hello_sent **h)
{
    bool ours = false;
    *h = NULL;
    for (unsigned i = 0; len >= SD_HELLO_HEAD && i < SD_HELLOS_KEPT && i < r->next; i++) {
        if (memcmp(r->sent[i].head, bytes, SD_HELLO_HEAD) != 0)
            continue;
        ours = true;
        if (r->sent[i].open)
            *h = &r->sent[i];
    }
    return ours;
}

static enum sd_reply_rank rank_of_error(struct sd_replies *r, const struct sd_received *d)
{
    struct sd_hello_sent *shown = NULL;
    if (d->error == EMSGSIZE)
        return SD_RANK_NOTHING; /* a matter of size, not of reach: the session has taken note */
    if (d->report && shows_hello(r, d->report->quote, d->report->quoted, &shown) && !shown)
        return SD_RANK_NOTHING;
    if (shown)
        shown->open = false;
    if (shown || !r->count[SD_RANK_REFUSED])
        r->error = d->error;
    return shown ? SD_RANK_REFUSED : SD_RANK_ERROR;
}

static enum sd_reply_rank rank_of_datagram(struct sdtls_conn *c, const struct sd_received *d,
                                           struct sd_record *rec)
{
    uint8_t random[SD_RANDOM_LEN];
    struct sd_replies *r = &c->replies;
    struct sd_records it = sd_records_init(d->data, d->len, 0);
    struct sd_hello_sent *shown;
    if (sd_record_next(&it, rec) != SD_RECORD_OK)
        return SD_RANK_JUNK;
    if (!hello_random(d->data, d->len, random)) {
        r->plain |= !rec->unified && !rec->epoch;
        return SD_RANK_RECORDS;
    }
    if (!shows_hello(r, d->data, d->len, &shown))
        return memcmp(random, c->random, sizeof random) != 0 ? SD_RANK_RIVAL : SD_RANK_NOTHING;
    if (!shown)
        return SD_RANK_NOTHING;
    shown->open = false;
    return SD_RANK_ECHO;
}

enum sd_reply_rank sd_replies_take(struct sdtls_conn *c, const struct sd_received *d,
                                   struct sd_record *rec)
{
    enum sd_reply_rank rank =
        d->error ? rank_of_error(&c->replies, d) : rank_of_datagram(c, d, rec);
    c->replies.count[rank]++;
    return rank;
}

bool sd_replies_certain(const struct sd_replies *r, enum sd_reply_rank rank)
{
    return (rank == SD_RANK_REFUSED || rank == SD_RANK_ECHO) && r->count[rank] >= CERTAIN;
}

enum sd_reply_rank sd_replies_rank(const struct sdtls_conn *c)
{
    if (sd_replies_answered(c))
        return SD_RANK_ANSWERED;
    enum sd_reply_rank rank = SD_RANK_ECHO;
    while (rank > SD_RANK_NOTHING && !c->replies.count[rank])
        rank--;
    return rank;
}

static void explain_error(int error, bool quotes, char *buf, size_t cap)
{
    if (!quotes)
        snprintf(buf, cap,
                 "no answer, but an ICMP error that anybody can forge (%s): probably no server"
                 " listens there",
                 strerror(error));
    else if (error == ECONNREFUSED)
        snprintf(buf, cap, "port unreachable (ICMP): no server listens on this port");
    else
        snprintf(buf, cap, "the peer cannot be reached (ICMP): %s", strerror(error));
}

void sd_replies_explain(const struct sdtls_conn *c, char *buf, size_t cap)
{
    static const char *const words[SD_RANK_COUNT] = {
        [SD_RANK_NOTHING] =
            "no answer: probably no server listens there, a firewall drops the packets, or"
            " a VPN gateway (ocserv, AnyConnect) answers known sessions only",
        [SD_RANK_JUNK] = "datagrams came back that are not DTLS; another protocol probably uses"
                         " this port",
        [SD_RANK_RECORDS] = "DTLS datagrams came back, but none answers the ClientHello: the peer"
                            " probably continues an older session",
        [SD_RANK_RIVAL] = "the peer sends a ClientHello, too: both ends are clients, but one of"
                          " them must be the server",
        [SD_RANK_ECHO] = "our own ClientHello comes back: an echo service uses this port, not a"
                         " DTLS server",
        [SD_RANK_ANSWERED] =
            "the peer answered, but the handshake did not finish; packets are probably lost"
            " (measure the path MTU with dtls_mtu), or the peer waits for something",
    };
    enum sd_reply_rank rank = sd_replies_rank(c);
    if (words[rank])
        snprintf(buf, cap, "%s", words[rank]);
    else
        explain_error(c->replies.error, rank == SD_RANK_REFUSED, buf, cap);
}
