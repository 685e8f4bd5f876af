/* SPDX-License-Identifier: MIT */
/* Everything that one measurement of one server found. survey.h fills it, judge.h adds what the
 * numbers mean, report.h and json.h print it. */
#ifndef MTU_RESULT_H
#define MTU_RESULT_H

#include "dtls_mtu/contact.h"
#include "dtls_mtu/exit.h"
#include "dtls_mtu/handshake.h"
#include "dtls_mtu/measure.h"
#include "dtls_mtu/peer.h"
#include "dtls_mtu/ping.h"
#include "dtls_mtu/trace.h"
#include "flow/finding.h"

enum { MTU_FINDINGS = 8, MTU_FINDING_TEXT = 320 };

struct mtu_finding {
    const struct sd_entry *entry; /* of the catalogue, which dtls_probe has, too */
    enum sd_severity severity;
    char text[MTU_FINDING_TEXT];
};

/* Sizes are bytes of an IP packet. */
struct mtu_result {
    struct sd_addr to;
    bool ipv6;
    unsigned require; /* what each direction must carry; 0 = any */

    unsigned interface; /* what leaves this host */
    unsigned local;     /* of that, the most that is tried */
    unsigned kernel;    /* the path MTU that the kernel has cached; 0 = unknown */
    struct mtu_contact contact;
    bool has_c2s, has_s2c;
    struct mtu_measured c2s, s2c;
    struct mtu_handshake handshake;
    bool peer_asked;
    struct mtu_peer peer;
    struct mtu_ping ping;
    struct mtu_trace trace;
    unsigned probes;
    sd_time begun, ended;

    struct mtu_finding findings[MTU_FINDINGS]; /* the worst first */
    unsigned finding_count;
    enum mtu_exit exit;
};

/* The path MTU of either direction, and the smaller one; 0 = not known. */
unsigned mtu_result_c2s(const struct mtu_result *r);
unsigned mtu_result_s2c(const struct mtu_result *r);
unsigned mtu_result_least(const struct mtu_result *r);
/* Was the direction to the server (`there`) or from it measured, and carries less than --require?
 */
bool mtu_result_too_small(const struct mtu_result *r, bool there);
/* On one host nothing but the server's own buffers limits a packet. */
bool mtu_result_same_host(const struct mtu_result *r);

#endif
