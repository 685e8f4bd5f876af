/* SPDX-License-Identifier: MIT */
/* The probe: a ClientHello without a cookie, made to an exact size. Its record number names
 * the probe: a HelloVerifyRequest repeats it (RFC 6347 section 4.2.1; OpenSSL,
 * Mbed TLS and wolfSSL do, GnuTLS answers with 0, measured), and an ICMP error quotes it.
 * Sizes are bytes of UDP payload. */
#ifndef MTU_HELLO_H
#define MTU_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What fills the datagram. */
enum mtu_hello_pad {
    MTU_HELLO_PLAIN, /* nothing: the size is what it is */
    MTU_HELLO_EXT,   /* the padding extension (RFC 7685), up to the size of a record */
    MTU_HELLO_JUNK   /* records after the hello that every server discards */
};

enum mtu_hello_answer {
    MTU_HELLO_COOKIE,    /* HelloVerifyRequest or HelloRetryRequest: the server keeps no state */
    MTU_HELLO_NO_COOKIE, /* a ServerHello at once */
    MTU_HELLO_ALERT,
    MTU_HELLO_FOREIGN /* not DTLS */
};

/* Size of a hello with nothing added. */
size_t mtu_hello_least(void);
/* Writes a hello of `size` bytes (with MTU_HELLO_PLAIN of mtu_hello_least()); what does not fit an
 * extension is filled with junk. Returns the bytes written, 0 = not possible. */
size_t mtu_hello_build(void *buf, size_t cap, uint64_t seq, size_t size, enum mtu_hello_pad pad);
/* What the answer is, the number of its first record, and the description of an alert. */
enum mtu_hello_answer mtu_hello_read(const void *datagram, size_t len, uint64_t *seq,
                                     uint8_t *alert);
/* A fatal alert, so that a server without cookies forgets this client. */
size_t mtu_hello_goodbye(void *buf, size_t cap, uint64_t seq);
/* The record number at the beginning of what an ICMP error quotes. */
bool mtu_hello_quoted(const void *payload, size_t len, uint64_t *seq);

#endif
