/* SPDX-License-Identifier: MIT */
/* The listen path as a pure function: one datagram from an unproven address,
 * in; drop, reply or admit, out. No allocation, no socket, no clock, no OpenSSL:
 * a flood costs what this function costs (RFC 6347 section 4.2.1). */
#ifndef SD_GATE_GATE_H
#define SD_GATE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "wire/iana.h"

enum {
    SD_GATE_COOKIE_LEN = 20,
    SD_GATE_SECRET_LEN = 32,
    SD_GATE_REPLY_MAX = 64, /* a HelloVerifyRequest is 48 bytes with our cookie */
};

/* How long a secret signs; its cookies stay good for one more period. */
#define SD_GATE_PERIOD (60 * SD_SEC)

/* Reason, stable name of its counter. */
#define SD_GATE_REASONS(X)                                                                         \
    X(NO_COOKIE, "no-cookie")     /* fine so far: gets the HelloVerifyRequest */                   \
    X(BAD_COOKIE, "bad-cookie")   /* stale, forged or in message 0: gets a fresh one */            \
    X(GOOD_COOKIE, "good-cookie") /* admitted */                                                   \
    X(NOT_DTLS, "not-dtls")       /* not a record of any DTLS version */                           \
    X(EPOCH, "epoch")             /* protected record: an association we do not know */            \
    X(NOT_HELLO, "not-hello")     /* plaintext, but no ClientHello */                              \
    X(FRAGMENT, "fragment")       /* a later fragment, or one that ends before the cookie */       \
    X(MALFORMED, "malformed")     /* a ClientHello that contradicts itself */                      \
    X(TOO_SMALL, "too-small")     /* smaller than the reply would be */

enum sd_gate_reason {
#define SD_X(name, text) SD_GATE_##name,
    SD_GATE_REASONS(SD_X)
#undef SD_X
        SD_GATE_REASON_COUNT
};

enum sd_gate_verdict { SD_GATE_DROP, SD_GATE_REPLY, SD_GATE_ADMIT };

/* HMAC-SHA-256(key, data), handed in because the gate knows no OpenSSL. */
typedef void sd_gate_mac(void *arg, const uint8_t key[SD_GATE_SECRET_LEN], const uint8_t *data,
                         size_t len, uint8_t out[32]);

struct sd_gate {
    uint8_t secret[2][SD_GATE_SECRET_LEN]; /* [0] signs, both verify */
    bool has_previous;
    sd_time rotate_at;
    sd_gate_mac *mac;
    void *mac_arg;
};

struct sd_gate_result {
    enum sd_gate_verdict verdict;
    enum sd_gate_reason reason;
    size_t reply_len;    /* bytes of the reply, for SD_GATE_REPLY */
    uint64_t record_seq; /* of the ClientHello's record, for SD_GATE_ADMIT */
    size_t trailing;     /* bytes after the last record, which are ignored */
    uint8_t random[32];  /* ClientHello.random, whenever one was read */
};

/* `secret` must be fresh random bytes; it is copied. */
void sd_gate_init(struct sd_gate *g, sd_gate_mac *mac, void *mac_arg,
                  const uint8_t secret[static SD_GATE_SECRET_LEN], sd_time now);
/* True when the signing secret has served its period. */
bool sd_gate_wants_secret(const struct sd_gate *g, sd_time now);
/* Takes a fresh secret; the current one verifies for one more period. */
void sd_gate_rotate(struct sd_gate *g, const uint8_t secret[static SD_GATE_SECRET_LEN],
                    sd_time now);
/* Takes over the secrets of another gate, and when they change: both then accept each other's
 * cookies. */
void sd_gate_follow(struct sd_gate *g, const struct sd_gate *other);
/* False: sd_gate_check() would drop it, as it would any datagram that begins with no handshake
 * record. For those who would ask it about every record of data. */
static inline bool sd_gate_concerns(const uint8_t *data, size_t len)
{
    struct sd_rd r = sd_rd_init(data, len);
    return sd_rd_u8(&r) == SD_CT_HANDSHAKE;
}

/* Judges one datagram; never writes more than SD_GATE_REPLY_MAX or `len` bytes
 * to `reply`. */
struct sd_gate_result sd_gate_check(const struct sd_gate *g, const uint8_t *data, size_t len,
                                    const struct sd_addr *peer, const struct sd_addr *local,
                                    uint8_t reply[static SD_GATE_REPLY_MAX]);
/* The same for an address that has an association already, begun with the ClientHello.random
 * `standing`: only a cookie made after that is good, so nobody can begin again with a hello that
 * was recorded earlier. NULL: it has none. */
struct sd_gate_result sd_gate_check_beside(const struct sd_gate *g, const uint8_t *standing,
                                           const uint8_t *data, size_t len,
                                           const struct sd_addr *peer, const struct sd_addr *local,
                                           uint8_t reply[static SD_GATE_REPLY_MAX]);
const char *sd_gate_reason_name(enum sd_gate_reason r);

#endif
