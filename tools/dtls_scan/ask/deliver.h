/* SPDX-License-Identifier: MIT */
/* How a ClientHello becomes datagrams: whole, or in fragments, in which order, with what beside. */
#ifndef SCAN_ASK_DELIVER_H
#define SCAN_ASK_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtls_scan/ask/hello.h"
#include "dtls_scan/ask/line.h"

/* All zero: one record in one datagram; above SCAN_HELLO_WHOLE bytes in fragments of that size. */
struct scan_delivery {
    size_t fragment;  /* bytes of the message in each fragment; 0 = SCAN_HELLO_WHOLE */
    size_t first;     /* the same of the first fragment; 0 = as the others */
    uint64_t from;    /* number of the first record */
    size_t overlap;   /* bytes of each fragment that the one before had, too */
    bool reverse;     /* the last fragment first */
    bool together;    /* all fragments as records of one datagram */
    size_t trailing;  /* bytes of junk behind the record, of no record type */
    bool two_records; /* a junk record follows in the same datagram */
};

/* Fits every path that carries DTLS. */
enum { SCAN_HELLO_WHOLE = 1200 };

/* Sends the hello as message `message_seq`; *seq is the number of the next record, and counts up.
 * False when the line has stopped. */
bool scan_deliver(struct scan_port *p, const struct scan_delivery *d, const struct scan_hello *h,
                  uint16_t message_seq, uint64_t *seq);

#endif
