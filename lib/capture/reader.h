/* Capture files frame by frame: pcap and pcapng, of either byte order, packed with
 * gzip or not, from a file or a pipe.
 *
 * What can be read is given out; what cannot is named by status and sentence. */
#ifndef SD_CAPTURE_READER_H
#define SD_CAPTURE_READER_H

#include "base/err.h"
#include "capture/frame.h"

/* Of the field "caplen": what libpcap takes for its own maximum too. */
#define SD_FRAME_MAX ((uint32_t)256 << 10)

enum sd_reader_status {
    SD_READER_FRAME,     /* a frame was given */
    SD_READER_END,       /* all of the file was read */
    SD_READER_TRUNCATED, /* it ends within a record, or its gzip data do */
    SD_READER_CORRUPT,   /* something in it cannot be right; it was left out, or all behind it */
    SD_READER_IO,        /* reading failed, or memory did */
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
    uint64_t dropped; /* by interface and system, as the file says; 0 also when it does not */
    char name[32];    /* "" when the file has none */
};

struct sd_reader;

/* config may be NULL. 0, or a code of enum sdtls_err and *e filled. Nothing is read
 * yet: that a file is no capture is the status of the first sd_reader_next(). */
int sd_reader_open(struct sd_reader **out, const char *path, const struct sd_reader_config *config,
                   struct sd_err *e);
void sd_reader_close(struct sd_reader *r);
/* Any other status than SD_READER_FRAME is final and comes again and again. */
enum sd_reader_status sd_reader_next(struct sd_reader *r, struct sd_frame *f);
/* What the status means for this file, with the byte offset: one sentence without a
 * full stop, "" while there is nothing to say. */
const char *sd_reader_reason(const struct sd_reader *r);
/* The comments of the frame given last, one a call; false when there are no more. */
bool sd_reader_comment(struct sd_reader *r, struct sd_span *text);
/* Interfaces seen so far, as sd_frame.interface counts them; NULL behind the last. */
const struct sd_reader_interface *sd_reader_interface(const struct sd_reader *r, uint32_t index);
/* Frames that interface and system dropped while capturing, of all interfaces. */
uint64_t sd_reader_dropped(const struct sd_reader *r);

#endif
