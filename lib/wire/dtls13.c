#include "wire/dtls13.h"

enum { NUMBER_LEN = 16 };

static uint64_t rd_u64(struct sd_rd *r)
{
    uint64_t high = sd_rd_u32(r);
    return high << 32 | sd_rd_u32(r);
}

static void wr_u64(struct sd_wr *w, uint64_t v)
{
    sd_wr_u32(w, (uint32_t)(v >> 32));
    sd_wr_u32(w, (uint32_t)v);
}

bool sd_ack_parse(struct sd_rd *numbers, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    *numbers = sd_rd_vec16(&r);
    if (sd_rd_done(&r) && sd_rd_left(numbers) % NUMBER_LEN == 0)
        return true;
    *numbers = sd_rd_init(NULL, 0);
    return false;
}

bool sd_ack_next(struct sd_rd *numbers, struct sd_record_number *n)
{
    *n = (struct sd_record_number){0};
    if (sd_rd_left(numbers) < NUMBER_LEN)
        return false;
    n->epoch = rd_u64(numbers);
    n->seq = rd_u64(numbers);
    return true;
}

void sd_ack_build(struct sd_wr *w, const struct sd_record_number *n, size_t count)
{
    size_t mark = sd_wr_open(w, 2);
    for (size_t i = 0; i < count; i++) {
        wr_u64(w, n[i].epoch);
        wr_u64(w, n[i].seq);
    }
    sd_wr_close(w, mark, 2);
}

bool sd_key_update_parse(bool *requested, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    uint8_t v = sd_rd_u8(&r);
    *requested = v == 1;
    return sd_rd_done(&r) && v <= 1;
}

void sd_key_update_build(struct sd_wr *w, bool requested)
{
    sd_wr_u8(w, requested);
}
