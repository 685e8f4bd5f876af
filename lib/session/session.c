/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl3.h>
#include <stdlib.h>

#include "session/internal.h"
#include "tls/acceptor.h"
#include "tls/prepare.h"
#include "wire/alert.h"

enum {
    /* A plaintext alert may be forged, so it is not obeyed at once. When the peer then sends
     * nothing for this long, although we retransmit, the alert was real. */
    ALERT_GRACE_MS = 1500,
    MAX_CERT_LIST = 16384, /* bytes; of a server that asks for no certificate */
    /* Resident for a half-open client, with its socket and its place in the tables: 48 kB on
     * OpenSSL 1.1.1 and 3.0, 60 kB on 3.5 and 4.0 (measured with tests/network/crowd.c). */
    HALF_OPEN_BYTES = 59500,
};

/* Before a call, so that an error of the program's own OpenSSL is not taken for one of this
 * session; and after it, the other way round. ERR_clear_error() alone visits every place of the
 * queue, which is nearly always empty. */
static void clear_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

/* What it says of an established session never changes: renegotiation is refused. */
static struct sd_stage stage_of(void *arg)
{
    const struct sd_session *s = arg;
    return s->phase == SD_PHASE_ESTABLISHED ? s->stage : sd_stage_of(s);
}

static void on_info(const SSL *ssl, int where, int ret)
{
    struct sd_session *s = sd_session_of(ssl);
    int level = ret >> 8;
    int code = ret & 0xff;
    bool final = level == SD_ALERT_FATAL || code == SD_ALERT_CLOSE_NOTIFY;
    if (where == SSL_CB_READ_ALERT && final)
        s->alert_received = code;
    if (where == SSL_CB_WRITE_ALERT && final)
        s->alert_sent = code;
    void (*outer)(const SSL *, int, int) = SSL_CTX_get_info_callback(SSL_get_SSL_CTX(ssl));
    if (outer)
        outer(ssl, where, ret);
}

static int make_ssl(struct sd_session *s, struct sd_err *err)
{
    s->ssl = SSL_new(sd_tls_native(s->tls));
    if (!s->ssl)
        return sd_err_set(err, SDTLS_NOMEM, "cannot create an SSL object");
    if (!sd_guard_init(&s->guard))
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    SSL_set_bio(s->ssl, s->guard.bio, s->guard.bio);
    return SDTLS_OK;
}

static void configure_session(struct sd_session *s, const struct sd_session_config *c)
{
    s->guard.send = c->send;
    s->guard.arg = c->arg;
    s->guard.counters = c->counters;
    if (!sd_tls_raw(s->tls)) {
        s->guard.stage = stage_of;
        s->guard.stage_arg = s;
    }
    s->alert_sent = s->alert_received = -1;
    s->error.alert = -1;
    SSL_set_mode(s->ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_set_info_callback(s->ssl, on_info);
    sd_retransmit_setup(s, c->timer_ms);
    sd_pathmtu_setup(s, c);
}

int sd_session_new(struct sd_session **ps, struct sd_tls *tls, const struct sd_session_config *c,
                   struct sd_err *err)
{
    *ps = NULL;
    struct sd_session *s = calloc(1, sizeof *s);
    if (!s)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    s->tls = sd_tls_share(tls);
    clear_errors();
    int rc = make_ssl(s, err);
    if (rc == SDTLS_OK) {
        configure_session(s, c);
        rc = sd_tls_prepare(tls, s->ssl, c->host, err);
    }
    clear_errors();
    if (rc != SDTLS_OK) {
        sd_session_free(s);
        return rc;
    }
    *ps = s;
    return SDTLS_OK;
}

void sd_session_free(struct sd_session *s)
{
    if (!s)
        return;
    sd_info_free(s);
    /* From 3.2 on SSL_free() alone frees a record layer twice when the handshake ended between
     * ChangeCipherSpec and the new keys, for want of memory (docs/fuzzing.md). */
    if (s->ssl && SSL_in_init(s->ssl)) {
        SSL_clear(s->ssl);
        clear_errors();
    }
    SSL_free(s->ssl);
    sd_tls_free(s->tls);
    sd_guard_fini(&s->guard);
    free(s);
}

static void end_session(struct sd_session *s)
{
    s->phase = SD_PHASE_OVER;
    s->owed |= SD_OWED_END;
    sd_guard_clear(&s->guard);
    clear_errors();
}

static void fail_session(struct sd_session *s)
{
    sd_reason_openssl(s);
    end_session(s);
}

static void timed_out(struct sd_session *s)
{
    sd_reason_timeout(s);
    end_session(s);
}

/* After a call that returned rc <= 0: true when it only waits for a datagram (or for a callback
 * of the user's SSL_CTX). The guard never makes it wait to write. */
static bool only_waits(const struct sd_session *s, int rc)
{
    switch (SSL_get_error(s->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_X509_LOOKUP:
    case SSL_ERROR_WANT_ASYNC:
    case SSL_ERROR_WANT_ASYNC_JOB:
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
#ifdef SSL_ERROR_WANT_RETRY_VERIFY
    case SSL_ERROR_WANT_RETRY_VERIFY:
#endif
        return true;
    default:
        return false;
    }
}

/* OpenSSL also says WANT_READ after it dropped a record (such as a ChangeCipherSpec that
 * overtook its flight), although there is more to read. */
static bool more_to_read(const struct sd_session *s, int rc, uint64_t passed_before)
{
    return rc <= 0 && SSL_get_error(s->ssl, rc) == SSL_ERROR_WANT_READ && !s->guard.starved &&
           s->guard.passed != passed_before;
}

static void complete_handshake(struct sd_session *s)
{
    s->phase = SD_PHASE_ESTABLISHED;
    s->stage = sd_stage_of(s);
    s->owed |= SD_OWED_READY;
    sd_pathmtu_established(s);
    sd_info_collect(s);
}

/* Of OpenSSL, which were freed while the session waited. */
static bool has_buffers(struct sd_session *s)
{
    clear_errors();
    if (SSL_alloc_buffers(s->ssl))
        return true;
    fail_session(s);
    return false;
}

static void advance_handshake(struct sd_session *s)
{
    uint64_t passed;
    int rc;
    if (!has_buffers(s))
        return;
    do {
        passed = s->guard.passed;
        clear_errors();
        rc = SSL_do_handshake(s->ssl);
    } while (more_to_read(s, rc, passed));
    if (rc == 1)
        complete_handshake(s);
    else if (sd_retransmit_gave_up(s))
        timed_out(s);
    else if (!only_waits(s, rc))
        fail_session(s);
    clear_errors();
}

void sd_session_rebind(struct sd_session *s, void *arg)
{
    s->guard.arg = arg;
}

/* The gate has checked the cookie already. OpenSSL asks twice: in DTLSv1_listen
 * and again when it processes the hello. */
static int cookie_verify(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    (void)cookie;
    (void)len;
    return sd_session_of(ssl)->cookie_proven;
}

/* DTLSv1_listen requires this callback; it never calls it when the cookie is proven. */
static int cookie_generate(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    (void)ssl;
    (void)cookie;
    (void)len;
    return 0;
}

static void as_server(struct sd_session *s, bool cookie)
{
    s->server = true;
    SSL_set_accept_state(s->ssl);
    SSL_CTX_set_cookie_verify_cb(SSL_get_SSL_CTX(s->ssl), cookie_verify);
    SSL_CTX_set_cookie_generate_cb(SSL_get_SSL_CTX(s->ssl), cookie_generate);
    if (cookie)
        SSL_set_options(s->ssl, SSL_OP_COOKIE_EXCHANGE);
    else
        SSL_clear_options(s->ssl, SSL_OP_COOKIE_EXCHANGE);
    /* Twenty small datagrams can make OpenSSL allocate eleven times as much. */
    if (s->guard.stage && !(SSL_get_verify_mode(s->ssl) & SSL_VERIFY_PEER))
        SSL_set_max_cert_list(s->ssl, MAX_CERT_LIST);
}

int sd_session_accept(struct sd_session *s, const uint8_t *data, size_t len, uint64_t record_seq,
                      bool cookie, sd_time now)
{
    if (s->phase != SD_PHASE_NEW)
        return SDTLS_STATE;
    s->phase = SD_PHASE_HANDSHAKE;
    s->guard.now = now;
    s->guard.shim = s->cookie_proven = cookie;
    /* The answers carry the number of the ClientHello that they answer. */
    s->guard.first_seq = s->guard.in_seq = record_seq;
    as_server(s, cookie);
    sd_guard_input(&s->guard, data, len);
    clear_errors();
    int rc = cookie ? sd_tls_acceptor(s->tls)->begin(s->ssl, &s->error) : SDTLS_OK;
    if (rc != SDTLS_OK) {
        end_session(s);
        return rc;
    }
    /* DTLSv1_listen begins with SSL_clear(), which forgets the MTU. */
    sd_pathmtu_set(s, s->mtu);
    clear_errors();
    return SDTLS_OK;
}

int sd_session_connect(struct sd_session *s, sd_time now)
{
    if (s->phase != SD_PHASE_NEW)
        return SDTLS_STATE;
    s->phase = SD_PHASE_HANDSHAKE;
    s->guard.now = now;
    SSL_set_connect_state(s->ssl);
    advance_handshake(s);
    return s->phase == SD_PHASE_OVER ? s->error.code : SDTLS_OK;
}

void sd_session_input(struct sd_session *s, const uint8_t *data, size_t len, sd_time now)
{
    s->guard.now = now;
    if (s->phase != SD_PHASE_OVER)
        sd_guard_input(&s->guard, data, len);
}

void sd_session_route(struct sd_session *s, size_t payload, sd_time now)
{
    s->guard.now = now;
    sd_pathmtu_route(s, payload);
}

void sd_session_lend(struct sd_session *s, const uint8_t *data, size_t len, sd_time now)
{
    if (s->phase != SD_PHASE_ESTABLISHED || s->held) {
        sd_session_input(s, data, len, now);
        return;
    }
    s->guard.now = now;
    sd_guard_lend(&s->guard, data, len);
}

void sd_session_keep(struct sd_session *s)
{
    sd_guard_keep(&s->guard);
}

void sd_session_net_error(struct sd_session *s, const struct sd_session_report *r, sd_time now)
{
    s->guard.now = now;
    s->guard.counters[SD_GUARD_READ_ERROR]++;
    if (r->error == EMSGSIZE && s->phase != SD_PHASE_OVER)
        sd_pathmtu_reported(s, r);
}

/* The peer's close_notify, authenticated: answered with ours (RFC 5246 section 7.2.1). */
static void closed(struct sd_session *s)
{
    s->orderly = true;
    sd_err_set(&s->error, SDTLS_OK, "the peer closed the connection (close_notify)");
    s->error.alert = SD_ALERT_CLOSE_NOTIFY;
    sd_session_shutdown(s);
    end_session(s);
}

static bool read_data(struct sd_session *s, void *buf, size_t cap, size_t *len)
{
    unsigned before = s->guard.handshake_out;
    uint64_t passed;
    int rc;
    do {
        passed = s->guard.passed;
        clear_errors();
        rc = SSL_read(s->ssl, buf, cap > INT_MAX ? INT_MAX : (int)cap);
    } while (more_to_read(s, rc, passed));
    /* The peer did not get our last flight, and OpenSSL sent it again. */
    if (s->guard.handshake_out != before)
        s->retransmits++;
    if (rc > 0) {
        *len = (size_t)rc;
        sd_pathmtu_peer_ready(s);
        return true;
    }
    if (SSL_get_error(s->ssl, rc) == SSL_ERROR_ZERO_RETURN)
        closed(s);
    else if (!only_waits(s, rc))
        fail_session(s);
    s->read_all = true;
    clear_errors();
    return false;
}

static bool take_owed(struct sd_session *s, unsigned what)
{
    bool yes = s->owed & what;
    s->owed &= ~what;
    return yes;
}

static enum sd_session_event take_event(struct sd_session *s)
{
    if (take_owed(s, SD_OWED_MTU))
        return SD_SESSION_MTU;
    if (s->retransmits_reported < s->retransmits) {
        s->retransmits_reported++;
        return SD_SESSION_RETRANSMIT;
    }
    if (take_owed(s, SD_OWED_READY))
        return SD_SESSION_READY;
    if (take_owed(s, SD_OWED_END))
        return s->orderly ? SD_SESSION_CLOSED : SD_SESSION_FAILED;
    return SD_SESSION_IDLE;
}

enum sd_session_event sd_session_next(struct sd_session *s, void *buf, size_t cap, size_t *len,
                                      sd_time now)
{
    *len = 0;
    s->guard.now = now;
    if (s->phase == SD_PHASE_HANDSHAKE)
        advance_handshake(s);
    if (!s->owed && !s->held && s->phase == SD_PHASE_ESTABLISHED && read_data(s, buf, cap, len))
        return SD_SESSION_DATA;
    enum sd_session_event event = take_event(s);
    if (event == SD_SESSION_IDLE && s->phase == SD_PHASE_HANDSHAKE)
        SSL_free_buffers(s->ssl); /* 5 to 8 kB while a half-open client may be silent for ever */
    return event;
}

bool sd_session_has_more(struct sd_session *s)
{
    return sd_guard_waits(&s->guard) || !s->read_all || s->owed ||
           s->retransmits_reported < s->retransmits || SSL_has_pending(s->ssl);
}

static sd_time alert_deadline(const struct sd_session *s)
{
    if (s->phase != SD_PHASE_HANDSHAKE || s->guard.alert_at == SD_NEVER)
        return SD_NEVER;
    return s->guard.alert_at + ALERT_GRACE_MS * SD_MS;
}

sd_time sd_session_deadline(const struct sd_session *s, sd_time now)
{
    sd_time timer = sd_retransmit_deadline(s, now);
    sd_time alert = alert_deadline(s);
    sd_time raise = s->phase == SD_PHASE_ESTABLISHED ? s->raise_at : SD_NEVER;
    timer = timer < alert ? timer : alert;
    return timer < raise ? timer : raise;
}

void sd_session_timer(struct sd_session *s, sd_time now)
{
    s->guard.now = now;
    if (s->phase == SD_PHASE_ESTABLISHED && now >= s->raise_at)
        sd_pathmtu_raise(s);
    if (s->phase != SD_PHASE_HANDSHAKE)
        return;
    if (now >= alert_deadline(s)) {
        sd_reason_plain_alert(s);
        end_session(s);
        return;
    }
    clear_errors();
    if (has_buffers(s) && DTLSv1_handle_timeout(s->ssl) < 0)
        timed_out(s);
    clear_errors();
}

/* What became of the datagram. */
static int write_result(const struct sd_session *s)
{
    return s->guard.too_big ? SDTLS_TOOBIG : s->guard.refused ? SDTLS_IO : SDTLS_OK;
}

/* One record. A record that was sealed must be sent: to drop it would leave a gap in the record
 * numbers. So before OpenSSL seals one there has to be room for it, in the socket or in the slot.
 */
static int write_record(struct sd_session *s, const void *data, size_t len)
{
    /* SSL_write of nothing sends nothing, or fails. */
    if (!len)
        return SDTLS_OK;
    if (!sd_guard_flush(&s->guard))
        return SDTLS_AGAIN;
    s->guard.too_big = false;
    s->guard.refused = 0;
    s->guard.keep = true;
    clear_errors();
    int rc = SSL_write(s->ssl, data, (int)len);
    s->guard.keep = false;
    if (rc <= 0) {
        fail_session(s);
        return SDTLS_PROTO;
    }
    clear_errors();
    return write_result(s);
}

int sd_session_send(struct sd_session *s, const void *data, size_t len)
{
    if (s->phase != SD_PHASE_ESTABLISHED || s->shut)
        return SDTLS_STATE;
    if (len > sd_session_max_payload(s))
        return SDTLS_TOOBIG;
    int rc = write_record(s, data, len);
    /* The MTU of the route is lower now; the report that follows says how much. */
    if (rc == SDTLS_TOOBIG)
        sd_pathmtu_refused(s);
    return rc;
}

int sd_session_send_padded(struct sd_session *s, const void *data, size_t len, size_t size)
{
    if (s->phase != SD_PHASE_ESTABLISHED || s->shut)
        return SDTLS_STATE;
    if (!len || !size || len > SSL3_RT_MAX_PLAIN_LENGTH)
        return SDTLS_ARG;
    s->guard.pad = size;
    int rc = write_record(s, data, len);
    s->guard.pad = 0;
    return rc == SDTLS_OK && s->guard.pad_failed ? SDTLS_ARG : rc;
}

void sd_session_shutdown(struct sd_session *s)
{
    if (s->phase != SD_PHASE_ESTABLISHED || s->shut)
        return;
    s->shut = true;
    sd_guard_flush(&s->guard);
    clear_errors();
    SSL_shutdown(s->ssl);
    clear_errors();
}

bool sd_session_flush(struct sd_session *s)
{
    return sd_guard_flush(&s->guard);
}

size_t sd_session_unsent(const struct sd_session *s)
{
    return s->guard.slot_len;
}

int sd_session_refused(const struct sd_session *s)
{
    return -s->guard.refused;
}

size_t sd_session_waiting(const struct sd_session *s)
{
    return sd_guard_kept(&s->guard);
}

void sd_session_hold(struct sd_session *s, bool hold, size_t more)
{
    s->held = hold;
    s->guard.more_room = more;
    if (hold)
        sd_guard_keep(&s->guard);
}

uint64_t sd_session_heard(const struct sd_session *s)
{
    return s->guard.heard;
}

size_t sd_session_max_payload(const struct sd_session *s)
{
    if (s->phase != SD_PHASE_ESTABLISHED)
        return 0;
    size_t fits = DTLS_get_data_mtu(s->ssl);
    return fits < SSL3_RT_MAX_PLAIN_LENGTH ? fits : SSL3_RT_MAX_PLAIN_LENGTH;
}

size_t sd_session_mtu(const struct sd_session *s)
{
    return s->mtu;
}

const char *sd_session_mtu_reason(const struct sd_session *s)
{
    return s->mtu_why;
}

const struct sd_err *sd_session_error(const struct sd_session *s)
{
    return &s->error;
}

unsigned sd_session_retransmits(const struct sd_session *s)
{
    return s->retransmits;
}

void *sd_session_native(const struct sd_session *s)
{
    return s->ssl;
}

bool sd_session_answered(const struct sd_session *s)
{
    return s->guard.filter.answered;
}

bool sd_session_has_keys(const struct sd_session *s)
{
    struct sd_stage stage = sd_stage_of(s);
    return stage.keys || stage.established;
}

/* The flight is kept twice: by OpenSSL, and by the guard in case it must go out in smaller pieces.
 */
size_t sd_session_memory(const struct sd_session *s)
{
    return HALF_OPEN_BYTES + 2 * s->guard.sent.kept + sd_guard_kept(&s->guard) +
           sd_filter_announced(&s->guard.filter);
}
