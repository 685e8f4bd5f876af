/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_VK_INTERNAL_H
#define FUZZ_VK_INTERNAL_H

#include "kernel/vk.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

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
    unsigned traits;
    struct sd_addr from;
    size_t quoted;
    uint8_t quote[VK_QUOTE];
};

enum vk_kind { VK_FREE, VK_UDP, VK_EPOLLED, VK_TIMED };

struct vk_file {
    enum vk_kind kind;
    uint64_t bound_at; /* in the order of bind(); 0 = not bound */
    bool connected, reuseport, pktinfo, keeps_errors;
    int tos;
    struct sd_addr local, remote;
    int error; /* SO_ERROR */
    uint32_t dropped;
    unsigned queued, errors;
    struct vk_packet *queue[VK_QUEUE];
    struct vk_error error_queue[VK_ERRORS];
    struct epoll_event watched; /* by the only epoll; events 0: not watched */
    sd_time expires;            /* timer; SD_NEVER = disarmed */
};

struct vk {
    struct vk_file file[VK_FILES];
    struct vk_packet packet[VK_PACKETS];
    int top; /* no file from here on */
    unsigned open, queued;
    struct {
        unsigned n, times;
        int error; /* 0: an odd answer */
    } fail[VK_CALLS];
    bool in_vain;
    sd_time now;
    uint64_t binds;
    uint16_t next_port;
    uint64_t secrets, random; /* states of the generators: vk_secret.h, and anything else */
    bool no_random;
    void (*on_send)(void *arg, const struct sd_addr *from, const struct sd_addr *to,
                    struct sd_span data);
    void *on_send_arg;
};

extern struct vk vk;

/* NULL when the fd is not ours. */
struct vk_file *vk_file(int fd);
/* A new fd, or -1 with errno. */
int vk_new(enum vk_kind kind);
void vk_free(struct vk_file *f);
int vk_fail_with(int error);
/* True: the call answers oddly now. Ask before vk_fails(). */
bool vk_odd(enum vk_call call);
/* True: the call fails now; errno is set. */
bool vk_fails(enum vk_call call);
/* recvmmsg() of the error queue. */
int vk_recv_errors(int fd, struct mmsghdr *m, unsigned n);
/* A pending error goes to the next call; errno is set. */
bool vk_pending(struct vk_file *f);
/* EPOLLIN, EPOLLERR. */
uint32_t vk_events(const struct vk_file *f);
/* How well a socket fits a datagram: 0: not at all; VK_FITS_CONNECTED: the datagram is from its
 * peer. */
enum { VK_FITS_CONNECTED = 3 };
unsigned vk_fit(const struct vk_file *f, const struct sd_addr *from, const struct sd_addr *to);
/* Gives an unbound socket a port of its own. */
void vk_autobind(struct vk_file *f, int family);
void vk_take_off(struct vk_file *f);
void vk_give_name(const struct sd_addr *a, struct sockaddr *sa, socklen_t *len);
/* Adds an entry to a message's control data, of which `used` bytes are filled. */
void vk_put_control(struct msghdr *m, size_t *used, int level, int type, const void *data,
                    size_t len);

#endif
