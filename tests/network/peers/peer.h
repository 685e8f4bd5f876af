/* SPDX-License-Identifier: MIT */
#ifndef TESTS_NETWORK_PEERS_PEER_H
#define TESTS_NETWORK_PEERS_PEER_H

/* What the small foreign peers share: an address, a line, the end. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define PEER_LINE "from a peer\n"

static inline struct sockaddr_in peer_address(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to;
}

/* A UDP socket on a free port, which is printed. */
static inline int peer_listen(void)
{
    struct sockaddr_in at = peer_address("0");
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (bind(fd, (struct sockaddr *)&at, len) || getsockname(fd, (struct sockaddr *)&at, &len))
        exit(2);
    printf("port %d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static inline int peer_print(const char *text, int n)
{
    if (n <= 0)
        return 1;
    fwrite(text, 1, (size_t)n, stdout);
    return 0;
}

#endif
