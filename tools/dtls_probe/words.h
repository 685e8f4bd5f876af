/* Events in words: those that packet analysers use. */
#ifndef PROBE_WORDS_H
#define PROBE_WORDS_H

#include <stddef.h>

#include "base/addr.h"
#include "flow/event.h"

/* Room for one event, and for a datagram. */
enum { PROBE_EVENT_TEXT = 128, PROBE_DATAGRAM_TEXT = 640 };

/* "Certificate (Fragment 0+1200 of 2400)", "Alert (Fatal: Handshake Failure)"; returns buf. */
const char *probe_words_event(const struct sd_event *e, char *buf, size_t cap);

/* The events [from, end) of one datagram with ", " between; returns buf. */
const char *probe_words_datagram(const struct sd_event *log, size_t from, size_t end, char *buf,
                                 size_t cap);

/* Where the datagram that begins at `from` ends. */
size_t probe_datagram_end(const struct sd_event *log, size_t from, size_t count);

/* "[RETX #2] [GAP 1-2]", "" for nothing odd; returns buf. */
const char *probe_words_marks(const struct sd_event *log, size_t from, size_t end, char *buf,
                              size_t cap);

/* The address without its port: who sends ICMP has none; returns buf. */
const char *probe_words_host(const struct sd_addr *a, char buf[static SD_ADDR_TEXT]);

#endif
