/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"
#include "common/output.h"

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
    char text[1024];
    vsnprintf(text, sizeof text, fmt, ap);
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
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s\n", text);
}

int64_t tool_wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * (int64_t)SD_SEC + t.tv_nsec;
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
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(16)) : NULL;
    if (text)
        fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(line);
    json_decref(fields);
}

void tool_field(json_t *fields, const char *key, const char *text)
{
    char words[512];
    if (!text)
        return;
    json_t *value = json_string(text);
    if (!value) {
        tool_printable(text, words, sizeof words);
        for (char *p = words; *p; p++)
            *p = *p < 0 ? '?' : *p;
        value = json_string(words);
    }
    json_object_set_new(fields, key, value);
}

/* C0, DEL, and C1 both as bare bytes and in UTF-8 (0xc2, then 0x80 to 0x9f). */
static bool commands_terminal(unsigned char before, unsigned char c)
{
    return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2));
}

const char *tool_printable(const char *text, char *buf, size_t cap)
{
    size_t n = 0;
    unsigned char before = 0;
    for (; text[n] && n + 1 < cap; n++) {
        unsigned char c = (unsigned char)text[n];
        buf[n] = commands_terminal(before, c) ? '?' : (char)c;
        before = c;
    }
    buf[n] = '\0';
    return buf;
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
