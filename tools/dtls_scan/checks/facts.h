/* SPDX-License-Identifier: MIT */
/* What several checks want to know. Each fact is asked for once, by the first who wants it. */
#ifndef SCAN_CHECKS_FACTS_H
#define SCAN_CHECKS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "dtls_scan/ask/ask.h"

struct scan;

enum scan_tri { SCAN_UNKNOWN, SCAN_NO, SCAN_YES };

enum scan_version { SCAN_V09, SCAN_V10, SCAN_V12, SCAN_V13, SCAN_VERSIONS };

struct scan_version_fact {
    bool asked;
    enum scan_tri accepted;
    enum scan_reply reply; /* of what kind the answer was */
    uint16_t chosen;       /* the version of its ServerHello */
    uint8_t alert;         /* if it was one */
    bool cookie;           /* a HelloVerifyRequest came first */
};

struct scan_facts {
    struct scan_version_fact version[SCAN_VERSIONS];
};

/* The code on the wire: SD_DTLS_1_2 ... */
uint16_t scan_version_code(enum scan_version v);
/* Is this version accepted? Asks when nobody has asked before. */
const struct scan_version_fact *scan_version(struct scan *s, enum scan_version v);

/* The first contact: finds a hello that this server answers (s->asker.control). REPLY_HELLO or
 * REPLY_RETRY when it is found; otherwise what the server answers instead. */
enum scan_reply scan_contact(struct scan *s);

#endif
