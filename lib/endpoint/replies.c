/* SPDX-License-Identifier: MIT */
/* What came back to a client that no server has answered yet: the sentence about a silence must
 * be true. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint/internal.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

/* A datagram alone may be forged; a second one comes in answer to the retransmission. */
enum { REPLIES_ENOUGH = 2 };

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
    if (!c->server && c->state == SD_CONN_HANDSHAKE && !sd_replies_answered(c))
        hello_random(data, len, c->random);
}

enum sd_reply sd_replies_take(struct sdtls_conn *c, const struct sd_received *d,
                              struct sd_record *rec)
{
    uint8_t random[SD_RANDOM_LEN];
    struct sd_replies *r = &c->replies;
    struct sd_records it = sd_records_init(d->data, d->len, 0);
    if (sd_record_next(&it, rec) != SD_RECORD_OK)
        return ++r->junk < REPLIES_ENOUGH ? SD_REPLY_FOREIGN : SD_REPLY_JUNK;
    if (!hello_random(d->data, d->len, random)) {
        r->records++;
        r->plain |= !rec->unified && !rec->epoch;
        return SD_REPLY_DTLS;
    }
    if (memcmp(random, c->random, sizeof random))
        return ++r->hellos < REPLIES_ENOUGH ? SD_REPLY_FOREIGN : SD_REPLY_RIVAL;
    return ++r->echoes < REPLIES_ENOUGH ? SD_REPLY_FOREIGN : SD_REPLY_ECHO;
}

void sd_replies_explain(const struct sd_replies *r, char *buf, size_t cap)
{
    if (r->echoes)
        snprintf(buf, cap, "our own ClientHello came back: probably an echo service");
    else if (r->hellos)
        snprintf(buf, cap, "the peer sent a ClientHello, too: probably both ends are clients");
    else if (r->records)
        snprintf(buf, cap,
                 "DTLS datagrams came back, but none answers the ClientHello: the peer probably"
                 " continues an older session");
    else if (r->junk)
        snprintf(buf, cap,
                 "a datagram came back that is not DTLS; another protocol probably uses this port");
    else if (r->icmp)
        snprintf(buf, cap, "no answer, but an ICMP error (%s): probably no server listens there",
                 strerror(r->error));
    else
        snprintf(buf, cap,
                 "no answer: probably no server listens there, a firewall drops the packets, or"
                 " a VPN gateway (ocserv, AnyConnect) answers known sessions only");
}
