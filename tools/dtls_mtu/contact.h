/* SPDX-License-Identifier: MIT */
/* The first probes: is a server there, does it ask for a cookie, does it repeat
 * record numbers, and which padding does it accept? */
#ifndef MTU_CONTACT_H
#define MTU_CONTACT_H

#include "dtls_mtu/path.h"

enum mtu_contact_end {
    MTU_CONTACT_OK,
    MTU_CONTACT_SILENT,    /* no answer */
    MTU_CONTACT_REFUSED,   /* ICMP port unreachable: no program listens */
    MTU_CONTACT_UNREACHED, /* another ICMP error, or this host has no route */
    MTU_CONTACT_FOREIGN,   /* an answer that is not DTLS */
    MTU_CONTACT_NO_COOKIE, /* a ServerHello at once: each probe would cost the server a handshake */
    MTU_CONTACT_ALERT,     /* an alert, before any cookie */
    MTU_CONTACT_NO_PADDED, /* plain hellos are answered, padded ones are not */
    MTU_CONTACT_ONE_CLIENT, /* only the first port is answered, and no padded hello of another */
    MTU_CONTACT_STOPPED
};

struct mtu_contact {
    enum mtu_contact_end end;
    sd_time rtt;
    bool echoes;    /* the server repeats record numbers */
    unsigned small; /* IP packet of the padded hello that was answered */
    size_t answer;  /* UDP payload of the answer */
    size_t foreign; /* bytes of an answer that is not DTLS; 0 = none came */
    bool echo;      /* that answer was our own ClientHello */
    uint8_t alert;
    int error;           /* UNREACHED: errno */
    struct sd_addr from; /* the sender of the ICMP error; AF_UNSPEC = this host */
    unsigned probes;
};

/* Waits `timeout` for a first answer. Sets p->pad and p->each to what this server needs. */
void mtu_contact_run(struct mtu_contact *k, struct mtu_path *p, sd_time timeout);
/* Is a packet of this size answered when it comes from another port? */
bool mtu_contact_elsewhere(struct mtu_path *p, unsigned packet, sd_time rtt);

#endif
