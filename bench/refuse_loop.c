/* SPDX-License-Identifier: MIT */
/* refuse_loop: the floor of refusing hellos. Batches come in, and to each datagram goes an answer
 * of the size and look of a HelloVerifyRequest; nothing is read, nothing is computed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "server.h"

enum { BATCH = 64, REPLY_LEN = 48, DATAGRAM_MAX = 2048 };

static struct mmsghdr in[BATCH], out[BATCH];
static struct sockaddr_in from[BATCH];

/* A record of type handshake (22) with a HelloVerifyRequest (3). */
static uint8_t reply[REPLY_LEN] = {22, 0xfe, 0xff, [12] = 35, [13] = 3};

static void init_batches(void)
{
    static uint8_t data[BATCH][DATAGRAM_MAX];
    static struct iovec in_iov[BATCH], out_iov = {reply, sizeof reply};
    for (unsigned i = 0; i < BATCH; i++) {
        in_iov[i] = (struct iovec){data[i], DATAGRAM_MAX};
        in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                        .msg_namelen = sizeof from[i],
                                        .msg_iov = &in_iov[i],
                                        .msg_iovlen = 1};
        out[i].msg_hdr = in[i].msg_hdr;
        out[i].msg_hdr.msg_iov = &out_iov;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    struct server_count n = {0};
    (void)server_options(argc, argv);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&at, len) || getsockname(fd, (struct sockaddr *)&at, &len)) {
        perror("socket");
        return 1;
    }
    init_batches();
    server_say_port(ntohs(at.sin_port));
    while (!server_ended()) {
        int got = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL);
        if (got > 0 && sendmmsg(fd, out, (unsigned)got, 0) > 0)
            n.messages += (unsigned)got;
    }
    server_say_count(&n);
    return 0;
}
