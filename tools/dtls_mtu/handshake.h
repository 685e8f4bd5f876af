/* SPDX-License-Identifier: MIT */
/* A real handshake, examined as dtls_probe examines a capture: what its datagrams show about
 * the path from the server. */
#ifndef MTU_HANDSHAKE_H
#define MTU_HANDSHAKE_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/clock.h"
#include "flow/finding.h"
#include "sukat_dtls.h"

struct mtu_handshake_setup {
    const char *host, *port, *source, *cert_file, *key_file;
    int family;
    sd_time deadline;
    int signals;
    struct sd_addr to;
    unsigned headers; /* bytes of IP and UDP header */
};

enum { MTU_HANDSHAKE_FINDINGS = 6 };

struct mtu_handshake {
    bool done; /* it was tried */
    bool established;
    char text[256]; /* why it failed */
    char cipher[64];
    double ms;
    size_t flight;         /* bytes of UDP payload of the largest flight from the server */
    unsigned datagrams;    /* of that flight */
    unsigned above, below; /* IP packets from the server: one of `above` bytes arrived, one of
                              `below` bytes did not; 0 = not known */
    struct sd_finding findings[MTU_HANDSHAKE_FINDINGS];
    size_t finding_count;
};

/* The client of one handshake. It must stay where it is until mtu_client_close(). */
struct mtu_client {
    sdtls *s;
    sdtls_conn *conn;

    /* Until the handshake is over. */
    struct mtu_handshake *shown;
    const struct mtu_handshake_setup *setup;
    struct sd_tracker *tracker;
    uint64_t number; /* of the datagram */
    size_t run_bytes;
    unsigned run_datagrams; /* from the server, since the last one of ours */
};

/* Fills h. True: the handshake is complete, and the session is open until mtu_client_close(). */
bool mtu_handshake_run(struct mtu_handshake *h, const struct mtu_handshake_setup *setup,
                       struct mtu_client *client);
void mtu_client_close(struct mtu_client *client);

#endif
