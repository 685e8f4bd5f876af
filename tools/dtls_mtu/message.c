/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/message.h"

#include "base/cursor.h"

static const uint32_t magic = 0x444d5455; /* DMTU */

void mtu_message_build(uint8_t out[static MTU_MESSAGE_LEN], const struct mtu_message *m)
{
    struct sd_wr w = sd_wr_init(out, MTU_MESSAGE_LEN);
    sd_wr_u32(&w, magic);
    sd_wr_u8(&w, (uint8_t)m->type);
    sd_wr_u32(&w, m->id);
    sd_wr_u16(&w, m->size);
    sd_wr_u16(&w, m->fragment);
}

bool mtu_message_parse(struct mtu_message *m, const void *data, size_t len)
{
    struct sd_rd r = sd_rd_init(data, len);
    bool ours = sd_rd_u32(&r) == magic;
    m->type = (enum mtu_message_type)sd_rd_u8(&r);
    m->id = sd_rd_u32(&r);
    m->size = sd_rd_u16(&r);
    m->fragment = sd_rd_u16(&r);
    return ours && sd_rd_done(&r) && m->type >= MTU_MESSAGE_ASK && m->type <= MTU_MESSAGE_REFUSED;
}
