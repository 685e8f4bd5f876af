/* SPDX-License-Identifier: MIT */
#include "dtls_probe/live.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/live.h"
#include "capture/writer.h"
#include "common/signals.h"
#include "common/stdout.h"
#include "dtls_probe/confine.h"
#include "dtls_probe/files.h"
#include "dtls_probe/opener.h"

enum {
    TICK_MS = 250,
    /* Frames come in bundles: one by one, a fast link loses a third of them (measured). */
    DELAY_MS = 50,
    FRAMES_AT_ONCE = 4096
};

struct live {
    const struct probe_config *config;
    const struct tool_out *out;
    struct probe_run run;
    struct probe_files files;
    struct sd_live *capture;
    struct tool_signals signals;
    struct probe_user user;
    struct probe_opener opener;
    struct sd_writer *spool; /* -w and --save-failed read it at the end */
    FILE *spool_file;
    char spool_path[64];
    uint64_t end; /* CLOCK_MONOTONIC ns; 0 = open */
    bool progress;
};

static bool open_spool(struct live *l)
{
    if (!l->config->write && !l->config->save_failed)
        return true;
    l->spool_file = tmpfile();
    if (l->spool_file)
        l->spool = sd_writer_new(l->spool_file, "dtls_probe " SDTLS_VERSION);
    if (!l->spool) {
        tool_error(l->out, "cannot create a temporary file for -w and --save-failed: %s",
                   strerror(errno));
        return false;
    }
    /* It is read again by its name in /dev/fd. Where nobody cannot have it, root stays (confine.c).
     */
    if (l->user.other && fchown(fileno(l->spool_file), l->user.uid, l->user.gid))
        errno = 0;
    snprintf(l->spool_path, sizeof l->spool_path, "/dev/fd/%d", fileno(l->spool_file));
    return true;
}

/* A key log may be root's when it appears, or is replaced. Before anything else is open, which the
 * other process would have, too. */
static bool watch_keylog(struct live *l)
{
    if (!l->user.other || !l->config->keylog)
        return true;
    if (!probe_opener_start(&l->opener, l->config->keylog, &l->user, l->out))
        return false;
    l->run.keylog.opener = &l->opener;
    return true;
}

static bool open_live(struct live *l)
{
    const struct probe_config *c = l->config;
    struct sd_err e = {0};
    struct sd_live_config lc = {.interface = c->interface,
                                .filter = c->filter,
                                .delay_ms = DELAY_MS,
                                .promiscuous = c->promiscuous};
    l->user = probe_confine_user();
    if (!probe_run_open(&l->run, c, l->out) || !watch_keylog(l) ||
        !probe_files_open(&l->files, &l->run, c->interface))
        return false;
    if (sd_live_open(&l->capture, &lc, &e)) {
        tool_error(l->out, "%s", e.text);
        return false;
    }
    return open_spool(l) && tool_signals_open(&l->signals) &&
           probe_confine(&l->user, PROBE_KEEP_NOTHING, l->out);
}

static void live_progress(struct live *l)
{
    const struct probe_totals *t = &l->run.totals;
    struct sd_live_stats s = {0};
    struct sd_tracker_counts n = sd_tracker_counts(l->run.tracker);
    sd_live_statistics(l->capture, &s);
    if (s.dropped && !l->run.totals.dropped)
        sd_tracker_drops(l->run.tracker);
    l->run.totals.dropped = s.dropped;
    if (!l->progress)
        return;
    fprintf(stderr,
            "\r%llu packets (%llu with DTLS, %llu dropped); %llu handshakes: %llu ok, %llu "
            "failed\033[K",
            (unsigned long long)t->frames, (unsigned long long)n.dtls,
            (unsigned long long)s.dropped, (unsigned long long)n.exchanges,
            (unsigned long long)t->ok, (unsigned long long)t->failed);
}

static bool is_enough(const struct live *l)
{
    return (l->config->count && l->run.totals.frames >= l->config->count) ||
           (l->end && sd_clock_now() >= l->end);
}

/* False when the interface is lost. */
static bool take_live_frames(struct live *l)
{
    struct sd_frame f;
    struct sd_err e = {0};
    int got = 0;
    probe_run_follow(&l->run);
    for (int i = 0; i < FRAMES_AT_ONCE && !is_enough(l); i++) {
        got = sd_live_next(l->capture, &f, &e);
        if (got <= 0)
            break;
        f.number = l->run.totals.frames + 1;
        probe_run_frame(&l->run, &f);
        if (l->spool)
            sd_writer_frame(l->spool, &f, NULL, 0);
    }
    if (got < 0)
        tool_error(l->out, "%s", e.text);
    return got >= 0;
}

static bool ended_by_signal(struct live *l)
{
    int signal = tool_signals_next(&l->signals);
    return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}

static void live_loop(struct live *l)
{
    struct pollfd fds[] = {{.fd = sd_live_fd(l->capture), .events = POLLIN},
                           {.fd = l->signals.fd, .events = POLLIN}};
    uint64_t next = sd_clock_now();
    while (!is_enough(l)) {
        if (poll(fds, 2, TICK_MS) < 0 && errno != EINTR)
            break;
        if (!take_live_frames(l) || ended_by_signal(l))
            break;
        if (fflush(stdout))
            break; /* no reader is left */
        if (sd_clock_now() < next)
            continue;
        sd_tracker_tick(l->run.tracker, tool_wall_clock());
        live_progress(l);
        next = sd_clock_now() + TICK_MS * SD_MS;
    }
    if (l->progress)
        fputs("\r\033[K", stderr);
}

/* Frames from before the signal that the kernel still holds in its bundle. */
static void take_last_frames(struct live *l)
{
    struct pollfd fd = {.fd = sd_live_fd(l->capture), .events = POLLIN};
    uint64_t frames;
    do {
        frames = l->run.totals.frames;
        poll(&fd, 1, 2 * DELAY_MS);
    } while (!is_enough(l) && take_live_frames(l) && l->run.totals.frames > frames);
}

static int finish_live(struct live *l)
{
    struct sd_live_stats s = {0};
    take_last_frames(l);
    bool whole = !l->spool || !sd_writer_finish(l->spool);
    probe_run_end(&l->run);
    sd_live_statistics(l->capture, &s);
    if (s.dropped)
        tool_warn(l->out,
                  "%llu packets were dropped because the buffer was full: use a filter (-f)",
                  (unsigned long long)s.dropped);
    if (!whole)
        tool_error(l->out, "cannot write the temporary file: %s", strerror(errno));
    bool written = probe_files_finish(&l->files, &l->run, l->spool_path);
    return whole && written ? probe_run_status(&l->run) : PROBE_ERROR;
}

int probe_live(const struct probe_config *c, const struct tool_out *out)
{
    struct live l = {.config = c, .out = out, .signals = {.fd = -1}, .opener = {.fd = -1}};
    int status = PROBE_ERROR;
    if (open_live(&l)) {
        tool_stdout_obeys(&l.signals);
        l.run.text = l.run.lines.to = stdout; /* it is another stream now */
        l.progress = isatty(STDERR_FILENO) && !c->quiet && !isatty(STDOUT_FILENO);
        l.end = c->duration_ms ? sd_clock_now() + c->duration_ms * SD_MS : 0;
        tool_say(out, c->quiet ? 1 : 0, "Capturing on %s. Press Ctrl-C to stop.", c->interface);
        live_loop(&l);
        status = finish_live(&l);
    }
    probe_files_close(&l.files);
    sd_writer_free(l.spool);
    if (l.spool_file)
        fclose(l.spool_file);
    sd_live_close(l.capture);
    if (l.signals.fd >= 0)
        tool_signals_close(&l.signals);
    probe_run_close(&l.run);
    probe_opener_stop(&l.opener);
    return status;
}
