/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/seen.h"

#include <string.h>

#include "base/hash.h"
#include "dtls_scan/checks/association.h"

static bool zero_bytes(const uint8_t *p, size_t len)
{
    while (len && !p[len - 1])
        len--;
    return !len;
}

/* Plain PSK and static RSA have none. */
static uint64_t share_of(const struct puppet *p)
{
    struct puppet_exchange x;
    bool fresh = puppet_exchange_of(p->suite, &x) &&
                 (x.kind == PUPPET_SECRET_ECDHE || x.kind == PUPPET_SECRET_DHE);
    return fresh && p->server_key ? sd_hash((struct sd_hash_key){0}, p->server_key, p->params_len)
                                  : 0;
}

/* The end of the random: some servers begin with the time. Only a Finished that fits proves that a
 * hello was the answer to ours: s_server -listen repeats the flight of an earlier association to
 * the same port. */
static void see_hello(struct scan_seen *seen, const struct puppet *p)
{
    enum { TIME = 4 };
    if (seen->count == SCAN_SEEN || !p->finished_sound || p->resumed)
        return;
    uint8_t *random = seen->random[seen->count], *id = seen->id[seen->count];
    memcpy(random, p->server_random, SD_RANDOM_LEN);
    memcpy(id, p->session.id, sizeof p->session.id);
    uint64_t share = seen->share[seen->count] = share_of(p);
    for (unsigned i = 0; i < seen->count; i++) {
        seen->same_share += share && seen->share[i] == share;
        seen->same_random += !memcmp(seen->random[i] + TIME, random + TIME, SD_RANDOM_LEN - TIME);
        seen->same_id +=
            !zero_bytes(id, SD_SESSION_ID_MAX) && !memcmp(seen->id[i], id, SD_SESSION_ID_MAX);
    }
    seen->count++;
}

void scan_see(struct scan_seen *seen, const struct scan_association *a)
{
    const struct sd_suite *suite = sd_suite_find(a->puppet.suite);
    bool explicit_nonce = suite && (suite->kind == SD_SUITE_GCM || suite->kind == SD_SUITE_CCM);
    see_hello(seen, &a->puppet);
    seen->sealed += a->seals;
    for (unsigned i = 0; i < a->seals; i++)
        for (unsigned j = 0; j < i; j++) {
            const struct scan_sealed *x = &a->seal[i], *y = &a->seal[j];
            if (x->sum == y->sum || x->epoch != y->epoch)
                continue;
            seen->sealed_twice += x->seq == y->seq;
            seen->nonce_twice += explicit_nonce && x->nonce == y->nonce;
        }
}
