/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "common/output.h"
#include "common/printable.h"

#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

void tool_out_init(struct tool_out *o, const char *prog)
{
    *o = (struct tool_out){.prog = prog, .start = sd_clock_now()};
    /* One write() a line, so that several processes may share the terminal. */
    setvbuf(stderr, NULL, _IOLBF, 4096);
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
        fprintf(stderr, "%s%s:%s %s\n", o->color ? color : "", o->prog, o->color ? PLAIN : "",
                text);
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
    fprintf(stderr, "%s\n", text);
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
        fprintf(stderr, "%s\n", text);
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
