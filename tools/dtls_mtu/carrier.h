/* SPDX-License-Identifier: MIT */
/* How probes leave and what comes back: ClientHellos (path.h), or messages to a cooperating
 * peer (peer.h). */
#ifndef MTU_CARRIER_H
#define MTU_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "dtls_mtu/hello.h"
#include "net/errqueue.h"

enum mtu_heard_kind {
    MTU_HEARD_NOTHING, /* the time is over */
    MTU_HEARD_ANSWER,
    MTU_HEARD_REPORT, /* of the network or of this host */
    MTU_HEARD_STOP    /* a signal, or the end of the session */
};

struct mtu_heard {
    enum mtu_heard_kind kind;
    sd_time at;
    uint32_t id; /* of the probe it is about; `known` when that is certain */
    bool known;
    bool echoed; /* ANSWER: it repeats the record number of the probe */
    enum mtu_hello_answer answer;
    uint8_t alert;
    size_t size; /* ANSWER: bytes of UDP payload */
    struct sd_report report;
};

struct mtu_carrier {
    void *arg;
    /* 0, or -errno when this host does not send it. */
    int (*send)(void *arg, uint32_t id, unsigned packet);
    /* What comes next, until `until`. */
    void (*hear)(void *arg, struct mtu_heard *h, sd_time until);
};

#endif
