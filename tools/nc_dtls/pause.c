/* SPDX-License-Identifier: MIT */
/* A peer is not read while what it sends cannot be passed on. */
#include "nc_dtls/nc.h"

void nc_peer_pause(struct nc_peer *p)
{
    p->paused = p->paused || sdtls_pause(p->conn) == SDTLS_OK;
}

void nc_peer_resume(struct nc_peer *p)
{
    if (p->paused)
        sdtls_resume(p->conn);
    p->paused = false;
}
