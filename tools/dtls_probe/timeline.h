/* SPDX-License-Identifier: MIT */
/* The layout of the drawing of a handshake: rows from the top, time downwards. */
#ifndef PROBE_TIMELINE_H
#define PROBE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "dtls_probe/report.h"

enum probe_row_kind {
    PROBE_ROW_DATAGRAM, /* a datagram that arrived */
    PROBE_ROW_CUT,      /* an IP packet with a missing fragment */
    PROBE_ROW_ICMP,
    PROBE_ROW_LOST,        /* record numbers that are missing */
    PROBE_ROW_ESTABLISHED, /* the second Finished is in the row above */
    PROBE_ROW_END          /* the capture goes on, the handshake does not */
};

struct probe_row {
    enum probe_row_kind kind;
    size_t from, end;        /* events of the log */
    uint64_t lost, lost_end; /* LOST: record numbers [lost, lost_end) */
    int64_t time;            /* ns */
    int64_t silence;         /* ns of silence before it that are not drawn to scale, 0 = none */
    double y;                /* of its arrow */
    double label;            /* of the last line of its label */
    unsigned lines;          /* of the label */
    bool server;             /* sent by the server */
    bool again;              /* a retransmission or a duplicate */
    bool evidence;           /* the first finding names its packet */
};

enum {
    PROBE_ROWS_MAX = 3 * SD_LOG_MAX,
    PROBE_LABEL_TEXT = 800,
    PROBE_LABEL_COLUMNS = 96, /* characters between the lanes */
    PROBE_LINE_HEIGHT = 15
};

struct probe_timeline {
    const struct probe_report *report;
    struct probe_row rows[PROBE_ROWS_MAX];
    size_t count;
    double top, bottom;   /* of the lanes */
    double pixels_per_ns; /* 0 = nothing to scale */
};

void probe_timeline_build(struct probe_timeline *t, const struct probe_report *r, double top);
/* The text above the arrow; returns buf. */
const char *probe_timeline_label(const struct probe_timeline *t, const struct probe_row *row,
                                 char buf[static PROBE_LABEL_TEXT]);
/* "records 3-5 lost" for a row of that kind, with `dash` between the numbers; returns buf. */
const char *probe_timeline_lost(const struct probe_timeline *t, const struct probe_row *row,
                                const char *dash, char buf[static PROBE_LABEL_TEXT]);
/* "12.34 ms", "1.983 s"; returns buf. */
enum { PROBE_TIME_TEXT = 32 };
const char *probe_timeline_time(int64_t ns, char buf[static PROBE_TIME_TEXT]);

/* Number of bytes of the text on the next line of at most `columns` characters, with the space at
 * its end. 0 at the end of the text. */
size_t probe_line_length(const char *text, size_t columns);

#endif
