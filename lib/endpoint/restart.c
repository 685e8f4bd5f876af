/* SPDX-License-Identifier: MIT */
/* A client that begins again while its address has a connection (RFC 6347 section 4.2.8).
 *
 * It may have lost its state, or somebody else repeats what the client once sent. So an
 * established connection stays until the other handshake is complete, which takes a valid Finished.
 * Until then the two share the peer: plaintext belongs to the handshake, because an established
 * connection takes none. Protected records belong to the connection, and from the ChangeCipherSpec
 * on to the handshake as well: what the other one protected fails authentication and is dropped. */
#include "endpoint/internal.h"

static bool begins_plain(const struct sd_received *d)
{
    struct sd_records it = sd_records_init(d->data, d->len, 0);
    struct sd_record rec;
    return sd_record_next(&it, &rec) == SD_RECORD_OK && !rec.unified && !rec.epoch;
}

void sd_restart_input(struct sdtls_conn *c, const struct sd_received *d, sd_time now)
{
    struct sdtls_conn *successor = c->successor;
    bool plain = successor && !d->error && begins_plain(d);
    if (!plain)
        sd_conn_input(c, d, now);
    if (plain || (successor && !d->error && sd_session_has_keys(successor->session)))
        sd_conn_input(successor, d, now);
}

/* Nothing of a handshake is proven but the address, and the new hello proves that as well. */
static void replace_handshake(struct sdtls_conn *old, const struct sd_received *d,
                              const struct sd_gate_result *r, sd_time now)
{
    struct sdtls *s = old->ep;
    struct sd_peer *peer = old->peer;
    old->peer = NULL;
    sd_conn_replaced(old);
    sd_admit_client(s, d, r, peer, NULL, now);
}

void sd_restart_begin(struct sdtls_conn *old, const struct sd_received *d,
                      const struct sd_gate_result *r, sd_time now)
{
    struct sdtls_conn *before = old->successor ? old->successor : old;
    struct sdtls_conn *leaves;
    if (!sd_limit_admits_restart(before, now, &leaves))
        return; /* it will ask again; what it had stays */
    if (leaves)
        sd_conn_evict(leaves, now);
    if (old->successor)
        sd_conn_replaced(old->successor);
    if (old->state == SD_CONN_ESTABLISHED)
        sd_admit_client(old->ep, d, r, old->peer, old, now);
    else
        replace_handshake(old, d, r, now);
}
