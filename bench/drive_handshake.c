/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>

#include "drive.h"
#include "process.h"

#define NS_PER_MS UINT64_C(1000000)
#define TIMERS_EVERY_NS (100 * NS_PER_MS)
#define GIVE_UP_NS (60000 * NS_PER_MS) /* without a client that got further */

struct run {
    struct drive *d;
    unsigned from, next, to; /* those from..next have begun */
    unsigned active;
    bool keep, stop_half_way;
    uint64_t timers_at, progress_at;
};

static void finish(struct run *r, struct client *c)
{
    c->ready = true;
    r->active--;
    r->d->done++;
    if (r->d->resume && r->d->set.session && !SSL_session_reused(c->ssl))
        die("client %u: the server does not resume", c->number);
    if (!r->keep)
        SSL_shutdown(c->ssl);
}

static void shake(struct run *r, struct client *c)
{
    int n = SSL_do_handshake(c->ssl);
    if (n == 1)
        finish(r, c);
    else if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
        die("client %u: handshake failed: %s", c->number,
            ERR_error_string(ERR_peek_last_error(), NULL));
}

static void begin(struct run *r)
{
    while (r->active < r->d->window && r->next < r->to) {
        r->active++;
        shake(r, &r->d->set.client[r->next++]);
    }
}

enum { TYPE = 0, MESSAGE = 13, HANDSHAKE = 22, HELLO_VERIFY_REQUEST = 3 };

static bool is_hello_verify(const uint8_t *data, size_t len)
{
    return len > MESSAGE && data[TYPE] == HANDSHAKE && data[MESSAGE] == HELLO_VERIFY_REQUEST;
}

static void on_datagram(void *arg, struct client *c, const uint8_t *data, size_t len)
{
    struct run *r = arg;
    if (!c || !c->ssl || c->ready)
        return;
    r->progress_at = process_now();
    if (r->stop_half_way && !is_hello_verify(data, len)) {
        c->ready = true; /* the server waits for it, in vain */
        r->active--;
        r->d->done++;
        return;
    }
    c->wire.in = data;
    c->wire.in_len = len;
    shake(r, c);
    c->wire.in = NULL;
}

static void run_timers(struct run *r)
{
    for (unsigned i = r->from; i < r->next; i++) {
        struct client *c = &r->d->set.client[i];
        if (!c->ready && DTLSv1_handle_timeout(c->ssl) > 0)
            r->d->retransmits++;
    }
    r->timers_at = process_now() + TIMERS_EVERY_NS;
}

static void run(struct run *r)
{
    unsigned all = r->to - r->from;
    r->d->done = 0;
    r->progress_at = process_now();
    for (begin(r); r->active; begin(r)) {
        clients_receive(&r->d->set, 20, on_datagram, r);
        while (r->from < r->next && r->d->set.client[r->from].ready)
            r->from++;
        if (process_now() > r->timers_at)
            run_timers(r);
        if (process_now() > r->progress_at + GIVE_UP_NS)
            die("only %lu of %u handshakes came to their end", (unsigned long)r->d->done, all);
    }
    clients_flush();
}

void drive_handshakes(struct drive *d, unsigned from, unsigned to, bool keep)
{
    run(&(struct run){.d = d, .from = from, .next = from, .to = to, .keep = keep});
}

void drive_half_open(struct drive *d, unsigned from, unsigned to)
{
    run(&(struct run){.d = d, .from = from, .next = from, .to = to, .stop_half_way = true});
}

void drive_session(struct drive *d)
{
    clients_prepare(&d->set, 0, 1);
    drive_handshakes(d, 0, 1, false);
    d->set.session = SSL_get1_session(d->set.client[0].ssl);
    if (!d->set.session || !SSL_SESSION_is_resumable(d->set.session))
        die("the server gave no session that can be resumed");
    clients_drop(&d->set, 0);
}
