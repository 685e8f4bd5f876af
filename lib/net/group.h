/* SPDX-License-Identifier: MIT */
/* Demultiplexers that serve the same addresses, each in a thread of its own.
 *
 * All members read the same listening sockets. So the kernel has one socket for each address as
 * always: nothing depends on how it shares datagrams out among several, a member that goes takes no
 * datagram along, and sockets of others (a service manager's) will do. A peer's own socket belongs
 * to one member. What a member reads for a peer of another one, it hands over; the directory says
 * to whom. */
#ifndef SD_NET_GROUP_H
#define SD_NET_GROUP_H

#include <stddef.h>

struct sd_net_group;

/* For about this many peers in all. 0, or -errno. */
int sd_net_group_new(struct sd_net_group **pg, size_t peers);
/* After its members. Closes the listening sockets. */
void sd_net_group_free(struct sd_net_group *g);

#endif
