/* SPDX-License-Identifier: MIT */
#include "openssl/ossl_bio.h"

#include <errno.h>

#include "harness/common.h"

enum { FALLBACK_MTU = 548, OVERHEAD = 28 /* headers of IPv4 and UDP */ };

static int bio_write(BIO *bio, const char *data, int len)
{
    struct ossl_bio *b = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    errno = b->refused = -b->send(b->arg, data, (size_t)len);
    if (b->refused == EAGAIN)
        BIO_set_retry_write(bio);
    return b->refused ? -1 : len;
}

static int bio_read(BIO *bio, char *data, int cap)
{
    const struct ossl_bio *b = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    const int n = b->receive(b->arg, data, (size_t)cap);
    if (n >= 0)
        return n;
    errno = -n;
    if (n == -EAGAIN)
        BIO_set_retry_read(bio);
    return -1;
}

static long bio_flush(BIO *bio)
{
    const struct ossl_bio *b = BIO_get_data(bio);
    const int rc = b->flush ? b->flush(b->arg) : 0;
    if (rc == -EAGAIN)
        BIO_set_retry_write(bio);
    return !rc;
}

static long bio_ctrl(BIO *bio, int what, long number, void *to)
{
    (void)number;
    const struct ossl_bio *b = BIO_get_data(bio);
    switch (what) {
    case BIO_CTRL_FLUSH:
        return bio_flush(bio);
    case BIO_CTRL_DUP:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        return 1;
    case BIO_CTRL_DGRAM_MTU_EXCEEDED:
        return b->refused == EMSGSIZE;
    case BIO_CTRL_DGRAM_GET_PEER:
        return b->peer ? b->peer(b->arg, to) : 0;
    case BIO_CTRL_DGRAM_QUERY_MTU:
        return (long)b->mtu;
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return FALLBACK_MTU;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return OVERHEAD;
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO *ossl_bio_new(struct ossl_bio *b)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
        fuzz_check(method && BIO_meth_set_write(method, bio_write) &&
                       BIO_meth_set_read(method, bio_read) && BIO_meth_set_ctrl(method, bio_ctrl) &&
                       BIO_meth_set_create(method, bio_create),
                   "no BIO method");
    }
    BIO *bio = BIO_new(method);
    if (bio)
        BIO_set_data(bio, b);
    return bio;
}
