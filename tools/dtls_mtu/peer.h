/* The other end cooperates: probes are messages over an established association, and
 * both directions can be measured, each by itself. */
#ifndef MTU_PEER_H
#define MTU_PEER_H

#include "dtls_mtu/measure.h"
#include "sukat_dtls.h"

enum peer_kind {
    PEER_UNKNOWN, /* not asked */
    PEER_SILENT,  /* established, but what was said brought no answer */
    PEER_RESPONDER,
    PEER_ECHO, /* what is said comes back: enough for the way there */
    PEER_OTHER /* it answers with something of its own */
};

struct peer {
    enum peer_kind kind;
    sd_time rtt;
    unsigned c2s_fragment, s2c_fragment; /* IP bytes of the largest fragment; 0 = none came */
    unsigned told;    /* IP packet that the responder's kernel believes in; 0 = not told */
    unsigned refused; /* smallest IP packet that the responder's host did not send; 0 = none */

    /* While it runs. */
    sdtls *s;
    sdtls_conn *conn;
    struct sd_addr to;
    unsigned headers;
    int signals;
    bool gone;  /* the association ended */
    bool back;  /* s2c is measured */
    bool whole; /* what arrives in fragments counts as lost */
};

/* Says hello to whoever is there; sets kind and rtt. */
void peer_identify(struct peer *p, sd_time deadline);
/* The carrier for one direction; `whole`: fragments do not count as arrival. */
struct carrier peer_carrier(struct peer *p, bool back, bool whole);

#endif
