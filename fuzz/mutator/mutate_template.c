/* SPDX-License-Identifier: MIT */
/* What the mutator inserts: records of either side, and random bytes. */
#include <string.h>

#include "harness/make.h"
#include "mutator/mutate.h"

#include "wire/alert.h"

/* libFuzzer defines it; other engines, tests and AFL++'s library do not. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

/* Changes bits, bytes or runs of bytes, or the length a little. */
static size_t havoc(struct fuzz_rng *rng, uint8_t *bytes, size_t len, size_t cap)
{
    for (size_t n = 1 + mutate_below(rng, 4); n && len; n--) {
        size_t at = mutate_below(rng, len);
        switch (mutate_below(rng, 4)) {
        case 0:
            bytes[at] ^= (uint8_t)(1 << mutate_below(rng, 8));
            break;
        case 1:
            bytes[at] = (uint8_t)fuzz_random(rng);
            break;
        case 2:
            memset(bytes + at, 0, mutate_below(rng, len - at) + 1);
            break;
        default:
            if (mutate_below(rng, 2) && len < cap)
                bytes[len++] = (uint8_t)fuzz_random(rng);
            else
                len = at;
        }
    }
    if (!len && cap)
        bytes[len++] = (uint8_t)fuzz_random(rng);
    return len;
}

size_t mutate_any(struct fuzz_rng *rng, uint8_t *bytes, size_t len, size_t cap)
{
    if (!LLVMFuzzerMutate || !cap)
        return havoc(rng, bytes, len, cap);
    return LLVMFuzzerMutate(bytes, len, cap);
}

static void client_hello(struct fuzz_rng *rng, struct sd_wr *to)
{
    static const uint8_t cookie[32] = "0123456789abcdefghijklmnopqrstu";
    uint8_t block[512];
    struct sd_wr ext = sd_wr_init(block, sizeof block);
    if (mutate_below(rng, 2))
        make_extensions(&ext);
    bool second = mutate_below(rng, 2);
    make_client_hello(
        to, &(struct make_hello){
                .seq = second,
                .message_seq = second,
                .random = (uint8_t)mutate_below(rng, 4),
                .version = mutate_below(rng, 4) ? SD_DTLS_1_2 : SD_DTLS_1_0,
                .session_id = mutate_below(rng, 3) ? 0 : 32,
                .cookie = make_span(cookie, second ? 1 + mutate_below(rng, sizeof cookie) : 0),
                .extensions = make_span(block, sd_wr_len(&ext)),
                .fragment = mutate_below(rng, 4) ? 0 : (uint32_t)mutate_below(rng, 200)});
}

static void of_server(struct fuzz_rng *rng, struct sd_wr *to)
{
    static const uint8_t key[72] = {3, 0, 23, 65}, asks[] = {1, 64, 0, 2, 4, 3, 0, 0};
    switch (mutate_below(rng, 6)) {
    case 0:
        make_hello_verify(to, 0, make_span(key, mutate_below(rng, 33)));
        break;
    case 1:
        make_server_hello(to, 1, 1, 9, 0xc02b, make_span("\0\x17\0\0", 4));
        break;
    case 2:
        make_certificate(to, 2, 2, 1 + (unsigned)mutate_below(rng, 3),
                         (uint32_t)mutate_below(rng, 200));
        break;
    case 3:
        make_message(to, 3, SD_HS_SERVER_KEY_EXCHANGE, 3, make_span(key, sizeof key));
        break;
    case 4:
        make_message(to, 4, SD_HS_CERTIFICATE_REQUEST, 4, make_span(asks, sizeof asks));
        break;
    default:
        make_message(to, 5, SD_HS_SERVER_HELLO_DONE, (uint16_t)(4 + mutate_below(rng, 2)),
                     make_span("", 0));
    }
}

static void of_client(struct fuzz_rng *rng, struct sd_wr *to)
{
    static const uint8_t key[66] = {65, 4};
    uint16_t seq = (uint16_t)(2 + mutate_below(rng, 3));
    switch (mutate_below(rng, 4)) {
    case 0:
        make_message(to, seq, SD_HS_CLIENT_KEY_EXCHANGE, seq, make_span(key, sizeof key));
        break;
    case 1:
        make_message(to, seq, SD_HS_CERTIFICATE_VERIFY, seq, make_span(key, 40));
        break;
    case 2:
        make_message(to, seq, SD_HS_FINISHED, seq, make_span(key, 12));
        break;
    default:
        make_message(to, seq, SD_HS_HELLO_REQUEST, seq, make_span("", 0));
    }
}

static void no_message(struct fuzz_rng *rng, struct sd_wr *to)
{
    static const uint8_t sealed[48] = {0, 0, 0, 0, 0, 0, 0, 1};
    uint8_t alert[2] = {(uint8_t)(1 + mutate_below(rng, 2)), (uint8_t)mutate_below(rng, 121)};
    uint16_t epoch = (uint16_t)mutate_below(rng, 3);
    uint64_t seq = mutate_below(rng, 8);
    switch (mutate_below(rng, 5)) {
    case 0:
        make_record(to, SD_CT_CCS, 0, seq, make_span("\1", 1));
        break;
    case 1:
        make_record(to, SD_CT_ALERT, epoch, seq, make_span(alert, sizeof alert));
        break;
    case 2:
        make_record(to, SD_CT_ACK, 0, seq, make_span("\0\20\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\5", 18));
        break;
    case 3:
        make_record(to, SD_CT_APPDATA, epoch, seq,
                    make_span(sealed, mutate_below(rng, sizeof sealed)));
        break;
    default:
        make_record(to, SD_CT_HANDSHAKE, 1, 0, make_span(sealed, 40));
    }
}

void mutate_template(struct fuzz_rng *rng, struct sd_wr *to)
{
    switch (mutate_below(rng, 6)) {
    case 0:
    case 1:
        client_hello(rng, to);
        break;
    case 2:
        of_server(rng, to);
        break;
    case 3:
        of_server(rng, to);
        of_server(rng, to);
        break;
    case 4:
        of_client(rng, to);
        break;
    default:
        no_message(rng, to);
    }
}
