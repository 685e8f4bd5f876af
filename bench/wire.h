/* SPDX-License-Identifier: MIT */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

/* The least that OpenSSL needs to speak DTLS: a BIO that reads the one datagram it was given, and
 * hands each datagram it writes to a function. It makes no system calls. */
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    const uint8_t *in; /* read next, then NULL; borrowed */
    size_t in_len;
    void (*send)(struct wire *w, const uint8_t *data, size_t len);
};

/* Gives ssl such a BIO over w, which must outlive it, and an MTU that loopback carries. */
int wire_attach(SSL *ssl, struct wire *w);
/* The cipher suite of every measurement with certificates. */
#define WIRE_CIPHER "ECDHE-ECDSA-AES128-GCM-SHA256"
#define WIRE_PSK_CIPHER "PSK-AES128-GCM-SHA256"

#endif
