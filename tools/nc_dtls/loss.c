/* SPDX-License-Identifier: MIT */
/* The end: what was lost on this host, in one line. What the network lost is nobody's to know. */
#include <string.h>

#include "common/text.h"
#include "common/words.h"
#include "nc_dtls/nc.h"

/* Datagrams that came to this host, and no further. */
static uint64_t dropped_datagrams(const struct nc *n)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < nc_team_size(n); i++) {
        const sdtls *s = nc_team_member(n, i)->s;
        sum += sdtls_counter_named(s, "net.overflow") + sdtls_counter_named(s, "guard.queue-full") +
               sdtls_counter_named(s, "net.handover-full");
    }
    return sum;
}

void nc_tally_add(struct nc_tally *to, const struct nc_tally *from)
{
    to->sent += from->sent;
    to->sent_bytes += from->sent_bytes;
    to->received += from->received;
    to->received_bytes += from->received_bytes;
    to->refused += from->refused;
    to->refused_bytes += from->refused_bytes;
    to->unsent_bytes += from->unsent_bytes;
    to->unwritten_bytes += from->unwritten_bytes;
    to->unread_peers += from->unread_peers;
    if (*from->why)
        memcpy(to->why, from->why, sizeof to->why);
}

static void add_loss(struct tool_words *w, uint64_t count, const char *noun, const char *what)
{
    if (count)
        tool_words_add(w, "%s%llu %s%s %s", w->len ? "; " : "", (unsigned long long)count, noun,
                       tool_plural(count), what);
}

static void describe_losses(const struct nc *n, struct tool_words *w)
{
    const struct nc_tally *t = &n->tally;
    add_loss(w, dropped_datagrams(n), "received datagram",
             "dropped (full queue or wrong checksum)");
    add_loss(w, t->refused, "datagram", "not sent");
    if (t->refused)
        tool_words_add(w, " (%llu bytes; %s)", (unsigned long long)t->refused_bytes, t->why);
    add_loss(w, t->unsent_bytes, "byte", "not sent before the connection ended");
    add_loss(w, t->unwritten_bytes, "byte", "not written to stdout");
    add_loss(w, t->unread_peers, "peer", "not read to the end because the output was blocked");
    add_loss(w, tool_out_lost(&n->out), "line", "not written to stderr");
}

static void end_event(const struct nc *n, const char *losses)
{
    const struct nc_tally *t = &n->tally;
    bool ran = n->signals.fd >= 0 && (n->cfg.role == NC_SERVER || n->cfg.role == NC_CLIENT);
    if (!n->out.json || (!ran && !*losses))
        return;
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {{"sent", t->sent},
               {"sent_bytes", t->sent_bytes},
               {"received", t->received},
               {"received_bytes", t->received_bytes},
               {"dropped", dropped_datagrams(n)},
               {"refused", t->refused},
               {"refused_bytes", t->refused_bytes},
               {"unsent_bytes", t->unsent_bytes},
               {"unwritten_bytes", t->unwritten_bytes},
               {"unread_peers", t->unread_peers},
               {"lines_lost", tool_out_lost(&n->out)}};
    json_t *f = json_object();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        json_object_set_new(f, all[i].name, json_integer((json_int_t)all[i].value));
    tool_field(f, "text", *losses ? losses : NULL);
    tool_event(&n->out, "end", f);
}

bool nc_report_end(struct nc *n)
{
    char losses[1024] = "";
    struct tool_words w = tool_words_in(losses, sizeof losses);
    describe_losses(n, &w);
    end_event(n, losses);
    if (*losses && !n->out.json)
        tool_warn(&n->out, "lost on this host: %s", losses);
    return *losses;
}
