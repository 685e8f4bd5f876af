/* SPDX-License-Identifier: MIT */
/* Calls that ask the host and no socket: random numbers and names. */
#include "kernel/vk_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/vk_secret.h"

WRAPPED(ssize_t, getrandom, void *to, size_t len, unsigned flags);
WRAPPED(int, getaddrinfo, const char *host, const char *port, const struct addrinfo *hints,
        struct addrinfo **found);
WRAPPED(void, freeaddrinfo, struct addrinfo *ai);

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
    uint64_t *state = len == VK_SECRET ? &vk.secrets : &vk.random;
    struct fuzz_rng r = {*state};
    (void)flags;
    if (vk.no_random)
        errno = EIO;
    if (vk.no_random || vk_fails(VK_RANDOM))
        return -1;
    fuzz_random_bytes(&r, to, len);
    *state = r.state;
    return (ssize_t)len;
}

/* --- names: numeric addresses, and "both", which has one of each family --- */

struct answer {
    struct addrinfo ai;
    struct sd_addr addr;
};

static bool numeric(struct sd_addr *a, const char *host, uint16_t port)
{
    *a = sd_addr_any(strchr(host, ':') ? AF_INET6 : AF_INET, port);
    bool six = a->sa.sa_family == AF_INET6;
    void *to = six ? (void *)&a->in6.sin6_addr : (void *)&a->in.sin_addr;
    return inet_pton(a->sa.sa_family, host, to) == 1;
}

static size_t look_up(struct sd_addr list[2], const char *host, uint16_t port)
{
    if (host && strcmp(host, "both"))
        return numeric(&list[0], host, port);
    bool ok = numeric(&list[0], host ? "2001:db8::32" : "::", port) &&
              numeric(&list[1], host ? "192.0.2.50" : "0.0.0.0", port);
    fuzz_check(ok, "a bad address in the table");
    return 2;
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    struct sd_addr list[2];
    if (vk_odd(VK_RESOLVE))
        return EAI_NONAME;
    if (vk_fails(VK_RESOLVE))
        return EAI_SYSTEM;
    size_t n = look_up(list, host, (uint16_t)strtoul(port, NULL, 10));
    *found = NULL;
    while (n--) {
        if (hints->ai_family && hints->ai_family != list[n].sa.sa_family)
            continue;
        struct answer *a = calloc(1, sizeof *a);
        if (!a) {
            __wrap_freeaddrinfo(*found);
            return EAI_MEMORY;
        }
        a->addr = list[n];
        a->ai = (struct addrinfo){.ai_family = a->addr.sa.sa_family,
                                  .ai_addr = &a->addr.sa,
                                  .ai_addrlen = sd_addr_len(&a->addr),
                                  .ai_next = *found};
        *found = &a->ai;
    }
    return *found ? 0 : EAI_NONAME;
}

void __wrap_freeaddrinfo(struct addrinfo *ai)
{
    while (ai) {
        struct addrinfo *next = ai->ai_next;
        free(ai);
        ai = next;
    }
}
