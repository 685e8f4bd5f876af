/* SPDX-License-Identifier: MIT */
#include "dtls_probe/twosided.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "common/text.h"
#include "dtls_probe/pairs.h"
#include "dtls_probe/run.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/words.h"

/* Both directions, and the difference of the two clocks. */
struct between {
    const struct probe_end *client, *server;
    struct probe_way up, down;
    int64_t rtt, offset; /* ns; offset = server's clock ahead of the client's */
    bool answered;       /* a datagram arrived in each direction */
    bool timed;          /* the two times above are known */
};

static void keep_result(void *arg, const struct probe_report *r)
{
    probe_ends_add(arg, r);
}

static int read_side(const struct probe_config *c, const struct tool_out *out, const char *path,
                     struct probe_ends *ends)
{
    struct probe_run r;
    int status = PROBE_ERROR;
    if (probe_run_open(&r, c, out)) {
        probe_listen(&r, &(struct probe_listener){ends, NULL, keep_result, NULL});
        if (probe_run_file(&r, path))
            status = probe_run_status(&r);
    }
    probe_run_close(&r);
    return status;
}

static struct between compare_ends(const struct probe_end *client, const struct probe_end *server)
{
    struct between b = {.client = client, .server = server};
    b.up = probe_way_between(&client->x, &server->x, SD_CLIENT);
    b.down = probe_way_between(&server->x, &client->x, SD_SERVER);
    b.answered = b.up.quickest != INT64_MAX && b.down.quickest != INT64_MAX;
    /* No round trip is negative: then a clock was set between the two directions. */
    b.timed =
        b.answered && !__builtin_add_overflow(b.up.quickest, b.down.quickest, &b.rtt) && b.rtt >= 0;
    if (b.timed)
        b.offset = b.up.quickest - b.rtt / 2;
    return b;
}

/* Of a datagram since the beginning of its handshake; a capture may be out of order. */
static double seconds_since_start(const struct sd_exchange *x, const struct sd_event *e)
{
    return e->time > x->start ? probe_seconds(e->time - x->start) : 0;
}

/* --- for people --- */

static void print_way(const char *name, const char *sender, const struct probe_way *w,
                      const struct sd_exchange *x)
{
    char words[PROBE_DATAGRAM_TEXT];
    printf("  %s: %u datagram%s sent, %u arrived (%u with changed bytes), %zu lost\n", name,
           w->sent, tool_plural(w->sent), w->arrived, w->changed, w->lost_count);
    for (size_t i = 0; i < w->lost_count && i < PROBE_LOST_MAX; i++) {
        size_t from = (size_t)(w->lost[i] - x->log);
        probe_words_datagram(x->log, from, probe_datagram_end(x->log, from, x->count), words,
                             sizeof words);
        printf("    lost: packet %u of the %s's capture, after %.3f s, IP packet of %u bytes: %s\n",
               w->lost[i]->number, sender, seconds_since_start(x, w->lost[i]),
               w->lost[i]->ip_length, words);
    }
    if (w->lost_count > PROBE_LOST_MAX)
        printf("    and %zu more lost datagrams\n", w->lost_count - PROBE_LOST_MAX);
    if (probe_way_is_narrow(w))
        printf("    Every lost IP packet is larger than every one that arrived: the path MTU is "
               "between "
               "%u and %u bytes.\n",
               w->largest_arrived, w->smallest_lost);
}

static void print_end(const char *name, const struct probe_end *e)
{
    char client[SD_ADDR_TEXT], server[SD_ADDR_TEXT];
    printf("  at the %s: handshake %llu, %s -> %s: %s%s%s\n", name, (unsigned long long)e->x.id,
           sd_addr_text(&e->x.client, client), sd_addr_text(&e->x.server, server),
           probe_outcome_name(e->outcome), e->finding ? ", " : "",
           e->finding ? e->finding->id : "");
}

static void print_comparison(const struct between *b, unsigned number)
{
    printf("Handshake %u, captured at both ends\n", number);
    print_end("client", b->client);
    if (!b->server) {
        puts("  at the server: not captured. No datagram of this handshake arrived there, or the "
             "two "
             "captures are from different times.");
        return;
    }
    print_end("server", b->server);
    print_way("client to server", "client", &b->up, &b->client->x);
    print_way("server to client", "server", &b->down, &b->server->x);
    if (b->timed)
        printf(
            "  round trip between the two captures: %.3f ms; the server's clock is %.3f ms %s the "
            "client's\n",
            probe_millis(b->rtt), probe_millis(b->offset < 0 ? -b->offset : b->offset),
            b->offset < 0 ? "behind" : "ahead of");
    else if (b->answered)
        puts("  round trip between the two captures: not known, because their times contradict "
             "each other. One of the two clocks was set during the handshake.");
}

/* --- for programs --- */

static json_t *way_object(const struct probe_way *w, const struct sd_exchange *x)
{
    json_t *lost = json_array();
    char words[PROBE_DATAGRAM_TEXT];
    for (size_t i = 0; i < w->lost_count && i < PROBE_LOST_MAX; i++) {
        size_t from = (size_t)(w->lost[i] - x->log);
        probe_words_datagram(x->log, from, probe_datagram_end(x->log, from, x->count), words,
                             sizeof words);
        json_array_append_new(lost,
                              json_pack("{s:i, s:f, s:i, s:s}", "packet", (int)w->lost[i]->number,
                                        "seconds", seconds_since_start(x, w->lost[i]), "ip_length",
                                        (int)w->lost[i]->ip_length, "messages", words));
    }
    json_t *o = json_pack("{s:i, s:i, s:i, s:o}", "sent", (int)w->sent, "arrived", (int)w->arrived,
                          "changed", (int)w->changed, "lost", lost);
    if (probe_way_is_narrow(w)) {
        json_object_set_new(o, "mtu_above", json_integer(w->largest_arrived));
        json_object_set_new(o, "mtu_at_most", json_integer(w->smallest_lost));
    }
    return o;
}

static void print_comparison_json(const struct between *b)
{
    json_t *o = json_pack("{s:s, s:I, s:s}", "type", "two_sided", "client_handshake",
                          (json_int_t)b->client->x.id, "client_outcome",
                          probe_outcome_name(b->client->outcome));
    if (b->server) {
        json_object_set_new(o, "server_handshake", json_integer((json_int_t)b->server->x.id));
        json_object_set_new(o, "server_outcome",
                            json_string(probe_outcome_name(b->server->outcome)));
        json_object_set_new(o, "client_to_server", way_object(&b->up, &b->client->x));
        json_object_set_new(o, "server_to_client", way_object(&b->down, &b->server->x));
    }
    if (b->timed) {
        json_object_set_new(o, "rtt_ms", json_real(probe_millis(b->rtt)));
        json_object_set_new(o, "clock_offset_ms", json_real(probe_millis(b->offset)));
    }
    char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (text)
        puts(text);
    free(text);
    json_decref(o);
}

static void print_ends(const struct probe_config *c, const struct probe_ends *client)
{
    for (size_t i = 0; i < client->count; i++) {
        const struct probe_end *other = client->list[i].other;
        struct between b = {.client = &client->list[i]};
        if (other)
            b = compare_ends(&client->list[i], other);
        if (c->show == PROBE_JSON)
            print_comparison_json(&b);
        else
            print_comparison(&b, (unsigned)i + 1);
    }
    if (!client->count && c->show != PROBE_JSON)
        puts("The client's capture contains no handshake with a ClientHello.");
}

int probe_two_sided(const struct probe_config *c, const struct tool_out *out)
{
    struct probe_ends client = {0}, server = {0};
    struct probe_config quiet = *c;
    struct sd_hash_key key;
    quiet.show = PROBE_SILENT;
    quiet.key = &key; /* one for both captures, because bytes are compared by their hash */
    int status = PROBE_ERROR;
    if (!sd_random(&key, sizeof key)) {
        tool_error(out, "cannot get random numbers: %s", strerror(errno));
        return status;
    }
    int near = read_side(&quiet, out, c->read[0], &client);
    int far = near == PROBE_ERROR ? PROBE_ERROR : read_side(&quiet, out, c->read[1], &server);
    if (far != PROBE_ERROR) {
        status = near > far ? near : far;
        bool paired = probe_pairs_find(&client, &server);
        if (paired)
            print_ends(c, &client);
        if (client.lost || server.lost || !paired)
            tool_warn(out, "out of memory: some handshakes are missing");
    }
    probe_ends_free(&client);
    probe_ends_free(&server);
    return status;
}
