/* SPDX-License-Identifier: MIT */
#include "endpoint/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "sukat_dtls.h"

static size_t count_addresses(const struct addrinfo *ai)
{
    size_t n = 0;
    for (; ai; ai = ai->ai_next)
        n++;
    return n;
}

static int copy_addresses(struct sd_addr **list, const struct addrinfo *ai, struct sd_err *err)
{
    *list = calloc(count_addresses(ai), sizeof **list);
    if (!*list)
        return sd_err_set(err, SDTLS_NOMEM, "out of memory");
    int n = 0;
    for (; ai; ai = ai->ai_next)
        n += sd_addr_from(&(*list)[n], ai->ai_addr, ai->ai_addrlen);
    return n;
}

int sd_resolve(struct sd_addr **list, const char *host, const char *port, int family, bool passive,
               struct sd_err *err)
{
    const struct addrinfo hints = {
        .ai_family = family,
        .ai_socktype = SOCK_DGRAM,
        .ai_flags = passive ? AI_PASSIVE : AI_ADDRCONFIG,
    };
    struct addrinfo *found = NULL;
    *list = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);
    /* Without any address configured but loopback, AI_ADDRCONFIG hides ::1. */
    if (rc && !passive) {
        const struct addrinfo plain = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
        rc = getaddrinfo(host, port, &plain, &found);
    }
    const char *why = rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc);
    if (rc && !host)
        return sd_err_set(err, SDTLS_RESOLVE, "cannot resolve port %s: %s", port, why);
    if (rc)
        return sd_err_set(err, SDTLS_RESOLVE, "cannot resolve host %s, port %s: %s", host, port,
                          why);
    int n = copy_addresses(list, found, err);
    freeaddrinfo(found);
    return n;
}
