/* SPDX-License-Identifier: MIT */
/* The exit status of dtls_mtu: --help prints this table. */
#ifndef MTU_EXIT_H
#define MTU_EXIT_H

#define MTU_EXITS(X)                                                                               \
    X(OK, 0, "measured, no defect found")                                                          \
    X(DEFECT, 1, "the path has a defect, or a direction carries less than --require")              \
    X(USAGE, 2, "wrong usage, or a local file that cannot be used")                                \
    X(NO_ANSWER, 3, "no answer, port refused, host unreachable, or name not found")                \
    X(NOT_MEASURABLE, 4, "this server cannot be measured: no cookies, or not DTLS")                \
    X(UNSURE, 5, "no clear limit found within --timeout and --max-probes")

enum mtu_exit {
#define MTU_X(name, value, text) MTU_EXIT_##name = (value),
    MTU_EXITS(MTU_X)
#undef MTU_X
};

/* Ended by signal n: MTU_EXIT_SIGNAL + n, as a shell reports it. */
enum { MTU_EXIT_SIGNAL = 128 };

#endif
