/* SPDX-License-Identifier: MIT */
/* The operations of fuzz_keylog. */
#ifndef FUZZ_KEYLOG_H
#define FUZZ_KEYLOG_H

#include <stdint.h>

enum code {
    CODE_LINES,  /* the data are text */
    CODE_SECRET, /* arg: bits 0 to 2 its kind, bit 3 short, bit 4 capitals; data: client, secret */
    CODE_BEGIN,  /* arg: bits 0 to 4 the suite, 5 and 6 the version, 7 encrypt-then-MAC;
                  * data: client; with suite 31 the suite's number, and the version's */
    CODE_SEAL,   /* arg: bit 0 from the server, 1 connection id, 2 and 3 epoch, 4 to 7 padding */
    CODE_OPEN, /* the data are records; arg: bit 0 from the server, the others the length of the CID
                */
    CODE_SKIP, /* arg: distance of the next sealed record's number from the expected one */
    CODE_FAULT, /* something fails in the next operation. arg: bits 0 and 1 what, the others when */
    CODES
};

enum fault { FAULT_CRYPTO, FAULT_MEMORY, FAULT_PADDING, FAULT_LENGTH, FAULTS, FAULT_NONE = FAULTS };

/* What CODE_BEGIN selects; the last one is none. */
extern const uint16_t keylog_suites[32];

#endif
