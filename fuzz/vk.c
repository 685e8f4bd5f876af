#include "vk_internal.h"

#include <errno.h>
#include <string.h>

#include "common.h"

struct vk vk;

struct vk_file *vk_file(int fd)
{
    int i = fd - VK_FD_FIRST;
    return i >= 0 && i < VK_FILES && vk.file[i].kind != VK_FREE ? &vk.file[i] : NULL;
}

void vk_reset(void)
{
    for (int i = 0; i < VK_FILES; i++)
        vk.file[i].kind = VK_FREE;
    for (int i = 0; i < VK_PACKETS; i++)
        vk.packet[i].used = false;
    memset(vk.fail, 0, sizeof vk.fail);
    vk.now = 1001 * SD_SEC;
    vk.binds = 0;
    vk.next_port = 30000;
    vk.random = 1;
    vk.on_send = NULL;
}

unsigned vk_open(void)
{
    unsigned n = 0;
    for (int i = 0; i < VK_FILES; i++)
        n += vk.file[i].kind != VK_FREE;
    return n;
}

unsigned vk_queued(void)
{
    unsigned n = 0;
    for (int i = 0; i < VK_PACKETS; i++)
        n += vk.packet[i].used;
    return n;
}

sd_time vk_now(void)
{
    return vk.now;
}

void vk_pass(sd_time time)
{
    vk.now += time;
}

void vk_fail(enum vk_call call, unsigned n, int error)
{
    vk.fail[call].n = n;
    vk.fail[call].error = error;
}

bool vk_fails(enum vk_call call)
{
    if (!vk.fail[call].n || --vk.fail[call].n)
        return false;
    errno = vk.fail[call].error;
    return true;
}

void vk_on_send(void (*fn)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                           struct sd_span data),
                void *arg)
{
    vk.on_send = fn;
    vk.on_send_arg = arg;
}

int vk_new(enum vk_kind kind)
{
    for (int i = 0; i < VK_FILES; i++) {
        if (vk.file[i].kind != VK_FREE)
            continue;
        struct vk_file *f = &vk.file[i];
        memset(f, 0, sizeof *f);
        f->kind = kind;
        f->expires = SD_NEVER;
        return VK_FD_FIRST + i;
    }
    errno = EMFILE;
    return -1;
}

bool vk_readable(const struct vk_file *f)
{
    return f->kind == VK_TIMER ? f->expires <= vk.now : f->queued || f->error || f->errors;
}

void vk_autobind(struct vk_file *f, int family)
{
    if (f->bound_at)
        return;
    f->bound_at = ++vk.binds;
    f->local = sd_addr_any(family, vk.next_port++);
}

void vk_take_off(struct vk_file *f)
{
    f->queue[0]->used = false;
    f->queued--;
    memmove(f->queue, f->queue + 1, f->queued * sizeof *f->queue);
}

/* How well a socket fits a datagram: 0 = not at all. */
static unsigned fit(const struct vk_file *f, const struct sd_addr *from, const struct sd_addr *to)
{
    if (f->kind != VK_UDP || !f->bound_at || f->local.sa.sa_family != to->sa.sa_family ||
        sd_addr_port(&f->local) != sd_addr_port(to))
        return 0;
    bool any = sd_addr_is_any(&f->local);
    if (!any && !sd_addr_eq(&f->local, to))
        return 0;
    if (f->connected)
        return sd_addr_eq(&f->remote, from) ? 3 : 0;
    return any ? 1 : 2;
}

static struct vk_file *receiver(const struct sd_addr *from, const struct sd_addr *to, bool newest)
{
    struct vk_file *found[VK_FILES];
    unsigned best = 1, n = 0;
    for (int i = 0; i < VK_FILES; i++) {
        unsigned score = fit(&vk.file[i], from, to);
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
    return true;
}

bool vk_icmp(const struct sd_addr *local, const struct sd_addr *remote, int error, uint32_t mtu,
             struct sd_span quote)
{
    for (int i = 0; i < VK_FILES; i++) {
        struct vk_file *f = &vk.file[i];
        if (fit(f, remote, local) != 3)
            continue;
        f->error = error;
        if (!f->keeps_errors || f->errors == VK_ERRORS)
            return true;
        struct vk_error *e = &f->error_queue[f->errors++];
        *e = (struct vk_error){.error = error, .mtu = mtu, .from = *remote};
        e->quoted = quote.len < VK_QUOTE ? quote.len : VK_QUOTE;
        if (e->quoted)
            memcpy(e->quote, quote.p, e->quoted);
        return true;
    }
    return false;
}
