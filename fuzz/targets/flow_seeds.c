/* SPDX-License-Identifier: MIT */
/* Seeds of fuzz_flow: handshakes, message by message, from the stories of flow_stories.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/make.h"
#include "harness/watch.h"
#include "targets/flow_ops.h"
#include "targets/flow_stories.h"

#include "wire/handshake.h"
#include "wire/iana.h"

enum { LETTERS = 16, NUMBERS = 3, HEADERS = 25, MESSAGE = 4096 };

struct speaker {
    uint64_t seq[4];        /* by epoch */
    char known[LETTERS];    /* the letter of each message_seq */
    uint16_t message_count; /* the next message_seq */
};

struct teller {
    const struct story *story;
    struct speaker speaker[2];
    uint8_t who, random;
    struct sd_wr w;
    uint8_t bytes[32768];
};

/* A letter, its side (capital letters are the server's), and up to three numbers. */
struct word {
    char letter;
    bool server;
    unsigned n[NUMBERS], count;
};

static struct word read_word(const char **at)
{
    struct word w = {.letter = (char)tolower((unsigned char)**at),
                     .server = isupper((unsigned char)**at)};
    ++*at;
    while (isdigit((unsigned char)**at) && w.count < NUMBERS) {
        w.n[w.count++] = (unsigned)strtoul(*at, (char **)(uintptr_t)at, 10);
        *at += **at == '.';
    }
    return w;
}

/* --- what a message says --- */

static void client_hello(const struct teller *t, bool cookie, struct sd_wr *out)
{
    uint8_t block[512];
    struct sd_wr all = sd_wr_init(block, sizeof block);
    make_extensions(&all);
    const struct story *s = t->story;
    struct sd_span suites = t->who & 6 && s->others.len ? s->others : s->suites;
    make_client_hello(
        out, &(struct make_hello){.random = t->random,
                                  .session_id = s->session_id,
                                  .cookie = make_span("cookie", cookie ? 6 : 0),
                                  .suites = suites,
                                  .extensions =
                                      s->offer.len ? s->offer : make_span(block, sd_wr_len(&all))});
}

static void put_cert(struct sd_wr *w, const struct cert *c)
{
    size_t mark = sd_wr_open(w, 3);
    sd_wr_u8(w, c->kind);
    sd_wr_u8(w, c->bits);
    sd_wr_u32(w, c->from);
    sd_wr_u32(w, c->to);
    sd_wr_u8(w, c->flags);
    if (c->flags & CERT_VALUES) {
        sd_wr_u16(w, c->group);
        sd_wr_u16(w, c->scheme);
    }
    for (unsigned i = 0; i < c->more; i++)
        sd_wr_u8(w, 0);
    sd_wr_close(w, mark, 3);
}

static void certificate(const struct teller *t, struct sd_wr *out)
{
    static const struct cert valid = {0, 128, STORY_NOW - STORY_DAY, STORY_NOW + STORY_DAY, 0, 0,
                                      0, 0};
    uint8_t body[MESSAGE];
    struct sd_wr b = sd_wr_init(body, sizeof body);
    size_t list = sd_wr_open(&b, 3);
    const struct cert *c = t->story->chain;
    if (!c->to)
        put_cert(&b, &valid);
    for (; c < t->story->chain + STORY_CHAIN && c->to; c++)
        put_cert(&b, c);
    sd_wr_close(&b, list, 3);
    make_message(out, 0, SD_HS_CERTIFICATE, 0, make_span(body, sd_wr_len(&b)));
}

static void key_exchange(const struct teller *t, bool server, struct sd_wr *out)
{
    static const uint8_t key[67] = {65};
    struct sd_span body = t->story->key.len ? t->story->key : make_span(key, sizeof key);
    make_message(out, 0, server ? SD_HS_SERVER_KEY_EXCHANGE : SD_HS_CLIENT_KEY_EXCHANGE, 0, body);
}

/* The whole message, as record and handshake header have it when it is sent in one piece. */
static void whole(const struct teller *t, const struct word *w, struct sd_wr *out)
{
    uint16_t suite = t->story->suite ? t->story->suite : 0xc02b;
    switch (w->letter) {
    case 'c':
    case 'k':
        client_hello(t, w->letter == 'k', out);
        break;
    case 'v':
        make_hello_verify(out, 0, make_span("cookie", 6));
        break;
    case 'h':
        make_server_hello(out, 0, 0, 9, suite, t->story->answer);
        break;
    case 'e':
        certificate(t, out);
        break;
    case 'x':
        key_exchange(t, w->server, out);
        break;
    case 'o':
        make_message(out, 0, SD_HS_CERTIFICATE, 0, make_span("\0\0\0", 3));
        break;
    case 'r':
        make_message(out, 0, SD_HS_CERTIFICATE_REQUEST, 0,
                     t->story->request.len ? t->story->request : make_span("\1\1\0\2\4\3\0\0", 8));
        break;
    default:
        make_message(out, 0, SD_HS_SERVER_HELLO_DONE, 0, make_span("", 0));
    }
}

static uint16_t message_seq(struct speaker *s, char letter)
{
    for (uint16_t i = 0; i < s->message_count; i++)
        if (s->known[i] == letter)
            return i;
    s->known[s->message_count % LETTERS] = letter;
    return s->message_count++;
}

/* Numbers: the bytes [from, to). */
static void handshake(struct teller *t, const struct word *w, struct sd_wr *d)
{
    uint8_t bytes[HEADERS + MESSAGE];
    struct speaker *s = &t->speaker[w->server];
    struct sd_wr one = sd_wr_init(bytes, sizeof bytes);
    whole(t, w, &one);
    uint32_t len = (uint32_t)sd_wr_len(&one) - HEADERS;
    uint32_t from = w->n[0] < len ? w->n[0] : len;
    uint32_t to = w->count > 1 && w->n[1] < len ? w->n[1] : len;
    make_fragment(d, s->seq[0]++, bytes[13], message_seq(s, w->letter),
                  make_span(bytes + HEADERS, len), from, to);
}

/* --- what a record holds --- */

static void sealed(struct teller *t, const struct word *w, struct sd_wr *d, uint8_t type)
{
    uint8_t noise[64];
    memset(noise, 7, sizeof noise);
    make_record(d, type, 1, t->speaker[w->server].seq[1]++,
                make_span(noise, w->count ? w->n[0] : 40));
}

/* A record with a connection id; lib/wire can read it but not build it. */
static void sealed_with_id(struct teller *t, const struct word *w, struct sd_wr *d)
{
    sd_wr_u8(d, SD_CT_CID);
    sd_wr_u16(d, SD_DTLS_1_2);
    sd_wr_u16(d, 1);
    sd_wr_u16(d, 0);
    sd_wr_u32(d, (uint32_t)t->speaker[w->server].seq[1]++);
    sd_wr_bytes(d, "id", 2);
    sd_wr_u16(d, 30);
    sd_wr_bytes(d, "thirty bytes that nobody opens", 30);
}

/* A header of DTLS 1.3 with a length; the number is the epoch. */
static void unified(struct teller *t, const struct word *w, struct sd_wr *d)
{
    unsigned epoch = w->count ? w->n[0] & 3 : 2;
    sd_wr_u8(d, (uint8_t)(0x2c | epoch));
    sd_wr_u16(d, (uint16_t)t->speaker[w->server].seq[epoch]++);
    sd_wr_u16(d, 20);
    sd_wr_bytes(d, "twenty bytes, sealed", 20);
}

/* What watch_unprotect() opens: a Finished, or an alert with this description. */
static void opened(struct teller *t, const struct word *w, struct sd_wr *d)
{
    static const char finished[] = "Z\24\0\0\14\0\3\0\0\0\0\0\14FinishedByUs";
    uint8_t alert[] = {'Z', 1, (uint8_t)w->n[0]};
    make_record(d, w->count ? SD_CT_ALERT : SD_CT_HANDSHAKE, 1, t->speaker[w->server].seq[1]++,
                w->count ? make_span(alert, 3) : make_span(finished, sizeof finished - 1));
}

static void message(struct teller *t, const struct word *w, struct sd_wr *d)
{
    uint64_t *seq = t->speaker[w->server].seq;
    switch (w->letter) {
    case 'q':
        make_record(d, SD_CT_CCS, 0, seq[0]++, make_span("\1", 1));
        break;
    case 'z': { /* description, level */
        uint8_t body[] = {w->count > 1 ? (uint8_t)w->n[1] : 2, (uint8_t)w->n[0]};
        make_record(d, SD_CT_ALERT, 0, seq[0]++, make_span(body, 2));
        break;
    }
    case 'f':
        sealed(t, w, d, SD_CT_HANDSHAKE);
        break;
    case 'a':
        sealed(t, w, d, SD_CT_APPDATA);
        break;
    case 'n':
        sealed(t, w, d, SD_CT_ALERT);
        break;
    case 'b':
        sealed_with_id(t, w, d);
        break;
    case 'u':
        unified(t, w, d);
        break;
    case 'y':
        opened(t, w, d);
        break;
    case 'l': /* record numbers that are skipped; two arguments: in epoch 1 */
        seq[w->count > 1] += w->count ? w->n[0] : 1;
        break;
    default:
        handshake(t, w, d);
    }
}

/* --- operations --- */

/* A check of ICE (RFC 8445 section 7.1): a Binding request with the names of both sides. */
static const char stun_request[] = "\0\1\0\10\x21\x12\xa4\x42"
                                   "transaction."
                                   "\0\6\0\3a:b";

static void datagram(struct teller *t, const char **at, uint8_t arg)
{
    static uint8_t bytes[8192];
    struct sd_wr d = sd_wr_init(bytes, sizeof bytes);
    bool server = false;
    do {
        *at += **at == '+';
        struct word w = read_word(at);
        server = w.server;
        message(t, &w, &d);
    } while (**at == '+');
    fuzz_op_put(&t->w, CODE_DATAGRAM, arg | server, bytes, sd_wr_len(&d));
}

/* Text between braces, from a server when it begins with '!'. */
static void foreign(struct teller *t, const char **at, uint8_t arg)
{
    bool server = *++*at == '!';
    *at += server;
    size_t len = strcspn(*at, "}");
    fuzz_op_put(&t->w, CODE_OTHER, (uint8_t)(arg | 192 | server), *at, len);
    *at += len + 1;
}

static void begin_anew(struct teller *t, uint8_t who)
{
    memset(t->speaker, 0, sizeof t->speaker);
    t->who = (uint8_t)(who << 1);
    t->random = (uint8_t)(t->random + 2);
}

static void operation(struct teller *t, const char **at, uint8_t arg)
{
    static const uint8_t quotes[] = {0x16, 0xfe, 0xfd};
    struct word w = read_word(at);
    uint8_t one = (uint8_t)w.n[0], two = (uint8_t)w.n[1], three = (uint8_t)w.n[2];
    arg |= w.server;
    switch (w.letter) {
    case 'i': /* type, code, MTU; a capital: about the server's packet */
        fuzz_op_put(&t->w, CODE_ICMP, arg, (uint8_t[]){one, two, (uint8_t)(w.n[2] >> 8), three}, 4);
        break;
    case 't':
        fuzz_op_put(&t->w, CODE_TICK, arg, (uint8_t[]){(uint8_t)(w.n[0] >> 8), one}, 2);
        break;
    case 'p': /* the TTLs and the lane */
        fuzz_op_put(&t->w, CODE_CONFIG, arg, (uint8_t[]){one, two, three}, 3);
        break;
    case 'm':
        fuzz_op_put(&t->w, CODE_NO_MEMORY, one, "", 0);
        break;
    case 'j':
        fuzz_op_put(&t->w, CODE_CUT, arg | 64, quotes, sizeof quotes);
        break;
    case 's': /* kinds that are not DTLS: STUN, its success, RTP */
        fuzz_op_put(&t->w, CODE_OTHER, (uint8_t)(arg | one << 6 | (two ? 8 : 0)), stun_request,
                    sizeof stun_request - 1);
        break;
    case '=': /* the last datagram again; 1: from the server */
        fuzz_op_put(&t->w, CODE_AGAIN, arg | one, "", 0);
        break;
    case 'g': /* another handshake, in that flow */
        begin_anew(t, one);
        break;
    default:
        fuzz_op_put(&t->w, CODE_DROPS, arg, "", 0);
    }
}

/* The marks before an operation: when it comes, and how. */
static uint8_t read_manner(const struct teller *t, const char **at)
{
    uint8_t arg = t->who | 16;
    for (;; ++*at) {
        if (**at == '~')
            arg = (uint8_t)((arg & ~48) | 32); /* a second later */
        else if (**at == '^')
            arg &= (uint8_t)~48; /* a millisecond later */
        else if (**at == '<')
            arg |= 48; /* earlier than the one before it */
        else if (**at == '|')
            arg |= 8; /* in IP fragments */
        else if (**at == '\'')
            arg |= 64; /* from another port */
        else if (**at == '%')
            arg |= 128; /* snapped */
        else
            return arg;
    }
}

static void step(struct teller *t, const char **at)
{
    char *end;
    unsigned long times = strtoul(*at, &end, 10); /* "3*" */
    *at = *end == '*' ? end + 1 : *at;
    const char *from = *at;
    for (unsigned long i = 0; i < (times ? times : 1); i++) {
        *at = from;
        uint8_t arg = read_manner(t, at);
        if (**at == '{')
            foreign(t, at, arg);
        else if (strchr("itpmjsgw=", tolower((unsigned char)**at)))
            operation(t, at, arg);
        else
            datagram(t, at, arg);
    }
}

static void tell(struct fuzz_seeder *to, const struct story *story)
{
    struct teller t = {.story = story, .random = 8};
    t.w = sd_wr_init(t.bytes, sizeof t.bytes);
    fuzz_op_put(&t.w, CODE_CONFIG, story->limits, (uint8_t[]){story->fails, story->traits}, 2);
    for (const char *at = story->text; *at; at += *at == ' ')
        step(&t, &at);
    fuzz_check(!t.w.bad, "too long a story: %s", story->text);
    fuzz_seed(to, t.bytes, sd_wr_len(&t.w));
}

void fuzz_seeds(struct fuzz_seeder *to)
{
    for (size_t i = 0; i < flow_story_count; i++)
        tell(to, &flow_stories[i]);
}
