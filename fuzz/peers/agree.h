/* What OpenSSL reads, and what our parsers make of the same messages. A message that
 * OpenSSL goes on after must parse, and what it agreed on must be what we read in the hellos. */
#ifndef FUZZ_AGREE_H
#define FUZZ_AGREE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct agree {
    int refused;  /* type of a message that does not parse, until OpenSSL refuses it; 0: none */
    bool done;    /* compared; a second handshake may be turned down after its hello */
    bool hello;   /* of the peer: seen; */
    bool counted; /* his certificates, too */
    int certificates;
    uint8_t random[32];
    uint16_t suite; /* a server's choice, */
    uint8_t protocol[255];
    size_t protocol_len; /* also of ALPN */
};

/* From now on; `a` lives as long as `ssl`. Takes its message callback. */
void agree_watch(struct agree *a, SSL *ssl);
/* Its first handshake is complete. */
void agree_ready(struct agree *a, SSL *ssl);

#endif
