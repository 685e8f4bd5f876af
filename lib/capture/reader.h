/* SPDX-License-Identifier: MIT */
/* Capture files frame by frame: pcap and pcapng, of either byte order, packed with
 * gzip or not, from a file or a pipe.
 *
 * Damaged parts are left out or end the reading; status and sentence name them. */
#ifndef SD_CAPTURE_READER_H
#define SD_CAPTURE_READER_H

#include "base/err.h"
#include "capture/frame.h"

/* The largest captured length that is accepted, in bytes: libpcap's maximum as well. */
#define SD_FRAME_MAX ((uint32_t)256 << 10)

enum sd_reader_status {
    SD_READER_FRAME,     /* a frame was read */
    SD_READER_END,       /* all of the file was read */
    SD_READER_TRUNCATED, /* the file or its gzip data ends within a record */
    SD_READER_CORRUPT,   /* a part was wrong and was left out, or everything after it */
    SD_READER_IO,        /* reading failed, or out of memory */
    SD_READER_FOREIGN    /* not a capture file */
};

struct sd_reader_config {
    /* Key log lines (NSS format) that the file carries; borrowed for the call. */
    void (*keylog)(void *arg, struct sd_span text);
    void *arg;
    size_t window; /* bytes to read at once, 0 = 256 KiB; a larger record makes it larger */
};

struct sd_reader_interface {
    uint16_t linktype;
    uint32_t snaplen; /* 0 = no limit */
    uint64_t
        dropped;   /* by interface and system, according to the file; 0 also when it says nothing */
    char name[32]; /* "" when the file has none */
};

struct sd_reader;

/* config may be NULL. 0, or a code of enum sdtls_err and a sentence in *e. Reads nothing yet:
 * the first sd_reader_next() reports a file that is no capture. */
int sd_reader_open(struct sd_reader **out, const char *path, const struct sd_reader_config *config,
                   struct sd_err *e);
void sd_reader_close(struct sd_reader *r);
/* Any status except SD_READER_FRAME is final and is returned again by every further call. */
enum sd_reader_status sd_reader_next(struct sd_reader *r, struct sd_frame *f);
/* What the status means for this file, with the byte offset: one sentence without a full stop;
 * "" while everything is fine. */
const char *sd_reader_reason(const struct sd_reader *r);
/* The comments of the last frame, one in each call; false after the last comment. */
bool sd_reader_comment(struct sd_reader *r, struct sd_span *text);
/* The interfaces so far, numbered as in sd_frame.interface; NULL after the last. */
const struct sd_reader_interface *sd_reader_interface(const struct sd_reader *r, uint32_t index);
/* Frames that were dropped during the capture, of all interfaces. */
uint64_t sd_reader_dropped(const struct sd_reader *r);

#endif
