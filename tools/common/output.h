/* SPDX-License-Identifier: MIT */
/* What a tool prints on stderr: sentences for people, or with --json one event a line for programs.
 * Never both. */
#ifndef TOOL_OUTPUT_H
#define TOOL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct tool_out {
    const char *prog;
    unsigned verbose;
    bool quiet, json, color;
    uint64_t start; /* CLOCK_MONOTONIC ns: traces count from here */
    struct tool_lines *lines;
};

/* Lines never block the program. What stderr does not take waits in memory, up to 256 KiB; then
 * lines are dropped and counted, and "N lines lost" is said as soon as stderr takes lines again. */
void tool_out_init(struct tool_out *o, const char *prog);
/* Writes what waits. A program with a loop calls it when tool_out_wants() is writable. */
void tool_out_flush(const struct tool_out *o);
/* The descriptor to poll for POLLOUT, or -1 when no line waits. */
int tool_out_wants(const struct tool_out *o);
/* How many lines were lost so far. */
uint64_t tool_out_lost(const struct tool_out *o);
/* At the end: writes what waits, for as long as something is taken at least every `patience_ms`. */
void tool_out_finish(struct tool_out *o, int patience_ms);

/* "prog: sentence". Errors and warnings show without -v, and not with --quiet. These and the next
 * one write the line with tool_printable(). */
void tool_error(const struct tool_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void tool_warn(const struct tool_out *o, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A line without "prog:", from this verbosity on; 0 = always, for what the user asked for. Prints
 * nothing in JSON mode: the caller emits an event, too. */
void tool_say(const struct tool_out *o, unsigned level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Emits {"event": name, "time": ..., fields...} in JSON mode. Takes over `fields`,
 * an object or NULL. */
void tool_event(const struct tool_out *o, const char *name, json_t *fields);

/* Text as it is, for a line of progress on a terminal; dropped when the terminal does not take it.
 */
void tool_progress(const struct tool_out *o, const char *text);

/* Nanoseconds since 1970. */
int64_t tool_wall_clock(void);

/* Adds a text to the fields of an event; NULL adds nothing. JSON carries UTF-8 only: any other text
 * is made printable first. */
void tool_field(json_t *fields, const char *key, const char *text);

/* Room for "[ipv6%scope]:port". */
enum { TOOL_ADDR_TEXT = 72 };
const char *tool_addr_text(const struct sockaddr *sa, socklen_t len,
                           char buf[static TOOL_ADDR_TEXT]);

/* The exit status of a tool whose result went to stdout: `status`, or after a message `failed` when
 * the result could not be written. */
int tool_written(const char *prog, int status, int failed);

#endif
