/* SPDX-License-Identifier: MIT */
#include "harness/make.h"

#include <string.h>

#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/iana.h"

enum { BODY_MAX = 4096 };

void make_record(struct sd_wr *w, uint8_t type, uint16_t epoch, uint64_t seq, struct sd_span body)
{
    sd_record_build(
        w, &(struct sd_record){
               .type = type, .version = SD_DTLS_1_2, .epoch = epoch, .seq = seq, .body = body});
}

void make_fragment(struct sd_wr *w, uint64_t seq, uint8_t type, uint16_t message_seq,
                   struct sd_span body, uint32_t from, uint32_t to)
{
    size_t mark = sd_record_open(w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, seq);
    sd_handshake_build(w, &(struct sd_handshake){.type = type,
                                                 .length = (uint32_t)body.len,
                                                 .message_seq = message_seq,
                                                 .frag_off = from,
                                                 .frag_len = to - from,
                                                 .body = {body.p + from, to - from}});
    sd_record_close(w, mark);
}

void make_message(struct sd_wr *w, uint64_t seq, uint8_t type, uint16_t message_seq,
                  struct sd_span body)
{
    make_fragment(w, seq, type, message_seq, body, 0, (uint32_t)body.len);
}

void make_client_hello(struct sd_wr *w, const struct make_hello *h)
{
    static const uint8_t suites[] = {0xc0, 0x2b, 0xc0, 0x2f, 0x00, 0xff}, null[] = {0};
    uint8_t random[SD_RANDOM_LEN], session_id[SD_SESSION_ID_MAX], body[BODY_MAX];
    memset(random, h->random, sizeof random);
    memset(session_id, h->random, sizeof session_id);
    struct sd_client_hello ch = {.version = h->version ? h->version : SD_DTLS_1_2,
                                 .random = {random, sizeof random},
                                 .session_id = {session_id, h->session_id},
                                 .cookie = h->cookie,
                                 .suites =
                                     h->suites.len ? h->suites : make_span(suites, sizeof suites),
                                 .compression = {null, 1},
                                 .extensions = h->extensions};
    struct sd_wr b = sd_wr_init(body, sizeof body);
    sd_client_hello_build(&b, &ch);
    uint32_t len = (uint32_t)sd_wr_len(&b);
    uint32_t to = h->fragment && h->fragment < len ? h->fragment : len;
    make_fragment(w, h->seq, SD_HS_CLIENT_HELLO, h->message_seq, make_span(body, len), 0, to);
}

void make_hello_verify(struct sd_wr *w, uint64_t seq, struct sd_span cookie)
{
    uint8_t body[BODY_MAX];
    struct sd_wr b = sd_wr_init(body, sizeof body);
    sd_hello_verify_build(&b, &(struct sd_hello_verify){SD_DTLS_1_0, cookie});
    make_message(w, seq, SD_HS_HELLO_VERIFY_REQUEST, 0, make_span(body, sd_wr_len(&b)));
}

static void make_vector(struct sd_wr *w, unsigned width, struct sd_span s)
{
    size_t mark = sd_wr_open(w, width);
    sd_wr_bytes(w, s.p, s.len);
    sd_wr_close(w, mark, width);
}

void make_server_hello_body(struct sd_wr *w, const struct sd_server_hello *sh)
{
    sd_wr_u16(w, sh->version);
    sd_wr_bytes(w, sh->random.p, sh->random.len);
    make_vector(w, 1, sh->session_id);
    sd_wr_u16(w, sh->suite);
    sd_wr_u8(w, sh->compression);
    if (sh->extensions.len)
        make_vector(w, 2, sh->extensions);
}

void make_server_hello(struct sd_wr *w, uint64_t seq, uint16_t message_seq, uint8_t random,
                       uint16_t suite, struct sd_span extensions)
{
    uint8_t bytes[SD_RANDOM_LEN], body[BODY_MAX];
    memset(bytes, random, sizeof bytes);
    struct sd_wr b = sd_wr_init(body, sizeof body);
    make_server_hello_body(&b, &(struct sd_server_hello){.version = SD_DTLS_1_2,
                                                         .random = {bytes, sizeof bytes},
                                                         .session_id = {bytes, 8},
                                                         .suite = suite,
                                                         .extensions = extensions});
    make_message(w, seq, SD_HS_SERVER_HELLO, message_seq, make_span(body, sd_wr_len(&b)));
}

void make_certificate(struct sd_wr *w, uint64_t seq, uint16_t message_seq, unsigned count,
                      uint32_t each)
{
    uint8_t body[BODY_MAX];
    struct sd_wr b = sd_wr_init(body, sizeof body);
    size_t list = sd_wr_open(&b, 3);
    for (unsigned i = 0; i < count; i++) {
        size_t entry = sd_wr_open(&b, 3);
        for (uint32_t n = 0; n < each; n++)
            sd_wr_u8(&b, (uint8_t)(i + 1));
        sd_wr_close(&b, entry, 3);
    }
    sd_wr_close(&b, list, 3);
    make_message(w, seq, SD_HS_CERTIFICATE, message_seq, make_span(body, sd_wr_len(&b)));
}

void make_extension(struct sd_wr *w, uint16_t type, const void *body, size_t len)
{
    sd_wr_u16(w, type);
    size_t mark = sd_wr_open(w, 2);
    sd_wr_bytes(w, body, len);
    sd_wr_close(w, mark, 2);
}

void make_extensions(struct sd_wr *w)
{
    static const struct {
        uint16_t type;
        size_t len;
        const char *body;
    } all[] = {
        {0, 12, "\0\012\0\0\007a.test."}, /* server_name */
        {1, 1, "\2"},                     /* max_fragment_length */
        {10, 6, "\0\4\0\x1d\0\x17"},      /* supported_groups */
        {11, 2, "\1\0"},                  /* ec_point_formats */
        {13, 6, "\0\4\4\3\x08\4"},        /* signature_algorithms */
        {14, 5, "\0\2\0\1\0"},            /* use_srtp */
        {16, 9, "\0\007\4coap\1h"},       /* alpn */
        {22, 0, ""},                      /* encrypt_then_mac */
        {23, 0, ""},                      /* extended_master_secret */
        {28, 2, "\x40\0"},                /* record_size_limit */
        {43, 5, "\4\xfe\xfc\xfe\xfd"},    /* supported_versions */
        {44, 4, "\0\2ck"},                /* cookie */
        {51, 10, "\0\010\0\x1d\0\4KEYS"}, /* key_share */
        {54, 3, "\2id"},                  /* connection_id */
        {0x0a0a, 0, ""},                  /* GREASE */
        {0xff01, 1, "\0"},                /* renegotiation_info */
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        make_extension(w, all[i].type, all[i].body, all[i].len);
}
