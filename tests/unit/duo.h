/* A server and clients in one process, over loopback, driven by hand: every
 * wait is for an event, with a deadline. */
#ifndef TESTS_DUO_H
#define TESTS_DUO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sukat_dtls.h"

#define DUO_DEADLINE (10 * SD_SEC)

struct duo {
    sdtls *server, *client;
    char port[8];
};

static inline void duo_port(struct duo *d)
{
    socklen_t len;
    const struct sockaddr *sa = sdtls_local(d->server, 0, &len);
    assert_non_null(sa);
    assert_int_equal(
        getnameinfo(sa, len, NULL, 0, d->port, sizeof d->port, NI_NUMERICSERV | NI_DGRAM), 0);
}

static inline void duo_up(struct duo *d, const sdtls_config *server, const sdtls_config *client)
{
    d->server = sdtls_new(server);
    d->client = sdtls_new(client);
    assert_non_null(d->server);
    assert_non_null(d->client);
    if (sdtls_listen(d->server, "127.0.0.1", NULL))
        fail_msg("listen: %s", sdtls_errmsg(d->server));
    duo_port(d);
}

static inline void duo_down(struct duo *d)
{
    sdtls_free(d->client);
    sdtls_free(d->server);
}

static inline sdtls_conn *duo_connect(struct duo *d)
{
    sdtls_conn *c;
    if (sdtls_connect(d->client, "127.0.0.1", d->port, &c))
        fail_msg("connect: %s", sdtls_errmsg(d->client));
    return c;
}

/* Echoes what the server gets, when asked to; else data is left alone. */
static inline bool duo_step(sdtls *s, sdtls_event *ev, int wait_ms)
{
    int rc = sdtls_next(s, ev, wait_ms);
    if (rc < 0)
        fail_msg("sdtls_next: %s", sdtls_errmsg(s));
    return rc > 0;
}

/* Runs both until `who` has an event of this type; other events pass by. The
 * other end gets its turn in between. */
static inline sdtls_event duo_wait(struct duo *d, sdtls *who, enum sdtls_event_type type)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls *other = who == d->server ? d->client : d->server;
    sdtls_event ev, ignored;
    while (sd_clock_now() < until) {
        while (duo_step(who, &ev, 1)) {
            if (ev.type == type)
                return ev;
            if (ev.type == SDTLS_EV_CLOSED)
                fail_msg("closed while waiting for event %d: %s: %s", type, sdtls_strerror(ev.err),
                         ev.text ? ev.text : "");
        }
        while (duo_step(other, &ignored, 0))
            continue;
    }
    fail_msg("no event %d within the deadline", type);
    return ev;
}

#endif
