/* SPDX-License-Identifier: MIT */
/* What dtls_mtu and its responder say to each other, as application data of a DTLS session:
 * 13 bytes, which a junk record brings to the size to be tried. */
#ifndef MTU_MESSAGE_H
#define MTU_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MTU_MESSAGE_LEN = 13 };

/* Sizes are bytes of UDP payload. */
enum mtu_message_type {
    MTU_MESSAGE_ASK = 1, /* how does this message arrive? */
    MTU_MESSAGE_ARRIVED, /* `size` of its datagram; `fragment`: largest IP fragment, 0 = whole */
    MTU_MESSAGE_SEND,    /* answer in a datagram of `size` bytes */
    MTU_MESSAGE_SENT,    /* this is it; `fragment`: what the route of the sender's kernel carries,
                            0 = unknown */
    MTU_MESSAGE_REFUSED  /* the sender's host refuses that size; `fragment` as in SENT */
};

struct mtu_message {
    enum mtu_message_type type;
    uint32_t id;
    uint16_t size, fragment;
};

void mtu_message_build(uint8_t out[static MTU_MESSAGE_LEN], const struct mtu_message *m);
bool mtu_message_parse(struct mtu_message *m, const void *data, size_t len);

#endif
