/* SPDX-License-Identifier: MIT */
#include "wire/record.h"

/* The unified header 001CSLEE of RFC 9147 section 4. */
enum { UNIFIED_MASK = 0xe0, UNIFIED = 0x20, HAS_CID = 0x10, SEQ_16 = 0x08, HAS_LEN = 0x04 };
enum { EPOCH_BITS = 0x03 };

struct sd_records sd_records_init(const void *datagram, size_t len, size_t cid_len)
{
    struct sd_rd rd = sd_rd_init(datagram, len);
    return (struct sd_records){.rd = rd, .start = rd.p, .cid_len = cid_len};
}

bool sd_record_version_ok(uint16_t version)
{
    return version == SD_DTLS_1_0 || version == SD_DTLS_1_2 || version == SD_DTLS_BAD;
}

static bool content_type_ok(uint8_t type)
{
    return type >= SD_CT_CCS && type <= SD_CT_ACK;
}

static enum sd_record_status plain_header(const struct sd_records *it, struct sd_rd *r,
                                          struct sd_record *rec)
{
    rec->type = sd_rd_u8(r);
    if (!content_type_ok(rec->type))
        return SD_RECORD_TYPE;
    rec->version = sd_rd_u16(r);
    if (!r->bad && !sd_record_version_ok(rec->version))
        return SD_RECORD_VERSION;
    rec->epoch = sd_rd_u16(r);
    rec->seq = sd_rd_u48(r);
    rec->seq_bits = 48;
    if (rec->type == SD_CT_CID && !r->bad) {
        if (!it->cid_len)
            return SD_RECORD_CID;
        rec->cid = sd_rd_bytes(r, it->cid_len);
    }
    rec->length = sd_rd_u16(r);
    return r->bad ? SD_RECORD_NO_HEADER : SD_RECORD_OK;
}

static enum sd_record_status unified_header(const struct sd_records *it, struct sd_rd *r,
                                            struct sd_record *rec)
{
    uint8_t bits = sd_rd_u8(r);
    rec->unified = true;
    rec->epoch = bits & EPOCH_BITS;
    if (bits & HAS_CID) {
        if (!it->cid_len)
            return SD_RECORD_CID;
        rec->cid = sd_rd_bytes(r, it->cid_len);
    }
    rec->seq_bits = bits & SEQ_16 ? 16 : 8;
    rec->seq = bits & SEQ_16 ? sd_rd_u16(r) : sd_rd_u8(r);
    rec->length = bits & HAS_LEN ? sd_rd_u16(r) : sd_rd_left(r);
    return r->bad ? SD_RECORD_NO_HEADER : SD_RECORD_OK;
}

static enum sd_record_status parse_record(struct sd_records *it, struct sd_record *rec)
{
    struct sd_rd *r = &it->rd;
    struct sd_rd peek = *r;
    const uint8_t *begin = r->p;
    bool unified = (sd_rd_u8(&peek) & UNIFIED_MASK) == UNIFIED;
    enum sd_record_status st = unified ? unified_header(it, r, rec) : plain_header(it, r, rec);
    if (st != SD_RECORD_OK)
        return st;
    if (rec->length > SD_RECORD_BODY_MAX)
        return SD_RECORD_TOO_LONG;
    rec->offset = (size_t)(begin - it->start);
    rec->header = (struct sd_span){begin, (size_t)(r->p - begin)};
    if (rec->length > sd_rd_left(r)) {
        rec->body = sd_rd_rest(r);
        return SD_RECORD_CUT;
    }
    rec->body = sd_rd_bytes(r, rec->length);
    return SD_RECORD_OK;
}

enum sd_record_status sd_record_next(struct sd_records *it, struct sd_record *rec)
{
    *rec = (struct sd_record){0};
    if (it->status != SD_RECORD_OK)
        return it->status;
    if (!sd_rd_left(&it->rd))
        return it->status = SD_RECORD_END;
    it->status = parse_record(it, rec);
    if (it->status != SD_RECORD_OK && it->status != SD_RECORD_CUT)
        *rec = (struct sd_record){0};
    return it->status;
}

size_t sd_record_open(struct sd_wr *w, uint8_t type, uint16_t version, uint16_t epoch, uint64_t seq)
{
    sd_wr_u8(w, type);
    sd_wr_u16(w, version);
    sd_wr_u16(w, epoch);
    sd_wr_u48(w, seq);
    return sd_wr_open(w, 2);
}

void sd_record_close(struct sd_wr *w, size_t mark)
{
    sd_wr_close(w, mark, 2);
}

void sd_record_build(struct sd_wr *w, const struct sd_record *rec)
{
    if (rec->unified || rec->cid.len) {
        w->bad = true;
        return;
    }
    size_t mark = sd_record_open(w, rec->type, rec->version, rec->epoch, rec->seq);
    sd_wr_bytes(w, rec->body.p, rec->body.len);
    sd_record_close(w, mark);
}

bool sd_ccs_ok(uint16_t version, struct sd_span body)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    uint8_t one = sd_rd_u8(&r);
    if (version == SD_DTLS_BAD)
        sd_rd_u16(&r);
    return sd_rd_done(&r) && one == 1;
}
