/* SPDX-License-Identifier: MIT */
/* What the exit status of a tool means. --help and the man page list this table. */
#ifndef TOOL_EXIT_H
#define TOOL_EXIT_H

#include <stdbool.h>

#define TOOL_EXITS(X)                                                                              \
    X(OK, 0, "success")                                                                            \
    X(NETWORK, 1, "network error: unknown name, port refused or in use, address unreachable")      \
    X(USAGE, 2, "wrong usage, or a local file that cannot be used")                                \
    X(TIMEOUT, 3, "timeout: no answer, an unfinished handshake, or no data (--idle)")              \
    X(HANDSHAKE, 4, "handshake failed: an alert, or an answer that is not DTLS")                   \
    X(TRUST, 5, "the peer is not trusted")                                                         \
    X(CLOSED, 6, "the connection ended with a fatal alert after the handshake")                    \
    X(LOSS, 7, "data was lost on this host (--strict)")

enum tool_exit {
#define TOOL_X(name, value, text) TOOL_EXIT_##name = (value),
    TOOL_EXITS(TOOL_X)
#undef TOOL_X
};

/* Ended by signal n: TOOL_EXIT_SIGNAL + n, as a shell reports it. */
enum { TOOL_EXIT_SIGNAL = 128 };

/* The status (enum tool_exit) for an enum sdtls_err, before or after the handshake. */
int tool_exit_of(int err, bool established);

#endif
