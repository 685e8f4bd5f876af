/* What the readers of both formats share. */
#ifndef SD_CAPTURE_READER_INTERNAL_H
#define SD_CAPTURE_READER_INTERNAL_H

#include "capture/order.h"
#include "capture/reader.h"
#include "capture/bytes.h"

struct sd_interface {
    struct sd_reader_interface info;
    /* Time stamp to nanoseconds: (stamp * factor / divisor) >> shift, plus offset. */
    uint64_t factor, divisor;
    unsigned shift;
    int64_t offset;
};

struct sd_reader {
    struct sd_bytes source;
    struct sd_reader_config config;
    enum sd_reader_status (*next)(struct sd_reader *r, struct sd_frame *f);
    enum sd_reader_status status;
    char reason[256];
    uint64_t frames;
    uint64_t damaged; /* blocks left out; `reason` is about the first */
    bool big;         /* the file, or the current section, is big-endian */

    struct sd_interface *interfaces; /* of all sections */
    uint32_t interface_count, interface_room;

    /* pcap */
    unsigned header;   /* bytes before a frame */
    uint32_t fraction; /* nanoseconds of the unit of the second time field */
    bool old_lengths;  /* the two lengths may be swapped (before version 2.4) */

    /* pcapng */
    uint32_t section;     /* index of the section's first interface */
    struct sd_rd options; /* of the frame given last: what sd_reader_comment() has not seen */
};

/* Read the file's beginning and become r->next: first the header, then the frames. */
enum sd_reader_status sd_pcap_begin(struct sd_reader *r, struct sd_frame *f);
enum sd_reader_status sd_pcapng_next(struct sd_reader *r, struct sd_frame *f);
/* The next comment of r->options. */
bool sd_pcapng_comment(struct sd_reader *r, struct sd_span *text);

/* A new interface that counts in microseconds from 1970, or NULL: no memory, or too
 * many; then the status is set. */
struct sd_interface *sd_reader_add_interface(struct sd_reader *r);
/* Ends the reading with a sentence. */
enum sd_reader_status sd_reader_end(struct sd_reader *r, enum sd_reader_status status,
                                    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The source has fewer bytes than wanted: says why. `what` is what was to be read. */
enum sd_reader_status sd_reader_short(struct sd_reader *r, const char *what);
/* The block at `offset` is left out. */
void sd_reader_damaged(struct sd_reader *r, uint64_t offset, const char *what);

#endif
