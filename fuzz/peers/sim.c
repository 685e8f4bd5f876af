/* SPDX-License-Identifier: MIT */
#include "peers/sim.h"

#include <stdlib.h>
#include <string.h>

#include "harness/common.h"

sd_time sim_now(void)
{
    return SD_SEC + ossl_env_now_us() * SD_US;
}

/* --- the network --- */

struct sim_packet *sim_packet(const void *data, size_t len)
{
    struct sim_packet *p = fuzz_heap_alloc(offsetof(struct sim_packet, data) + len);
    fuzz_check(p, "no memory");
    p->len = len;
    memcpy(p->data, data, len);
    return p;
}

void sim_put(struct sim *s, int to, const void *data, size_t len)
{
    struct sim_side *e = &s->side[to];
    if (e->queued < SIM_QUEUE && len <= SIM_DATAGRAM)
        e->queue[e->queued++] = sim_packet(data, len);
}

static void remember(struct sim_side *from, const void *data, size_t len)
{
    struct sim_packet **slot = &from->history[from->remembered++ % SIM_HISTORY];
    fuzz_heap_free(*slot);
    *slot = sim_packet(data, len);
}

struct sim_packet *sim_take(struct sim *s, int to, unsigned index)
{
    struct sim_side *e = &s->side[to];
    if (index >= e->queued)
        return NULL;
    struct sim_packet *p = e->queue[index];
    e->queued--;
    memmove(&e->queue[index], &e->queue[index + 1], (e->queued - index) * sizeof *e->queue);
    return p;
}

int sim_transmit(struct sim_side *from, const void *data, size_t len)
{
    if (from->failing) {
        from->failing--;
        return -from->with;
    }
    witness_datagram(&from->witness, data, len);
    if (from->strict)
        fuzz_check(!from->witness.wrong, "our %s sent %s (%zu bytes)",
                   from->id ? "server" : "client", witness_words(from->witness.wrong), len);
    fuzz_note_bytes(data, len);
    remember(from, data, len);
    sim_put(from->sim, !from->id, data, len);
    return 0;
}

/* Data is a number, then the letter of its sender up to its length. */
void sim_got(struct sim_side *to, const uint8_t *data, size_t len)
{
    const struct sim_side *from = &to->sim->side[!to->id];
    fuzz_check(len && data[0] < from->messages, "data arrived that nobody sent");
    for (size_t i = 1; i < len; i++)
        fuzz_check(data[i] == (from->id ? 's' : 'c'), "data arrived changed");
    fuzz_check(!to->arrived[data[0]], "data arrived twice");
    to->arrived[data[0]] = true;
    fuzz_note(1000U + data[0]);
}

void sim_arrive(struct sim *s, int to, const uint8_t *data, size_t len, bool more)
{
    struct sim_side *e = &s->side[to];
    e->received += len;
    ossl_env_random(e->id);
    e->stack->input(e, data, len, more);
}

bool sim_deliver(struct sim *s, int to, unsigned count)
{
    struct sim_packet *p = NULL;
    bool any = false;
    for (unsigned i = 0; i < count && (p = sim_take(s, to, 0)); i++) {
        sim_arrive(s, to, p->data, p->len, i + 1 < count && s->side[to].queued);
        fuzz_heap_free(p);
        any = true;
    }
    return any;
}

void sim_report(struct sim *s, int id, const struct sim_report *r)
{
    struct sim_side *e = &s->side[id];
    ossl_env_random(e->id);
    if (e->stack->report)
        e->stack->report(e, r);
}

/* --- time --- */

void sim_later(struct sim *s, uint64_t us)
{
    ossl_env_later(us);
    for (int id = OSSL_CLIENT; id <= OSSL_SERVER; id++) {
        struct sim_side *e = &s->side[id];
        ossl_env_random(e->id);
        e->stack->timer(e);
    }
}

bool sim_timeout(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    uint64_t us;
    if (!e->stack->wait(e, &us))
        return false;
    sim_later(s, us);
    return true;
}

/* --- what the programs do --- */

void sim_go_on(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    e->failing = 0;
    ossl_env_random(e->id);
    if (e->stack->go_on)
        e->stack->go_on(e);
}

/* The next message, of `len` bytes; false: the side cannot send one. */
static bool message(struct sim_side *e, uint8_t *data, size_t len)
{
    if (!e->ready || e->over || e->messages >= SIM_MESSAGES || len > SIM_DATAGRAM || !len)
        return false;
    memset(data, e->id ? 's' : 'c', len);
    data[0] = (uint8_t)e->messages++;
    ossl_env_random(e->id);
    return true;
}

void sim_send(struct sim *s, int id, size_t len)
{
    struct sim_side *e = &s->side[id];
    uint8_t data[SIM_DATAGRAM];
    if (e->stack->send_in_vain)
        e->stack->send_in_vain(e);
    if (message(e, data, len))
        e->stack->send(e, data, len);
}

void sim_send_padded(struct sim *s, int id, size_t len, size_t size)
{
    struct sim_side *e = &s->side[id];
    uint8_t data[SIM_DATAGRAM];
    if (!e->stack->send_padded || !message(e, data, len))
        return;
    const size_t mtu = e->witness.mtu;
    e->witness.mtu = 0; /* whatever the MTU is: this datagram measures it */
    e->stack->send_padded(e, data, len, size);
    e->witness.mtu = mtu;
}

void sim_close(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    ossl_env_random(e->id);
    e->asked_to_close = true;
    e->stack->close(e);
}

bool sim_alive(const struct sim *s)
{
    const struct sim_side *client = &s->side[OSSL_CLIENT], *server = &s->side[OSSL_SERVER];
    return client->ready && server->ready && !client->over && !server->over;
}

/* --- begin and end --- */

static void side_begin(struct sim *s, enum ossl_side id)
{
    struct sim_side *e = &s->side[id];
    *e = (struct sim_side){.sim = s, .id = id, .stack = s->config.stack[id]};
    ossl_env_random(id);
    const unsigned scarce = ossl_env_scarce(0); /* the program's own allocations do not fail */
    e->stack->begin(e);
    ossl_env_scarce(scarce);
}

static void side_end(struct sim *s, int id)
{
    struct sim_side *e = &s->side[id];
    e->stack->end(e);
    witness_end(&e->witness);
    for (unsigned i = 0; i < SIM_HISTORY; i++)
        fuzz_heap_free(e->history[i]);
    for (struct sim_packet *p; (p = sim_take(s, id, 0));)
        fuzz_heap_free(p);
}

static void connect_sides(struct sim *s)
{
    struct sim_side *client = &s->side[OSSL_CLIENT];
    side_begin(s, OSSL_CLIENT);
    side_begin(s, OSSL_SERVER);
    ossl_env_random(OSSL_CLIENT);
    client->stack->connect(client);
}

void sim_begin(struct sim *s, const struct sim_config *c)
{
    *s = (struct sim){.config = *c};
    for (int id = OSSL_CLIENT; id <= OSSL_SERVER; id++)
        c->stack[id]->prepare((enum ossl_side)id, c);
    ossl_env_begin(1);
    connect_sides(s);
}

void sim_restart(struct sim *s)
{
    side_end(s, OSSL_CLIENT);
    side_end(s, OSSL_SERVER);
    connect_sides(s);
}

void sim_end(struct sim *s)
{
    for (int id = OSSL_CLIENT; id <= OSSL_SERVER; id++) {
        if (s->side[id].stack->forget)
            s->side[id].stack->forget(&s->side[id]);
        side_end(s, id);
    }
}
