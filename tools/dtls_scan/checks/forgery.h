/* SPDX-License-Identifier: MIT */
/* What somebody who can forge a datagram may send to an association. The scanner sends it to its
 * own, and asks whether that is still alive. */
#ifndef SCAN_CHECKS_FORGERY_H
#define SCAN_CHECKS_FORGERY_H

#include <stdbool.h>

#include "dtls_scan/checks/check.h"

#define SCAN_FORGERIES(X)                                                                          \
    X(ALERT, "forged-alert", "Forged alert", "a fatal alert in plaintext")                         \
    X(CLOSE, "forged-close", "Forged close_notify", "a close_notify in plaintext")                 \
    X(WARNINGS, "forged-warnings", "Forged warnings", "six warning alerts in plaintext")           \
    X(CCS, "forged-ccs", "Forged ChangeCipherSpec", "a ChangeCipherSpec")                          \
    X(MESSAGES, "forged-handshake", "Forged messages", "handshake messages in plaintext")          \
    X(DATA, "forged-data", "Forged data", "application data in plaintext")                         \
    X(TYPES, "unknown-types", "Unknown content types", "records of unknown content types")         \
    X(GARBAGE, "garbage", "Garbage", "datagrams that are no DTLS")                                 \
    X(SHORT, "short-records", "Short records", "an encrypted record shorter than its tag")         \
    X(MAC, "bad-mac", "Wrong MAC", "an encrypted record with a wrong MAC or tag")                  \
    X(EPOCH, "wrong-epoch", "Wrong epoch", "records of epochs that do not exist")                  \
    X(ETM, "bad-mac-etm", "Wrong MAC, CBC", "a CBC record with a wrong MAC")

enum scan_forgery {
#define SCAN_X(name, id, title, what) SCAN_FORGERY_##name,
    SCAN_FORGERIES(SCAN_X)
#undef SCAN_X
        SCAN_FORGERY_COUNT
};

/* Each once; SCAN_YES = the association died of it. */
enum scan_tri scan_killed_by(struct scan *s, enum scan_forgery kind);

#endif
