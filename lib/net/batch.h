/* SPDX-License-Identifier: MIT */
/* Datagrams as one recvmmsg() returns them, with what the kernel says about each. */
#ifndef SD_NET_BATCH_H
#define SD_NET_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

enum {
    SD_BATCH = 32, /* measured: 30 % less a datagram than one by one, no gain beyond */
    /* The largest DTLS record: 13 + 2^14 + 2048 bytes (RFC 6347 section 4.1), rounded up. */
    SD_SLOT = 18448
};

union sd_batch_control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)) +
               CMSG_SPACE(sizeof(int))];
};

struct sd_batch {
    uint8_t *bytes; /* SD_BATCH slots; pages are touched as they are needed */
    unsigned at, count;
    uint32_t given; /* those that belong to somebody else, as bits */
    size_t largest; /* datagram of the last read */
    struct mmsghdr msgs[SD_BATCH];
    struct iovec iov[SD_BATCH];
    struct sockaddr_storage names[SD_BATCH];
    union sd_batch_control control[SD_BATCH];
};

struct sd_batch_datagram {
    const uint8_t *data; /* borrowed until the next sd_batch_read() */
    size_t len;
    bool truncated;
    bool has_local; /* `local` is filled: address and scope, port 0 */
    struct sd_addr peer, local;
    size_t fragment; /* the largest IP fragment it came in, header included; 0 = whole */
};

bool sd_batch_init(struct sd_batch *b);
void sd_batch_fini(struct sd_batch *b);
/* Reads up to max datagrams; how many, or -errno. */
int sd_batch_read(struct sd_batch *b, int fd, unsigned max);
/* SO_RXQ_OVFL of the last datagram read (there must be one): how many datagrams this socket
 * has lost since it was made. 0 = none. */
uint32_t sd_batch_dropped(struct sd_batch *b);
/* Bytes of those that were not taken yet. */
size_t sd_batch_left(const struct sd_batch *b);
/* The next of them; false after the last. */
bool sd_batch_take(struct sd_batch *b, struct sd_batch_datagram *p);
/* The one that was taken last is not to be taken again. */
void sd_batch_give_away(struct sd_batch *b);
/* Begins with the first one again. */
void sd_batch_again(struct sd_batch *b);

#endif
