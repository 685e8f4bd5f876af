/* SPDX-License-Identifier: MIT */
/* Hosts by name and as text. */
#ifndef MTU_HOST_H
#define MTU_HOST_H

#include "base/addr.h"

/* The first address of host and port. 0, or an error code of getaddrinfo(). */
int mtu_host_resolve(struct sd_addr *to, const char *host, const char *port, int family);
/* An address without its port; returns buf. */
const char *mtu_host_text(const struct sd_addr *a, char buf[static SD_ADDR_TEXT]);

#endif
