/* SPDX-License-Identifier: MIT */
/* Events in the words of packet analysers, and other pieces of text. */
#ifndef PROBE_WORDS_H
#define PROBE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "flow/event.h"
#include "flow/finding.h"

/* Room for one event, and for a datagram. */
enum { PROBE_EVENT_TEXT = 128, PROBE_DATAGRAM_TEXT = 640 };

/* "Certificate (Fragment 0+1200 of 2400)", "Alert (Fatal: Handshake Failure)"; returns buf. */
const char *probe_words_event(const struct sd_event *e, char *buf, size_t cap);

/* The events [from, end) of one datagram, separated by ", "; returns buf. */
const char *probe_words_datagram(const struct sd_event *log, size_t from, size_t end, char *buf,
                                 size_t cap);

/* The same with their marks: "Certificate [RETX #2] [GAP 1-2]"; returns buf. */
enum { PROBE_MARKED_TEXT = PROBE_DATAGRAM_TEXT + PROBE_EVENT_TEXT };
const char *probe_words_marked(const struct sd_event *log, size_t from, size_t end,
                               char buf[static PROBE_MARKED_TEXT]);

/* True for a DTLS record; false for an ICMP error, foreign bytes, part of an IP packet. */
bool probe_is_record(const struct sd_event *e);

/* The end of the datagram that begins at `from`. */
size_t probe_datagram_end(const struct sd_event *log, size_t from, size_t count);

/* "packets 12, 23, 34"; "" when the finding names none; returns buf. */
enum { PROBE_PACKETS_TEXT = SD_PACKETS_MAX * 12 + 32 };
const char *probe_words_packets(const struct sd_finding *f, char buf[static PROBE_PACKETS_TEXT]);

/* "confidence medium; may also be reply-path-dead"; returns buf. */
enum { PROBE_CONFIDENCE_TEXT = 96 };
const char *probe_words_confidence(const struct sd_finding *f,
                                   char buf[static PROBE_CONFIDENCE_TEXT]);

/* "12.345678", "-0.000123"; returns buf. */
enum { PROBE_SECONDS_TEXT = 32 };
const char *probe_words_seconds(int64_t ns, char buf[static PROBE_SECONDS_TEXT]);

/* The address without its port: the sender of an ICMP error has none; returns buf. */
const char *probe_words_host(const struct sd_addr *a, char buf[static SD_ADDR_TEXT]);

#endif
