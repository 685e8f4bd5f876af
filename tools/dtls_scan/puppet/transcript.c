/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "wire/handshake.h"

static bool transcript_room(struct puppet_transcript *t, size_t more)
{
    size_t cap = t->cap ? t->cap : 4096;
    if (more > PUPPET_TRANSCRIPT_MAX || t->len > PUPPET_TRANSCRIPT_MAX - more)
        return false;
    while (cap < t->len + more)
        cap *= 2;
    if (cap == t->cap)
        return true;
    uint8_t *bytes = realloc(t->bytes, cap);
    if (!bytes)
        return false;
    t->bytes = bytes;
    t->cap = cap;
    return true;
}

bool puppet_transcript_add(struct puppet_transcript *t, uint8_t type, uint16_t message_seq,
                           struct sd_span body)
{
    if (!transcript_room(t, SD_HANDSHAKE_HEADER_LEN + body.len))
        return false;
    struct sd_wr w = sd_wr_init(t->bytes + t->len, t->cap - t->len);
    sd_handshake_build(&w, &(struct sd_handshake){.type = type,
                                                  .length = (uint32_t)body.len,
                                                  .message_seq = message_seq,
                                                  .frag_len = (uint32_t)body.len,
                                                  .body = body});
    t->len += sd_wr_len(&w);
    return !w.bad;
}

void puppet_transcript_clear(struct puppet_transcript *t)
{
    free(t->bytes);
    *t = (struct puppet_transcript){0};
}

size_t puppet_transcript_hash(const struct puppet_transcript *t, const char *digest,
                              uint8_t out[static PUPPET_HASH_MAX])
{
    const struct sd_span all = {t->bytes, t->len};
    uint8_t sha1[SD_DIGEST_MAX];
    if (digest)
        return sd_prf_digest(digest, &all, 1, out) ? sd_prf_digest_len(digest) : 0;
    size_t first = sd_prf_digest_len("MD5"), second = sd_prf_digest_len("SHA");
    if (!sd_prf_digest("MD5", &all, 1, out) || !sd_prf_digest("SHA", &all, 1, sha1))
        return 0;
    memcpy(out + first, sha1, second);
    return first + second;
}
