/* What the guard keeps from OpenSSL, and why (facts: docs/guard.md). */
#ifndef SD_SESSION_COUNTERS_H
#define SD_SESSION_COUNTERS_H

#define SD_GUARD_COUNTERS(X)                                                                       \
    X(MALFORMED, "malformed")       /* no record, or one longer than the datagram */               \
    X(CONTENT_TYPE, "content-type") /* a type that has no business here and now */                 \
    X(ALERT, "alert")               /* plaintext alert: noted, not obeyed */                       \
    X(HANDSHAKE, "handshake")       /* handshake header that contradicts itself or the state */    \
    X(OLD_EPOCH, "old-epoch")       /* plaintext on an established association */                  \
    X(SHORT, "short")               /* protected record too short for its cipher */                \
    X(EARLY, "early")               /* protected records beyond what is kept before the keys */    \
    X(WRITE_ERROR, "write-error")   /* send errors swallowed */                                    \
    X(READ_ERROR, "read-error")     /* ICMP errors swallowed */                                    \
    X(SEQUENCE, "sequence")         /* epoch-0 records whose number was put right */               \
    X(QUEUE_FULL, "queue-full")     /* more datagrams injected than are kept */

enum sd_guard_counter {
#define SD_X(name, text) SD_GUARD_##name,
    SD_GUARD_COUNTERS(SD_X)
#undef SD_X
        SD_GUARD_COUNTER_COUNT
};

#endif
