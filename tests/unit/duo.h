/* SPDX-License-Identifier: MIT */
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

#define DUO_DEADLINE (30 * SD_SEC)

enum { DUO_TYPES = SDTLS_EV_WRITABLE + 1 };

struct duo {
    sdtls *server, *client;
    char port[8];
    /* What each end told while the test waited for the other; without data. */
    sdtls_event missed[2][DUO_TYPES];
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
    memset(d, 0, sizeof *d);
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

static inline bool duo_step(sdtls *s, sdtls_event *ev, int wait_ms)
{
    int rc = sdtls_next(s, ev, wait_ms);
    if (rc < 0)
        fail_msg("sdtls_next: %s", sdtls_errmsg(s));
    return rc > 0;
}

static inline bool duo_missed(struct duo *d, sdtls *who, enum sdtls_event_type type,
                              sdtls_event *ev)
{
    sdtls_event *missed = &d->missed[who == d->server][type];
    if (missed->type != type)
        return false;
    *ev = *missed;
    missed->type = SDTLS_EV_NONE;
    return true;
}

static inline void duo_serve(struct duo *d, sdtls *who)
{
    sdtls_event ev;
    while (duo_step(who, &ev, 0)) {
        ev.data = ev.text = NULL;
        d->missed[who == d->server][ev.type] = ev;
    }
}

/* Runs both ends until `who` has told an event of this type; others pass by. */
static inline sdtls_event duo_wait(struct duo *d, sdtls *who, enum sdtls_event_type type)
{
    sd_time until = sd_clock_now() + DUO_DEADLINE;
    sdtls_event ev;
    if (duo_missed(d, who, type, &ev))
        return ev;
    while (sd_clock_now() < until) {
        while (duo_step(who, &ev, 1)) {
            if (ev.type == type)
                return ev;
            if (ev.type == SDTLS_EV_CLOSED)
                fail_msg("closed while waiting for event %d: %s: %s", type, sdtls_strerror(ev.err),
                         ev.text ? ev.text : "");
        }
        duo_serve(d, who == d->server ? d->client : d->server);
    }
    fail_msg("no event %d within the deadline", type);
    return ev;
}

#endif
