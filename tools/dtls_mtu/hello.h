/* The probe: a ClientHello without a cookie, made to an exact size. Its record number is
 * the probe's id: a HelloVerifyRequest repeats it (RFC 6347 section 4.2.1; OpenSSL,
 * Mbed TLS and wolfSSL do, GnuTLS answers with 0, measured), and an ICMP error quotes it. */
#ifndef MTU_HELLO_H
#define MTU_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What fills the datagram. */
enum hello_pad {
    HELLO_PLAIN, /* nothing: the size is what it is */
    HELLO_EXT,   /* the padding extension (RFC 7685), up to the size of a record */
    HELLO_JUNK   /* records behind the hello that every server throws away */
};

enum hello_answer {
    HELLO_COOKIE,    /* a HelloVerifyRequest, or the same of DTLS 1.3: no state there */
    HELLO_NO_COOKIE, /* a ServerHello at once */
    HELLO_ALERT,     /* in DTLS, but a refusal */
    HELLO_FOREIGN    /* not DTLS */
};

/* UDP payload bytes of a hello with nothing added. */
size_t hello_least(void);
/* Writes a hello of `size` bytes (with HELLO_PLAIN of hello_least()); what does not fit an
 * extension is filled with junk. Returns the bytes written, 0 = not possible. */
size_t hello_build(void *buf, size_t cap, uint64_t seq, size_t size, enum hello_pad pad);
/* The answer, the number of its first record, and of an alert its description. */
enum hello_answer hello_read(const void *datagram, size_t len, uint64_t *seq, uint8_t *alert);
/* A fatal alert that lets a server without cookies forget us. */
size_t hello_goodbye(void *buf, size_t cap, uint64_t seq);
/* The record number at the beginning of what an ICMP error quotes. */
bool hello_quoted(const void *payload, size_t len, uint64_t *seq);

#endif
