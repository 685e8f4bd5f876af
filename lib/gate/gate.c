/* SPDX-License-Identifier: MIT */
#include "gate/gate.h"

#include <string.h>

#include "gate/cookie.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

enum {
    VERIFY_LEN = SD_RECORD_HEADER_LEN + SD_HANDSHAKE_HEADER_LEN + 2 + 1 + SD_GATE_COOKIE_LEN,
};
_Static_assert((int)VERIFY_LEN <= (int)SD_GATE_REPLY_MAX, "a HelloVerifyRequest fits the reply");

void sd_gate_init(struct sd_gate *g, sd_gate_mac *mac, void *mac_arg,
                  const uint8_t secret[static SD_GATE_SECRET_LEN], sd_time now)
{
    *g = (struct sd_gate){.mac = mac, .mac_arg = mac_arg, .rotate_at = now + SD_GATE_PERIOD};
    memcpy(g->secret[0], secret, SD_GATE_SECRET_LEN);
}

bool sd_gate_wants_secret(const struct sd_gate *g, sd_time now)
{
    return now >= g->rotate_at;
}

/* A late rotation keeps the rhythm, so that no cookie outlives two periods. One
 * that is late by a whole period forgets the old secret at once: whatever it
 * signed while it was current has had its time. */
void sd_gate_rotate(struct sd_gate *g, const uint8_t secret[static SD_GATE_SECRET_LEN], sd_time now)
{
    bool late = now >= g->rotate_at;
    bool expired = late && now - g->rotate_at >= SD_GATE_PERIOD;
    g->has_previous = !expired;
    memcpy(g->secret[1], g->secret[0], SD_GATE_SECRET_LEN);
    memcpy(g->secret[0], secret, SD_GATE_SECRET_LEN);
    g->rotate_at = (late && !expired ? g->rotate_at : now) + SD_GATE_PERIOD;
}

void sd_gate_follow(struct sd_gate *g, const struct sd_gate *other)
{
    memcpy(g->secret, other->secret, sizeof g->secret);
    g->has_previous = other->has_previous;
    g->rotate_at = other->rotate_at;
}

const char *sd_gate_reason_name(enum sd_gate_reason r)
{
    static const char *const names[SD_GATE_REASON_COUNT] = {
#define SD_X(name, text) [SD_GATE_##name] = text,
        SD_GATE_REASONS(SD_X)
#undef SD_X
    };
    return (unsigned)r < SD_GATE_REASON_COUNT ? names[r] : "?";
}

/* What is known of the datagram so far. */
struct inspected {
    struct sd_record record;
    struct sd_handshake message;
    struct sd_client_hello hello;
    size_t trailing; /* bytes after the last record */
};

/* Steps answer this when there is nothing against the datagram yet. */
enum { FINE = SD_GATE_REASON_COUNT };

/* A datagram whose first byte begins a record that only keys open: DTLS 1.3
 * (RFC 9147 section 4: 001xxxxx) or tls12_cid. */
static bool begins_protected(const uint8_t *data, size_t len)
{
    struct sd_rd r = sd_rd_init(data, len);
    return sd_rd_u8(&r) >> 5 == 1;
}

static int judge_record(struct sd_records *it, struct sd_record *rec)
{
    enum sd_record_status st = sd_record_next(it, rec);
    if (st == SD_RECORD_CID || rec->type == SD_CT_CID || rec->epoch)
        return SD_GATE_EPOCH;
    if (st == SD_RECORD_CUT || st == SD_RECORD_TOO_LONG)
        return SD_GATE_MALFORMED;
    if (st != SD_RECORD_OK || rec->version == SD_DTLS_BAD)
        return SD_GATE_NOT_DTLS;
    return rec->type == SD_CT_HANDSHAKE ? FINE : SD_GATE_NOT_HELLO;
}

static size_t record_end(const struct sd_record *rec)
{
    return rec->offset + rec->header.len + rec->body.len;
}

/* Later records are of no interest (another fragment, padding of a probe), and neither are the
 * bytes after the last one: some TURN relays forward the padding of ChannelData. */
static size_t trailing_bytes(struct sd_records *it, const struct sd_record *first, size_t len)
{
    struct sd_record rec;
    size_t end = record_end(first);
    while (sd_record_next(it, &rec) == SD_RECORD_OK)
        end = record_end(&rec);
    return len - end;
}

/* The record holds one ClientHello, or the first fragment of one. */
static int judge_message(const struct sd_record *rec, struct sd_handshake *h)
{
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    enum sd_handshake_status st = sd_handshake_next(&r, h);
    if (st == SD_HANDSHAKE_END || st == SD_HANDSHAKE_NO_HEADER)
        return SD_GATE_MALFORMED;
    if (h->type != SD_HS_CLIENT_HELLO)
        return SD_GATE_NOT_HELLO;
    /* 0 asks for the cookie, 1 brings it (RFC 6347 section 4.2.2); OpenSSL's
     * DTLSv1_listen, which sees what is admitted here, allows no more and
     * no second message in the record. */
    if (st != SD_HANDSHAKE_OK || !sd_rd_done(&r) || h->message_seq > 1)
        return SD_GATE_MALFORMED;
    return h->frag_off ? SD_GATE_FRAGMENT : FINE;
}

static int judge_hello(const struct sd_handshake *h, struct sd_client_hello *ch)
{
    enum sd_hello_status st = sd_client_hello_parse(ch, h->body, h->length);
    if (st == SD_HELLO_BAD)
        return SD_GATE_MALFORMED;
    if (ch->missing > SD_HELLO_VERSION && ch->version >> 8 != 0xfe)
        return SD_GATE_MALFORMED;
    return ch->missing > SD_HELLO_COOKIE ? FINE : SD_GATE_FRAGMENT;
}

static int judge_datagram(const uint8_t *data, size_t len, struct inspected *s)
{
    if (begins_protected(data, len))
        return SD_GATE_EPOCH;
    struct sd_records it = sd_records_init(data, len, 0);
    int why = judge_record(&it, &s->record);
    if (why == FINE)
        why = judge_message(&s->record, &s->message);
    if (why != FINE)
        return why;
    s->trailing = trailing_bytes(&it, &s->record, len);
    return len < VERIFY_LEN ? SD_GATE_TOO_SMALL : judge_hello(&s->message, &s->hello);
}

/* RFC 6347 section 4.2.1: the record takes the sequence number of the
 * ClientHello's, and both versions are DTLS 1.0 whatever will be negotiated. */
static size_t write_verify(uint8_t *out, uint64_t seq, const struct sd_gate_cookie *cookie)
{
    struct sd_wr w = sd_wr_init(out, VERIFY_LEN);
    struct sd_hello_verify hv = {SD_DTLS_1_0, {cookie->bytes, sizeof cookie->bytes}};
    size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, seq);
    size_t message = sd_handshake_open(&w, SD_HS_HELLO_VERIFY_REQUEST, 0);
    sd_hello_verify_build(&w, &hv);
    sd_handshake_close(&w, message);
    sd_record_close(&w, record);
    return sd_wr_len(&w);
}

struct sd_gate_result sd_gate_check(const struct sd_gate *g, const uint8_t *data, size_t len,
                                    const struct sd_addr *peer, const struct sd_addr *local,
                                    uint8_t reply[static SD_GATE_REPLY_MAX])
{
    return sd_gate_check_beside(g, NULL, data, len, peer, local, reply);
}

struct sd_gate_result sd_gate_check_beside(const struct sd_gate *g, const uint8_t *standing,
                                           const uint8_t *data, size_t len,
                                           const struct sd_addr *peer, const struct sd_addr *local,
                                           uint8_t reply[static SD_GATE_REPLY_MAX])
{
    struct inspected s = {0};
    struct sd_gate_cookie fresh;
    struct sd_gate_result res = {.verdict = SD_GATE_DROP};
    int why = judge_datagram(data, len, &s);
    res.record_seq = s.record.seq;
    res.trailing = s.trailing;
    if (s.hello.random.len)
        memcpy(res.random, s.hello.random.p, sizeof res.random);
    if (why != FINE) {
        res.reason = (enum sd_gate_reason)why;
        return res;
    }
    const struct sd_gate_cookie_subject subject = {peer, local, &s.hello, standing};
    bool good = sd_gate_cookie_check(g, &subject, &fresh);
    /* A good cookie in message 0 is asked for once more: after DTLSv1_listen
     * OpenSSL waits for message 1 and would never answer (measured). */
    if (good && s.message.message_seq == 1) {
        res.verdict = SD_GATE_ADMIT;
        res.reason = SD_GATE_GOOD_COOKIE;
        return res;
    }
    res.verdict = SD_GATE_REPLY;
    res.reason = s.hello.cookie.len ? SD_GATE_BAD_COOKIE : SD_GATE_NO_COOKIE;
    res.reply_len = write_verify(reply, s.record.seq, &fresh);
    return res;
}
