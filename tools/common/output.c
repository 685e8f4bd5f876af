/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "common/output.h"
#include "common/printable.h"
#include "common/sink.h"
#include "common/text.h"

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

enum { LINES_MOST = 256 << 10 };

struct tool_lines {
    pthread_mutex_t lock; /* threads may print */
    struct tool_sink sink;
    uint64_t lost, told; /* lines; told: the loss is known to the user */
};

void tool_out_init(struct tool_out *o, const char *prog)
{
    *o = (struct tool_out){.prog = prog, .start = sd_clock_now()};
    /* One write() a line, so that several processes may share the terminal. */
    setvbuf(stderr, NULL, _IOLBF, 4096);
    o->lines = calloc(1, sizeof *o->lines);
    if (!o->lines)
        return;
    pthread_mutex_init(&o->lines->lock, NULL);
    tool_sink_open(&o->lines->sink, STDERR_FILENO, LINES_MOST);
}

/* In JSON the loss is an event, as everything is. */
static int lost_line(const struct tool_out *o, unsigned long long lost, char *buf, size_t cap)
{
    double now = (double)tool_wall_clock() / (double)SD_SEC;
    if (o->json)
        return snprintf(buf, cap, "{\"event\":\"lost\",\"time\":%.16g,\"lines\":%llu}\n", now,
                        lost);
    return snprintf(buf, cap, "%s: %llu line%s lost: stderr was not read\n", o->prog, lost,
                    tool_plural(lost));
}

/* Not before everything from before the loss is written. */
static void say_lost_lines(const struct tool_out *o)
{
    struct tool_lines *l = o->lines;
    char line[128];
    if (l->lost == l->told || l->sink.len)
        return;
    int len = lost_line(o, l->lost - l->told, line, sizeof line);
    bool wanted = o->json || !o->quiet;
    if (!wanted || !tool_sink_put(&l->sink, line, (size_t)len))
        l->told = l->lost;
}

static void flush_lines(const struct tool_out *o)
{
    if (!tool_sink_flush(&o->lines->sink))
        say_lost_lines(o);
}

void tool_out_flush(const struct tool_out *o)
{
    if (!o->lines)
        return;
    pthread_mutex_lock(&o->lines->lock);
    flush_lines(o);
    pthread_mutex_unlock(&o->lines->lock);
}

int tool_out_wants(const struct tool_out *o)
{
    if (!o->lines)
        return -1;
    pthread_mutex_lock(&o->lines->lock);
    int fd = tool_sink_wants(&o->lines->sink);
    pthread_mutex_unlock(&o->lines->lock);
    return fd;
}

uint64_t tool_out_lost(const struct tool_out *o)
{
    if (!o->lines)
        return 0;
    pthread_mutex_lock(&o->lines->lock);
    uint64_t lost = o->lines->lost;
    pthread_mutex_unlock(&o->lines->lock);
    return lost;
}

void tool_out_finish(struct tool_out *o, int patience_ms)
{
    struct pollfd p = {.fd = tool_out_wants(o), .events = POLLOUT};
    while (p.fd >= 0 && poll(&p, 1, patience_ms) > 0) {
        tool_out_flush(o);
        p.fd = tool_out_wants(o);
    }
    if (!o->lines)
        return;
    say_lost_lines(o);
    tool_sink_close(&o->lines->sink);
    pthread_mutex_destroy(&o->lines->lock);
    free(o->lines);
    o->lines = NULL;
}

/* `text` ends with a newline. */
static void put_line(const struct tool_out *o, const char *text, size_t len)
{
    struct tool_lines *l = o->lines;
    if (!l) {
        fwrite(text, 1, len, stderr);
        return;
    }
    pthread_mutex_lock(&l->lock);
    flush_lines(o);
    /* Lines that come after lost ones wait until the loss is said. */
    if (l->lost != l->told || tool_sink_put(&l->sink, text, len))
        l->lost++;
    pthread_mutex_unlock(&l->lock);
}

void tool_progress(const struct tool_out *o, const char *text)
{
    if (o->lines && !o->lines->sink.len)
        tool_sink_put(&o->lines->sink, text, strlen(text));
}

static void print_line(const struct tool_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A newline is put behind it; what is too long for a line is cut. */
static void print_line(const struct tool_out *o, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    size_t n = (size_t)len < sizeof line - 2 ? (size_t)len : sizeof line - 2;
    line[n] = '\n';
    put_line(o, line, n + 1);
}

static void print_message(const struct tool_out *o, const char *event, const char *color,
                          const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void print_message(const struct tool_out *o, const char *event, const char *color,
                          const char *fmt, va_list ap)
{
    char raw[1024], text[sizeof raw];
    vsnprintf(raw, sizeof raw, fmt, ap);
    tool_printable(raw, text, sizeof text);
    if (o->json) {
        json_t *fields = json_object();
        tool_field(fields, "text", text);
        tool_event(o, event, fields);
    } else if (!o->quiet) {
        print_line(o, "%s%s:%s %s", o->color ? color : "", o->prog, o->color ? PLAIN : "", text);
    }
}

void tool_error(const struct tool_out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_message(o, "error", RED, fmt, ap);
    va_end(ap);
}

void tool_warn(const struct tool_out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_message(o, "warning", YELLOW, fmt, ap);
    va_end(ap);
}

void tool_say(const struct tool_out *o, unsigned level, const char *fmt, ...)
{
    if (o->json || o->verbose < level)
        return;
    char raw[2048], text[sizeof raw];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof raw, fmt, ap);
    va_end(ap);
    tool_printable(raw, text, sizeof text);
    print_line(o, "%s", text);
}

int64_t tool_wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * (int64_t)SD_SEC + t.tv_nsec;
}

/* JSON lets control characters of Unicode (C1) stand for themselves; a terminal obeys them. */
static char *dump_event(const json_t *line)
{
    enum { FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(16) };
    char *text = json_dumps(line, FLAGS);
    if (!text || tool_is_printable(text))
        return text;
    free(text);
    return json_dumps(line, FLAGS | JSON_ENSURE_ASCII);
}

/* An object may be longer than any line for people. */
static void put_json_line(const struct tool_out *o, char *text)
{
    size_t len = strlen(text);
    text[len] = '\n'; /* in the place of the zero: put_line() wants no string */
    put_line(o, text, len + 1);
}

void tool_event(const struct tool_out *o, const char *name, json_t *fields)
{
    if (!o->json) {
        json_decref(fields);
        return;
    }
    json_t *line =
        json_pack("{s:s, s:f}", "event", name, "time", (double)tool_wall_clock() / (double)SD_SEC);
    if (line && fields)
        json_object_update(line, fields);
    char *text = line ? dump_event(line) : NULL;
    if (text)
        put_json_line(o, text);
    free(text);
    json_decref(line);
    json_decref(fields);
}

void tool_field(json_t *fields, const char *key, const char *text)
{
    char words[2048];
    if (!text)
        return;
    json_t *value = json_string(text);
    if (!value)
        value = json_string(tool_printable(text, words, sizeof words));
    json_object_set_new(fields, key, value);
}

const char *tool_addr_text(const struct sockaddr *sa, socklen_t len,
                           char buf[static TOOL_ADDR_TEXT])
{
    _Static_assert((int)TOOL_ADDR_TEXT == (int)SD_ADDR_TEXT, "same room");
    struct sd_addr a;
    if (!sa || !sd_addr_from(&a, sa, len))
        return strcpy(buf, "?");
    return sd_addr_text(&a, buf);
}

int tool_written(const char *prog, int status, int failed)
{
    bool lost = ferror(stdout);
    bool flushed = !fflush(stdout);
    if (flushed && !lost)
        return status;
    /* Only a flush that fails now says why: the one before left no trace but ferror(). */
    fprintf(stderr, "%s: cannot write the result to stdout%s%s\n", prog, flushed ? "" : ": ",
            flushed ? "" : strerror(errno));
    clearerr(stdout); /* reported once */
    return failed;
}
