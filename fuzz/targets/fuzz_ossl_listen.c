/* SPDX-License-Identifier: MIT */
/* OpenSSL's own DTLSv1_listen() with cookie callbacks as in its manual, over datagrams in memory
 * from four peers, then SSL_accept().
 *
 * While it listens, each datagram gets at most one reply: a HelloVerifyRequest with the cookie of
 * its sender. With a cookie of at most 32 bytes the reply is not larger than the request. It costs
 * no memory that stays. A peer is accepted only with a cookie that was verified for its own
 * address. Other answers of OpenSSL are noted but not judged, because versions differ. */
#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "harness/common.h"
#include "harness/make.h"
#include "openssl/ossl_bio.h"
#include "openssl/ossl_gate.h"
#include "targets/ossl_listen.h"

#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

enum { COOKIE_SMALL = 32, NOBODY = OSSL_PEERS, READS = 8, ROUTE = 1472 };
enum { TICK_US = 100000, LONG_TICK_US = 1000000 };

enum stage { LISTENING, ACCEPTING, CONNECTED, DEAD };

struct world {
    enum stage stage;
    enum kind kind;
    SSL *ssl;
    BIO_ADDR *address; /* for the callbacks, which must not allocate */
    uint8_t config;
    unsigned cookie_len;
    struct ossl_queue in;
    struct ossl_queue *sent;
    unsigned current;  /* sender of the datagram that was read last */
    unsigned accepted; /* peer whose cookie was accepted last */
    unsigned peer;     /* peer of the connection */
    size_t request;    /* bytes of the datagram that was read last; 0: it was answered */
    unsigned write_in; /* the n-th write from now on fails */
    int write_error, read_error, flush_error;
    bool failed;      /* a write has failed since the last read */
    bool nameless;    /* OpenSSL itself cannot learn the address */
    bool asking;      /* a cookie callback asks for it */
    unsigned fail_in; /* this allocation fails in the next call that listens */
    uint8_t more;
    uint16_t mtu;
    size_t level; /* of the heap while this SSL listens; 0: not known yet */
};

static struct world w;

/* --- cookies --- */

/* A cookie of another length repeats or cuts the usual one. */
static void cookie_of(unsigned peer, unsigned len, uint8_t out[static 255])
{
    uint8_t cookie[OSSL_COOKIE_LEN];
    ossl_cookie(peer, cookie);
    for (unsigned i = 0; i < len; i++)
        out[i] = cookie[i % OSSL_COOKIE_LEN];
}

/* Gets the address from the BIO, as programs do. */
static unsigned peer_of(SSL *ssl)
{
    w.asking = true;
    bool known = BIO_dgram_get_peer(SSL_get_rbio(ssl), w.address) > 0;
    w.asking = false;
    return known ? (unsigned)ntohs(BIO_ADDR_rawport(w.address)) - 1 : NOBODY;
}

static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    uint8_t bytes[255];
    cookie_of(peer_of(ssl), w.cookie_len, bytes);
    memcpy(cookie, bytes, w.cookie_len);
    *len = w.cookie_len;
    return 1;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    uint8_t bytes[255];
    unsigned peer = peer_of(ssl);
    cookie_of(peer, w.cookie_len, bytes);
    bool good = len == w.cookie_len && !memcmp(cookie, bytes, len);
    if (good)
        w.accepted = peer;
    return good;
}

/* --- what it sends --- */

static void check_verify(struct sd_span reply)
{
    struct sd_records it = sd_records_init(reply.p, reply.len, 0), rest;
    struct sd_record rec;
    struct sd_handshake h = {0};
    struct sd_hello_verify hv;
    uint8_t cookie[255];
    bool record = sd_record_next(&it, &rec) == SD_RECORD_OK && rec.type == SD_CT_HANDSHAKE;
    struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
    rest = it;
    fuzz_check(record && sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK && sd_rd_done(&r) &&
                   h.type == SD_HS_HELLO_VERIFY_REQUEST && sd_hello_verify_parse(&hv, h.body) &&
                   sd_record_next(&rest, &rec) == SD_RECORD_END,
               "a reply of %zu bytes is not a HelloVerifyRequest", reply.len);
    cookie_of(w.current, w.cookie_len, cookie);
    fuzz_check(hv.cookie.len == w.cookie_len && !memcmp(hv.cookie.p, cookie, hv.cookie.len),
               "a reply has the cookie of another peer");
}

static void check_reply(struct sd_span reply)
{
    fuzz_check(w.request, "a datagram is answered twice, or nothing is answered");
    fuzz_check(w.cookie_len > COOKIE_SMALL || reply.len <= w.request,
               "%zu bytes are answered with %zu", w.request, reply.len);
    check_verify(reply);
    ossl_gate_answered();
    w.request = 0;
}

static void check_records(struct sd_span datagram)
{
    struct sd_records it = sd_records_init(datagram.p, datagram.len, 0);
    struct sd_record rec;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK)
        ;
    fuzz_check(it.status == SD_RECORD_END, "a datagram does not consist of records");
}

static int send_reply(void *arg, const void *data, size_t len)
{
    (void)arg;
    if (w.write_in && --w.write_in == 0) {
        w.failed = true;
        return -w.write_error;
    }
    fuzz_note_bytes(data, len);
    /* Whoever has shown a cookie may get an alert when memory fails. */
    if (w.stage == LISTENING && !(w.fail_in && w.accepted == w.current))
        check_reply(make_span(data, len));
    else
        check_records(make_span(data, len));
    if (w.sent)
        ossl_queue_put(w.sent, w.current, data, len);
    return 0;
}

/* OpenSSL wants the next datagram, or gives up: did the one before deserve an answer? */
static void check_silence(void)
{
    if (w.stage == LISTENING && w.request && !w.failed && !w.fail_in && w.kind == KIND_USUAL &&
        !(w.config & CONFIG_NO_COOKIES))
        ossl_gate_silence();
}

static int receive_request(void *arg, void *data, size_t cap)
{
    const int error = w.read_error;
    size_t len = 0;
    (void)arg;
    check_silence();
    w.failed = false;
    w.read_error = 0;
    if (error)
        return -error;
    if (!ossl_queue_take(&w.in, &w.current, data, cap, &len))
        return -EAGAIN;
    ossl_gate_sees(data, len);
    w.request = len;
    w.accepted = NOBODY;
    return (int)len;
}

static int flush_replies(void *arg)
{
    const int error = w.flush_error;
    (void)arg;
    w.flush_error = 0;
    return -error;
}

/* 192.0.2.1 to .4, ports 1 to 4. */
static int name_peer(void *arg, BIO_ADDR *a)
{
    const uint8_t host[] = {192, 0, 2, (uint8_t)(w.current + 1)};
    (void)arg;
    if (w.nameless && !w.asking)
        return 0;
    return w.current < OSSL_PEERS &&
           BIO_ADDR_rawmake(a, AF_INET, host, sizeof host, htons((uint16_t)(w.current + 1)));
}

static struct ossl_bio datagrams = {.send = send_reply,
                                    .receive = receive_request,
                                    .flush = flush_replies,
                                    .peer = name_peer,
                                    .mtu = ROUTE};

/* --- the SSL --- */

static void watch(int write_p, int version, int type, const void *bytes, size_t len, SSL *ssl,
                  void *arg)
{
    (void)ssl, (void)arg;
    fuzz_note((uint64_t)(unsigned)write_p << 32 | (uint64_t)(unsigned)version << 8 |
              (uint64_t)(unsigned)type % 256);
    fuzz_note_bytes(bytes, len);
}

static unsigned wait_longer(SSL *ssl, unsigned us)
{
    (void)ssl;
    return us ? 2 * us : 500000;
}

static void set_sizes(void)
{
    if (w.more & MORE_NO_QUERY)
        SSL_set_options(w.ssl, SSL_OP_NO_QUERY_MTU);
    if (w.config & CONFIG_MTU)
        fuzz_note((uint64_t)(w.more & MORE_LINK_MTU ? DTLS_set_link_mtu(w.ssl, w.mtu)
                                                    : SSL_set_mtu(w.ssl, w.mtu)));
    if (w.more & MORE_SMALL_FRAGMENTS)
        SSL_set_max_send_fragment(w.ssl, 512);
}

static void ssl_new(enum kind kind)
{
    BIO *bio = ossl_bio_new(&datagrams);
    w.kind = kind;
    w.ssl =
        SSL_new(kind == KIND_USUAL ? ossl_context_server() : ossl_context_odd(kind == KIND_TLS));
    fuzz_check(w.ssl && bio, "no SSL");
    if (kind == KIND_NO_BIO)
        BIO_free(bio);
    else
        SSL_set_bio(w.ssl, bio, bio);
    if (w.config & CONFIG_CLIENT_CERT)
        SSL_set_verify(w.ssl, SSL_VERIFY_PEER, SSL_get_verify_callback(w.ssl));
    if (w.config & CONFIG_NO_TICKET)
        SSL_set_options(w.ssl, SSL_OP_NO_TICKET);
    if (w.config & CONFIG_CALLBACK)
        SSL_set_msg_callback(w.ssl, watch);
    if (w.config & CONFIG_SERVER_ORDER)
        SSL_set_options(w.ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (w.more & MORE_TIMER && kind != KIND_TLS)
        DTLS_set_timer_cb(w.ssl, wait_longer);
    if (kind != KIND_TLS)
        set_sizes();
}

static void anew(uint8_t arg)
{
    if (!(arg & 1)) {
        SSL_free(w.ssl);
        ssl_new(arg >> 1 & 3);
    }
    w.in.count = 0;
    w.level = 0;
    w.stage = LISTENING;
}

/* --- calls --- */

static void note_error(void)
{
    unsigned long e = ERR_peek_error();
    fuzz_note((uint64_t)ERR_GET_LIB(e) << 32 | (uint64_t)ERR_GET_REASON(e));
}

static void check_growth(void)
{
    ERR_clear_error();
    size_t now = fuzz_heap_now().bytes;
    if (!w.level || w.sent) /* while seeds are recorded, the client uses memory, too */
        w.level = now;
    fuzz_check(now <= w.level, "%zu bytes of the heap for unknown peers", now - w.level);
}

/* Calls DTLSv1_listen() and gives the peer that it names. */
static int call_listen(unsigned *said)
{
    BIO_ADDR *from = BIO_ADDR_new();
    fuzz_check(from, "no memory");
    ERR_clear_error();
    w.request = 0;
    fuzz_heap_fail(w.fail_in);
    int r = DTLSv1_listen(w.ssl, from);
    fuzz_heap_fail(0);
    *said = r > 0 && BIO_ADDR_family(from) ? (unsigned)ntohs(BIO_ADDR_rawport(from)) - 1 : NOBODY;
    BIO_ADDR_free(from);
    fuzz_note((uint64_t)(int64_t)r);
    note_error();
    return r;
}

static void listen_once(void)
{
    unsigned said;
    bool scarce = w.fail_in;
    int r = call_listen(&said);
    w.fail_in = 0;
    fuzz_check(r <= 0 || w.kind == KIND_USUAL || w.kind == KIND_ONE_VERSION,
               "an SSL that cannot listen accepts a peer");
    if (r <= 0) {
        if (!scarce)
            check_silence();
        /* After a failed allocation OpenSSL leaves an SSL that must not be used any more. */
        if (scarce)
            anew(KIND_USUAL);
        else
            check_growth();
        return;
    }
    fuzz_check(w.accepted == w.current && w.current < OSSL_PEERS,
               "a peer is accepted without a cookie that was verified for it");
    fuzz_check(said == w.current || (w.nameless && said == NOBODY),
               "DTLSv1_listen() names another address than that of the peer");
    ossl_gate_answered();
    w.peer = w.current;
    w.stage = ACCEPTING;
}

/* The other datagrams of the queue belong to another socket. */
static void take_peer(void)
{
    struct ossl_queue *q = &w.in;
    uint8_t bytes[OSSL_DATAGRAM];
    unsigned from;
    size_t len;
    for (unsigned n = q->count; n; n--)
        if (ossl_queue_take(q, &from, bytes, sizeof bytes, &len) && from == w.peer)
            ossl_queue_put(q, from, bytes, len);
}

static bool goes_on(int r)
{
    int error = SSL_get_error(w.ssl, r);
    note_error();
    fuzz_note((uint64_t)error);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void accept_once(void)
{
    ERR_clear_error();
    int r = SSL_accept(w.ssl);
    fuzz_note((uint64_t)(int64_t)r);
    if (r == 1)
        w.stage = CONNECTED;
    else if (!goes_on(r))
        w.stage = DEAD;
}

static void read_data(void)
{
    uint8_t bytes[256];
    for (unsigned i = 0; i < READS && w.stage == CONNECTED; i++) {
        ERR_clear_error();
        int r = SSL_read(w.ssl, bytes, sizeof bytes);
        fuzz_note((uint64_t)(int64_t)r);
        if (r > 0) {
            fuzz_note_bytes(bytes, (size_t)r);
        } else {
            w.stage = goes_on(r) ? CONNECTED : DEAD;
            return;
        }
    }
}

static void step(void)
{
    for (unsigned i = 0; w.stage == LISTENING && (!i || w.in.count) && i <= OSSL_QUEUE; i++)
        listen_once();
    if (w.stage == ACCEPTING) {
        take_peer();
        accept_once();
    }
    if (w.stage == CONNECTED)
        read_data();
}

/* No timer runs while a write is pending: OpenSSL before the fix of CVE-2026-84782 would send the
 * wrong bytes. Other targets find that. */
static void tick(uint8_t arg)
{
    ossl_env_later((uint64_t)(arg < 128 ? TICK_US * arg : LONG_TICK_US * (arg - 127)));
    if (w.stage != ACCEPTING && w.stage != CONNECTED)
        return;
    if (SSL_want_write(w.ssl))
        step();
    if (w.stage == DEAD || SSL_want_write(w.ssl))
        return;
    ERR_clear_error();
    long r = DTLSv1_handle_timeout(w.ssl);
    fuzz_note((uint64_t)r);
    note_error();
}

static void ask(void)
{
    struct timeval left = {0};
    if (!(w.more & MORE_QUESTIONS))
        return;
    fuzz_note((uint64_t)DTLSv1_get_timeout(w.ssl, &left) << 32 | (uint64_t)left.tv_sec);
    fuzz_note((uint64_t)DTLS_get_link_min_mtu(w.ssl));
    if (w.stage == CONNECTED)
        fuzz_note(DTLS_get_data_mtu(w.ssl));
}

static void send_data(const struct fuzz_op *op)
{
    if (w.stage != CONNECTED)
        return;
    ERR_clear_error();
    int r = op->arg & 1   ? SSL_shutdown(w.ssl)
            : op->arg & 2 ? SSL_renegotiate(w.ssl)
                          : SSL_write(w.ssl, op->data.p, (int)op->data.len);
    fuzz_note((uint64_t)(int64_t)r);
    note_error();
    if (r <= 0 && op->data.len && !goes_on(r))
        w.stage = DEAD;
}

/* --- operations --- */

static void give(const struct fuzz_op *op)
{
    unsigned from = op->arg % OSSL_PEERS;
    if (w.stage != LISTENING && from != w.peer)
        return;
    ossl_queue_put(&w.in, from, op->data.p, op->data.len);
    if (!(op->arg & 128))
        step();
}

static void fail_write(uint8_t arg, int error)
{
    if (arg & 16) {
        w.flush_error = error;
        return;
    }
    w.write_error = error;
    w.write_in = 1U + (arg >> 2 & 3);
}

void ossl_listen_apply(const struct fuzz_op *op)
{
    static const int errors[] = {EAGAIN, EMSGSIZE, ECONNREFUSED, ENETUNREACH};
    switch (op->code % CODES) {
    case CODE_DATAGRAM:
        give(op);
        break;
    case CODE_TICK:
        tick(op->arg);
        break;
    case CODE_WRITE:
        fail_write(op->arg, errors[op->arg & 3]);
        break;
    case CODE_READ:
        w.read_error = op->arg & 4 ? 0 : errors[op->arg & 3];
        w.nameless = op->arg & 4;
        break;
    case CODE_NEW:
        anew(op->arg);
        break;
    case CODE_STEP:
        step();
        break;
    case CODE_SEND:
        send_data(op);
        break;
    case CODE_NO_MEMORY:
        w.fail_in = op->arg;
        break;
    }
    ask();
}

void ossl_listen_begin(const struct fuzz_op *config, struct ossl_queue *sent)
{
    static const unsigned lengths[] = {OSSL_COOKIE_LEN, 16, 32, 255};
    struct sd_rd r = sd_rd_init(config->data.p, config->data.len);
    ossl_contexts_reset();
    memset(&w, 0, sizeof w);
    w.config = config->arg;
    w.cookie_len = lengths[config->arg & CONFIG_COOKIE];
    w.sent = sent;
    w.current = w.accepted = NOBODY;
    w.address = BIO_ADDR_new();
    fuzz_check(w.address, "no memory");
    bool cookies = !(config->arg & CONFIG_NO_COOKIES);
    SSL_CTX *all[] = {ossl_context_server(), ossl_context_odd(false), ossl_context_odd(true)};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        SSL_CTX_set_cookie_generate_cb(all[i], cookies ? cookie_make : NULL);
        SSL_CTX_set_cookie_verify_cb(all[i], cookies ? cookie_check : NULL);
    }
    w.mtu = sd_rd_u16(&r);
    w.more = sd_rd_u8(&r);
    ssl_new(KIND_USUAL);
}

void ossl_listen_end(void)
{
    SSL_free(w.ssl);
    BIO_ADDR_free(w.address);
    ERR_clear_error();
}

static void run_once(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size), peek = in;
    struct fuzz_op op, config = {0};
    if (fuzz_op_next(&peek, &op) && op.code == CODE_CONFIG) {
        config = op;
        in = peek;
    }
    ossl_listen_begin(&config, NULL);
    while (fuzz_op_next(&in, &op))
        ossl_listen_apply(&op);
    ossl_listen_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ossl_env_run(run_once, data, size);
    return 0;
}
