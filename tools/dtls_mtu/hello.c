/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/hello.h"

#include "base/random.h"
#include "wire/alert.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/junk.h"
#include "wire/record.h"

/* The padding extension adds its header and at most what one record takes. */
enum { EXT_HEADER = 4, EXT_PADDING = 21, EXT_PAD_MAX = 15000 };

/* Suites of today's servers, AEAD with ECDHE, then those that an old server may have. */
static const uint8_t suites[] = {0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9,
                                 0xcc, 0xa8, 0xc0, 0xac, 0xc0, 0xae, 0xc0, 0x0a, 0xc0, 0x14,
                                 0x00, 0x9c, 0x00, 0x2f, 0x00, 0xa8, 0xc0, 0xa8, 0x00, 0xae};
static const uint8_t extensions[] = {
    0x00, 0x0a, 0, 8,  0, 6, 0, 29, 0, 23, 0, 24,       /* supported_groups */
    0x00, 0x0b, 0, 2,  1, 0,                            /* ec_point_formats */
    0x00, 0x0d, 0, 10, 0, 8, 4, 3,  4, 1,  8, 4,  2, 1, /* signature_algorithms */
    0x00, 0x17, 0, 0,                                   /* extended_master_secret */
    0xff, 0x01, 0, 1,  0,                               /* renegotiation_info */
};

static void add_pad_extension(struct sd_wr *w, size_t bytes)
{
    static const uint8_t zeros[64];
    if (!bytes)
        return;
    sd_wr_u16(w, EXT_PADDING);
    size_t mark = sd_wr_open(w, 2);
    for (size_t left = bytes - EXT_HEADER; left;) {
        size_t n = left < sizeof zeros ? left : sizeof zeros;
        sd_wr_bytes(w, zeros, n);
        left -= n;
    }
    sd_wr_close(w, mark, 2);
}

/* `padding`: bytes of the extension with its header, or 0. */
static void add_hello(struct sd_wr *w, uint64_t seq, size_t padding)
{
    static const uint8_t none[] = {0};
    uint8_t random[SD_RANDOM_LEN], block[sizeof extensions + EXT_HEADER + EXT_PAD_MAX];
    struct sd_wr ext = sd_wr_init(block, sizeof block);
    sd_wr_bytes(&ext, extensions, sizeof extensions);
    add_pad_extension(&ext, padding);
    if (!sd_random(random, sizeof random))
        w->bad = true;
    struct sd_client_hello ch = {.version = SD_DTLS_1_2,
                                 .random = {random, sizeof random},
                                 .suites = {suites, sizeof suites},
                                 .compression = {none, sizeof none},
                                 .extensions = {block, sd_wr_len(&ext)}};
    size_t record = sd_record_open(w, SD_CT_HANDSHAKE, SD_DTLS_1_0, 0, seq);
    size_t message = sd_handshake_open(w, SD_HS_CLIENT_HELLO, 0);
    sd_client_hello_build(w, &ch);
    sd_handshake_close(w, message);
    sd_record_close(w, record);
}

size_t mtu_hello_least(void)
{
    uint8_t buf[512];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    add_hello(&w, 0, 0);
    return sd_wr_len(&w);
}

/* The part of `room` that the padding extension fills; junk records fill the rest. */
static size_t extension_size(size_t room)
{
    if (room < EXT_HEADER)
        return 0;
    return room <= EXT_PAD_MAX ? room : EXT_PAD_MAX - SD_RECORD_HEADER_LEN;
}

size_t mtu_hello_build(void *buf, size_t cap, uint64_t seq, size_t size, enum mtu_hello_pad pad)
{
    size_t least = mtu_hello_least();
    if (size < least || size > cap)
        return 0;
    size_t room = pad == MTU_HELLO_PLAIN ? 0 : size - least;
    size_t padding = pad == MTU_HELLO_EXT ? extension_size(room) : 0;
    /* A record header does not fit a gap of 1 to 12 bytes: an extension may. */
    if (pad == MTU_HELLO_JUNK && !sd_junk_fits(room))
        padding = extension_size(room);
    struct sd_wr w = sd_wr_init(buf, cap);
    add_hello(&w, seq, padding);
    if (room > padding)
        sd_junk_build(&w, room - padding, NULL);
    return sd_wr_len(&w);
}

size_t mtu_hello_goodbye(void *buf, size_t cap, uint64_t seq)
{
    struct sd_wr w = sd_wr_init(buf, cap);
    size_t record = sd_record_open(&w, SD_CT_ALERT, SD_DTLS_1_2, 0, seq);
    sd_alert_build(&w, &(struct sd_alert){SD_ALERT_FATAL, SD_ALERT_USER_CANCELED});
    sd_record_close(&w, record);
    return sd_wr_len(&w);
}

static enum mtu_hello_answer answer_of_message(struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    struct sd_handshake h;
    struct sd_server_hello sh;
    sd_handshake_next(&r, &h);
    if (h.type == SD_HS_HELLO_VERIFY_REQUEST)
        return MTU_HELLO_COOKIE;
    if (h.type != SD_HS_SERVER_HELLO)
        return MTU_HELLO_FOREIGN;
    sd_server_hello_parse(&sh, h.body, h.length);
    return sh.retry ? MTU_HELLO_COOKIE : MTU_HELLO_NO_COOKIE;
}

enum mtu_hello_answer mtu_hello_read(const void *datagram, size_t len, uint64_t *seq,
                                     uint8_t *alert)
{
    struct sd_records it = sd_records_init(datagram, len, 0);
    struct sd_record rec;
    enum sd_record_status status = sd_record_next(&it, &rec);
    *seq = rec.seq;
    *alert = 0;
    if ((status != SD_RECORD_OK && status != SD_RECORD_CUT) || rec.epoch)
        return MTU_HELLO_FOREIGN;
    if (rec.type == SD_CT_ALERT && rec.body.len == 2) {
        *alert = rec.body.p[1];
        return MTU_HELLO_ALERT;
    }
    return rec.type == SD_CT_HANDSHAKE ? answer_of_message(rec.body) : MTU_HELLO_FOREIGN;
}

bool mtu_hello_quoted(const void *payload, size_t len, uint64_t *seq)
{
    struct sd_rd r = sd_rd_init(payload, len);
    uint8_t type = sd_rd_u8(&r);
    sd_rd_bytes(&r, 4); /* version and epoch */
    *seq = sd_rd_u48(&r);
    return !r.bad && type == SD_CT_HANDSHAKE;
}
