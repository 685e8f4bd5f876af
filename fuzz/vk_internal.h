#ifndef FUZZ_VK_INTERNAL_H
#define FUZZ_VK_INTERNAL_H

#include "vk.h"

#include <sys/epoll.h>

struct vk_packet {
    bool used;
    struct sd_addr from, to;
    unsigned traits;
    size_t len;
    uint8_t data[VK_BYTES];
};

struct vk_error {
    int error;
    uint32_t mtu;
    struct sd_addr from;
    size_t quoted;
    uint8_t quote[VK_QUOTE];
};

enum vk_kind { VK_FREE, VK_UDP, VK_EPOLLED, VK_TIMER };

struct vk_file {
    enum vk_kind kind;
    uint64_t bound_at; /* in the order of bind(); 0 = not bound */
    bool connected, reuseport, pktinfo, keeps_errors;
    struct sd_addr local, remote;
    int error; /* SO_ERROR */
    uint32_t dropped;
    unsigned queued, errors;
    struct vk_packet *queue[VK_QUEUE];
    struct vk_error error_queue[VK_ERRORS];
    struct epoll_event watched[VK_FILES]; /* epoll; events 0 = not watched */
    sd_time expires;                      /* timer; SD_NEVER = disarmed */
};

struct vk {
    struct vk_file file[VK_FILES];
    struct vk_packet packet[VK_PACKETS];
    struct {
        unsigned n;
        int error;
    } fail[VK_CALLS];
    sd_time now;
    uint64_t binds;
    uint16_t next_port;
    uint64_t random;
    void (*on_send)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                    struct sd_span data);
    void *on_send_arg;
};

extern struct vk vk;

/* NULL when the fd is not ours. */
struct vk_file *vk_file(int fd);
/* A new fd, or -1 with errno. */
int vk_new(enum vk_kind kind);
/* The call shall fail now; errno is set. */
bool vk_fails(enum vk_call call);
bool vk_readable(const struct vk_file *f);
/* Gives an unbound socket a port of its own. */
void vk_autobind(struct vk_file *f, int family);
void vk_take_off(struct vk_file *f);

#endif
