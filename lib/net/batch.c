/* SPDX-License-Identifier: MIT */
#include "net/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void prepare_slot(struct sd_batch *b, unsigned i)
{
    b->iov[i] = (struct iovec){.iov_base = b->bytes + (size_t)i * SD_SLOT, .iov_len = SD_SLOT};
    b->msgs[i].msg_hdr = (struct msghdr){
        .msg_name = &b->names[i],
        .msg_iov = &b->iov[i],
        .msg_iovlen = 1,
        .msg_control = &b->control[i],
    };
}

bool sd_batch_init(struct sd_batch *b)
{
    memset(b, 0, sizeof *b);
    b->bytes = malloc((size_t)SD_BATCH * SD_SLOT);
    for (unsigned i = 0; b->bytes && i < SD_BATCH; i++)
        prepare_slot(b, i);
    return b->bytes != NULL;
}

void sd_batch_fini(struct sd_batch *b)
{
    free(b->bytes);
    b->bytes = NULL;
}

/* Sets what a read changes. */
static void reset_slot(struct sd_batch *b, unsigned i)
{
    b->msgs[i].msg_hdr.msg_namelen = sizeof b->names[i];
    b->msgs[i].msg_hdr.msg_controllen = sizeof b->control[i];
}

int sd_batch_read(struct sd_batch *b, int fd, unsigned max)
{
    for (unsigned i = 0; i < max; i++)
        reset_slot(b, i);
    b->at = b->count = b->given = 0;
    b->largest = 0;
    int n = recvmmsg(fd, b->msgs, max, MSG_DONTWAIT, NULL);
    if (n < 0)
        return -errno;
    b->count = (unsigned)n;
    for (unsigned i = 0; i < b->count; i++)
        if (b->msgs[i].msg_len > b->largest)
            b->largest = b->msgs[i].msg_len;
    return n;
}

size_t sd_batch_left(const struct sd_batch *b)
{
    size_t bytes = 0;
    for (unsigned i = b->at; i < b->count; i++)
        bytes += b->msgs[i].msg_len;
    return bytes;
}

static void local_four(struct sd_batch_datagram *p, const struct cmsghdr *c)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof info);
    p->local = sd_addr_any(AF_INET, 0);
    /* Not ipi_addr: that may be a broadcast address, which cannot be bound to. But a datagram
     * that was queued before the option was set, in a socket that was adopted, has no
     * other (measured on 6.18), and a cookie must not depend on when its hello came. */
    bool early = info.ipi_spec_dst.s_addr == htonl(INADDR_ANY);
    p->local.in.sin_addr = early ? info.ipi_addr : info.ipi_spec_dst;
    p->has_local = true;
}

static void local_six(struct sd_batch_datagram *p, const struct cmsghdr *c)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(c), sizeof info);
    p->local = sd_addr_any(AF_INET6, 0);
    p->local.in6.sin6_addr = info.ipi6_addr;
    /* Only link-local addresses need the interface: without it bind() says EINVAL. */
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
        p->local.in6.sin6_scope_id = info.ipi6_ifindex;
    p->has_local = true;
}

static size_t fragment_size(const struct cmsghdr *c)
{
    int size;
    memcpy(&size, CMSG_DATA(c), sizeof size);
    return size > 0 ? (size_t)size : 0;
}

static void read_cmsg(struct sd_batch_datagram *p, const struct cmsghdr *c)
{
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
        local_four(p, c);
    else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
        local_six(p, c);
    else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVFRAGSIZE) ||
             (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVFRAGSIZE))
        p->fragment = fragment_size(c);
}

uint32_t sd_batch_dropped(struct sd_batch *b)
{
    uint32_t dropped = 0;
    struct msghdr *m = &b->msgs[b->count - 1].msg_hdr;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
            memcpy(&dropped, CMSG_DATA(c), sizeof dropped);
    return dropped;
}

void sd_batch_give_away(struct sd_batch *b)
{
    b->given |= UINT32_C(1) << (b->at - 1);
}

void sd_batch_again(struct sd_batch *b)
{
    b->at = 0;
}

bool sd_batch_take(struct sd_batch *b, struct sd_batch_datagram *p)
{
    while (b->at < b->count && b->given >> b->at & 1)
        b->at++;
    if (b->at == b->count)
        return false;
    unsigned i = b->at++;
    struct msghdr *m = &b->msgs[i].msg_hdr;
    memset(p, 0, sizeof *p);
    p->data = b->iov[i].iov_base;
    p->len = b->msgs[i].msg_len;
    p->truncated = m->msg_flags & MSG_TRUNC;
    sd_addr_from(&p->peer, (struct sockaddr *)&b->names[i], m->msg_namelen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        read_cmsg(p, c);
    return true;
}
