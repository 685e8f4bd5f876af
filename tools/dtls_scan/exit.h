/* SPDX-License-Identifier: MIT */
/* The exit status of dtls_scan: --help prints this table. */
#ifndef SCAN_EXIT_H
#define SCAN_EXIT_H

#define SCAN_EXITS(X)                                                                              \
    X(OK, 0, "scanned; nothing as severe as --fail-on")                                            \
    X(FINDING, 1, "a result is as severe as --fail-on, or worse")                                  \
    X(USAGE, 2, "wrong usage, or a local file that cannot be used")                                \
    X(NO_ANSWER, 3, "no answer, port refused, host unreachable, or name not found")                \
    X(FOREIGN, 4, "the answer is not DTLS")                                                        \
    X(UNFINISHED, 5,                                                                               \
      "the scan ended early: the server refuses all hellos or went silent, or a limit was "        \
      "reached")

enum scan_exit {
#define SCAN_X(name, value, text) SCAN_EXIT_##name = (value),
    SCAN_EXITS(SCAN_X)
#undef SCAN_X
};

/* Ended by signal n: SCAN_EXIT_SIGNAL + n, as a shell reports it. */
enum { SCAN_EXIT_SIGNAL = 128 };

#endif
