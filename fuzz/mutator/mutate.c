/* SPDX-License-Identifier: MIT */
#include "mutator/mutate.h"

#include <string.h>

#include "harness/make.h"

#include "wire/extension.h"
#include "wire/handshake.h"
#include "wire/hello.h"

enum { PLACES = 32, FRAMES = 6, HEADER = SD_RECORD_HEADER_LEN, MESSAGE = SD_HANDSHAKE_HEADER_LEN };

/* A length field, and how wide it is. */
struct frame {
    size_t at;
    unsigned width;
};

/* A record without a message, or one message of a record. Bytes after what the lengths say are
 * ignored; a length beyond the end means all bytes that are left. */
struct place {
    size_t record, message; /* message: 0: none */
    size_t body, len;
    struct frame frames[FRAMES];
    unsigned depth;
};

/* One vector of a hello, with the length field before it. */
struct vector {
    size_t at, len;
    unsigned width;
};

static uint64_t get(const struct mutate *m, size_t at, unsigned width)
{
    struct sd_rd r = sd_rd_init(m->bytes + at, width);
    return sd_rd_uint(&r, width);
}

static void put(struct mutate *m, size_t at, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++)
        m->bytes[at + i] = (uint8_t)(value >> 8 * (width - 1 - i));
}

static bool chance(struct mutate *m, unsigned one_in)
{
    return mutate_below(m->rng, one_in) == 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void enclose(struct place *p, size_t at, unsigned width)
{
    if (p->depth < FRAMES)
        p->frames[p->depth++] = (struct frame){at, width};
}

/* --- where things are --- */

static unsigned find_messages(const struct mutate *m, const struct place *record, struct place *out,
                              unsigned room)
{
    unsigned n = 0;
    size_t end = record->body + record->len;
    for (size_t at = record->body; at + MESSAGE <= end && n < room; n++) {
        struct place *p = &out[n];
        *p = *record;
        p->message = at;
        p->body = at + MESSAGE;
        p->len = least((size_t)get(m, at + 9, 3), end - p->body);
        enclose(p, at + 1, 3);
        enclose(p, at + 9, 3);
        at = p->body + p->len;
    }
    return n;
}

static unsigned find_places(const struct mutate *m, struct place out[static PLACES])
{
    unsigned n = 0;
    for (size_t at = 0; at + HEADER <= m->len && n < PLACES;) {
        struct place record = {.record = at, .body = at + HEADER};
        record.len = least((size_t)get(m, at + 11, 2), m->len - record.body);
        enclose(&record, at + 11, 2);
        unsigned messages = 0;
        if (m->bytes[at] == SD_CT_HANDSHAKE && !get(m, at + 3, 2))
            messages = find_messages(m, &record, out + n, PLACES - n);
        if (!messages)
            out[n] = record;
        n += messages ? messages : 1;
        at = record.body + record.len;
    }
    return n;
}

/* Any place, or any that has a message. */
static bool choose(struct mutate *m, bool message, struct place *p)
{
    struct place all[PLACES];
    unsigned n = find_places(m, all), fit = 0;
    for (unsigned i = 0; i < n; i++)
        if (!message || all[i].message)
            all[fit++] = all[i];
    if (fit)
        *p = all[mutate_below(m->rng, fit)];
    return fit;
}

static bool choose_type(struct mutate *m, uint8_t type, struct place *p)
{
    struct place all[PLACES];
    unsigned n = find_places(m, all);
    for (unsigned i = 0; i < n; i++) {
        if (all[i].message && m->bytes[all[i].message] == type && !get(m, all[i].message + 6, 3)) {
            *p = all[i];
            return true;
        }
    }
    return false;
}

static struct vector vector_of(const struct mutate *m, struct sd_span s, unsigned width)
{
    return (struct vector){s.len ? (size_t)(s.p - m->bytes) : 0, s.len, width};
}

/* The vectors of a hello in their order on the wire. An empty one begins where the one before
 * ends. */
static unsigned hello_vectors(const struct mutate *m, const struct place *p, struct vector out[5])
{
    static const unsigned widths[5] = {1, 1, 2, 1, 2};
    struct sd_client_hello ch;
    struct sd_span body = {m->bytes + p->body, p->len};
    sd_client_hello_parse(&ch, body, (size_t)get(m, p->message + 1, 3));
    struct sd_span spans[5] = {ch.session_id, ch.cookie, ch.suites, ch.compression, ch.extensions};
    size_t at = p->body + 2 + SD_RANDOM_LEN;
    unsigned n = 0;
    for (; n < 5 && ch.missing > SD_HELLO_SESSION_ID + n && at < p->body + p->len; n++) {
        out[n] = vector_of(m, spans[n], widths[n]);
        out[n].at = at + widths[n];
        at = out[n].at + out[n].len;
    }
    return n;
}

/* --- changing --- */

/* Replaces `drop` bytes with n others and corrects the lengths in `p`. */
static bool splice(struct mutate *m, const struct place *p, size_t at, size_t drop,
                   struct sd_span in)
{
    if (m->len - drop + in.len > MUTATE_MAX)
        return false;
    uint8_t copy[MUTATE_MAX];
    if (in.len)
        memcpy(copy, in.p, in.len);
    memmove(m->bytes + at + in.len, m->bytes + at + drop, m->len - at - drop);
    memcpy(m->bytes + at, copy, in.len);
    m->len = m->len - drop + in.len;
    for (unsigned i = 0; i < p->depth && !chance(m, 10); i++) {
        const struct frame *f = &p->frames[i];
        put(m, f->at, f->width, get(m, f->at, f->width) + in.len - drop);
    }
    return true;
}

static bool replace(struct mutate *m, struct place p, const struct vector *v, struct sd_span in)
{
    enclose(&p, v->at - v->width, v->width);
    return splice(m, &p, v->at, v->len, in);
}

/* Values at the limits of a field, and near its old value. */
static uint64_t other_value(struct mutate *m, uint64_t was)
{
    static const uint64_t edges[] = {0, 1, 2, 12, 13, 255, 256, 16384, 18432, 65535, UINT64_MAX};
    switch (mutate_below(m->rng, 4)) {
    case 0:
        return was + 1;
    case 1:
        return was - 1;
    case 2:
        return edges[mutate_below(m->rng, sizeof edges / sizeof *edges)];
    default:
        return fuzz_random(m->rng);
    }
}

static uint16_t some_version(struct mutate *m)
{
    static const uint16_t all[] = {SD_DTLS_1_2, SD_DTLS_1_0, SD_DTLS_1_3, SD_DTLS_BAD, 0x0303};
    return all[mutate_below(m->rng, sizeof all / sizeof *all)];
}

static bool record_field(struct mutate *m)
{
    static const struct frame fields[] = {{0, 1}, {1, 2}, {3, 2}, {5, 6}, {11, 2}};
    struct place p;
    if (!choose(m, false, &p))
        return false;
    unsigned which = (unsigned)mutate_below(m->rng, 5);
    const struct frame *f = &fields[which];
    uint64_t value = other_value(m, get(m, p.record + f->at, f->width));
    if (which == 0 && !chance(m, 4))
        value = SD_CT_CCS + mutate_below(m->rng, 7);
    else if (which == 1 && !chance(m, 4))
        value = some_version(m);
    else if (which == 2 && chance(m, 2))
        value = mutate_below(m->rng, 3);
    put(m, p.record + f->at, f->width, value);
    return true;
}

/* A fragment that ends after its message mostly makes the message longer. */
static void repair_message(struct mutate *m, size_t at)
{
    uint64_t end = get(m, at + 6, 3) + get(m, at + 9, 3);
    if (get(m, at + 1, 3) < end)
        put(m, at + 1, 3, end);
}

static bool message_field(struct mutate *m)
{
    static const struct frame fields[] = {{0, 1}, {1, 3}, {4, 2}, {6, 3}, {9, 3}};
    static const uint8_t types[] = {0, 1, 2, 3, 4, 11, 12, 13, 14, 15, 16, 20, 22, 24};
    struct place p;
    if (!choose(m, true, &p))
        return false;
    unsigned which = (unsigned)mutate_below(m->rng, 5);
    size_t at = p.message + fields[which].at;
    uint64_t value = other_value(m, get(m, at, fields[which].width));
    if (which == 0)
        value = types[mutate_below(m->rng, sizeof types)];
    else if (which == 2 && !chance(m, 3))
        value = mutate_below(m->rng, 4);
    put(m, at, fields[which].width, value);
    if (which && !chance(m, 10))
        repair_message(m, p.message);
    return true;
}

/* Turns a message into two fragments: adjacent, overlapping, with a gap, in the wrong order, or
 * with different lengths or numbers. */
static bool split(struct mutate *m)
{
    enum { WHOLE, OVERLAP, GAP, TOTAL, NUMBER, SHAPES };
    struct place p;
    uint8_t pieces[MUTATE_MAX];
    if (!choose(m, true, &p) || p.len < 2)
        return false;
    unsigned shape = (unsigned)mutate_below(m->rng, SHAPES);
    size_t cut = 1 + mutate_below(m->rng, p.len - 1), from = cut;
    if (shape == OVERLAP)
        from -= mutate_below(m->rng, cut + 1);
    else if (shape == GAP)
        from += mutate_below(m->rng, p.len - cut);
    bool wrong = chance(m, 4);
    struct sd_wr w = sd_wr_init(pieces, sizeof pieces);
    for (unsigned i = 0; i < 2; i++) {
        bool second = i ^ wrong;
        size_t start = second ? from : 0, end = second ? p.len : cut;
        size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, (uint16_t)get(m, p.record + 1, 2), 0,
                                       get(m, p.record + 5, 6) + i);
        sd_wr_u8(&w, m->bytes[p.message]);
        sd_wr_u24(&w, (uint32_t)get(m, p.message + 1, 3) + (second && shape == TOTAL));
        sd_wr_u16(&w, (uint16_t)(get(m, p.message + 4, 2) + (second && shape == NUMBER)));
        sd_wr_u24(&w, (uint32_t)(get(m, p.message + 6, 3) + start) & 0xffffff);
        sd_wr_u24(&w, (uint32_t)(end - start));
        sd_wr_bytes(&w, m->bytes + p.body + start, end - start);
        sd_record_close(&w, record);
    }
    p.depth = 0;
    size_t drop = least(HEADER + (size_t)get(m, p.record + 11, 2), m->len - p.record);
    return !w.bad && splice(m, &p, p.record, drop, make_span(pieces, sd_wr_len(&w)));
}

/* Repeats or drops a record, or inserts a new one before it. */
static bool records(struct mutate *m)
{
    struct place p, none = {0};
    uint8_t fresh[MUTATE_MAX];
    if (!choose(m, false, &p))
        return false;
    size_t len = least(HEADER + (size_t)get(m, p.record + 11, 2), m->len - p.record);
    struct sd_wr w = sd_wr_init(fresh, sizeof fresh);
    switch (mutate_below(m->rng, 3)) {
    case 0:
        return splice(m, &none, p.record, 0, make_span(m->bytes + p.record, len));
    case 1:
        return len < m->len && splice(m, &none, p.record, len, make_span("", 0));
    default:
        mutate_template(m->rng, &w);
        return splice(m, &none, chance(m, 2) ? p.record : m->len, 0,
                      make_span(fresh, sd_wr_len(&w)));
    }
}

/* Adds a message after another one in the same record. */
static bool join(struct mutate *m)
{
    struct place p, other;
    if (!choose(m, true, &p) || !choose(m, true, &other))
        return false;
    p.depth = 1; /* only the record becomes longer */
    return splice(m, &p, p.body + p.len, 0,
                  make_span(m->bytes + other.message, MESSAGE + other.len));
}

static bool hello_vector(struct mutate *m)
{
    struct place p;
    struct vector all[5];
    uint8_t bytes[300];
    unsigned n = choose_type(m, SD_HS_CLIENT_HELLO, &p) ? hello_vectors(m, &p, all) : 0;
    if (!n)
        return false;
    const struct vector *v = &all[mutate_below(m->rng, n < 4 ? n : 4)];
    size_t len = chance(m, 2) ? v->len : mutate_below(m->rng, chance(m, 4) ? 256 : 40);
    fuzz_random_bytes(m->rng, bytes, sizeof bytes);
    if (v->len && chance(m, 2))
        memcpy(bytes, m->bytes + v->at, least(v->len, sizeof bytes));
    return replace(m, p, v, make_span(bytes, least(len, sizeof bytes)));
}

/* The block of extensions in a hello of either side. */
static bool find_block(struct mutate *m, struct place *p, struct vector *block)
{
    struct vector all[5];
    struct sd_server_hello sh;
    if (choose_type(m, SD_HS_CLIENT_HELLO, p)) {
        if (hello_vectors(m, p, all) < 5)
            return false;
        *block = all[4];
    } else if (choose_type(m, SD_HS_SERVER_HELLO, p)) {
        struct sd_span body = {m->bytes + p->body, p->len};
        sd_server_hello_parse(&sh, body, (size_t)get(m, p->message + 1, 3));
        *block = vector_of(m, sh.extensions, 2);
    }
    return block->len;
}

static bool choose_extension(struct mutate *m, struct vector *block, struct vector *e)
{
    struct sd_rd r = sd_rd_init(m->bytes + block->at, block->len);
    struct sd_ext each;
    unsigned n = 0;
    while (sd_ext_next(&r, &each) == SD_EXT_OK)
        if (chance(m, ++n)) /* each with the same chance */
            *e = (struct vector){(size_t)(r.p - m->bytes) - each.body.len, each.body.len, 2};
    return n;
}

static bool extension(struct mutate *m)
{
    static const uint16_t types[] = {0,  1,  5,  10, 11, 13, 14, 15, 16,     22,     23,     28,
                                     35, 41, 42, 43, 44, 45, 51, 54, 0x0a0a, 0x3374, 0xff01, 65535};
    struct place p = {0};
    struct vector block = {0}, e = {0};
    uint8_t bytes[64];
    if (!find_block(m, &p, &block) || !choose_extension(m, &block, &e))
        return false;
    enclose(&p, block.at - 2, 2);
    switch (mutate_below(m->rng, 4)) {
    case 0:
        put(m, e.at - 4, 2, types[mutate_below(m->rng, sizeof types / sizeof *types)]);
        return true;
    case 1:
        return splice(m, &p, e.at + e.len, 0, make_span(m->bytes + e.at - 4, 4 + e.len));
    case 2:
        return splice(m, &p, e.at - 4, 4 + e.len, make_span("", 0));
    default:
        fuzz_random_bytes(m->rng, bytes, sizeof bytes);
        memcpy(bytes, m->bytes + e.at, least(e.len, sizeof bytes));
        return replace(m, p, &e, make_span(bytes, mutate_below(m->rng, sizeof bytes)));
    }
}

static bool body(struct mutate *m)
{
    struct place p;
    uint8_t bytes[MUTATE_MAX];
    if (!choose(m, false, &p))
        return false;
    memcpy(bytes, m->bytes + p.body, p.len);
    size_t len = mutate_any(m->rng, bytes, p.len, least(p.len + 64, sizeof bytes));
    return splice(m, &p, p.body, p.len, make_span(bytes, len));
}

/* Corrects all lengths, as far as they can be known. */
static bool repair(struct mutate *m)
{
    struct place all[PLACES];
    unsigned n = find_places(m, all);
    for (unsigned i = 0; i < n; i++) {
        put(m, all[i].record + 11, 2,
            i + 1 < n && all[i + 1].record == all[i].record
                ? get(m, all[i].record + 11, 2)
                : all[i].body + all[i].len - all[i].record - HEADER);
        if (!all[i].message)
            continue;
        put(m, all[i].message + 9, 3, all[i].len);
        repair_message(m, all[i].message);
    }
    return n;
}

static bool cut(struct mutate *m)
{
    if (m->len < 2)
        return false;
    m->len -= 1 + mutate_below(m->rng, m->len - 1);
    return true;
}

static const struct {
    const char *name;
    bool (*apply)(struct mutate *m);
    unsigned weight;
} operators[] = {{"record field", record_field, 4},
                 {"message field", message_field, 4},
                 {"split", split, 3},
                 {"records", records, 3},
                 {"join", join, 1},
                 {"hello vector", hello_vector, 3},
                 {"extension", extension, 4},
                 {"body", body, 4},
                 {"repair", repair, 1},
                 {"cut", cut, 1}};

unsigned mutate_count(void)
{
    return sizeof operators / sizeof *operators;
}

const char *mutate_name(unsigned which)
{
    return operators[which].name;
}

bool mutate_with(struct mutate *m, unsigned which)
{
    return operators[which].apply(m);
}

bool mutate_datagram(struct mutate *m)
{
    unsigned all = 0, i = 0;
    for (unsigned n = 0; n < mutate_count(); n++)
        all += operators[n].weight;
    size_t at = mutate_below(m->rng, all);
    for (; at >= operators[i].weight; i++)
        at -= operators[i].weight;
    return operators[i].apply(m);
}

bool mutate_cookie(struct mutate *m, struct sd_span cookie)
{
    struct place p;
    struct vector all[5];
    if (!choose_type(m, SD_HS_CLIENT_HELLO, &p) || hello_vectors(m, &p, all) < 2)
        return false;
    put(m, p.message + 4, 2, 1);
    return replace(m, p, &all[1], cookie);
}
