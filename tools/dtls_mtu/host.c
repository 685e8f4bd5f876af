/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/host.h"

#include <netdb.h>
#include <string.h>

int mtu_host_resolve(struct sd_addr *to, const char *host, const char *port, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM}, *list;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc)
        return rc;
    bool fits = sd_addr_from(to, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return fits ? 0 : EAI_FAMILY;
}

const char *mtu_host_text(const struct sd_addr *a, char buf[static SD_ADDR_TEXT])
{
    sd_addr_text(a, buf);
    char *port = strrchr(buf, ':');
    if (port)
        *port = '\0';
    size_t len = strlen(buf);
    if (*buf == '[' && len > 2) {
        memmove(buf, buf + 1, len - 2);
        buf[len - 2] = '\0';
    }
    return buf;
}
