/* SPDX-License-Identifier: MIT */
#include "gate/cookie.h"

#include <string.h>

/* Separates these MACs from any other use of the secret. Short, so that the
 * subject of an IPv4 client without a session id, 55 bytes, fills one SHA-256
 * block with its padding instead of two. */
static const uint8_t domain[] = {'s', 'd', 'c', '1'};

enum {
    SUBJECT_MAX = sizeof domain + 2 * SD_ADDR_BYTES + 2 + SD_RANDOM_LEN + 1 + SD_SESSION_ID_MAX +
                  SD_RANDOM_LEN
};

static void write_addr(struct sd_wr *w, const struct sd_addr *a)
{
    uint8_t bytes[SD_ADDR_BYTES];
    sd_wr_bytes(w, bytes, sd_addr_bytes(a, bytes));
}

/* Every field has a fixed length or says its own (an address by its family), and what stands is
 * last, so no two subjects share one encoding. Cipher suites and what follows are left out although
 * the RFC would take them: they need not be in the first fragment, and a client cuts its second
 * hello elsewhere because the cookie makes it longer. */
static size_t encode_subject(const struct sd_gate_cookie_subject *s,
                             uint8_t out[static SUBJECT_MAX])
{
    struct sd_wr w = sd_wr_init(out, SUBJECT_MAX);
    sd_wr_bytes(&w, domain, sizeof domain);
    write_addr(&w, s->peer);
    write_addr(&w, s->local);
    sd_wr_u16(&w, s->hello->version);
    sd_wr_bytes(&w, s->hello->random.p, s->hello->random.len);
    sd_wr_u8(&w, (uint8_t)s->hello->session_id.len);
    sd_wr_bytes(&w, s->hello->session_id.p, s->hello->session_id.len);
    if (s->standing)
        sd_wr_bytes(&w, s->standing, SD_RANDOM_LEN);
    return sd_wr_len(&w);
}

static struct sd_gate_cookie make_cookie(const struct sd_gate *g, int which, const uint8_t *subject,
                                         size_t len)
{
    uint8_t mac[32];
    struct sd_gate_cookie c;
    g->mac(g->mac_arg, g->secret[which], subject, len, mac);
    memcpy(c.bytes, mac, sizeof c.bytes);
    return c;
}

/* No early exit: the time must not show how many bytes of a guess are right. */
static bool cookie_equals(const struct sd_gate_cookie *c, struct sd_span other)
{
    struct sd_rd r = sd_rd_init(other.p, other.len);
    unsigned diff = 0;
    for (size_t i = 0; i < sizeof c->bytes; i++)
        diff |= c->bytes[i] ^ sd_rd_u8(&r);
    return (int)(diff == 0) & (int)sd_rd_done(&r);
}

bool sd_gate_cookie_check(const struct sd_gate *g, const struct sd_gate_cookie_subject *s,
                          struct sd_gate_cookie *fresh)
{
    uint8_t subject[SUBJECT_MAX];
    size_t len = encode_subject(s, subject);
    struct sd_span theirs = s->hello->cookie;
    *fresh = make_cookie(g, 0, subject, len);
    if (theirs.len != sizeof fresh->bytes)
        return false;
    bool good = cookie_equals(fresh, theirs);
    if (g->has_previous) {
        struct sd_gate_cookie old = make_cookie(g, 1, subject, len);
        good |= cookie_equals(&old, theirs);
    }
    return good;
}
