/* The operations of fuzz_listen. */
#ifndef FUZZ_LISTEN_H
#define FUZZ_LISTEN_H

#include "sukat_dtls.h"
#include "base/addr.h"
#include "wire/hello.h"

enum code {
    CODE_DATAGRAM, /* who; bit 7: no reading yet */
    /* who; data: random, length of the session id, size of the first fragment; then pairs of a
     * place in the datagram and the byte there */
    CODE_HELLO,
    CODE_ANSWER, /* who: his last hello, with his last cookie; data: what is wrong with it; pairs */
    CODE_TIME,   /* arg * 100 ms */
    CODE_FAULT,  /* bits 0 to 2 the call, 3 and 4 when, 5 to 7 errno */
    CODE_NO_MEMORY,
    CODE_CLOSE,   /* who */
    CODE_SEND,    /* who; bit 6: padded */
    CODE_CONNECT, /* a client of ours; bit 0 IPv6, bit 1 two addresses */
    CODE_SERVER,  /* what the server of that client says */
    CODE_ICMP,    /* who; bit 7: about the client; data: errno, MTU (2) */
    CODE_SESSION, /* the next session does not begin */
    CODE_WAIT,    /* arg * 10 ms, in sdtls_next() */
    CODE_CONFIG,  /* first operation: options; which allocation fails, what is rare */
    CODES
};

enum twist {
    TWIST_NONE,
    TWIST_BIT,       /* of the cookie */
    TWIST_OTHERS,    /* the cookie of the next sender */
    TWIST_MESSAGE_0, /* shown in message 0 */
    TWIST_RANDOM,
    TWIST_SHORT,
    TWIST_RECORD_BEHIND,
    TWISTS
};

/* Of a configuration. */
enum rarity {
    RARE_LIMITS = 1, /* the library's own */
    RARE_QUIET = 2,  /* no log, no tap */
    RARE_PSK = 4,
    RARE_NEWER = 8, /* a program that is newer than the library */
    RARE_ANY_PORT = 16,
    RARE_ADOPT = 32,
    RARE_SOCKETS = 64, /* as many as the process may have */
    RARE_POLLED = 128
};

/* Whatever may be asked of a connection and its endpoint. */
void listen_ask(sdtls *s, sdtls_conn *c);
void listen_ask_names(void);

/* The cookie is right although it may never have been given: by the secret that a run begins with.
 */
bool listen_guessed(const struct sd_addr *peer, const struct sd_addr *local,
                    const struct sd_client_hello *ch);

#endif
