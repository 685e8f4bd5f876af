/* SPDX-License-Identifier: MIT */
/* What the guard keeps away from OpenSSL; docs/guard.md says why. */
#ifndef SD_SESSION_COUNTERS_H
#define SD_SESSION_COUNTERS_H

#define SD_GUARD_COUNTERS(X)                                                                       \
    X(MALFORMED, "malformed")       /* no record, or longer than its datagram */                   \
    X(CONTENT_TYPE, "content-type") /* a type that is not allowed here */                          \
    X(ALERT, "alert")               /* plaintext alert: noted, not obeyed */                       \
    X(HANDSHAKE, "handshake")       /* handshake header that contradicts itself or the state */    \
    X(OLD_EPOCH, "old-epoch")       /* plaintext on an established session */                      \
    X(SHORT, "short")               /* protected record too short for its cipher */                \
    X(EARLY, "early")               /* more protected records than are kept before the keys */     \
    X(WRITE_ERROR, "write-error")   /* send errors hidden from OpenSSL */                          \
    X(KEPT, "kept")                 /* datagrams of data that the socket did not take at once */   \
    X(UNSENT, "unsent")             /* of those: never sent */                                     \
    X(READ_ERROR, "read-error")     /* ICMP errors hidden from OpenSSL */                          \
    X(SEQUENCE, "sequence")         /* outgoing epoch-0 records that got another number */         \
    X(QUEUE_FULL, "queue-full")     /* datagrams beyond the length of the queue */

enum sd_guard_counter {
#define SD_X(name, text) SD_GUARD_##name,
    SD_GUARD_COUNTERS(SD_X)
#undef SD_X
        SD_GUARD_COUNTER_COUNT
};

#endif
