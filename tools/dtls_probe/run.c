/* SPDX-License-Identifier: MIT */
#include "dtls_probe/run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/random.h"
#include "capture/decap.h"
#include "capture/bpf.h"
#include "capture/reader.h"
#include "common/text.h"
#include "dtls_probe/draw.h"
#include "dtls_probe/pskuse.h"
#include "dtls_probe/summary.h"
#include "dtls_probe/wanted.h"
#include "flow/rules/diagnose.h"
#include "unseal/unseal.h"
#include "unseal/x509read.h"

/* ns; a live handshake that is silent for this long is over */
#define LIVE_IDLE (60 * SD_NS_SECOND)
/* bytes; for a larger key log, the capture is read twice */
#define LARGE_KEYLOG (1 << 24)

/* --- what comes out of the tracker --- */

static bool is_shown(const struct probe_run *r, const struct sd_exchange *x)
{
    return !r->config->handshake || x->id == r->config->handshake;
}

/* --only-failed: which handshakes fail is known only at the end, so there are no lines. */
static bool prints_packets(const struct probe_run *r, const struct sd_exchange *x)
{
    return is_shown(r, x) && !r->config->only_failed;
}

static void pass_message(void *arg, const struct sd_exchange *x, const struct sd_event *last,
                         struct sd_span body)
{
    struct probe_run *r = arg;
    if (prints_packets(r, x))
        probe_messages_add(&r->messages, last,
                           probe_details(x, last->message, body, &r->shown_reader));
}

/* Only who shows them lets messages be taken apart: it costs more than all the rest. */
static bool shows_messages(const struct probe_config *c)
{
    return !c->only_failed && c->verbose && (c->show == PROBE_JSON || c->show == PROBE_LINES);
}

/* An IP packet with a missing fragment is given up late, so that later datagrams wait for it. A
 * live capture waits for nothing. */
static void list_packet(struct probe_run *r, const struct sd_packet *p)
{
    bool waits = r->lines.held_count || sd_decap_oldest(r->decap) != INT64_MAX;
    if (waits && !r->config->interface)
        probe_line_hold(&r->lines, p);
    else
        probe_line(&r->lines, p);
}

static void pass_packet(void *arg, const struct sd_packet *p)
{
    struct probe_run *r = arg;
    for (unsigned i = 0; i < r->listener_count; i++)
        if (r->listeners[i].packet)
            r->listeners[i].packet(r->listeners[i].arg, p);
    if (!prints_packets(r, p->x))
        return;
    if (r->config->show == PROBE_LINES)
        list_packet(r, p);
    else if (r->config->show == PROBE_JSON)
        probe_json_packet(r->text, p, &r->messages);
    if (r->messages.count)
        probe_messages_clear(&r->messages);
}

static void count_result(struct probe_run *r, const struct probe_report *rep, bool again)
{
    struct probe_totals *t = &r->totals;
    if (!again) {
        t->handshakes++;
        t->ok += rep->outcome == SD_OK;
        t->failed += rep->outcome == SD_FAILED;
        t->incomplete += rep->outcome == SD_INCOMPLETE;
        r->psk_useless += r->config->psks && !rep->x->opened && probe_psk_with_exchange(rep->x);
    }
    for (size_t i = 0; i < rep->count; i++) {
        uint64_t *n = &t->findings[rep->findings[i].severity];
        *n += !again || !*n; /* of a handshake reported again, most are the same */
        if (r->config->expect && !strcmp(rep->findings[i].entry->id, r->config->expect))
            r->expected = true;
    }
}

/* Nothing is read from the capture meanwhile. */
static bool is_in_step(const struct probe_run *r)
{
    return !r->stage || probe_stage_is_called(r->stage);
}

static void release_lines(struct probe_run *r, FILE *to)
{
    FILE *usual = r->lines.to;
    r->lines.to = to;
    probe_lines_release(&r->lines, INT64_MAX);
    r->lines.to = usual;
}

static void show_result(struct probe_run *r, const struct probe_report *rep)
{
    switch ((enum probe_show)r->config->show) {
    case PROBE_LINES:
        if (is_in_step(r))
            release_lines(r, stdout);
        fputc('\n', stdout);
        probe_summary(stdout, rep, r->color);
        break;
    case PROBE_SUMMARY:
        probe_summary(stdout, rep, r->color);
        if (r->config->verbose)
            probe_summary_messages(stdout, rep, &r->reader);
        break;
    case PROBE_JSON:
        probe_json_handshake(stdout, rep, r->config->verbose ? &r->reader : NULL);
        break;
    case PROBE_SILENT:
        break;
    default:
        probe_draw(stdout, r->config, rep);
    }
}

static void pass_result(void *arg, const struct sd_result *res)
{
    struct probe_run *r = arg;
    struct probe_report rep = {res->x,     res->view,    res->findings,
                               res->count, res->outcome, res->again};
    count_result(r, &rep, res->again);
    for (unsigned i = 0; i < r->listener_count && !res->again; i++)
        if (r->listeners[i].result)
            r->listeners[i].result(r->listeners[i].arg, &rep);
    if (is_shown(r, rep.x) && (!r->config->only_failed || rep.outcome == SD_FAILED))
        show_result(r, &rep);
}

static void pass_lone(void *arg, const struct sd_lone *l)
{
    struct probe_run *r = arg;
    struct sd_finding f;
    sd_diagnose_lone(l, &f);
    r->totals.findings[f.severity]++;
    r->expected |= r->config->expect && !strcmp(f.entry->id, r->config->expect);
    if (r->config->handshake)
        return;
    for (unsigned i = 0; i < r->listener_count; i++)
        if (r->listeners[i].lone)
            r->listeners[i].lone(r->listeners[i].arg, l, &f);
    if (r->config->show == PROBE_JSON)
        probe_json_lone(stdout, l, &f);
    else if (r->config->show <= PROBE_SUMMARY || r->config->show == PROBE_LADDER)
        probe_summary_lone(stdout, l, &f, r->color);
}

/* --- what goes in --- */

static void track_datagram(void *arg, const struct sd_datagram *d)
{
    sd_tracker_datagram(((struct probe_run *)arg)->tracker, d);
}

static void track_icmp(void *arg, const struct sd_icmp *e)
{
    sd_tracker_icmp(((struct probe_run *)arg)->tracker, e);
}

static void track_incomplete(void *arg, const struct sd_ip_incomplete *e)
{
    sd_tracker_ip_incomplete(((struct probe_run *)arg)->tracker, e);
}

void probe_run_frame(struct probe_run *r, const struct sd_frame *f)
{
    if (r->filter && !sd_bpf_match(r->filter, f))
        return;
    r->totals.frames++;
    sd_decap_frame(r->decap, f);
    if (r->lines.held_count)
        probe_lines_release(&r->lines, sd_decap_oldest(r->decap));
}

/* --- open, close --- */

/* A key log that was read may still be the wrong file, or a damaged one. */
static void warn_of_keylog(const struct probe_run *r, const char *path)
{
    size_t bad = sd_secrets_bad(r->secrets);
    if (!sd_secrets_count(r->secrets) && !sd_secrets_unwanted(r->secrets))
        tool_warn(r->out, "key log %s: no line contains a secret (such as CLIENT_RANDOM)", path);
    else if (bad)
        tool_warn(r->out, "key log %s: skipped %zu line%s not in the key log format", path, bad,
                  tool_plural(bad));
}

static bool read_keylog(struct probe_run *r, const char *path)
{
    int error = probe_keylog_read(&r->keylog, path);
    if (error) {
        tool_error(r->out, "key log %s: %s", path, strerror(error));
        return false;
    }
    warn_of_keylog(r, path);
    return true;
}

static bool is_large_keylog(const char *path)
{
    struct stat st;
    return path && !stat(path, &st) && S_ISREG(st.st_mode) && st.st_size > LARGE_KEYLOG;
}

/* Of a large key log, only what this capture needs is kept. */
static bool read_large_keylog(struct probe_run *r, const char *capture)
{
    probe_want_secrets(r->secrets, capture);
    return read_keylog(r, r->config->keylog);
}

/* A live capture waits for a key log that does not exist yet. */
static bool open_followed(struct probe_run *r, const char *path)
{
    int error = probe_keylog_follow(&r->keylog, path);
    if (error)
        tool_error(r->out, "key log %s: %s", path, strerror(error));
    else if (!r->keylog.open)
        tool_say(r->out, r->config->quiet,
                 "The key log %s does not exist yet; it is read as soon as it exists.", path);
    return !error;
}

/* A large one is read when the capture is known. False after an error was printed. */
static bool begin_keylog(struct probe_run *r, const char *path)
{
    if (r->config->interface)
        return open_followed(r, path);
    return is_large_keylog(path) || read_keylog(r, path);
}

static void end_followed(struct probe_run *r, const char *path)
{
    probe_run_follow(r);
    if (!probe_keylog_end(&r->keylog))
        tool_warn(r->out, "out of memory: the last secret of the key log %s is missing", path);
    if (r->keylog.open)
        warn_of_keylog(r, path);
    else if (!r->keylog_failed)
        tool_warn(r->out, "key log %s: it did not exist until the end of the capture", path);
}

/* Secrets within the capture. */
static void on_file_keylog(void *arg, struct sd_span text)
{
    struct probe_run *r = arg;
    if (!probe_keylog_add(&r->keylog, text) || !probe_keylog_end(&r->keylog))
        tool_warn(r->out, "out of memory: some secrets within the capture are missing");
}

void probe_run_follow(struct probe_run *r)
{
    const char *path = r->config->keylog;
    int error = path && !r->keylog_failed ? probe_keylog_follow(&r->keylog, path) : 0;
    if (!error)
        return;
    tool_warn(r->out, "key log %s: %s; it is not read any more", path, strerror(error));
    r->keylog_failed = true;
}

/* Keys are asked for when the first record needs them: its sender wrote their line before. */
static void *begin_followed(void *arg, const struct sd_unprotect_params *params)
{
    struct probe_run *r = arg;
    probe_run_follow(r);
    return r->unseal.begin(r->unseal.arg, params);
}

/* The file itself may bring secrets, so the hooks are there from the beginning. */
static bool open_secrets(struct probe_run *r)
{
    r->secrets = sd_secrets_new();
    r->certs = sd_x509read_new();
    r->shown_certs = sd_x509read_new();
    if (!r->secrets || !r->certs || !r->shown_certs)
        return false;
    r->keylog.secrets = r->secrets;
    for (unsigned i = 0; i < r->config->psks; i++)
        sd_secrets_add_psk(r->secrets,
                           (struct sd_span){r->config->psk[i].bytes, r->config->psk[i].len});
    r->keylog.keep = r->config->write || r->config->save_failed;
    r->unseal = r->unprotect = sd_unseal_hooks(r->secrets);
    if (r->config->interface && r->config->keylog) {
        r->unprotect.arg = r;
        r->unprotect.begin = begin_followed;
    }
    r->reader = sd_x509read_hooks(r->certs);
    r->shown_reader = sd_x509read_hooks(r->shown_certs);
    return true;
}

static bool open_decap(struct probe_run *r, struct sd_hash_key key)
{
    struct sd_decap_config c = {.sink = {r, track_datagram, track_icmp, track_incomplete},
                                .key = key};
    r->decap = sd_decap_new(&c);
    return r->decap != NULL;
}

/* A live capture reports at once. */
static bool open_stage(struct probe_run *r, struct sd_tracker_config *c)
{
    if (r->config->interface)
        return true;
    r->stage = probe_stage_new(c, stdout, r->config->jobs > 1);
    if (!r->stage)
        return false;
    c->handover = probe_stage_handover(r->stage);
    r->text = r->lines.to = probe_stage_text(r->stage);
    return true;
}

/* Bytes of handshakes; 0 = the usual ones. */
static size_t room_for(size_t max_flows)
{
    enum { FLOW = 2048, USUAL = 64 << 20 };
    return max_flows * FLOW > USUAL ? max_flows * FLOW : 0;
}

static bool open_tracker(struct probe_run *r, struct sd_hash_key key)
{
    struct sd_tracker_config c = {.alloc = sd_alloc_libc(),
                                  .key = key,
                                  .max_flows = r->config->max_flows,
                                  .max_bytes = room_for(r->config->max_flows),
                                  .idle = r->config->interface ? LIVE_IDLE : 0,
                                  .prompt = r->config->interface != NULL,
                                  .unprotect = &r->unprotect,
                                  .certs = &r->reader,
                                  .diagnose = sd_diagnose,
                                  .arg = r,
                                  .message = shows_messages(r->config) ? pass_message : NULL,
                                  .packet = pass_packet,
                                  .done = pass_result,
                                  .lone = pass_lone};
    if (!open_stage(r, &c))
        return false;
    r->tracker = sd_tracker_new(&c);
    return r->tracker != NULL;
}

bool probe_run_open(struct probe_run *r, const struct probe_config *c, const struct tool_out *out)
{
    struct sd_hash_key key;
    struct sd_err e = {0};
    *r = (struct probe_run){.config = c, .out = out, .text = stdout};
    r->color = tool_term_color((enum tool_color)c->color, 1);
    r->lines = (struct probe_lines){.to = stdout,
                                    .times = c->times,
                                    .verbose = c->verbose,
                                    .color = r->color,
                                    .messages = &r->messages};
    if (c->key) {
        key = *c->key;
    } else if (!sd_random(&key, sizeof key)) {
        tool_error(out, "cannot get random numbers: %s", strerror(errno));
        return false;
    }
    if (!open_secrets(r)) {
        tool_error(out, "out of memory");
        return false;
    }
    if (c->keylog && !begin_keylog(r, c->keylog))
        return false;
    if (c->filter && sd_bpf_compile(&r->filter, c->filter, &e)) {
        tool_error(out, "%s", e.text);
        return false;
    }
    if (!open_tracker(r, key) || !open_decap(r, key)) {
        tool_error(out, "out of memory");
        return false;
    }
    return true;
}

void probe_run_close(struct probe_run *r)
{
    sd_tracker_free(r->tracker);
    probe_stage_free(r->stage);
    sd_decap_free(r->decap);
    sd_bpf_free(r->filter);
    sd_secrets_free(r->secrets);
    sd_x509read_free(r->certs);
    sd_x509read_free(r->shown_certs);
    probe_keylog_free(&r->keylog);
    probe_lines_free(&r->lines);
    probe_messages_clear(&r->messages);
}

void probe_listen(struct probe_run *r, const struct probe_listener *l)
{
    if (r->listener_count < sizeof r->listeners / sizeof *r->listeners)
        r->listeners[r->listener_count++] = *l;
}

/* --- from beginning to end --- */

static void say_totals(const struct probe_run *r)
{
    const struct probe_totals *t = &r->totals;
    bool nothing_read = t->damage && !t->frames; /* that was reported already */
    if (nothing_read || (!t->handshakes && r->config->quiet))
        return;
    if (!t->handshakes)
        tool_say(r->out, 0, "No DTLS in %llu packet%s (%llu UDP datagram%s).",
                 (unsigned long long)t->frames, tool_plural(t->frames),
                 (unsigned long long)t->datagrams, tool_plural(t->datagrams));
    else if (r->config->show <= PROBE_SUMMARY)
        printf("\n%llu handshake%s: %llu ok, %llu failed, %llu incomplete.\n",
               (unsigned long long)t->handshakes, tool_plural(t->handshakes),
               (unsigned long long)t->ok, (unsigned long long)t->failed,
               (unsigned long long)t->incomplete);
}

/* What they had in common with later ones was not seen, and neither was a loss of packets that the
 * file reports at its end. */
static void say_early(const struct probe_run *r)
{
    const struct probe_totals *t = &r->totals;
    if (t->early && r->config->show != PROBE_JSON)
        tool_say(r->out, r->config->quiet,
                 "%llu of %llu handshakes were reported before the end of the capture, to save "
                 "memory. What came later does not count for them.",
                 (unsigned long long)t->early, (unsigned long long)t->handshakes);
    if (t->early && t->dropped)
        tool_warn(
            r->out,
            "the capture lost packets, which the file says at its end: in the %llu handshakes "
            "reported before, missing packets prove less than it says",
            (unsigned long long)t->early);
}

static void end_stage(struct probe_run *r)
{
    if (r->stage && !probe_stage_join(r->stage))
        tool_warn(r->out, "out of memory: some lines of packets are missing");
    r->text = r->lines.to = stdout;
}

void probe_run_end(struct probe_run *r)
{
    if (r->config->interface && r->config->keylog)
        end_followed(r, r->config->keylog);
    sd_decap_flush(r->decap);
    sd_tracker_finish(r->tracker);
    probe_lines_release(&r->lines, INT64_MAX);
    end_stage(r);
    struct sd_tracker_counts c = sd_tracker_counts(r->tracker);
    r->totals.datagrams = c.datagrams;
    r->totals.dtls = c.dtls;
    r->totals.evicted = c.evicted;
    r->totals.early = c.early;
    r->totals.no_memory = c.no_memory;
    if (r->psk_useless)
        tool_warn(
            r->out,
            "--psk: %llu handshake%s combined the pre-shared key with a key exchange (such as "
            "ECDHE_PSK). The capture lacks its secret: decrypt with --keylog",
            (unsigned long long)r->psk_useless, tool_plural(r->psk_useless));
    if (c.no_memory)
        tool_warn(r->out, "out of memory: %llu packets were left out",
                  (unsigned long long)c.no_memory);
    if (r->config->handshake > r->totals.handshakes && r->totals.handshakes)
        tool_warn(r->out, "--handshake %u: the capture has only %llu handshake%s",
                  r->config->handshake, (unsigned long long)r->totals.handshakes,
                  tool_plural(r->totals.handshakes));
    if (r->config->show == PROBE_JSON)
        probe_json_summary(stdout, &r->totals);
    else
        say_totals(r);
    if (!r->config->interface)
        say_early(r);
}

static void note_drops(struct probe_run *r, const struct sd_reader *reader)
{
    uint64_t dropped = sd_reader_dropped(reader);
    if (dropped != r->totals.dropped)
        sd_tracker_drops(r->tracker);
    r->totals.dropped = dropped;
}

static void read_frames(struct probe_run *r, struct sd_reader *reader)
{
    struct sd_frame f;
    while (sd_reader_next(reader, &f) == SD_READER_FRAME) {
        probe_run_frame(r, &f);
        if (r->config->count && r->totals.frames >= r->config->count)
            return;
    }
    note_drops(r, reader);
}

bool probe_run_file(struct probe_run *r, const char *path)
{
    struct sd_reader *reader;
    struct sd_err e = {0};
    struct sd_reader_config c = {.keylog = on_file_keylog, .arg = r};
    r->totals.file = path;
    if (is_large_keylog(r->config->keylog) && !read_large_keylog(r, path))
        return false;
    if (sd_reader_open(&reader, path, &c, &e)) {
        tool_error(r->out, "%s", e.text);
        return false;
    }
    read_frames(r, reader);
    const char *reason = sd_reader_reason(reader);
    if (*reason) {
        snprintf(r->damage, sizeof r->damage, "%s", reason);
        r->totals.damage = r->damage;
        tool_warn(r->out, "%s: %s%s", path, reason,
                  r->totals.frames ? "; the packets before it are used" : "");
    }
    bool read = !*reason || r->totals.frames;
    sd_reader_close(reader);
    probe_run_end(r);
    return read;
}

static bool as_bad_as(const struct probe_totals *t, int severity)
{
    for (int s = severity; s <= SD_FATAL; s++)
        if (t->findings[s])
            return true;
    return false;
}

int probe_run_status(const struct probe_run *r)
{
    const struct probe_totals *t = &r->totals;
    if (!r->config->expect)
        return as_bad_as(t, r->config->fail_on) ? PROBE_FINDINGS : PROBE_CLEAN;
    if (strcmp(r->config->expect, "ok") != 0)
        return r->expected ? PROBE_CLEAN : PROBE_FINDINGS;
    return t->handshakes && t->ok == t->handshakes ? PROBE_CLEAN : PROBE_FINDINGS;
}
