/* SPDX-License-Identifier: MIT */
/* Strict: three bytes that look right begin many things that are not DTLS (measured: LLMNR
 * and archives). The whole datagram must be a chain of records. */
#include "flow/internal.h"
#include "wire/alert.h"
#include "wire/names.h"

static bool known_handshake(uint8_t type)
{
    switch (type) {
#define X(name, value, text) case value:
        SD_HANDSHAKE_TYPES(X)
#undef X
        return true;
    default:
        return false;
    }
}

/* As much of the body as was captured holds handshake messages or fragments. */
static bool handshake_plausible(const struct sd_record *rec, bool cut)
{
    struct sd_rd r = sd_rd_init(rec->body.p, rec->body.len);
    struct sd_handshake h;
    enum sd_handshake_status s;
    unsigned count = 0;
    while ((s = sd_handshake_next(&r, &h)) == SD_HANDSHAKE_OK) {
        if (!known_handshake(h.type))
            return false;
        count++;
    }
    if (cut && (s == SD_HANDSHAKE_CUT || s == SD_HANDSHAKE_NO_HEADER))
        return count || known_handshake(h.type);
    return s == SD_HANDSHAKE_END && count;
}

static bool plain_plausible(const struct sd_record *rec, bool cut)
{
    struct sd_alert a;
    switch (rec->type) {
    case SD_CT_HANDSHAKE:
        return handshake_plausible(rec, cut);
    case SD_CT_ALERT:
        return sd_alert_parse(&a, rec->body);
    case SD_CT_CCS:
        return sd_ccs_ok(rec->version, rec->body);
    default:
        return false;
    }
}

/* A record with a connection id of unknown length: type and version must be right. */
static bool is_tls12_cid(struct sd_span payload)
{
    struct sd_rd r = sd_rd_init(payload.p, payload.len);
    return sd_rd_u8(&r) == SD_CT_CID && sd_rd_u16(&r) == SD_DTLS_1_2;
}

/* A unified header says little: a '<' begins one. Only those with a length, which must
 * lead to the end of the datagram, and with the epoch of a handshake or of data. */
static bool unified_plausible(const struct sd_look *l)
{
    struct sd_look_walk w = sd_look_walk(l);
    const struct sd_record *rec;
    enum sd_record_status s;
    while ((s = sd_look_next(&w, &rec)) == SD_RECORD_OK)
        if (!rec->unified || rec->epoch < 2 || rec->header.len < 4 || rec->length < 16)
            return false;
    return s == SD_RECORD_END;
}

/* The records lead to the end of the datagram, or to zero bytes, as TURN relays add them that
 * forward the padding of ChannelData (RFC 8656 section 12.5). */
static bool is_chain(const struct sd_look *l)
{
    struct sd_look_walk w = sd_look_walk(l);
    const struct sd_record *rec;
    enum sd_record_status s;
    while ((s = sd_look_next(&w, &rec)) == SD_RECORD_OK)
        ;
    struct sd_span rest = sd_look_trailing(l);
    return s == SD_RECORD_END || l->snapped || (rest.len && sd_look_zero(rest));
}

enum sd_begins sd_detect(const struct sd_look *l)
{
    const struct sd_record *first = sd_look_first(l);
    bool cut = !l->count;
    if (!first)
        return l->status == SD_RECORD_CID && is_tls12_cid(l->datagram->payload) ? SD_BEGINS_SEALED
                                                                                : SD_BEGINS_NOTHING;
    if (cut && !l->snapped)
        return SD_BEGINS_NOTHING;
    if (first->unified)
        return unified_plausible(l) ? SD_BEGINS_SEALED : SD_BEGINS_NOTHING;
    if (!first->epoch && !plain_plausible(first, cut))
        return SD_BEGINS_NOTHING;
    if (!is_chain(l))
        return SD_BEGINS_NOTHING;
    return first->epoch ? SD_BEGINS_SEALED : SD_BEGINS_HELLO;
}
