/* SPDX-License-Identifier: MIT */
/* The operations of fuzz_listen. */
#ifndef FUZZ_LISTEN_H
#define FUZZ_LISTEN_H

#include "sukat_dtls.h"
#include "base/addr.h"
#include "gate/gate.h"
#include "wire/hello.h"

enum code {
    CODE_DATAGRAM, /* who sends it, see pair() in senders.h; bit 7: not read yet */
    /* who; data: random, length of the session id, size of the first fragment; then pairs: a place
     * in the datagram and the byte there */
    CODE_HELLO,
    CODE_ANSWER, /* who: its last hello with its last cookie; data: what is wrong with it; pairs */
    CODE_TIME,   /* arg * 100 ms */
    CODE_FAULT,  /* bits 0 to 2 the call, 3 and 4 when, 5 to 7 errno */
    CODE_NO_MEMORY,
    CODE_CLOSE,   /* who */
    CODE_SEND,    /* who; bit 6: padded */
    CODE_CONNECT, /* a client of ours; bit 0 IPv6, bit 1 two addresses, bit 2 nobody asks for the
                     connection */
    CODE_SERVER,  /* what the server of that client says */
    CODE_ICMP,    /* who; bit 7: about the client; data: errno, MTU (2) */
    CODE_SESSION, /* the next session does not begin; 255: no random numbers */
    CODE_WAIT,    /* arg * 10 ms, in sdtls_next() */
    CODE_CONFIG, /* first operation: options; which allocation fails, enum rarity, enum more_rarity;
                    a fault from the beginning, see vk_fault() */
    CODE_LISTEN, /* at another address, see listen_at() */
    CODE_TRAITS, /* of the next datagram */
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

/* Rare settings of a configuration. */
enum rarity {
    RARE_LIMITS = 1, /* the library's own limits */
    RARE_QUIET = 2,  /* no log and no tap */
    RARE_PSK = 4,
    RARE_NEWER = 8, /* a program that is newer than the library */
    RARE_ANY_PORT = 16,
    RARE_ADOPT = 32,
    RARE_SOCKETS = 64, /* as many sockets as the process may have */
    RARE_POLLED = 128
};

/* More of them. */
enum more_rarity {
    MORE_OLDER = 1,   /* a program that is older than the library */
    MORE_UNSIZED = 2, /* ... or was not written for it */
    MORE_DEAF = 4,    /* does not listen; connects before it may */
    MORE_FEW_FILES = 8,
    MORE_INTERFACE = 16,
    MORE_ALMOST = 32, /* logs errors only */
    MORE_EMPTY_PSK = 64,
    MORE_BAD_INTERFACE = 128 /* one that does not exist; with MORE_INTERFACE: too long a name */
};

/* sdtls_config as a later version may have it. */
struct newer {
    sdtls_config config;
    uint64_t more;
};

void listen_rare(struct newer *n, uint8_t rare, uint8_t more);
/* The limit of open files decides how many clients get a socket of their own. */
int listen_with_few_files(sdtls *s);
int listen_adopt_any(sdtls *s);
/* An endpoint with a bad configuration, or one that could not be set up, answers every call with an
 * error. */
void listen_check_useless(sdtls *s);
/* Listens at another address and checks the result. */
void listen_at(sdtls *s, uint8_t place);
/* Calls everything that may be called for an endpoint at any time. */
void listen_ask_endpoint(sdtls *s);
/* Calls everything that may be called for a connection that has ended. */
void listen_ask_over(sdtls *s, sdtls_conn *c);
/* Calls everything that may be called for a connection and its endpoint. */
void listen_ask(sdtls *s, sdtls_conn *c);
void listen_ask_names(void);

void listen_cookies_begin(void);
/* The gate gave a cookie to a sender that had written to `from`. */
void listen_cookie_given(const struct sd_addr *to, const struct sd_addr *from,
                         const uint8_t cookie[static SD_GATE_COOKIE_LEN]);
/* No random numbers for another secret: cookies stay good. */
void listen_secret_stays(void);
/* The cookie was given to this peer, and not too long ago; or it was given to nobody and is right
 * all the same, because the mutator knows the first secret of a run. `standing`: the random of the
 * connection that the peer has, or NULL. */
bool listen_may_enter(const struct sd_addr *peer, const struct sd_addr *local,
                      const struct sd_client_hello *ch, const uint8_t *standing, bool faulty);

enum { LISTEN_HANDSHAKE_S = 10 };

/* The random of the connection that the peer of `c` had when it came, or NULL. */
const uint8_t *listen_standing(const sdtls *s, const sdtls_conn *c);
/* Another connection between the addresses of `old` is established. */
bool listen_replaced(const sdtls *s, const sdtls_conn *old);
void listen_check_limits(const sdtls *s, bool faulty);

#endif
