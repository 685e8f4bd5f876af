/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/internal.h"

#include <stdlib.h>
#include <string.h>

#include "wire/extension.h"

enum { COOKIES_MAX = 4 }; /* a server that asks for more cookies than that accepts none */

static bool span_equals(struct sd_span a, const void *b, size_t len)
{
    return a.len == len && (!len || !memcmp(a.p, b, len));
}

/* --- the cookie --- */

/* Its message_seq is what the server likes: OpenSSL's is always 0. So it goes past the inbox. */
static void answer_cookie(struct puppet *p, const struct sd_handshake *h)
{
    struct sd_hello_verify hv;
    if (p->answered || !sd_handshake_whole(h) || !sd_hello_verify_parse(&hv, h->body))
        return;
    if (p->cookies >= COOKIES_MAX ||
        (p->cookies && span_equals(hv.cookie, p->cookie, p->cookie_len)))
        return;
    if (hv.cookie.len)
        memcpy(p->cookie, hv.cookie.p, hv.cookie.len);
    p->cookie_len = hv.cookie.len;
    p->cookies++;
    if (puppet_make_hello(p))
        puppet_send_flight(p);
    else
        puppet_end_with(p, PUPPET_END_LOCAL);
}

/* --- our answer --- */

static bool add_own(struct puppet *p, uint8_t type, uint16_t epoch, struct sd_span body)
{
    const struct puppet_item item = {.type = SD_CT_HANDSHAKE,
                                     .epoch = epoch,
                                     .seq = PUPPET_NEXT,
                                     .body = body,
                                     .message = true,
                                     .message_type = type,
                                     .message_seq = p->next_message};
    return puppet_flight_add(&p->flight, &item) &&
           puppet_transcript_add(&p->transcript, type, p->next_message++, body);
}

static bool add_finished(struct puppet *p)
{
    static const uint8_t one = 1;
    const struct puppet_item ccs = {.type = SD_CT_CCS, .seq = PUPPET_NEXT, .body = {&one, 1}};
    return puppet_flight_add(&p->flight, &ccs) &&
           puppet_verify_data(p, "client finished", p->client_verify) &&
           add_own(p, SD_HS_FINISHED, 1, (struct sd_span){p->client_verify, PUPPET_VERIFY_LEN});
}

/* The first of the chain; empty when there is none. */
static struct sd_span own_certificate(const struct puppet *p)
{
    struct sd_rd r = sd_rd_init(p->certificate, p->certificate_len);
    struct sd_rd list = sd_rd_vec24(&r), first = sd_rd_vec24(&list);
    return sd_rd_rest(&first);
}

/* An empty list says that there is none. */
static bool add_certificate(struct puppet *p)
{
    static const uint8_t no_certificates[3];
    struct sd_span chain = p->cfg.login.chain;
    if (!chain.len)
        chain = (struct sd_span){no_certificates, sizeof no_certificates};
    return add_own(p, SD_HS_CERTIFICATE, 0, chain);
}

/* Without an algorithm that both know, the server misses it: that is its to say. */
static bool add_proof(struct puppet *p)
{
    uint8_t body[PUPPET_PROOF_MAX];
    struct sd_wr w = sd_wr_init(body, sizeof body);
    const struct sd_span request = {p->request, p->request_len};
    const struct sd_span so_far = {p->transcript.bytes, p->transcript.len};
    if (!p->certificate_wanted || !p->cfg.login.chain.len ||
        !puppet_prove(&w, p->cfg.login.key, p->version, request, so_far))
        return true;
    return add_own(p, SD_HS_CERTIFICATE_VERIFY, 0, (struct sd_span){body, sd_wr_len(&w)});
}

static enum puppet_end make_answer(struct puppet *p, struct puppet_secret *secret)
{
    struct puppet_exchange x;
    const struct puppet_parts parts = {.server_key = {p->server_key, p->server_key_len},
                                       .certificate = own_certificate(p),
                                       .identity = p->cfg.identity,
                                       .key = p->cfg.key,
                                       .version = p->cfg.offer.version};
    puppet_flight_clear(&p->flight);
    if (!puppet_exchange_of(p->suite, &x) || !puppet_exchange_run(&x, &parts, secret))
        return PUPPET_END_UNSUPPORTED;
    p->group = secret->group;
    p->params_len = secret->params_len;
    p->next_message = (uint16_t)(p->next_message + p->cfg.skip);
    if ((p->certificate_wanted && !add_certificate(p)) ||
        !add_own(p, SD_HS_CLIENT_KEY_EXCHANGE, 0,
                 (struct sd_span){secret->message, secret->message_len}) ||
        !puppet_derive_master(p, secret) || !puppet_derive_keys(p) || !add_proof(p) ||
        !add_finished(p))
        return PUPPET_END_LOCAL;
    return PUPPET_NOT_ENDED;
}

static enum puppet_end on_hello_done(struct puppet *p)
{
    struct puppet_secret secret;
    if (p->resumed)
        return PUPPET_END_MALFORMED;
    enum puppet_end end = make_answer(p, &secret);
    memset(&secret, 0, sizeof secret);
    if (end != PUPPET_NOT_ENDED)
        return end;
    p->stage = PUPPET_ANSWERED;
    puppet_send_flight(p);
    return PUPPET_NOT_ENDED;
}

/* --- the server's messages --- */

static void read_server_extensions(struct puppet *p, struct sd_span block)
{
    p->extended_master = sd_ext_has(block, SD_EXT_EXTENDED_MASTER_SECRET);
    p->encrypt_then_mac = sd_ext_has(block, SD_EXT_ENCRYPT_THEN_MAC);
    p->secure_renegotiation = sd_ext_has(block, SD_EXT_RENEGOTIATION_INFO);
    p->heartbeat = sd_ext_has(block, SD_EXT_HEARTBEAT);
}

static bool is_resumed(const struct puppet *p, const struct sd_server_hello *sh)
{
    const struct puppet_session *s = p->cfg.offer.resume;
    return s && s->id_len && span_equals(sh->session_id, s->id, s->id_len) && s->suite == sh->suite;
}

static bool begin_transcript12(struct puppet *p, const struct sd_handshake *h)
{
    const struct puppet_item *hello = puppet_flight_find(&p->flight, SD_HS_CLIENT_HELLO);
    puppet_transcript_clear(&p->transcript);
    return hello &&
           puppet_transcript_add(&p->transcript, SD_HS_CLIENT_HELLO, hello->message_seq,
                                 hello->body) &&
           puppet_transcript_add(&p->transcript, SD_HS_SERVER_HELLO, h->message_seq, h->body);
}

static void keep_session(struct puppet *p, const struct sd_server_hello *sh)
{
    struct puppet_session *s = &p->session;
    *s = (struct puppet_session){
        .version = p->version, .suite = p->suite, .extended_master = p->extended_master};
    if (sh->session_id.len)
        memcpy(s->id, sh->session_id.p, sh->session_id.len);
    s->id_len = sh->session_id.len;
    if (p->resumed)
        memcpy(s->master, p->cfg.offer.resume->master, SD_MASTER_LEN);
}

static enum puppet_end on_server_hello(struct puppet *p, const struct sd_handshake *h)
{
    struct sd_server_hello sh;
    struct puppet_exchange x;
    if (p->answered)
        return PUPPET_END_MALFORMED;
    if (sd_server_hello_parse(&sh, h->body, h->length) != SD_HELLO_WHOLE)
        return PUPPET_END_MALFORMED;
    p->answered = true;
    p->version = sd_server_hello_version(&sh);
    p->suite = sh.suite;
    memcpy(p->server_random, sh.random.p, SD_RANDOM_LEN);
    read_server_extensions(p, sh.extensions);
    p->resumed = is_resumed(p, &sh);
    keep_session(p, &sh);
    if ((p->version != SD_DTLS_1_0 && p->version != SD_DTLS_1_2) || sh.compression ||
        !sd_suite_find(p->suite) || !puppet_exchange_of(p->suite, &x))
        return PUPPET_END_UNSUPPORTED;
    if (!begin_transcript12(p, h) || (p->resumed && !puppet_derive_keys(p)))
        return PUPPET_END_LOCAL;
    return PUPPET_NOT_ENDED;
}

static bool keep_body(uint8_t **to, size_t *len, struct sd_span body)
{
    free(*to);
    *to = malloc(body.len + 1);
    *len = *to ? body.len : 0;
    if (*to && body.len)
        memcpy(*to, body.p, body.len);
    return *to;
}

static void take_ticket(struct puppet *p, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    sd_rd_u32(&r); /* lifetime hint */
    struct sd_rd ticket = sd_rd_vec16(&r);
    struct sd_span t = sd_rd_rest(&ticket);
    if (r.bad || !t.len || t.len > PUPPET_TICKET_MAX)
        return;
    memcpy(p->session.ticket, t.p, t.len);
    p->session.ticket_len = t.len;
}

static enum puppet_end on_finished(struct puppet *p, const struct sd_handshake *h)
{
    if (!p->keyed || (!p->resumed && p->stage != PUPPET_ANSWERED))
        return PUPPET_END_MALFORMED;
    if (!puppet_verify_data(p, "server finished", p->server_verify))
        return PUPPET_END_LOCAL;
    p->finished_sound = span_equals(h->body, p->server_verify, PUPPET_VERIFY_LEN);
    p->stage = PUPPET_CONNECTED;
    p->deadline = SD_NEVER;
    if (!p->resumed)
        return PUPPET_NOT_ENDED;
    puppet_flight_clear(&p->flight);
    if (!puppet_transcript_add(&p->transcript, h->type, h->message_seq, h->body) ||
        !add_finished(p))
        return PUPPET_END_LOCAL;
    puppet_send_flight(p);
    p->deadline = SD_NEVER; /* it is the last one: it goes again only when the server repeats */
    return PUPPET_NOT_ENDED;
}

static enum puppet_end take_by_type(struct puppet *p, const struct sd_handshake *h)
{
    switch (h->type) {
    case SD_HS_CERTIFICATE:
        return h->length <= PUPPET_CERTIFICATE_MAX &&
                       keep_body(&p->certificate, &p->certificate_len, h->body)
                   ? PUPPET_NOT_ENDED
                   : PUPPET_END_LOCAL;
    case SD_HS_SERVER_KEY_EXCHANGE:
        return keep_body(&p->server_key, &p->server_key_len, h->body) ? PUPPET_NOT_ENDED
                                                                      : PUPPET_END_LOCAL;
    case SD_HS_CERTIFICATE_REQUEST:
        p->certificate_wanted = true;
        return keep_body(&p->request, &p->request_len, h->body) ? PUPPET_NOT_ENDED
                                                                : PUPPET_END_LOCAL;
    case SD_HS_NEW_SESSION_TICKET:
        take_ticket(p, h->body);
        return PUPPET_NOT_ENDED;
    case SD_HS_CERTIFICATE_STATUS:
    case SD_HS_SUPPLEMENTAL_DATA:
        return PUPPET_NOT_ENDED;
    case SD_HS_SERVER_HELLO_DONE:
        return on_hello_done(p);
    default:
        return PUPPET_END_MALFORMED;
    }
}

/* Finished is checked against what comes before it. */
static enum puppet_end take_in_order(struct puppet *p, const struct sd_handshake *h)
{
    if (h->type == SD_HS_SERVER_HELLO)
        return on_server_hello(p, h);
    if (!p->answered)
        return PUPPET_END_MALFORMED;
    if (h->type == SD_HS_FINISHED)
        return on_finished(p, h);
    if (!puppet_transcript_add(&p->transcript, h->type, h->message_seq, h->body))
        return PUPPET_END_LOCAL;
    return take_by_type(p, h);
}

static void take_messages(struct puppet *p)
{
    struct sd_handshake h;
    uint8_t *body;
    while (p->stage < PUPPET_CONNECTED && puppet_inbox_next(&p->inbox, &h, &body)) {
        enum puppet_end end = take_in_order(p, &h);
        free(body);
        if (end != PUPPET_NOT_ENDED)
            puppet_end_with(p, end);
    }
}

/* The server repeats the end of its flight: it has not got ours (RFC 6347 section 4.2.4). */
static void answer_repeated(struct puppet *p, const struct sd_handshake *h)
{
    bool last = h->type == SD_HS_SERVER_HELLO_DONE
                    ? p->stage == PUPPET_ANSWERED
                    : h->type == SD_HS_FINISHED && p->stage == PUPPET_CONNECTED && p->resumed;
    if (!last || p->still || p->tries >= p->cfg.retransmissions)
        return;
    p->tries++;
    p->retransmitted++;
    puppet_send_again(p);
}

bool puppet_take_fragment(struct puppet *p, const struct sd_handshake *h)
{
    if (h->type == SD_HS_HELLO_VERIFY_REQUEST) {
        answer_cookie(p, h);
        return false;
    }
    if (h->type == SD_HS_HELLO_REQUEST || p->stage == PUPPET_ENDED)
        return false;
    if (h->type == SD_HS_SERVER_HELLO && !p->answered)
        puppet_inbox_skip(&p->inbox, h->message_seq);
    enum puppet_inbox_result r = puppet_inbox_add(&p->inbox, h);
    p->refused += r == PUPPET_INBOX_REFUSED;
    if (r == PUPPET_INBOX_NEW)
        take_messages(p);
    else if (r == PUPPET_INBOX_REPEATED)
        answer_repeated(p, h);
    return r == PUPPET_INBOX_REPEATED;
}
