/* SPDX-License-Identifier: MIT */
#include "kernel/vk_internal.h"

#include <errno.h>
#include <string.h>

#include "kernel/vk_secret.h"

struct vk vk;
static const sd_time boot = 1001 * SD_SEC; /* the clock when a run begins */

struct vk_file *vk_file(int fd)
{
    int i = fd - VK_FD_FIRST;
    return i >= 0 && i < vk.top && vk.file[i].kind != VK_FREE ? &vk.file[i] : NULL;
}

void vk_reset(void)
{
    for (int i = 0; i < vk.top; i++)
        vk.file[i].kind = VK_FREE;
    for (int i = 0; vk.queued && i < VK_PACKETS; i++)
        vk.packet[i].used = false;
    vk.top = 0;
    vk.open = vk.queued = 0;
    vk_mend();
    vk.in_vain = false;
    vk.now = boot;
    vk.binds = 0;
    vk.next_port = 30000;
    vk.secrets = VK_SECRETS_BEGIN;
    vk.random = 1;
    vk.no_random = false;
    vk.on_send = NULL;
}

unsigned vk_open(void)
{
    return vk.open;
}

unsigned vk_queued(void)
{
    return vk.queued;
}

sd_time vk_now(void)
{
    return vk.now;
}

void vk_pass(sd_time time)
{
    vk.now += time;
}

void vk_no_random(bool none)
{
    vk.no_random = none;
}

void vk_connects_in_vain(void)
{
    vk.in_vain = true;
}

void vk_on_send(void (*fn)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span data),
                void *arg)
{
    vk.on_send = fn;
    vk.on_send_arg = arg;
}

/* --- what fails --- */

void vk_fault(uint8_t arg, struct sd_span follows)
{
    static const int errors[2][8] = {
        {EMFILE, EACCES, EADDRINUSE, ECONNREFUSED, EMSGSIZE, ENOBUFS, EAGAIN, EINTR},
        {0, EADDRNOTAVAIL, EAFNOSUPPORT, ENOMEM, EPERM, EHOSTUNREACH, EPROTONOSUPPORT, ENETDOWN}};
    struct sd_rd r = sd_rd_init(follows.p, follows.len);
    uint8_t more = sd_rd_u8(&r);
    unsigned call = ((arg & 7U) | (more & 1U) << 3) % VK_CALLS;
    vk.fail[call].n = arg >> 3 & 3;
    vk.fail[call].times = 1U + (more >> 2);
    vk.fail[call].error = errors[more >> 1 & 1][arg >> 5];
}

void vk_mend(void)
{
    memset(vk.fail, 0, sizeof vk.fail);
}

int vk_fail_with(int error)
{
    errno = error;
    return -1;
}

bool vk_odd(enum vk_call call)
{
    if (!vk.fail[call].times || vk.fail[call].error || vk.fail[call].n)
        return false;
    vk.fail[call].times--;
    return true;
}

bool vk_fails(enum vk_call call)
{
    if (!vk.fail[call].times)
        return false;
    if (vk.fail[call].n) {
        vk.fail[call].n--;
        return false;
    }
    vk.fail[call].times--;
    errno = vk.fail[call].error ? vk.fail[call].error : EIO;
    return true;
}

/* --- files --- */

int vk_new(enum vk_kind kind)
{
    for (int i = 0; i < VK_FILES; i++) {
        if (i < vk.top && vk.file[i].kind != VK_FREE)
            continue;
        struct vk_file *f = &vk.file[i];
        *f = (struct vk_file){.kind = kind, .expires = SD_NEVER};
        vk.open++;
        if (vk.top <= i)
            vk.top = i + 1;
        return VK_FD_FIRST + i;
    }
    return vk_fail_with(EMFILE);
}

void vk_free(struct vk_file *f)
{
    while (f->queued)
        vk_take_off(f);
    f->kind = VK_FREE;
    vk.open--;
    while (vk.top && vk.file[vk.top - 1].kind == VK_FREE)
        vk.top--;
}

uint32_t vk_events(const struct vk_file *f)
{
    bool in = f->kind == VK_TIMED ? f->expires <= vk.now : f->queued;
    return (in ? EPOLLIN : 0U) | (f->error || f->errors ? EPOLLERR : 0U);
}

bool vk_pending(struct vk_file *f)
{
    if (!f->error)
        return false;
    errno = f->error;
    f->error = 0;
    return true;
}

void vk_autobind(struct vk_file *f, int family)
{
    if (f->bound_at)
        return;
    f->bound_at = ++vk.binds;
    f->local = sd_addr_any(family, vk.next_port++);
}

/* --- the way of a datagram --- */

void vk_take_off(struct vk_file *f)
{
    f->queue[0]->used = false;
    f->queued--;
    vk.queued--;
    memmove(f->queue, f->queue + 1, f->queued * sizeof *f->queue);
}

unsigned vk_fit(const struct vk_file *f, const struct sd_addr *from, const struct sd_addr *to)
{
    if (f->kind != VK_UDP || !f->bound_at || f->local.sa.sa_family != to->sa.sa_family ||
        sd_addr_port(&f->local) != sd_addr_port(to))
        return 0;
    bool any = sd_addr_is_any(&f->local);
    if (!any && !sd_addr_eq(&f->local, to))
        return 0;
    if (f->connected && !vk.in_vain)
        return sd_addr_eq(&f->remote, from) ? VK_FITS_CONNECTED : 0;
    return any ? 1 : 2;
}

static struct vk_file *receiver(const struct sd_addr *from, const struct sd_addr *to, bool newest)
{
    struct vk_file *found[VK_FILES];
    unsigned best = 1, n = 0;
    for (int i = 0; i < vk.top; i++) {
        unsigned score = vk_fit(&vk.file[i], from, to);
        if (score < best)
            continue;
        if (score > best)
            n = 0;
        best = score;
        found[n++] = &vk.file[i];
    }
    if (!n)
        return NULL;
    if (!newest)
        return found[sd_addr_port(from) % n];
    struct vk_file *last = found[0];
    for (unsigned i = 1; i < n; i++)
        if (found[i]->bound_at > last->bound_at)
            last = found[i];
    return last;
}

static struct vk_packet *new_packet(void)
{
    for (int i = 0; i < VK_PACKETS; i++)
        if (!vk.packet[i].used)
            return &vk.packet[i];
    return NULL;
}

bool vk_deliver(const struct sd_addr *from, const struct sd_addr *to, struct sd_span data,
                unsigned traits)
{
    struct vk_file *f = receiver(from, to, traits & VK_NEWEST);
    if (!f || data.len > VK_BYTES)
        return false;
    struct vk_packet *p = f->queued < VK_QUEUE ? new_packet() : NULL;
    if (!p) {
        f->dropped++;
        return false;
    }
    p->used = true;
    p->from = *from;
    p->to = *to;
    p->traits = traits;
    p->len = data.len;
    if (data.len)
        memcpy(p->data, data.p, data.len);
    f->queue[f->queued++] = p;
    vk.queued++;
    return true;
}
