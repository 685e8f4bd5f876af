/* SPDX-License-Identifier: MIT */
/* Compares what OpenSSL reads in handshake messages with what our parsers read. A message that
 * OpenSSL accepts must parse, and what OpenSSL agreed on must be what the hellos say. */
#ifndef FUZZ_AGREE_H
#define FUZZ_AGREE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct agree {
    int refused;  /* type of a message that does not parse, until OpenSSL refuses it, or 0 */
    bool done;    /* compared once: a second handshake may be refused after its hello */
    bool hello;   /* the peer's hello was seen */
    bool counted; /* and the peer's certificates */
    int certificates;
    uint8_t random[32];
    uint16_t suite; /* the server's choice */
    uint8_t protocol[255];
    size_t protocol_len; /* and of ALPN */
};

/* Begins; `a` lives as long as `ssl`. Uses the message callback of `ssl`. */
void agree_watch(struct agree *a, SSL *ssl);
/* The first handshake is complete: compares. */
void agree_ready(struct agree *a, SSL *ssl);

#endif
