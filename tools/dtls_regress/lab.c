/* SPDX-License-Identifier: MIT */
#include "dtls_regress/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "wire/record.h"

enum {
    US = 1000000, /* a second */
    DAY_S = 24 * 3600,
    LIFETIME_DAYS = 10000, /* of certificates */
    USUAL_MTU = 1400,
    MOST_TURNS = 20 /* of both ends: more than any handshake needs */
};

/* libcrypto asks this gettimeofday() for the time of its retransmission timers. A process has one
 * clock, so the clock is global, and so is what is broken in the lab on purpose. */
static int64_t now_us = INT64_C(1700000000) * US;
static enum regress_lab_fault lab_fault;

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(now_us / US);
    tv->tv_usec = (suseconds_t)(now_us % US);
    return 0;
}

void regress_lab_later(long ms)
{
    if (lab_fault != LAB_FROZEN)
        now_us += (int64_t)ms * (US / LAB_SECOND);
}

void regress_lab_break(enum regress_lab_fault fault)
{
    lab_fault = fault;
}

bool regress_lab_put(struct regress_lab *lab, int to, const void *data, size_t len)
{
    if (lab->before)
        lab->before(lab, to, data, len);
    if (lab_fault == LAB_DEAF)
        return true;
    struct regress_datagram *d = malloc(sizeof *d + len);
    if (!d)
        return false;
    d->next = NULL;
    d->len = len;
    memcpy(d->data, data, len);
    struct regress_datagram **last = &lab->end[to].in;
    while (*last)
        last = &(*last)->next;
    *last = d;
    return true;
}

bool regress_lab_inject(struct regress_lab *lab, int to, uint8_t type, uint16_t epoch, uint64_t seq,
                        const void *body, size_t len)
{
    uint8_t buf[128];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    size_t mark = sd_record_open(&w, type, SD_DTLS_1_2, epoch, seq);
    sd_wr_bytes(&w, body, len);
    sd_record_close(&w, mark);
    return sd_wr_len(&w) && regress_lab_put(lab, to, buf, sd_wr_len(&w));
}

struct regress_datagram *regress_lab_take(struct regress_lab *lab, int to)
{
    struct regress_datagram *d = lab->end[to].in;
    if (d)
        lab->end[to].in = d->next;
    return d;
}

void regress_lab_drop_all(struct regress_lab *lab, int to)
{
    for (struct regress_datagram *d; (d = regress_lab_take(lab, to));)
        free(d);
}

size_t regress_lab_count(const struct regress_lab *lab, int to)
{
    size_t n = 0;
    for (const struct regress_datagram *d = lab->end[to].in; d; d = d->next)
        n++;
    return n;
}

size_t regress_lab_largest(const struct regress_lab *lab, int to)
{
    size_t n = 0;
    for (const struct regress_datagram *d = lab->end[to].in; d; d = d->next)
        n = d->len > n ? d->len : n;
    return n;
}

static int lab_write(BIO *bio, const char *data, int len)
{
    struct regress_end *end = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (end->limited && !end->room) {
        errno = EAGAIN;
        BIO_set_retry_write(bio);
        return -1;
    }
    end->room -= end->limited;
    end->exceeded = end->too_long && (size_t)len > end->too_long;
    if (end->exceeded) {
        errno = EMSGSIZE;
        return -1;
    }
    end->sent++;
    return regress_lab_put(end->lab, !end->id, data, (size_t)len) ? len : -1;
}

static int lab_read(BIO *bio, char *data, int cap)
{
    struct regress_end *end = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (end->read_error) {
        errno = end->read_error;
        end->read_error = 0;
        return -1;
    }
    struct regress_datagram *d = end->peeks ? end->in : regress_lab_take(end->lab, end->id);
    if (!d) {
        errno = EAGAIN;
        BIO_set_retry_read(bio);
        return -1;
    }
    int len = (int)d->len < cap ? (int)d->len : cap;
    memcpy(data, d->data, (size_t)len);
    if (!end->peeks)
        free(d);
    return len;
}

static long lab_ctrl(BIO *bio, int what, long number, void *arg)
{
    (void)arg;
    struct regress_end *end = BIO_get_data(bio);
    switch (what) {
    case BIO_CTRL_DGRAM_SET_PEEK_MODE:
        end->peeks = number != 0;
        return 1;
    case BIO_CTRL_DGRAM_MTU_EXCEEDED:
        return end->exceeded;
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
        return end->lab->mtu;
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return 548; /* as BIO_s_datagram over IPv4 */
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return 28;
    default:
        return 0;
    }
}

static int lab_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *lab_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lab");
    if (m && BIO_meth_set_write(m, lab_write) && BIO_meth_set_read(m, lab_read) &&
        BIO_meth_set_ctrl(m, lab_ctrl) && BIO_meth_set_create(m, lab_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

static bool choose_key_type(EVP_PKEY_CTX *ctx, bool rsa)
{
    if (EVP_PKEY_keygen_init(ctx) != 1)
        return false;
    return rsa ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1
               : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1;
}

static EVP_PKEY *generate_key(bool rsa)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(rsa ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;
    if (ctx && choose_key_type(ctx, rsa) && EVP_PKEY_keygen(ctx, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *regress_lab_rsa_key(void)
{
    return generate_key(true);
}

/* The caller frees it in both cases. */
static EVP_PKEY *borrow_or_generate_key(EVP_PKEY *key)
{
    if (!key)
        return generate_key(false);
    return EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}

static bool pad_certificate(X509 *x, size_t padding)
{
    if (!padding)
        return true;
    char *text = malloc(padding + 1);
    if (!text)
        return false;
    memset(text, 'x', padding);
    text[padding] = 0;
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
    bool ok = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    free(text);
    return ok;
}

static bool fill_lab_certificate(X509 *x, EVP_PKEY *key, size_t padding)
{
    return X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S) &&
           X509_gmtime_adj(X509_getm_notAfter(x), (long)LIFETIME_DAYS * DAY_S) &&
           X509_set_pubkey(x, key) && pad_certificate(x, padding) &&
           X509_sign(x, key, EVP_sha256());
}

static bool use_certificate(SSL_CTX *ctx, const struct regress_lab_setup *setup)
{
    EVP_PKEY *key = borrow_or_generate_key(setup->key);
    X509 *x = X509_new();
    bool ok = key && x && fill_lab_certificate(x, key, setup->padding) &&
              SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool limit_versions(SSL_CTX *ctx, int version)
{
    return (!version || SSL_CTX_set_min_proto_version(ctx, version) == 1) &&
           SSL_CTX_set_max_proto_version(ctx, version ? version : DTLS1_2_VERSION) == 1;
}

static bool open_end(struct regress_end *end, const struct regress_lab_setup *setup)
{
    end->ctx = SSL_CTX_new(DTLS_method());
    if (!end->ctx || !limit_versions(end->ctx, setup->version) ||
        (setup->ciphers && SSL_CTX_set_cipher_list(end->ctx, setup->ciphers) != 1) ||
        (end->id == SERVER && !use_certificate(end->ctx, setup)))
        return false;
    end->ssl = SSL_new(end->ctx);
    end->bio = BIO_new(end->lab->method);
    if (!end->ssl || !end->bio || BIO_up_ref(end->bio) != 1)
        return false;
    BIO_set_data(end->bio, end);
    SSL_set_bio(end->ssl, end->bio, end->bio);
    if (end->id == SERVER)
        SSL_set_accept_state(end->ssl);
    else
        SSL_set_connect_state(end->ssl);
    return true;
}

static int make_any_cookie(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    (void)ssl;
    memset(cookie, 'c', 16);
    *len = 16;
    return 1;
}

static int accept_any_cookie(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    (void)ssl;
    (void)cookie;
    return len == 16;
}

void regress_lab_use_cookies(struct regress_lab *lab)
{
    SSL_CTX_set_cookie_generate_cb(lab->end[SERVER].ctx, make_any_cookie);
    SSL_CTX_set_cookie_verify_cb(lab->end[SERVER].ctx, accept_any_cookie);
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_COOKIE_EXCHANGE);
}

struct regress_lab *regress_lab_new(const struct regress_lab_setup *setup)
{
    struct regress_lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return NULL;
    lab->mtu = setup->mtu;
    lab->method = lab_method();
    bool ok = lab->method;
    for (int id = CLIENT; id <= SERVER; id++) {
        lab->end[id].lab = lab;
        lab->end[id].id = id;
        ok = ok && open_end(&lab->end[id], setup);
    }
    if (ok)
        return lab;
    regress_lab_free(lab);
    return NULL;
}

void regress_lab_free(struct regress_lab *lab)
{
    if (!lab)
        return;
    for (int id = CLIENT; id <= SERVER; id++) {
        SSL_free(lab->end[id].ssl);
        BIO_free(lab->end[id].bio);
        SSL_CTX_free(lab->end[id].ctx);
        regress_lab_drop_all(lab, id);
    }
    BIO_meth_free(lab->method);
    free(lab);
}

struct regress_lab *regress_lab_usual(void)
{
    return regress_lab_new(&(struct regress_lab_setup){.mtu = USUAL_MTU});
}

struct regress_lab *regress_lab_connected(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (lab && regress_lab_handshake(lab) && regress_lab_data(lab))
        return lab;
    regress_lab_free(lab);
    return NULL;
}

int regress_lab_step(struct regress_lab *lab, int id)
{
    ERR_clear_error();
    int r = SSL_do_handshake(lab->end[id].ssl);
    if (r == 1)
        lab->end[id].done = true;
    return r;
}

void regress_lab_turns(struct regress_lab *lab, int count)
{
    for (int i = 0; i < count; i++)
        regress_lab_step(lab, i % 2 ? SERVER : CLIENT);
}

static bool both_done(const struct regress_lab *lab)
{
    return lab->end[CLIENT].done && lab->end[SERVER].done;
}

bool regress_lab_handshake(struct regress_lab *lab)
{
    for (int i = 0; i < MOST_TURNS && !both_done(lab); i++)
        regress_lab_turns(lab, 2);
    return both_done(lab);
}

bool regress_lab_handshake_slowly(struct regress_lab *lab)
{
    enum { RETRANSMISSIONS = 4, STEP = 9 * LAB_SECOND }; /* OpenSSL's first four: 1, 2, 4, 8 s */
    bool done = regress_lab_handshake(lab);
    for (int i = 0; !done && i < RETRANSMISSIONS; i++) {
        regress_lab_later(STEP);
        DTLSv1_handle_timeout(lab->end[CLIENT].ssl);
        DTLSv1_handle_timeout(lab->end[SERVER].ssl);
        done = regress_lab_handshake(lab);
    }
    return done;
}

static bool ping_one_way(SSL *from, SSL *to)
{
    enum { TRIES = 4 };
    char buf[8];
    ERR_clear_error();
    if (SSL_write(from, "ping", 4) != 4)
        return false;
    for (int i = 0; i < TRIES; i++)
        if (SSL_read(to, buf, sizeof buf) == 4)
            return true;
    return false;
}

bool regress_lab_data(struct regress_lab *lab)
{
    return ping_one_way(lab->end[CLIENT].ssl, lab->end[SERVER].ssl) &&
           ping_one_way(lab->end[SERVER].ssl, lab->end[CLIENT].ssl);
}

bool regress_lab_works(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return false;
    regress_lab_step(lab, CLIENT);
    regress_lab_drop_all(lab, SERVER);
    regress_lab_later(LAB_FIRST_TIMEOUT);
    bool again = DTLSv1_handle_timeout(lab->end[CLIENT].ssl) == 1;
    bool works = again && regress_lab_handshake(lab) && regress_lab_data(lab);
    regress_lab_free(lab);
    return works;
}
