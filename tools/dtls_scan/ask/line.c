/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <unistd.h>

#include "base/hash.h"
#include "net/socket.h"
#include "wire/alert.h"
#include "wire/record.h"

/* A server may need this long for a flight on a slow machine; the round trip comes on top. */
static const sd_time shortest_wait = 250 * SD_MS, most_wait = 2 * SD_SEC;
enum { TRIES_LEAST = 4, TRIES_MOST = 8, RECEIVE_BYTES = 1 << 20 };

static bool halt(struct scan_line *l, enum scan_stop why, int error)
{
    if (l->stop == SCAN_GO) {
        l->stop = why;
        l->error = error;
    }
    return false;
}

static struct sd_addr local_address(const struct scan_line *l, uint16_t from)
{
    struct sd_addr a = sd_addr_any(l->to.sa.sa_family, from);
    void *where = l->to.sa.sa_family == AF_INET ? (void *)&a.in.sin_addr : (void *)&a.in6.sin6_addr;
    if (l->source)
        inet_pton(l->to.sa.sa_family, l->source, where);
    return a;
}

bool scan_port_open_at(struct scan_port *p, struct scan_line *line, uint16_t from)
{
    struct sd_socket_options o = {.family = line->to.sa.sa_family, .rcvbuf = RECEIVE_BYTES};
    struct sd_addr local = local_address(line, from);
    *p = (struct scan_port){.line = line, .fd = sd_socket_open(&o)};
    if (p->fd < 0)
        return halt(line, SCAN_STOP_LOCAL, -p->fd);
    int rc = line->source || from ? sd_socket_bind(p->fd, &local) : 0;
    if (!rc)
        rc = sd_socket_connect(p->fd, &line->to);
    if (!rc)
        return true;
    scan_port_close(p);
    return halt(line, SCAN_STOP_LOCAL, -rc);
}

bool scan_port_open(struct scan_port *p, struct scan_line *line)
{
    return scan_port_open_at(p, line, line->one_port ? line->good_port : 0);
}

uint16_t scan_line_first_port(const struct scan_line *line)
{
    enum { DYNAMIC = 49152, PORTS = 16384 };
    uint8_t bytes[SD_ADDR_BYTES];
    size_t len = sd_addr_bytes(&line->to, bytes);
    return (uint16_t)(DYNAMIC + sd_hash((struct sd_hash_key){0}, bytes, len) % PORTS);
}

void scan_port_close(struct scan_port *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

uint16_t scan_port_number(const struct scan_port *p)
{
    struct sd_addr a;
    return sd_socket_local(p->fd, &a) ? 0 : sd_addr_port(&a);
}

/* Until `until`, or a signal comes. */
static bool line_sleep(struct scan_line *l, sd_time until)
{
    struct pollfd stop = {.fd = l->signals, .events = POLLIN};
    while (sd_clock_now() < until)
        if (poll(&stop, 1, sd_clock_wait_ms(until)) > 0)
            return halt(l, SCAN_STOP_SIGNAL, 0);
    return true;
}

static bool await_turn(struct scan_line *l)
{
    if (l->stop)
        return false;
    if (!l->budget)
        return halt(l, SCAN_STOP_BUDGET, 0);
    if (l->next > l->deadline || sd_clock_now() > l->deadline)
        return halt(l, SCAN_STOP_TIME, 0);
    return line_sleep(l, l->next);
}

/* An ICMP error about an earlier datagram fails the next call, once; it is no reason to stop. */
static int put_on_line(struct scan_port *p, const void *data, size_t len)
{
    enum { AGAIN = 3 };
    int rc = 0;
    for (unsigned i = 0; i < AGAIN; i++) {
        rc = sd_socket_send(p->fd, data, len, NULL, NULL);
        if (rc == -ECONNREFUSED)
            p->line->refused++;
        if (!rc || rc == -EMSGSIZE)
            break;
    }
    struct scan_line *l = p->line;
    l->sent++;
    l->sent_bytes += len;
    l->next = sd_clock_now() + l->gap;
    return rc;
}

bool scan_port_send(struct scan_port *p, const void *data, size_t len)
{
    struct scan_line *l = p->line;
    if (!await_turn(l))
        return false;
    l->budget--;
    int rc = put_on_line(p, data, len);
    if (!rc || rc == -ECONNREFUSED || rc == -EAGAIN || rc == -ENOBUFS)
        return true;
    return halt(l, SCAN_STOP_LOCAL, -rc);
}

static bool came_in_fragments(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVFRAGSIZE) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVFRAGSIZE))
            return true;
    return false;
}

static void count_datagram(struct scan_line *l, struct msghdr *m, size_t len)
{
    l->received++;
    l->received_bytes += len;
    l->in_fragments += came_in_fragments(m);
    if (len > l->largest)
        l->largest = len;
}

static enum scan_heard read_port(struct scan_port *p, uint8_t *buf, size_t *len)
{
    enum { ROOM = 128 };
    alignas(struct cmsghdr) uint8_t control[ROOM];
    struct iovec to = {.iov_base = buf, .iov_len = SCAN_DATAGRAM};
    struct msghdr m = {
        .msg_iov = &to, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(p->fd, &m, MSG_DONTWAIT);
    if (n >= 0) {
        count_datagram(p->line, &m, (size_t)n);
        *len = (size_t)n;
        return SCAN_HEARD_DATAGRAM;
    }
    if (errno != ECONNREFUSED)
        return SCAN_HEARD_NOTHING;
    p->line->refused++;
    return SCAN_HEARD_REFUSED;
}

enum scan_heard scan_port_hear(struct scan_port *p, uint8_t buf[static SCAN_DATAGRAM], size_t *len,
                               sd_time until)
{
    struct scan_line *l = p->line;
    *len = 0;
    while (!l->stop) {
        struct pollfd fds[] = {{.fd = p->fd, .events = POLLIN},
                               {.fd = l->signals, .events = POLLIN}};
        sd_time end = until < l->deadline ? until : l->deadline;
        poll(fds, 2, sd_clock_wait_ms(end));
        if (fds[1].revents)
            halt(l, SCAN_STOP_SIGNAL, 0);
        enum scan_heard heard = fds[0].revents ? read_port(p, buf, len) : SCAN_HEARD_NOTHING;
        if (heard != SCAN_HEARD_NOTHING)
            return heard;
        if (sd_clock_now() >= until)
            return SCAN_HEARD_NOTHING;
        if (sd_clock_now() >= l->deadline)
            halt(l, SCAN_STOP_TIME, 0);
    }
    return SCAN_HEARD_STOP;
}

void scan_port_farewell(struct scan_port *p, const void *data, size_t len)
{
    line_sleep(p->line, p->line->next);
    put_on_line(p, data, len);
}

void scan_port_goodbye(struct scan_port *p, uint16_t version, uint64_t seq)
{
    uint8_t buf[32];
    struct sd_wr w = sd_wr_init(buf, sizeof buf);
    bool known = version == SD_DTLS_BAD || version == SD_DTLS_1_0;
    size_t record = sd_record_open(&w, SD_CT_ALERT, known ? version : SD_DTLS_1_2, 0, seq);
    sd_alert_build(&w, &(struct sd_alert){SD_ALERT_FATAL, SD_ALERT_USER_CANCELED});
    sd_record_close(&w, record);
    /* If the alert is lost, a server of one address serves nobody for minutes. */
    for (unsigned copies = p->line->one_port ? 2 : 1; copies; copies--)
        scan_port_farewell(p, buf, sd_wr_len(&w));
}

/* With a share q of all hellos repeated, q^n is the chance that n in a row are lost. */
unsigned scan_line_tries(const struct scan_line *line)
{
    unsigned percent = line->asked ? 100 * line->repeated / line->asked : 0;
    unsigned tries = TRIES_LEAST + percent / 5;
    return tries < TRIES_MOST ? tries : TRIES_MOST;
}

sd_time scan_line_wait(const struct scan_line *line, unsigned attempt)
{
    enum { SLOW = 2, SLOW_MOST = 4 }; /* answers in a row: no loss, but a slow server */
    unsigned slow = line->late < SLOW_MOST ? line->late : SLOW_MOST;
    sd_time wait = (shortest_wait << (slow < SLOW ? 0 : slow)) + 2 * line->rtt;
    for (; attempt && wait < most_wait; attempt--)
        wait += wait / 2;
    return wait < most_wait ? wait : most_wait + 2 * line->rtt;
}
