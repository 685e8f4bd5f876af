/* SPDX-License-Identifier: MIT */
/* A datagram BIO without a socket: functions carry the datagrams, and it answers OpenSSL what a
 * UDP socket of Linux would. */
#ifndef FUZZ_OSSL_BIO_H
#define FUZZ_OSSL_BIO_H

#include <openssl/bio.h>
#include <stddef.h>

struct ossl_bio {
    /* 0, or a negative errno. After -EAGAIN OpenSSL may try again. */
    int (*send)(void *arg, const void *data, size_t len);
    /* The bytes of the next datagram, at most `cap`, or a negative errno. -EAGAIN: none is there.
     */
    int (*receive)(void *arg, void *data, size_t cap);
    /* 0, or a negative errno. NULL: flushing works. */
    int (*flush)(void *arg);
    /* Who sent the datagram that was read last: 1, or 0 for unknown. NULL: always unknown. */
    int (*peer)(void *arg, BIO_ADDR *to);
    void *arg;
    size_t mtu;  /* bytes of UDP payload that the route carries */
    int refused; /* errno of the last send, 0: it worked; kept by the BIO */
};

/* `b` outlives the BIO. NULL: no memory. */
BIO *ossl_bio_new(struct ossl_bio *b);

#endif
