/* SPDX-License-Identifier: MIT */
/* lib/wire on any bytes: records, handshake messages, hellos, extensions, and what DTLS 1.3 adds.
 *
 * An operation is a datagram; its argument is the length of the receiver's connection ids. Each
 * parser must do a bounded amount of work, and the builder must make the same bytes of what a
 * parser calls well-formed. */
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/make.h"
#include "targets/record_keys.h"
#include "targets/resize.h"

#include "wire/alert.h"
#include "wire/certificate.h"
#include "wire/extension.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/iana.h"
#include "wire/names.h"
#include "wire/record.h"

enum { SCRATCH = 65536, STEPS_FREE = 64, STEPS_PER_BYTE = 8, CUTS = 4, CUT_MAX = 512 };

static uint8_t scratch[SCRATCH];
static size_t steps;

static struct sd_wr out(void)
{
    return sd_wr_init(scratch, sizeof scratch);
}

/* The built bytes are the ones that were read. */
static void check_same(const struct sd_wr *w, const uint8_t *p, size_t len, const char *what)
{
    fuzz_check(!w->bad && sd_wr_len(w) == len, "%s of %zu bytes is built again with %zu", what, len,
               sd_wr_len(w));
    fuzz_check(!len || !memcmp(scratch, p, len), "%s is built again with other bytes", what);
}

static void note_span(struct sd_span s)
{
    fuzz_note(s.len);
    fuzz_note_bytes(s.p, s.len);
}

static void name_u16s(struct sd_rd list, enum sd_registry registry)
{
    char buf[SD_NAME_TEXT];
    for (; sd_rd_left(&list); steps++) {
        const char *name = sd_name(registry, sd_rd_u16(&list), buf);
        fuzz_check(name && *name, "a value without any name");
        fuzz_note_bytes(name, strlen(name));
    }
}

static void read_lists(struct sd_span body)
{
    struct sd_rd list;
    struct sd_span one, mki;
    if (sd_ext_u16s(body, 1, &list))
        name_u16s(list, SD_NAME_VERSION);
    if (sd_ext_u16s(body, 2, &list))
        name_u16s(list, SD_NAME_GROUP);
    if (sd_ext_u16s(body, 2, &list))
        name_u16s(list, SD_NAME_SCHEME);
    if (sd_ext_use_srtp(body, &list, &mki)) {
        name_u16s(list, SD_NAME_SRTP);
        note_span(mki);
    }
    if (sd_ext_alpn(body, &list))
        for (; sd_alpn_next(&list, &one); steps++)
            note_span(one);
}

static void read_keys(struct sd_span body)
{
    struct sd_rd list;
    struct sd_key_share ks;
    if (sd_ext_key_shares(body, &list))
        for (; sd_key_share_next(&list, &ks); steps++)
            note_span(ks.key);
}

/* Every reader sees every body, whatever its type. */
static void read_extension(const struct sd_ext *e)
{
    char buf[SD_NAME_TEXT];
    struct sd_span value;
    uint16_t u16;
    fuzz_note(*sd_name(SD_NAME_EXTENSION, e->type, buf) != '\0');
    fuzz_note(sd_ext_u16(e->body, &u16) ? u16 : 1);
    for (unsigned width = 1; width <= 2; width++)
        if (sd_ext_opaque(e->body, width, &value))
            fuzz_check(value.len + width == e->body.len, "an opaque value leaves bytes");
    if (sd_ext_server_name(e->body, &value))
        note_span(value);
    read_lists(e->body);
    read_keys(e->body);
}

static void read_extensions(struct sd_span block)
{
    struct sd_rd r = sd_rd_init(block.p, block.len);
    struct sd_ext e;
    struct sd_span found;
    for (; sd_ext_next(&r, &e) == SD_EXT_OK; steps++) {
        fuzz_check(sd_ext_has(block, e.type), "an extension is not found");
        fuzz_check(sd_ext_find(block, e.type, &found) && found.p <= e.body.p,
                   "not the first extension of its type");
        read_extension(&e);
    }
}

static void check_cut_at(const struct sd_client_hello *whole, struct sd_span body, size_t cut)
{
    static struct fuzz_place place;
    struct sd_client_hello ch;
    uint8_t *copy = fuzz_place(&place, make_span(body.p, cut));
    enum sd_hello_status st = sd_client_hello_parse(&ch, make_span(copy, cut), body.len);
    fuzz_check(st == SD_HELLO_CUT, "%zu of %zu bytes of a hello give status %d", cut, body.len,
               (int)st);
    if (ch.missing > SD_HELLO_COOKIE)
        fuzz_check(ch.cookie.len == whole->cookie.len && ch.session_id.len == whole->session_id.len,
                   "a hello cut at %zu has other fields", cut);
}

/* A cut hello gives the same fields, as far as it goes. Trying all cuts would take most of the
 * time: the hello's random selects the first one, and the others are spread from there. */
static void check_cut_hello(const struct sd_client_hello *whole, struct sd_span body)
{
    size_t most = body.len < CUT_MAX ? body.len : CUT_MAX;
    size_t first = whole->random.p[0] | (size_t)whole->random.p[1] << 8;
    for (size_t i = 0; i < CUTS; i++, steps++)
        check_cut_at(whole, body, (first + i * most / CUTS) % most);
}

static void read_client_hello(const struct sd_handshake *h)
{
    struct sd_client_hello ch;
    enum sd_hello_status st = sd_client_hello_parse(&ch, h->body, h->length);
    fuzz_note(st * 16 + ch.missing);
    if (ch.missing > SD_HELLO_SUITES)
        name_u16s(sd_rd_init(ch.suites.p, ch.suites.len), SD_NAME_SUITE);
    read_extensions(ch.extensions);
    if (st != SD_HELLO_WHOLE)
        return;
    struct sd_wr w = out();
    sd_client_hello_build(&w, &ch);
    bool empty_block = !ch.extensions.len && sd_wr_len(&w) + 2 == h->body.len;
    check_same(&w, h->body.p, h->body.len - (empty_block ? 2 : 0), "a ClientHello");
    if (!empty_block)
        check_cut_hello(&ch, h->body);
}

static void read_server_hello(const struct sd_handshake *h)
{
    struct sd_server_hello sh;
    enum sd_hello_status st = sd_server_hello_parse(&sh, h->body, h->length);
    fuzz_note(st * 16 + sh.missing);
    fuzz_note(sd_server_hello_version(&sh));
    if (sh.missing > SD_HELLO_RANDOM)
        fuzz_note(sd_server_hello_downgrade(&sh));
    read_extensions(sh.extensions);
    if (st != SD_HELLO_WHOLE)
        return;
    struct sd_wr w = out();
    make_server_hello_body(&w, &sh);
    bool empty_block = !sh.extensions.len && sd_wr_len(&w) + 2 == h->body.len;
    check_same(&w, h->body.p, h->body.len - (empty_block ? 2 : 0), "a ServerHello");
}

static void read_chain(struct sd_span body, bool tls13)
{
    struct sd_cert_chain chain;
    struct sd_span der;
    size_t total = 0;
    if (!sd_cert_chain_init(&chain, body, tls13))
        return;
    for (; sd_cert_next(&chain, &der); steps++)
        total += der.len + 3;
    fuzz_check(total <= body.len, "certificates of %zu bytes in a message of %zu", total, body.len);
    fuzz_note(total);
}

static void read_message(const struct sd_handshake *h)
{
    struct sd_hello_verify hv;
    switch (h->type) {
    case SD_HS_CLIENT_HELLO:
        read_client_hello(h);
        break;
    case SD_HS_SERVER_HELLO:
        read_server_hello(h);
        break;
    case SD_HS_HELLO_VERIFY_REQUEST:
        if (sd_hello_verify_parse(&hv, h->body)) {
            struct sd_wr w = out();
            sd_hello_verify_build(&w, &hv);
            check_same(&w, h->body.p, h->body.len, "a HelloVerifyRequest");
        }
        break;
    case SD_HS_CERTIFICATE:
        read_chain(h->body, false);
        read_chain(h->body, true);
        break;
    case SD_HS_SERVER_KEY_EXCHANGE:
        record_keys_check(h->body);
        break;
    case SD_HS_CERTIFICATE_REQUEST:
        steps += record_keys_check_request(h->body);
        break;
    }
}

static void read_handshake(struct sd_span body)
{
    char buf[SD_NAME_TEXT];
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_handshake h;
    enum sd_handshake_status st;
    for (; (st = sd_handshake_next(&r, &h)) == SD_HANDSHAKE_OK; steps++) {
        fuzz_check((uint64_t)h.frag_off + h.frag_len <= h.length && (h.frag_len || !h.length),
                   "a fragment [%u, +%u) of a message of %u bytes", h.frag_off, h.frag_len,
                   h.length);
        fuzz_check(h.body.len == h.frag_len, "a fragment has another length than it says");
        struct sd_wr w = out();
        sd_handshake_build(&w, &h);
        check_same(&w, h.body.p - SD_HANDSHAKE_HEADER_LEN, h.frag_len + SD_HANDSHAKE_HEADER_LEN,
                   "a handshake fragment");
        fuzz_note_bytes(sd_name(SD_NAME_HANDSHAKE, h.type, buf), 2);
        fuzz_note(sd_handshake_whole(&h));
        if (!h.frag_off)
            read_message(&h);
    }
    fuzz_note(st);
    fuzz_check(st == SD_HANDSHAKE_END || !h.body.len, "a broken message has a body");
}

static void read_alert(struct sd_span body)
{
    char buf[SD_NAME_TEXT];
    struct sd_alert a;
    if (!sd_alert_parse(&a, body))
        return;
    struct sd_wr w = out();
    sd_alert_build(&w, &a);
    check_same(&w, body.p, body.len, "an alert");
    fuzz_note_bytes(sd_name(SD_NAME_ALERT, a.description, buf), 2);
    fuzz_note_bytes(sd_name(SD_NAME_LEVEL, a.level, buf), 2);
}

static void read_body(const struct sd_record *rec)
{
    switch (rec->type) {
    case SD_CT_HANDSHAKE:
        read_handshake(rec->body);
        break;
    case SD_CT_ALERT:
        read_alert(rec->body);
        break;
    case SD_CT_CCS:
        fuzz_note(sd_ccs_ok(rec->version, rec->body));
        break;
    }
}

static void check_record(const struct sd_record *rec, const uint8_t *data, size_t len)
{
    char buf[SD_NAME_TEXT];
    const uint8_t *end = rec->body.p + rec->body.len;
    fuzz_check(rec->header.p == data + rec->offset, "a record whose header is not at its offset");
    fuzz_check(end <= data + len && rec->header.p + rec->header.len <= end,
               "a record beyond its datagram");
    fuzz_note(rec->seq);
    fuzz_note(rec->epoch);
    fuzz_note_bytes(sd_name(SD_NAME_CONTENT, rec->type, buf), 2);
    if (rec->unified || rec->type == SD_CT_CID)
        return;
    fuzz_check(sd_record_version_ok(rec->version), "a record of version %04x", rec->version);
    struct sd_wr w = out();
    sd_record_build(&w, rec);
    check_same(&w, rec->header.p, rec->header.len + rec->body.len, "a record");
}

static void read_datagram(const uint8_t *data, size_t len, size_t cid_len)
{
    struct sd_records it = sd_records_init(data, len, cid_len);
    struct sd_record rec;
    size_t at = 0;
    for (; sd_record_next(&it, &rec) == SD_RECORD_OK; steps++) {
        fuzz_check(rec.offset == at, "a record begins at %zu, the one before ended at %zu",
                   rec.offset, at);
        at = rec.offset + rec.header.len + rec.body.len;
        check_record(&rec, data, len);
        read_body(&rec);
    }
    fuzz_note(it.status);
    if (it.status == SD_RECORD_CUT)
        fuzz_check(rec.body.len < rec.length, "a cut record is whole");
    else
        fuzz_check(!rec.body.len && !rec.header.len, "a broken record has bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    struct fuzz_op op;
    while (fuzz_op_next(&in, &op)) {
        size_t len = op.data.len;
        uint8_t *copy = fuzz_copy(op.data);
        steps = 0;
        read_datagram(copy, len, op.arg);
        fuzz_check(steps <= STEPS_FREE + STEPS_PER_BYTE * len, "%zu steps for %zu bytes", steps,
                   len);
        resize_check((struct sd_span){copy, len});
        free(copy);
    }
    return 0;
}

/* --- seeds --- */

static void seed_datagram(struct fuzz_seeder *s, uint8_t cid_len, const struct sd_wr *datagram)
{
    uint8_t bytes[4096];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    fuzz_op_put(&w, 0, cid_len, datagram->start, sd_wr_len(datagram));
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

static void seed_hellos(struct fuzz_seeder *s)
{
    uint8_t block[1024];
    struct sd_wr ext = sd_wr_init(block, sizeof block), w = out();
    make_extensions(&ext);
    struct sd_span extensions = make_span(block, sd_wr_len(&ext));
    make_client_hello(&w, &(struct make_hello){.random = 7, .extensions = extensions});
    seed_datagram(s, 0, &w);
    w = out();
    make_client_hello(&w, &(struct make_hello){.message_seq = 1,
                                               .session_id = 8,
                                               .cookie = make_span("0123456789abcdefghij", 20),
                                               .fragment = 90});
    seed_datagram(s, 0, &w);
    w = out();
    make_hello_verify(&w, 0, make_span("0123456789abcdefghij", 20));
    make_server_hello(&w, 1, 1, 9, 0xc02b,
                      make_span("\0\x2b\0\2\xfe\xfc\0\x33\0\6\0\x1d\0\2kk", 16));
    seed_datagram(s, 0, &w);
    w = out();
    make_server_hello(&w, 1, 1, 9, 0x1301, make_span("", 0));
    make_certificate(&w, 2, 2, 2, 30);
    make_message(&w, 3, SD_HS_KEY_UPDATE, 3, make_span("\1", 1));
    seed_datagram(s, 0, &w);
}

/* A field that is one byte longer than allowed, with all its bytes. */
static void seed_too_long(struct fuzz_seeder *s)
{
    enum { SESSION_ID_LEN = 13 + 12 + 2 + 32 };
    struct sd_wr w = out();
    make_client_hello(&w, &(struct make_hello){.session_id = 32, .cookie = make_span("c", 1)});
    scratch[SESSION_ID_LEN] = 33;
    scratch[SESSION_ID_LEN + 34] = 0;
    seed_datagram(s, 0, &w);
}

static void seed_others(struct fuzz_seeder *s)
{
    static const uint8_t ack[] = {0, 16, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5};
    struct sd_wr w = out();
    make_record(&w, SD_CT_CCS, 0, 5, make_span("\1", 1));
    make_record(&w, SD_CT_ALERT, 0, 6, make_span("\2\50", 2));
    make_record(&w, SD_CT_ACK, 0, 7, make_span(ack, sizeof ack));
    make_record(&w, SD_CT_APPDATA, 1, 8, make_span("sealed", 6));
    seed_datagram(s, 0, &w);
    w = out();
    sd_wr_bytes(&w, "\x2f\0\1\0\3abc\x3cID\0\2\0\1z\x24\1xyz", 20);
    seed_datagram(s, 2, &w);
    w = out();
    sd_wr_bytes(&w, "\x19\xfe\xfd\0\1\0\0\0\0\0\1IDI\0\5hello", 21);
    seed_datagram(s, 3, &w);
}

/* Each kind of long junk in resize.c: the last byte selects it. */
static void seed_junk(struct fuzz_seeder *s)
{
    uint8_t bytes[256];
    struct sd_wr w = sd_wr_init(bytes, sizeof bytes);
    for (uint8_t which = 0; which < 16; which++)
        fuzz_op_put(&w, 0, 0, (uint8_t[]){0, 0, 0, which}, 4);
    fuzz_seed(s, bytes, sd_wr_len(&w));
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    record_keys_seeds(s);
    seed_junk(s);
    seed_hellos(s);
    seed_too_long(s);
    seed_others(s);
}
