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

/* libcrypto asks this gettimeofday() for the time of its retransmission timers: a process has one
 * clock, so this one is its state, and what is wrong with it and the network. */
static int64_t now_us = INT64_C(1700000000) * 1000000;
static enum lab_fault wrong;

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv,
                                                        void *restrict zone)
{
    (void)zone;
    tv->tv_sec = (time_t)(now_us / 1000000);
    tv->tv_usec = (suseconds_t)(now_us % 1000000);
    return 0;
}

void lab_later(long ms)
{
    if (wrong != LAB_FROZEN)
        now_us += (int64_t)ms * 1000;
}

void lab_break(enum lab_fault fault)
{
    wrong = fault;
}

bool lab_put(struct lab *lab, int to, const void *data, size_t len)
{
    if (lab->before)
        lab->before(lab, to, data, len);
    if (wrong == LAB_DEAF)
        return true;
    struct dgram *d = malloc(sizeof *d + len);
    if (!d)
        return false;
    d->next = NULL;
    d->len = len;
    memcpy(d->data, data, len);
    struct dgram **last = &lab->end[to].in;
    while (*last)
        last = &(*last)->next;
    *last = d;
    return true;
}

bool lab_inject(struct lab *lab, int to, uint8_t type, uint16_t epoch, uint64_t seq,
                const void *body, size_t len)
{
    uint8_t buf[128];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    size_t mark = sd_record_open(&w, type, SD_DTLS_1_2, epoch, seq);
    sd_wr_bytes(&w, body, len);
    sd_record_close(&w, mark);
    return sd_wr_len(&w) && lab_put(lab, to, buf, sd_wr_len(&w));
}

struct dgram *lab_take(struct lab *lab, int to)
{
    struct dgram *d = lab->end[to].in;
    if (d)
        lab->end[to].in = d->next;
    return d;
}

void lab_drop_all(struct lab *lab, int to)
{
    for (struct dgram *d; (d = lab_take(lab, to));)
        free(d);
}

size_t lab_count(const struct lab *lab, int to)
{
    size_t n = 0;
    for (const struct dgram *d = lab->end[to].in; d; d = d->next)
        n++;
    return n;
}

size_t lab_largest(const struct lab *lab, int to)
{
    size_t n = 0;
    for (const struct dgram *d = lab->end[to].in; d; d = d->next)
        n = d->len > n ? d->len : n;
    return n;
}

static int bio_write(BIO *bio, const char *data, int len)
{
    struct end *end = BIO_get_data(bio);
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
    return lab_put(end->lab, !end->id, data, (size_t)len) ? len : -1;
}

static int bio_read(BIO *bio, char *data, int cap)
{
    struct end *end = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (end->read_error) {
        errno = end->read_error;
        end->read_error = 0;
        return -1;
    }
    struct dgram *d = end->peeks ? end->in : lab_take(end->lab, end->id);
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

static long bio_ctrl(BIO *bio, int what, long number, void *arg)
{
    (void)arg;
    struct end *end = BIO_get_data(bio);
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

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lab");
    if (m && BIO_meth_set_write(m, bio_write) && BIO_meth_set_read(m, bio_read) &&
        BIO_meth_set_ctrl(m, bio_ctrl) && BIO_meth_set_create(m, bio_create))
        return m;
    BIO_meth_free(m);
    return NULL;
}

static bool choose_key(EVP_PKEY_CTX *ctx, bool rsa)
{
    if (EVP_PKEY_keygen_init(ctx) != 1)
        return false;
    return rsa ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1
               : EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) == 1;
}

static EVP_PKEY *key_new(bool rsa)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(rsa ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;
    if (ctx && choose_key(ctx, rsa) && EVP_PKEY_keygen(ctx, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool pad(X509 *x, size_t padding)
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

static bool fill(X509 *x, EVP_PKEY *key, size_t padding)
{
    return X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
           X509_gmtime_adj(X509_getm_notAfter(x), 10000L * 86400) && X509_set_pubkey(x, key) &&
           pad(x, padding) && X509_sign(x, key, EVP_sha256());
}

static bool certify(SSL_CTX *ctx, const struct lab_setup *setup)
{
    EVP_PKEY *key = key_new(setup->rsa);
    X509 *x = X509_new();
    bool ok = key && x && fill(x, key, setup->padding) && SSL_CTX_use_certificate(ctx, x) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, key) == 1;
    X509_free(x);
    EVP_PKEY_free(key);
    return ok;
}

static bool set_version(SSL_CTX *ctx, int version)
{
    return (!version || SSL_CTX_set_min_proto_version(ctx, version) == 1) &&
           SSL_CTX_set_max_proto_version(ctx, version ? version : DTLS1_2_VERSION) == 1;
}

static bool end_open(struct end *end, const struct lab_setup *setup)
{
    end->ctx = SSL_CTX_new(DTLS_method());
    if (!end->ctx || !set_version(end->ctx, setup->version) ||
        (setup->ciphers && SSL_CTX_set_cipher_list(end->ctx, setup->ciphers) != 1) ||
        (end->id == SERVER && !certify(end->ctx, setup)))
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

static int cookie_make(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    (void)ssl;
    memset(cookie, 'c', 16);
    *len = 16;
    return 1;
}

static int cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    (void)ssl;
    (void)cookie;
    return len == 16;
}

void lab_use_cookies(struct lab *lab)
{
    SSL_CTX_set_cookie_generate_cb(lab->end[SERVER].ctx, cookie_make);
    SSL_CTX_set_cookie_verify_cb(lab->end[SERVER].ctx, cookie_check);
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_COOKIE_EXCHANGE);
}

struct lab *lab_new(const struct lab_setup *setup)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return NULL;
    lab->mtu = setup->mtu;
    lab->method = method_new();
    bool ok = lab->method;
    for (int id = CLIENT; id <= SERVER; id++) {
        lab->end[id].lab = lab;
        lab->end[id].id = id;
        ok = ok && end_open(&lab->end[id], setup);
    }
    if (ok)
        return lab;
    lab_free(lab);
    return NULL;
}

void lab_free(struct lab *lab)
{
    if (!lab)
        return;
    for (int id = CLIENT; id <= SERVER; id++) {
        SSL_free(lab->end[id].ssl);
        BIO_free(lab->end[id].bio);
        SSL_CTX_free(lab->end[id].ctx);
        lab_drop_all(lab, id);
    }
    BIO_meth_free(lab->method);
    free(lab);
}

int lab_step(struct lab *lab, int id)
{
    ERR_clear_error();
    int r = SSL_do_handshake(lab->end[id].ssl);
    if (r == 1)
        lab->end[id].done = true;
    return r;
}

bool lab_handshake(struct lab *lab)
{
    for (int i = 0; i < 20 && !(lab->end[CLIENT].done && lab->end[SERVER].done); i++) {
        lab_step(lab, CLIENT);
        lab_step(lab, SERVER);
    }
    return lab->end[CLIENT].done && lab->end[SERVER].done;
}

bool lab_handshake_slowly(struct lab *lab)
{
    bool done = lab_handshake(lab);
    for (int i = 0; !done && i < 4; i++) {
        lab_later(9000);
        DTLSv1_handle_timeout(lab->end[CLIENT].ssl);
        DTLSv1_handle_timeout(lab->end[SERVER].ssl);
        done = lab_handshake(lab);
    }
    return done;
}

static bool one_way(SSL *from, SSL *to)
{
    char buf[8];
    ERR_clear_error();
    if (SSL_write(from, "ping", 4) != 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (SSL_read(to, buf, sizeof buf) == 4)
            return true;
    return false;
}

bool lab_data(struct lab *lab)
{
    return one_way(lab->end[CLIENT].ssl, lab->end[SERVER].ssl) &&
           one_way(lab->end[SERVER].ssl, lab->end[CLIENT].ssl);
}

bool lab_works(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return false;
    lab_step(lab, CLIENT);
    lab_drop_all(lab, SERVER);
    lab_later(1100);
    bool again = DTLSv1_handle_timeout(lab->end[CLIENT].ssl) == 1;
    bool works = again && lab_handshake(lab) && lab_data(lab);
    lab_free(lab);
    return works;
}
