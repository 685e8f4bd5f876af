/* SPDX-License-Identifier: MIT */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"

bool sd_addr_from(struct sd_addr *a, const struct sockaddr *sa, socklen_t len)
{
    memset(a, 0, sizeof *a);
    if (sa->sa_family == AF_INET && len >= sizeof a->in)
        memcpy(&a->in, sa, sizeof a->in);
    else if (sa->sa_family == AF_INET6 && len >= sizeof a->in6)
        memcpy(&a->in6, sa, sizeof a->in6);
    return a->sa.sa_family != AF_UNSPEC;
}

socklen_t sd_addr_len(const struct sd_addr *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof a->in6 : sizeof a->in;
}

bool sd_addr_eq(const struct sd_addr *a, const struct sd_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_UNSPEC)
        return !memcmp(a->path.id, b->path.id, sizeof a->path.id);
    if (a->sa.sa_family == AF_INET)
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
           !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr);
}

struct sd_addr sd_addr_path(uint64_t id)
{
    struct sd_addr a;
    memset(&a, 0, sizeof a);
    memcpy(a.path.id, &id, sizeof id);
    return a;
}

uint64_t sd_addr_path_id(const struct sd_addr *a)
{
    uint64_t id;
    memcpy(&id, a->path.id, sizeof id);
    return id;
}

struct sd_addr sd_addr_any(int family, uint16_t port)
{
    struct sd_addr a;
    memset(&a, 0, sizeof a);
    a.sa.sa_family = (sa_family_t)family;
    sd_addr_set_port(&a, port);
    return a;
}

bool sd_addr_is_any(const struct sd_addr *a)
{
    if (a->sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
    return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

uint16_t sd_addr_port(const struct sd_addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

void sd_addr_set_port(struct sd_addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
    else
        a->in.sin_port = htons(port);
}

static char *put_decimal(char *to, unsigned n, char end)
{
    char digits[10];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    while (count)
        *to++ = digits[--count];
    *to = end;
    return to + 1;
}

/* By hand: two calls of the printf family took 2,800 instructions, a tenth of a handshake's. */
static void put_v4(const struct sd_addr *a, char *to)
{
    const uint8_t *ip = (const uint8_t *)&a->in.sin_addr;
    for (int i = 0; i < 4; i++)
        to = put_decimal(to, ip[i], i < 3 ? '.' : ':');
    put_decimal(to, sd_addr_port(a), 0);
}

const char *sd_addr_text(const struct sd_addr *a, char buf[static SD_ADDR_TEXT])
{
    char ip[INET6_ADDRSTRLEN];
    if (a->sa.sa_family == AF_INET) {
        put_v4(a, buf);
    } else if (a->sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof ip);
        char scope[12] = "";
        if (a->in6.sin6_scope_id)
            snprintf(scope, sizeof scope, "%%%u", a->in6.sin6_scope_id);
        snprintf(buf, SD_ADDR_TEXT, "[%s%s]:%u", ip, scope, sd_addr_port(a));
    } else {
        snprintf(buf, SD_ADDR_TEXT, "path %llu", (unsigned long long)sd_addr_path_id(a));
    }
    return buf;
}

size_t sd_addr_bytes(const struct sd_addr *a, uint8_t out[static SD_ADDR_BYTES])
{
    struct sd_wr w = sd_wr_init(out, SD_ADDR_BYTES);
    sd_wr_u16(&w, a->sa.sa_family);
    if (a->sa.sa_family == AF_UNSPEC) {
        sd_wr_bytes(&w, a->path.id, sizeof a->path.id);
        return sd_wr_len(&w);
    }
    sd_wr_u16(&w, sd_addr_port(a));
    if (a->sa.sa_family == AF_INET6) {
        sd_wr_bytes(&w, &a->in6.sin6_addr, sizeof a->in6.sin6_addr);
        sd_wr_u32(&w, a->in6.sin6_scope_id);
    } else {
        sd_wr_bytes(&w, &a->in.sin_addr, sizeof a->in.sin_addr);
    }
    return sd_wr_len(&w);
}

struct sd_addr sd_addr_host(const struct sd_addr *a)
{
    enum { MAPPED = 16, SITE = 7 }; /* bytes */
    if (a->sa.sa_family == AF_UNSPEC)
        return *a;
    struct sd_addr h = sd_addr_any(a->sa.sa_family, 0);
    if (a->sa.sa_family != AF_INET6)
        h.in.sin_addr = a->in.sin_addr;
    else
        memcpy(&h.in6.sin6_addr, &a->in6.sin6_addr,
               IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr) ? MAPPED : SITE);
    return h;
}
