/* SPDX-License-Identifier: MIT */
/* A live trace: every datagram as a line in the words of a packet analyser, its records, its
 * bytes. */
#ifndef TOOL_TRACE_H
#define TOOL_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/output.h"

/* Room for the messages of one datagram in words. */
enum { TOOL_TRACE_INFO = 512 };

/* "Server Hello, Certificate, Server Hello Done"; returns buf. */
const char *tool_trace_info(const void *datagram, size_t len, char buf[static TOOL_TRACE_INFO]);

/* Verbosity 2 prints messages, 3 also records, 4 also hex. */
void tool_trace(const struct tool_out *o, const char *peer, bool sent, const void *datagram,
                size_t len);

#endif
