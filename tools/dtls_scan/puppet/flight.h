/* SPDX-License-Identifier: MIT */
/* What the puppet sends: items, each of them a message or a record, in the order and under the keys
 * that the caller wants. */
#ifndef PUPPET_FLIGHT_H
#define PUPPET_FLIGHT_H

#include "dtls_scan/puppet/seal.h"
#include "wire/handshake.h"

enum { PUPPET_ITEMS_MAX = 12, PUPPET_STORE = 12288, PUPPET_DATAGRAM_MAX = 65507 };

#define PUPPET_NEXT UINT64_MAX /* the next record number of the epoch */

struct puppet_item {
    uint8_t type;        /* enum sd_content_type, or any other */
    uint16_t epoch;      /* 0 = plaintext; other epochs are sealed with the keys of epoch 1 */
    bool plain;          /* plaintext, whatever the epoch */
    uint16_t version;    /* of the record header; 0 = as the handshake has it */
    uint64_t seq;        /* record number, or PUPPET_NEXT */
    struct sd_span body; /* of the record; of a handshake message without its header */
    enum puppet_spoil spoil;
    bool message;         /* a handshake message: gets a header, and fragments where it must */
    uint8_t message_type; /* enum sd_handshake_type */
    uint16_t message_seq;
    size_t fragment; /* most bytes of a fragment; 0 = as the MTU allows */
    bool alone;      /* begins a datagram */
    bool raw;        /* the body is a whole record, or anything else, and is sent as it is */
};

/* Sent at once, and again until the server goes on. */
struct puppet_flight {
    struct puppet_item item[PUPPET_ITEMS_MAX];
    size_t count;
    uint8_t store[PUPPET_STORE]; /* bodies of items that the puppet made */
    size_t used;
};

/* How items become datagrams. */
struct puppet_packer {
    size_t mtu; /* bytes of a datagram */
    uint16_t version;
    const struct sd_opener *keys; /* NULL = none yet: everything is plaintext */
    bool encrypt_then_mac;
    uint64_t *next; /* the next record numbers of epoch 0 and of all others */
    void (*send)(void *arg, const uint8_t *datagram, size_t len);
    void *arg;
};

void puppet_flight_clear(struct puppet_flight *f);
/* Adds an item whose body is copied. NULL = it does not fit. */
struct puppet_item *puppet_flight_add(struct puppet_flight *f, const struct puppet_item *item);
/* The body of an item that puppet_flight_add() made, for changes. */
uint8_t *puppet_flight_body(struct puppet_flight *f, const struct puppet_item *item);
/* Removes item `i`. */
void puppet_flight_drop(struct puppet_flight *f, size_t i);
/* The first message of this type, or NULL. */
struct puppet_item *puppet_flight_find(struct puppet_flight *f, uint8_t message_type);
/* Sends items in as few datagrams as the MTU allows. False when one of them cannot be made. */
bool puppet_pack(const struct puppet_packer *p, const struct puppet_item *items, size_t count);

#endif
