/* The first words with a server: is it there, does it ask for a cookie, does it repeat
 * record numbers, and which padding does it take? */
#ifndef MTU_CONTACT_H
#define MTU_CONTACT_H

#include "dtls_mtu/path.h"

enum contact_end {
    CONTACT_OK,
    CONTACT_SILENT,    /* no answer */
    CONTACT_REFUSED,   /* ICMP port unreachable: nobody listens */
    CONTACT_UNREACHED, /* another ICMP error, or this host has no route */
    CONTACT_FOREIGN,   /* an answer that is not DTLS */
    CONTACT_NO_COOKIE, /* a ServerHello at once: each probe would cost the server a handshake */
    CONTACT_ALERT,     /* a refusal in DTLS, before any cookie */
    CONTACT_NO_PADDED, /* plain hellos are answered, padded ones are not */
    CONTACT_STOPPED
};

struct contact {
    enum contact_end end;
    sd_time rtt;
    bool echoes;    /* the server repeats record numbers */
    unsigned small; /* IP packet of the padded hello that was answered */
    size_t answer;  /* UDP payload of the answer */
    size_t foreign; /* of what came and is not DTLS; 0 = nothing did */
    uint8_t alert;
    int error;             /* UNREACHED: errno */
    struct sd_addr from;   /* who sent the ICMP error; AF_UNSPEC = this host */
    unsigned probes, lost; /* hellos that were not answered before the first answer */
};

/* Sets p->pad and p->each to what this server needs. */
void contact_run(struct contact *k, struct path *p, sd_time timeout);

#endif
