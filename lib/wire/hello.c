/* SPDX-License-Identifier: MIT */
#include "wire/hello.h"

#include <string.h>

#include "wire/extension.h"
#include "wire/record.h"

/* SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3). */
static const uint8_t retry_random[SD_RANDOM_LEN] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* What all fields at their longest add up to: a message that claims more
 * contradicts itself, although its first fragment does not show how. */
enum {
    CLIENT_HELLO_MAX = 2 + SD_RANDOM_LEN + 1 + SD_SESSION_ID_MAX + 1 + UINT8_MAX + 2 +
                       (UINT16_MAX - 1) + 1 + UINT8_MAX + 2 + UINT16_MAX
};

/* A reader over the fragment that knows how much of the message comes after
 * it, so that a field that is cut differs from a field that cannot be. */
struct partial {
    struct sd_rd r;
    size_t beyond;
    enum sd_hello_status status;
};

static struct partial partial_init(struct sd_span body, size_t length)
{
    struct partial p = {.r = sd_rd_init(body.p, body.len)};
    if (length < body.len)
        p.status = SD_HELLO_BAD;
    else
        p.beyond = length - body.len;
    return p;
}

static size_t left_in_message(const struct partial *p)
{
    return sd_rd_left(&p->r) + p->beyond;
}

/* True when the next n bytes are in the fragment; else the status says why. */
static bool have_bytes(struct partial *p, size_t n)
{
    if (p->status == SD_HELLO_WHOLE && n > sd_rd_left(&p->r))
        p->status = n > left_in_message(p) ? SD_HELLO_BAD : SD_HELLO_CUT;
    return p->status == SD_HELLO_WHOLE;
}

static uint8_t take_u8(struct partial *p)
{
    return have_bytes(p, 1) ? sd_rd_u8(&p->r) : 0;
}

static uint16_t take_u16(struct partial *p)
{
    return have_bytes(p, 2) ? sd_rd_u16(&p->r) : 0;
}

static struct sd_span take_bytes(struct partial *p, size_t n)
{
    return have_bytes(p, n) ? sd_rd_bytes(&p->r, n) : (struct sd_span){0};
}

/* A vector with between min and max bytes in it, in steps of `unit`. */
static struct sd_span take_vec(struct partial *p, unsigned width, size_t min, size_t max,
                               size_t unit)
{
    size_t n = width == 1 ? take_u8(p) : take_u16(p);
    if (p->status == SD_HELLO_WHOLE && (n < min || n > max || n % unit))
        p->status = SD_HELLO_BAD;
    return take_bytes(p, n);
}

/* The extensions are the one field of which a part is of use. The block ends
 * with the message or is absent (RFC 5246 section 7.4.1.2). */
static struct sd_span take_extensions(struct partial *p)
{
    if (p->status != SD_HELLO_WHOLE || !left_in_message(p))
        return (struct sd_span){0};
    size_t n = take_u16(p);
    if (p->status == SD_HELLO_WHOLE && n != left_in_message(p))
        p->status = SD_HELLO_BAD;
    if (p->status != SD_HELLO_WHOLE)
        return (struct sd_span){0};
    if (p->beyond)
        p->status = SD_HELLO_CUT;
    return sd_rd_bytes(&p->r, sd_rd_left(&p->r));
}

static bool whole(const struct partial *p)
{
    return p->status == SD_HELLO_WHOLE;
}

enum sd_hello_status sd_client_hello_parse(struct sd_client_hello *ch, struct sd_span body,
                                           size_t length)
{
    struct partial p = partial_init(body, length);
    if (length > CLIENT_HELLO_MAX)
        p.status = SD_HELLO_BAD;
    *ch = (struct sd_client_hello){.version = take_u16(&p)};
    ch->missing = whole(&p) ? SD_HELLO_RANDOM : SD_HELLO_VERSION;
    ch->random = take_bytes(&p, SD_RANDOM_LEN);
    ch->missing += whole(&p);
    ch->session_id = take_vec(&p, 1, 0, SD_SESSION_ID_MAX, 1);
    ch->missing += whole(&p);
    ch->cookie = take_vec(&p, 1, 0, UINT8_MAX, 1);
    ch->missing += whole(&p);
    ch->suites = take_vec(&p, 2, 2, UINT16_MAX - 1, 2);
    ch->missing += whole(&p);
    ch->compression = take_vec(&p, 1, 1, UINT8_MAX, 1);
    ch->missing += whole(&p);
    ch->extensions = take_extensions(&p);
    ch->missing += whole(&p);
    return p.status;
}

static void write_vec(struct sd_wr *w, unsigned width, struct sd_span s)
{
    size_t mark = sd_wr_open(w, width);
    sd_wr_bytes(w, s.p, s.len);
    sd_wr_close(w, mark, width);
}

static void write_random(struct sd_wr *w, struct sd_span random)
{
    w->bad |= random.len != SD_RANDOM_LEN;
    sd_wr_bytes(w, random.p, random.len);
}

void sd_client_hello_build(struct sd_wr *w, const struct sd_client_hello *ch)
{
    sd_wr_u16(w, ch->version);
    write_random(w, ch->random);
    w->bad |= ch->session_id.len > SD_SESSION_ID_MAX;
    write_vec(w, 1, ch->session_id);
    write_vec(w, 1, ch->cookie);
    write_vec(w, 2, ch->suites);
    write_vec(w, 1, ch->compression);
    if (ch->extensions.len)
        write_vec(w, 2, ch->extensions);
}

bool sd_hello_verify_parse(struct sd_hello_verify *hv, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    hv->version = sd_rd_u16(&r);
    struct sd_rd cookie = sd_rd_vec8(&r);
    hv->cookie = sd_rd_rest(&cookie);
    if (sd_rd_done(&r))
        return true;
    *hv = (struct sd_hello_verify){0};
    return false;
}

void sd_hello_verify_build(struct sd_wr *w, const struct sd_hello_verify *hv)
{
    sd_wr_u16(w, hv->version);
    write_vec(w, 1, hv->cookie);
}

enum sd_hello_status sd_server_hello_parse(struct sd_server_hello *sh, struct sd_span body,
                                           size_t length)
{
    struct partial p = partial_init(body, length);
    *sh = (struct sd_server_hello){.version = take_u16(&p)};
    sh->missing = whole(&p) ? SD_HELLO_RANDOM : SD_HELLO_VERSION;
    sh->random = take_bytes(&p, SD_RANDOM_LEN);
    sh->missing += whole(&p);
    sh->session_id = take_vec(&p, 1, 0, SD_SESSION_ID_MAX, 1);
    sh->missing = whole(&p) ? SD_HELLO_SUITES : sh->missing;
    sh->suite = take_u16(&p);
    sh->missing += whole(&p);
    sh->compression = take_u8(&p);
    sh->missing += whole(&p);
    sh->extensions = take_extensions(&p);
    sh->missing += whole(&p);
    sh->retry = sh->random.len && !memcmp(sh->random.p, retry_random, SD_RANDOM_LEN);
    return p.status;
}

uint16_t sd_server_hello_version(const struct sd_server_hello *sh)
{
    struct sd_span body;
    uint16_t selected;
    if (sd_ext_find(sh->extensions, SD_EXT_SUPPORTED_VERSIONS, &body) &&
        sd_ext_u16(body, &selected))
        return sd_version_final(selected);
    return sh->version;
}

uint16_t sd_server_hello_downgrade(const struct sd_server_hello *sh)
{
    static const uint8_t mark[7] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};
    struct sd_rd r = sd_rd_init(sh->random.p, sh->random.len);
    sd_rd_bytes(&r, SD_RANDOM_LEN - 8);
    struct sd_span end = sd_rd_bytes(&r, sizeof mark);
    uint8_t level = sd_rd_u8(&r);
    if (r.bad || memcmp(end.p, mark, sizeof mark) || level > 1)
        return 0;
    return level ? SD_DTLS_1_2 : SD_DTLS_1_0;
}
