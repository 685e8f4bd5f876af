/* What dtls_mtu and its responder say to each other, as application data over an established
 * association: 13 bytes, which a junk record brings to the size to be tried. */
#ifndef MTU_MESSAGE_H
#define MTU_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_LEN = 13 };

enum message_type {
    MESSAGE_ASK = 1, /* tell how I arrive */
    MESSAGE_ARRIVED, /* size: UDP payload it came in; fragment: largest IP fragment, 0 = whole */
    MESSAGE_SEND,    /* answer in a datagram of `size` bytes of UDP payload */
    MESSAGE_SENT, /* so; fragment: UDP payload that the sender's kernel believes in, 0 = unknown */
    MESSAGE_REFUSED /* its host does not send that much; fragment as in SENT */
};

struct message {
    enum message_type type;
    uint32_t id;
    uint16_t size, fragment;
};

void message_build(uint8_t out[static MESSAGE_LEN], const struct message *m);
bool message_parse(struct message *m, const void *data, size_t len);

#endif
