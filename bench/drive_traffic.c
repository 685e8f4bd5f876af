/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "drive.h"
#include "process.h"

#define NS_PER_S UINT64_C(1000000000)
/* Without an answer for so long, what is on its way counts as lost. Much more than a server under
 * valgrind needs for a window. */
enum { LOST_AFTER_MS = 3000, LOST_IN_A_ROW_MAX = 3 };

enum { RANDOM = 13 + 12 + 2 }; /* of a ClientHello: record, message, version */

struct traffic {
    struct drive *d;
    uint64_t answers;
    uint64_t next; /* number of the next message or hello */
    uint8_t data[16384];
    size_t len;
};

static void on_refusal(void *arg, struct client *c, const uint8_t *data, size_t len)
{
    struct traffic *t = arg;
    if (!c && len > 13 && data[0] == 22 && data[13] == 3)
        t->answers++;
}

static void on_echo(void *arg, struct client *c, const uint8_t *data, size_t len)
{
    struct traffic *t = arg;
    uint8_t text[16384];
    if (!c || !c->ssl)
        return;
    c->wire.in = data;
    c->wire.in_len = len;
    while (SSL_read(c->ssl, text, sizeof text) == (int)t->len)
        t->answers++;
    c->wire.in = NULL;
}

static void send_hello(struct traffic *t)
{
    uint64_t n = t->next++;
    memcpy(t->data + RANDOM, &n, sizeof n);
    /* From behind the clients that are known. */
    clients_send(t->d->clients + (unsigned)(n % 10000000), t->data, t->len);
}

/* The clients in an order that no cache foresees: a stride that no number of clients divides. */
static void send_message(struct traffic *t)
{
    const uint64_t stride = 7919;
    struct client *c = &t->d->set.client[t->next++ * stride % t->d->clients];
    if (SSL_write(c->ssl, t->data, (int)t->len) != (int)t->len)
        die("client %u cannot send %zu bytes", c->number, t->len);
}

/* Windows of requests: the next ones go out when all answers are there, `each` of them. */
static void exchange(struct traffic *t, unsigned each, void (*send)(struct traffic *),
                     clients_on_datagram *f)
{
    struct drive *d = t->d;
    unsigned silent = 0;
    while (t->next < d->count && silent < LOST_IN_A_ROW_MAX) {
        uint64_t before = t->answers, left = d->count - t->next;
        uint64_t window = left < d->window ? left : d->window;
        for (uint64_t i = 0; i < window; i++)
            send(t);
        uint64_t all = before + window * each;
        while (t->answers < all && clients_receive(&d->set, LOST_AFTER_MS, f, t))
            ;
        silent = t->answers < all ? silent + 1 : 0;
    }
    d->done = t->answers;
    d->lost = t->next * each - t->answers;
    if (silent)
        die("%lu of %lu answers came", (unsigned long)d->done, (unsigned long)t->next * each);
}

void drive_hellos(struct drive *d)
{
    static struct traffic t;
    t = (struct traffic){.d = d};
    t.len = clients_hello(&d->set, t.data, sizeof t.data);
    exchange(&t, 1, send_hello, on_refusal);
}

static void need_clients(const struct drive *d)
{
    if (!d->clients)
        die("messages need clients: -c");
}

void drive_echo(struct drive *d)
{
    static struct traffic t;
    need_clients(d);
    t = (struct traffic){.d = d, .len = d->size};
    exchange(&t, d->echoes, send_message, on_echo);
}

static void sleep_until(uint64_t at)
{
    struct timespec t = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
        ;
}

/* Nothing comes back: the receiver counts, and whoever called compares. */
void drive_messages(struct drive *d)
{
    static struct traffic t;
    uint64_t begin = process_now();
    need_clients(d);
    t = (struct traffic){.d = d, .len = d->size};
    while (t.next < d->count) {
        for (unsigned i = 0; i < d->window && t.next < d->count; i++)
            send_message(&t);
        clients_flush();
        if (d->rate)
            sleep_until(begin + t.next * NS_PER_S / d->rate);
    }
    d->done = t.next;
}
