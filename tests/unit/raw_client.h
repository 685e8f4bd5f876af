/* SPDX-License-Identifier: MIT */
/* DTLS clients made by hand: they prove their address with a cookie, and then do what a test wants.
 * With it, a clock that a test can set forward. */
#ifndef TESTS_RAW_CLIENT_H
#define TESTS_RAW_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "duo.h"
#include "wire/handshake.h"
#include "wire/hello.h"
#include "wire/record.h"

/* Link with -Wl,--wrap=sd_clock_now. The clock stands but for a microsecond each time that it is
 * read, however slow the machine is. */
static sd_time clock_ahead;
sd_time __real_sd_clock_now(void);
sd_time __wrap_sd_clock_now(void);
sd_time __wrap_sd_clock_now(void)
{
    static sd_time began;
    if (!began)
        began = __real_sd_clock_now();
    return began + (clock_ahead += SD_US);
}

enum { RAW_HELLO = 160, RAW_DATAGRAM = 2048 };

struct raw_client {
    int fd;
    uint8_t random[32];
    uint8_t hello[RAW_HELLO]; /* the one with a cookie */
    size_t hello_len;
};

static inline struct sockaddr_in raw_address(unsigned host, unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(0x7f090000 + host),
                                .sin_port = htons((uint16_t)port)};
}

/* From host 127.9.0.`host`; port 0: any. */
static inline struct raw_client raw_open(const char *to, unsigned host, unsigned port)
{
    static uint32_t number;
    struct raw_client c = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    struct sockaddr_in from = raw_address(host, port), server = {.sin_family = AF_INET};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons((uint16_t)atoi(to));
    assert_int_equal(bind(c.fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(c.fd, (struct sockaddr *)&server, sizeof server), 0);
    number++;
    memcpy(c.random, &number, sizeof number);
    return c;
}

/* P-256, X25519 and ECDSA: what a server with a self-signed certificate answers. */
static inline size_t raw_build(uint8_t out[static RAW_HELLO], const uint8_t random[static 32],
                               struct sd_span cookie)
{
    static const uint8_t rest[] = {0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0,  0, 18, 0, 10, 0, 6,
                                   0, 4, 0,    0x1d, 0,    0x17, 0, 13, 0, 4,  0, 2,  4, 3};
    struct sd_wr w = sd_wr_init(out, RAW_HELLO);
    size_t record = sd_record_open(&w, SD_CT_HANDSHAKE, SD_DTLS_1_2, 0, cookie.len != 0);
    size_t message = sd_handshake_open(&w, SD_HS_CLIENT_HELLO, cookie.len != 0);
    sd_wr_u16(&w, SD_DTLS_1_2);
    sd_wr_bytes(&w, random, 32);
    sd_wr_u8(&w, 0);
    sd_wr_u8(&w, (uint8_t)cookie.len);
    sd_wr_bytes(&w, cookie.p, cookie.len);
    sd_wr_bytes(&w, rest, sizeof rest);
    sd_handshake_close(&w, message);
    sd_record_close(&w, record);
    return sd_wr_len(&w);
}

/* Runs the server for a moment. It must not wait for itself: the kernel's clock is not set forward.
 */
static inline bool raw_step(sdtls *server, sdtls_event *ev)
{
    bool any = duo_step(server, ev, 0);
    if (!any)
        poll(NULL, 0, 1);
    return any;
}

/* One datagram within the deadline, while the server runs. */
static inline size_t raw_receive(sdtls *server, int fd, uint8_t buf[static RAW_DATAGRAM])
{
    sd_time until = __real_sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    ssize_t n;
    while ((n = recv(fd, buf, RAW_DATAGRAM, 0)) < 0 && __real_sd_clock_now() < until)
        raw_step(server, &ev);
    assert_true(n > 0);
    return (size_t)n;
}

/* Gets a cookie, and has the hello with it ready. */
static inline void raw_cookie(sdtls *server, struct raw_client *c)
{
    enum { VERIFY = 48, TYPE_AT = 13, COOKIE_AT = 28, COOKIE = 20 };
    uint8_t buf[RAW_DATAGRAM];
    size_t len = raw_build(buf, c->random, (struct sd_span){0});
    assert_int_equal(send(c->fd, buf, len, 0), len);
    do
        len = raw_receive(server, c->fd, buf);
    while (len != VERIFY || buf[TYPE_AT] != SD_HS_HELLO_VERIFY_REQUEST);
    c->hello_len = raw_build(c->hello, c->random, (struct sd_span){buf + COOKIE_AT, COOKIE});
}

/* Sends what proves the address. */
static inline void raw_prove(const struct raw_client *c)
{
    assert_int_equal(send(c->fd, c->hello, c->hello_len, 0), c->hello_len);
}

/* Runs the server until a counter has this value. */
static inline void raw_until(sdtls *server, const char *counter, uint64_t value)
{
    sd_time until = __real_sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    while (sdtls_counter_named(server, counter) < value) {
        if (__real_sd_clock_now() > until)
            fail_msg("%s stays at %llu", counter,
                     (unsigned long long)sdtls_counter_named(server, counter));
        raw_step(server, &ev);
    }
    assert_int_equal(sdtls_counter_named(server, counter), value);
}

/* A client of this host that says no more once the server has admitted it. */
static inline struct raw_client raw_half_open(sdtls *server, const char *to, unsigned host,
                                              unsigned port)
{
    uint64_t accepted = sdtls_counter_named(server, "conn.accepted");
    struct raw_client c = raw_open(to, host, port);
    raw_cookie(server, &c);
    raw_prove(&c);
    raw_until(server, "conn.accepted", accepted + 1);
    return c;
}

#endif
