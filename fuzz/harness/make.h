/* SPDX-License-Identifier: MIT */
/* Builds bytes for seeds and schedules: records, messages and hellos, with lib/wire's builders. */
#ifndef FUZZ_MAKE_H
#define FUZZ_MAKE_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/hello.h"
#include "wire/record.h"

/* The parts of a ClientHello; zero means the default. */
struct make_hello {
    uint64_t seq;
    uint16_t message_seq, version;
    uint8_t random, session_id; /* every byte of the random; number of bytes of the session id */
    struct sd_span cookie, suites, extensions;
    uint32_t fragment; /* first fragment only, of this many bytes */
};

/* Records of epoch 0 with one message each. A record that does not fit is not written. */
void make_client_hello(struct sd_wr *w, const struct make_hello *h);
void make_hello_verify(struct sd_wr *w, uint64_t seq, struct sd_span cookie);
void make_server_hello(struct sd_wr *w, uint64_t seq, uint16_t message_seq, uint8_t random,
                       uint16_t suite, struct sd_span extensions);
/* The body of the message, as sd_server_hello_parse() reads it. */
void make_server_hello_body(struct sd_wr *w, const struct sd_server_hello *sh);
/* A chain of `count` dummy certificates of `each` bytes. */
void make_certificate(struct sd_wr *w, uint64_t seq, uint16_t message_seq, unsigned count,
                      uint32_t each);
void make_message(struct sd_wr *w, uint64_t seq, uint8_t type, uint16_t message_seq,
                  struct sd_span body);
/* The bytes [from, to) of a message. */
void make_fragment(struct sd_wr *w, uint64_t seq, uint8_t type, uint16_t message_seq,
                   struct sd_span body, uint32_t from, uint32_t to);
void make_record(struct sd_wr *w, uint8_t type, uint16_t epoch, uint64_t seq, struct sd_span body);

/* Every extension that lib/wire can read, as a client sends it. */
void make_extensions(struct sd_wr *w);
/* One extension. */
void make_extension(struct sd_wr *w, uint16_t type, const void *body, size_t len);

static inline struct sd_span make_span(const void *p, size_t len)
{
    return (struct sd_span){p, len};
}

#endif
