/* SPDX-License-Identifier: MIT */
#include "session/filter.h"

#include "wire/alert.h"
#include "wire/handshake.h"

/* At which positions in its sender's flight a message may stand, counted from the hello. */
struct place {
    uint8_t type;
    uint8_t first, last;
};

/* RFC 5246 section 7.3, RFC 6066 section 8, RFC 5077 section 3.3. */
static const struct place server_flight[] = {
    {SD_HS_CERTIFICATE, 1, 1},         {SD_HS_CERTIFICATE_STATUS, 2, 2},
    {SD_HS_SERVER_KEY_EXCHANGE, 1, 3}, {SD_HS_CERTIFICATE_REQUEST, 1, 4},
    {SD_HS_SERVER_HELLO_DONE, 1, 5},   {SD_HS_NEW_SESSION_TICKET, 1, 6},
};

static const struct place client_flight[] = {
    {SD_HS_CLIENT_KEY_EXCHANGE, 1, 1},
};

/* A client that was asked for a certificate sends a Certificate, perhaps an empty one. */
static const struct place client_cert_flight[] = {
    {SD_HS_CERTIFICATE, 1, 1},
    {SD_HS_CLIENT_KEY_EXCHANGE, 2, 2},
    {SD_HS_CERTIFICATE_VERIFY, 3, 3},
};

static bool in_place(const struct place *flight, size_t n, const struct sd_handshake *h,
                     unsigned hello_seq)
{
    for (size_t i = 0; i < n; i++)
        if (flight[i].type == h->type)
            return h->message_seq >= hello_seq + flight[i].first &&
                   h->message_seq <= hello_seq + flight[i].last;
    return false;
}

/* May the client send this message for the first time now? */
static bool new_from_client(const struct sd_filter *f, const struct sd_stage *st,
                            const struct sd_handshake *h)
{
    /* DTLS 1.3 has a second hello after HelloRetryRequest. */
    if (h->type == SD_HS_CLIENT_HELLO)
        return !f->has_hello || st->unified;
    if (!st->hello_done || st->resumed || !f->has_hello)
        return false;
    if (st->asks_cert)
        return in_place(client_cert_flight, 3, h, f->hello_seq);
    return in_place(client_flight, 1, h, f->hello_seq);
}

/* May the server? Its hello is message 0, or 1 after a HelloVerifyRequest. A HelloVerifyRequest
 * after the ServerHello would make OpenSSL start again (#15488), a HelloRequest ends the
 * handshake (#32363). */
static bool new_from_server(const struct sd_filter *f, const struct sd_stage *st,
                            const struct sd_handshake *h)
{
    if (h->type == SD_HS_SERVER_HELLO)
        return st->unified || (!f->has_hello && h->message_seq == f->hello_seq);
    if (h->type == SD_HS_HELLO_VERIFY_REQUEST)
        return !f->has_hello && h->message_seq == 0;
    if (st->resumed && h->type != SD_HS_NEW_SESSION_TICKET)
        return false;
    if (h->type == SD_HS_SERVER_HELLO_DONE && h->length)
        return false;
    return in_place(server_flight, sizeof server_flight / sizeof *server_flight, h, f->hello_seq);
}

/* Only certificates and lists of their issuers are long. OpenSSL allocates the length that the
 * first fragment claims. */
static size_t max_length(const struct sd_stage *st, uint8_t type)
{
    /* A key exchange: RSA of 16,384 bits, or DH of 8,192 bits and a PSK identity of 512 bytes. */
    enum { CLIENT_KEY = 2304, CLIENT_HELLO = 8192, OTHERS = 16384 };
    if (type == SD_HS_CLIENT_KEY_EXCHANGE)
        return CLIENT_KEY;
    if (type == SD_HS_CLIENT_HELLO)
        return CLIENT_HELLO;
    bool certs = type == SD_HS_CERTIFICATE || type == SD_HS_CERTIFICATE_REQUEST;
    return certs || st->max_message < OTHERS ? st->max_message : OTHERS;
}

static void remember_hello(struct sd_filter *f, const struct sd_handshake *h)
{
    if (h->type == SD_HS_HELLO_VERIFY_REQUEST)
        f->hello_seq = 1;
    if (h->type != SD_HS_CLIENT_HELLO && h->type != SD_HS_SERVER_HELLO) {
        f->answered |= f->has_hello;
        return;
    }
    f->has_hello = true;
    f->hello_seq = h->message_seq;
}

static bool handshake_ok(struct sd_filter *f, const struct sd_stage *st,
                         const struct sd_handshake *h)
{
    if (h->message_seq >= SD_FILTER_MESSAGES || h->length > max_length(st, h->type))
        return false;
    uint64_t now = UINT64_C(1) << 32 | (uint64_t)h->type << 24 | h->length;
    uint64_t before = f->seen[h->message_seq];
    /* A stateless server gives number 0 to every HelloVerifyRequest and, without a cookie
     * exchange, to its ServerHello. */
    bool again = before && before >> 24 != (1 << 8 | SD_HS_HELLO_VERIFY_REQUEST);
    if (again)
        return before == now;
    bool ok = st->role == SD_ROLE_SERVER ? new_from_client(f, st, h) : new_from_server(f, st, h);
    if (!ok)
        return false;
    f->seen[h->message_seq] = now;
    remember_hello(f, h);
    return true;
}

/* All messages of a record must be right: it is passed whole or not at all. */
static int handshake_record(struct sd_filter *f, const struct sd_stage *st,
                            const struct sd_record *rec)
{
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    struct sd_filter after = *f;
    struct sd_handshake h;
    enum sd_handshake_status status;
    if (!rec->body.len)
        return SD_GUARD_HANDSHAKE;
    while ((status = sd_handshake_next(&r, &h)) == SD_HANDSHAKE_OK)
        if (!handshake_ok(&after, st, &h))
            return SD_GUARD_HANDSHAKE;
    if (status != SD_HANDSHAKE_END)
        return SD_GUARD_HANDSHAKE;
    *f = after;
    /* The peer continues, so it did not mean an alert that was noted before. */
    f->alert = 0;
    return SD_FILTER_PASS;
}

/* Never passed on: a fatal alert or close_notify ends the handshake, in 1.1.1 and 3.0 even a
 * warning. */
static int alert_record(struct sd_filter *f, const struct sd_record *rec)
{
    struct sd_alert a;
    if (!sd_alert_parse(&a, rec->body))
        return SD_GUARD_MALFORMED;
    if (a.level == SD_ALERT_FATAL || a.description == SD_ALERT_CLOSE_NOTIFY)
        f->alert = a.description + 1;
    return SD_GUARD_ALERT;
}

static int plain_record(struct sd_filter *f, const struct sd_stage *st, const struct sd_record *rec)
{
    if (st->established)
        return SD_GUARD_OLD_EPOCH;
    switch (rec->type) {
    case SD_CT_HANDSHAKE:
        return handshake_record(f, st, rec);
    case SD_CT_ALERT:
        return alert_record(f, rec);
    case SD_CT_CCS:
        f->answered |= f->has_hello; /* all that an abbreviated handshake has in plaintext */
        return sd_ccs_ok(rec->version, rec->body) ? SD_FILTER_PASS : SD_GUARD_MALFORMED;
    case SD_CT_ACK:
        return st->unified ? SD_FILTER_PASS : SD_GUARD_CONTENT_TYPE;
    default:
        return SD_GUARD_CONTENT_TYPE;
    }
}

static bool fits_cipher(const struct sd_stage *st, size_t len)
{
    const struct sd_protection *p = &st->protection;
    return len >= p->min && (p->block < 2 || len % p->block == 0);
}

static int protected_record(const struct sd_stage *st, const struct sd_record *rec)
{
    if (rec->type != SD_CT_HANDSHAKE && rec->type != SD_CT_ALERT && rec->type != SD_CT_APPDATA)
        return SD_GUARD_CONTENT_TYPE;
    if (!fits_cipher(st, rec->body.len))
        return SD_GUARD_SHORT;
    /* Renegotiation is refused, so there is no epoch above 1. */
    if (rec->epoch > 1)
        return SD_GUARD_EARLY;
    return st->established || st->keys ? SD_FILTER_PASS : SD_FILTER_KEEP;
}

int sd_filter_record(struct sd_filter *f, const struct sd_stage *stage, const struct sd_record *rec)
{
    if (rec->unified)
        return stage->unified ? SD_FILTER_PASS : SD_GUARD_CONTENT_TYPE;
    if (rec->version == SD_DTLS_BAD)
        return SD_GUARD_MALFORMED;
    return rec->epoch ? protected_record(stage, rec) : plain_record(f, stage, rec);
}

size_t sd_filter_announced(const struct sd_filter *f)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < SD_FILTER_MESSAGES; i++)
        if (!f->answered || i != f->hello_seq) /* a hello that was answered is complete */
            bytes += f->seen[i] & 0xffffff;
    return bytes;
}
