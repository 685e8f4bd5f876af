/* SPDX-License-Identifier: MIT */
/* The other end cooperates: probes are messages over a DTLS session, and each direction can be
 * measured by itself. */
#ifndef MTU_PEER_H
#define MTU_PEER_H

#include "dtls_mtu/carrier.h"
#include "sukat_dtls.h"

enum mtu_peer_kind {
    MTU_PEER_UNKNOWN, /* not asked */
    MTU_PEER_SILENT,  /* the session is established, but no message is answered */
    MTU_PEER_RESPONDER,
    MTU_PEER_ECHO, /* sends every message back: enough for the direction to it */
    MTU_PEER_OTHER /* answers with something else */
};

/* What was learnt. */
struct mtu_peer {
    enum mtu_peer_kind kind;
    sd_time rtt;
    unsigned c2s_fragment, s2c_fragment; /* IP bytes of the largest fragment; 0 = none came */
    unsigned kernel;  /* IP packet bytes that the responder's kernel has cached; 0 = not known */
    unsigned refused; /* smallest IP packet that the responder's host refused; 0 = none */
};

/* The session with the peer. */
struct mtu_link {
    struct mtu_peer *peer;
    sdtls *s;
    sdtls_conn *conn;
    struct sd_addr to;
    unsigned headers; /* bytes of IP and UDP header */
    int signals;
    bool gone;  /* the session has ended */
    bool back;  /* the direction from the peer is measured */
    bool whole; /* what arrives in fragments counts as lost */
};

/* Asks which kind of peer this is; sets kind and rtt. */
void mtu_peer_identify(struct mtu_link *l, sd_time deadline);
/* The carrier for one direction; `whole`: fragments do not count as arrival. */
struct mtu_carrier mtu_peer_carrier(struct mtu_link *l, bool back, bool whole);

#endif
