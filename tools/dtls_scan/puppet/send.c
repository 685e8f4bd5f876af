/* SPDX-License-Identifier: MIT */
#include "dtls_scan/puppet/internal.h"

#include <string.h>

void puppet_end_with(struct puppet *p, enum puppet_end end)
{
    if (p->stage == PUPPET_ENDED)
        return;
    p->stage = PUPPET_ENDED;
    p->end = end;
    p->deadline = SD_NEVER;
}

static void count_and_send(void *arg, const uint8_t *datagram, size_t len)
{
    struct puppet *p = arg;
    p->sent_datagrams++;
    p->sent_bytes += len;
    p->cfg.send(p->cfg.arg, datagram, len);
}

bool puppet_send(struct puppet *p, const struct puppet_item *items, size_t count)
{
    const struct puppet_packer packer = {.mtu = p->cfg.mtu,
                                         .version = p->version ? p->version : SD_DTLS_1_0,
                                         .keys = p->keyed ? &p->keys.from[0] : NULL,
                                         .encrypt_then_mac = p->keys.encrypt_then_mac,
                                         .next = p->next_seq,
                                         .send = count_and_send,
                                         .arg = p};
    return puppet_pack(&packer, items, count);
}

void puppet_send_again(struct puppet *p)
{
    if (!puppet_send(p, p->flight.item, p->flight.count))
        puppet_end_with(p, PUPPET_END_LOCAL);
}

static void restore_items(struct puppet *p)
{
    memcpy(p->flight.item, p->sound, sizeof p->sound);
    p->flight.count = p->sound_count;
}

void puppet_send_flight(struct puppet *p)
{
    memcpy(p->sound, p->flight.item, sizeof p->sound);
    p->sound_count = p->flight.count;
    if (p->cfg.edit)
        p->cfg.edit(p->cfg.arg, p, &p->flight);
    p->tries = 0;
    p->timeout = p->cfg.first_timeout;
    p->deadline = p->now + p->timeout;
    puppet_send_again(p);
    if (p->cfg.edit_once)
        restore_items(p);
}

void puppet_amend(struct puppet *p, sd_time now)
{
    if (!p->keyed || (p->stage != PUPPET_ANSWERED && p->end != PUPPET_END_TIMEOUT))
        return;
    p->stage = PUPPET_ANSWERED;
    p->end = PUPPET_NOT_ENDED;
    p->now = now;
    p->cfg.edit = NULL;
    p->still = false;
    restore_items(p);
    puppet_send_flight(p);
}

bool puppet_say(struct puppet *p, const void *data, size_t len)
{
    const struct puppet_item item = {
        .type = SD_CT_APPDATA, .epoch = 1, .seq = PUPPET_NEXT, .body = {data, len}};
    return p->keyed && puppet_send(p, &item, 1);
}

bool puppet_warn(struct puppet *p, uint8_t level, uint8_t description)
{
    const uint8_t body[2] = {level, description};
    const struct puppet_item item = {.type = SD_CT_ALERT,
                                     .epoch = p->stage == PUPPET_CONNECTED,
                                     .seq = PUPPET_NEXT,
                                     .body = {body, sizeof body}};
    return puppet_send(p, &item, 1);
}

/* Nobody can tell which epoch a server reads whose handshake has not ended: it gets both alerts. */
static void cancel(struct puppet *p)
{
    static const uint8_t body[2] = {SD_ALERT_FATAL, SD_ALERT_USER_CANCELED};
    const struct puppet_item alerts[2] = {
        {.type = SD_CT_ALERT, .seq = PUPPET_NEXT, .body = {body, sizeof body}},
        {.type = SD_CT_ALERT, .epoch = 1, .seq = PUPPET_NEXT, .body = {body, sizeof body}}};
    puppet_send(p, alerts, p->keyed ? 2 : 1);
}

void puppet_leave(struct puppet *p)
{
    if (p->stage == PUPPET_CONNECTED)
        puppet_warn(p, SD_ALERT_WARNING, SD_ALERT_CLOSE_NOTIFY);
    else
        cancel(p);
}
