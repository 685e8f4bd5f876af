/* SPDX-License-Identifier: MIT */
/* What dtls_scan makes of a server's answers: messages put together from fragments, for questions
 * by single hellos (ask/answer.h) and for the client that is moved by hand (puppet/inbox.h), and
 * text of the server on its way to a report.
 *
 * Operations: a datagram (its argument: ALSO_SKIP lets the inbox go on to the next message, TEXT
 * takes the datagram as text of a certificate), or a new question. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtls_scan/ask/answer.h"
#include "dtls_scan/puppet/inbox.h"
#include "dtls_scan/report/html.h"
#include "harness/common.h"
#include "harness/make.h"
#include "wire/extension.h"
#include "wire/iana.h"
#include "wire/record.h"

enum { DATAGRAM, NEW_QUESTION, OPERATIONS, ALSO_SKIP = 1, TEXT = 2, PIECES = 512 };

/* Every fragment of the question so far, to put the messages together a second time. */
static struct piece {
    struct sd_handshake h; /* its body is a copy */
} pieces[PIECES];
static unsigned piece_count;
static bool pieces_full;

static struct scan_answer answer;
static struct puppet_inbox inbox;
static uint16_t handed_out;

static void forget_pieces(void)
{
    for (unsigned i = 0; i < piece_count; i++)
        free((uint8_t *)(uintptr_t)pieces[i].h.body.p);
    piece_count = 0;
    pieces_full = false;
}

static void new_question(void)
{
    scan_answer_clear(&answer);
    forget_pieces();
}

static void keep_piece(const struct sd_handshake *h)
{
    pieces_full |= piece_count == PIECES;
    if (pieces_full)
        return;
    pieces[piece_count].h = *h;
    pieces[piece_count++].h.body = (struct sd_span){fuzz_copy(h->body), h->body.len};
}

/* The byte of the first fragment that covers it; -1 = none does. */
static int byte_of(const struct scan_message *m, size_t at)
{
    for (unsigned i = 0; i < piece_count; i++) {
        const struct sd_handshake *h = &pieces[i].h;
        if (h->type == m->type && h->message_seq == m->seq && h->length == m->length &&
            at >= h->frag_off && at - h->frag_off < h->body.len)
            return h->body.p[at - h->frag_off];
    }
    return -1;
}

static void check_message(const struct scan_message *m)
{
    unsigned have = 0;
    fuzz_check(m->at + m->length <= SCAN_STORE, "a message ends behind the store");
    for (size_t i = 0; i < m->length; i++) {
        int byte = answer.got[m->at + i] ? answer.store[m->at + i] : -1;
        have += byte >= 0;
        fuzz_check(pieces_full || byte == byte_of(m, i), "byte %zu of a message is %d, came as %d",
                   i, byte, byte_of(m, i));
    }
    fuzz_check(have == m->have, "%u bytes of a message count as %u", have, m->have);
    fuzz_note(m->type);
    fuzz_note(m->have);
}

static void check_span(struct sd_span s)
{
    fuzz_check(!s.len || (s.p >= answer.store && s.p + s.len <= answer.store + answer.used),
               "a field lies outside the message");
    fuzz_note_bytes(s.p, s.len);
}

static void check_answers(void)
{
    struct sd_server_hello sh;
    struct sd_hello_verify hv;
    fuzz_check(answer.count <= SCAN_MESSAGES && answer.used <= SCAN_STORE, "too much is kept");
    for (unsigned i = 0; i < answer.count; i++)
        check_message(&answer.message[i]);
    for (int retry = 0; retry < 2; retry++)
        if (scan_answer_hello(&answer, retry, &sh)) {
            check_span(sh.random);
            check_span(sh.session_id);
            check_span(sh.extensions);
            fuzz_check(sh.retry == retry, "a HelloRetryRequest is taken for a ServerHello");
        }
    if (scan_answer_verify(&answer, &hv))
        check_span(hv.cookie);
    fuzz_note(scan_answer_flight(&answer));
}

/* Messages come out in order and whole, and what waits is bounded. */
static void take_messages(void)
{
    struct sd_handshake h;
    uint8_t *body;
    while (puppet_inbox_next(&inbox, &h, &body)) {
        fuzz_check(h.message_seq == handed_out++, "message %u comes out of turn", h.message_seq);
        fuzz_check(h.body.len == h.length, "a message of %u bytes comes with %zu",
                   (unsigned)h.length, h.body.len);
        fuzz_note_bytes(h.body.p, h.body.len);
        free(body);
    }
    fuzz_check(inbox.held <= PUPPET_INBOX_BYTES, "%zu bytes wait", inbox.held);
}

static void give_fragments(struct sd_span datagram)
{
    struct sd_records it = sd_records_init(datagram.p, datagram.len, 0);
    struct sd_record rec;
    struct sd_handshake h;
    while (sd_record_next(&it, &rec) == SD_RECORD_OK) {
        struct sd_rd r = sd_rd_init(rec.body.p, rec.body.len);
        if (rec.unified || rec.epoch || rec.type != SD_CT_HANDSHAKE)
            continue;
        while (sd_handshake_next(&r, &h) == SD_HANDSHAKE_OK) {
            keep_piece(&h);
            fuzz_note(puppet_inbox_add(&inbox, &h));
        }
    }
}

/* A sentence with text of the server: printable, bounded, and without markup on the page. */
static void report_text(struct sd_span text)
{
    struct scan_result result = {.check = scan_check_at(0)};
    struct scan_report r = {.host = "host", .port = "1", .count = 1, .results = &result};
    char *page = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&page, &len);
    fuzz_check(to, "no memory for the page");
    scan_found(&result.outcome, SCAN_LOW, json_null(), "<%.*s>", (int)text.len,
               (const char *)text.p);
    for (const char *c = result.outcome.text; *c; c++)
        fuzz_check((unsigned char)*c >= ' ' && *c != 0x7f, "byte %02x gets through", *c & 0xff);
    scan_html_add(to, &r);
    fclose(to);
    fuzz_check(!strstr(page, "<<") && !strstr(page, "<script"), "markup gets through");
    fuzz_note_bytes(page, len);
    free(page);
    scan_outcome_free(&result.outcome);
}

static void receive(const struct fuzz_op *op)
{
    uint8_t *copy = fuzz_copy(op->data);
    struct sd_span datagram = {copy, op->data.len};
    scan_answer_take(&answer, copy, op->data.len);
    give_fragments(datagram);
    take_messages();
    if (op->arg & ALSO_SKIP) {
        puppet_inbox_skip(&inbox, (uint16_t)(handed_out + 1));
        handed_out = inbox.next;
        take_messages();
    }
    if (op->arg & TEXT)
        report_text(datagram);
    free(copy); /* nothing of the datagram is borrowed */
    check_answers();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_op op;
    new_question();
    inbox = (struct puppet_inbox){0};
    handed_out = 0;
    while (fuzz_op_next(&in, &op)) {
        if (op.code % OPERATIONS == NEW_QUESTION)
            new_question();
        else
            receive(&op);
    }
    forget_pieces();
    puppet_inbox_clear(&inbox);
    return 0;
}

/* --- seeds --- */

static void put_piece(struct sd_wr *w, uint8_t type, uint16_t seq, size_t from, struct sd_span body,
                      size_t length)
{
    sd_wr_u8(w, type);
    sd_wr_u24(w, (uint32_t)length);
    sd_wr_u16(w, seq);
    sd_wr_u24(w, (uint32_t)from);
    sd_wr_u24(w, (uint32_t)body.len);
    sd_wr_bytes(w, body.p, body.len);
}

static size_t flight_record(uint8_t *out, size_t cap, uint8_t type, uint16_t seq, size_t from,
                            struct sd_span body, size_t length)
{
    struct sd_wr w = sd_wr_init(out, cap);
    size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, seq);
    put_piece(&w, type, seq, from, body, length);
    sd_record_close(&w, record);
    return sd_wr_len(&w);
}

/* A flight: hello, certificate in three pieces of which the last comes first, done. */
static void seed_flight(struct fuzz_seeder *s, uint8_t arg)
{
    static const uint8_t verify[] = {0xfe, 0xff, 4, 'c', 'o', 'o', 'k'};
    static const uint8_t hello[] = {
        0xfe,     0xfd,     [34] = 0, [35] = 0xc0, [36] = 0x2b, [37] = 0,
        [38] = 0, [39] = 4, [40] = 0, [41] = 23,   [43] = 0};
    static const uint8_t certificate[] = {0, 0, 27, 0, 0, 24, [29] = 0x30};
    uint8_t bytes[1024], datagram[256];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    size_t third = sizeof certificate / 3;
    const struct {
        uint8_t type;
        uint16_t seq;
        size_t from;
        struct sd_span body;
        size_t length;
    } parts[] = {
        {SD_HS_HELLO_VERIFY_REQUEST, 0, 0, {verify, sizeof verify}, sizeof verify},
        {SD_HS_SERVER_HELLO, 0, 0, {hello, sizeof hello}, sizeof hello},
        {SD_HS_CERTIFICATE, 1, 2 * third, {certificate + 2 * third, third}, sizeof certificate},
        {SD_HS_CERTIFICATE, 1, 0, {certificate, third + 2}, sizeof certificate},
        {SD_HS_CERTIFICATE, 1, third, {certificate + third, third}, sizeof certificate},
        {SD_HS_SERVER_HELLO_DONE, 2, 0, {NULL, 0}, 0},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = flight_record(datagram, sizeof datagram, parts[i].type, parts[i].seq,
                                 parts[i].from, parts[i].body, parts[i].length);
        fuzz_op_put(&w, DATAGRAM, arg, datagram, n);
        if (!i)
            fuzz_op_put(&w, NEW_QUESTION, 0, NULL, 0);
    }
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    static const uint8_t text[] = "CN=\x1b]0;x\x07<script>\"\xff\xe2\x80\xae";
    uint8_t bytes[128];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    seed_flight(s, 0);
    seed_flight(s, ALSO_SKIP);
    fuzz_op_put(&w, DATAGRAM, TEXT, text, sizeof text - 1);
    fuzz_seed(s, bytes, sd_wr_len(&w));
}
