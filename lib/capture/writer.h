/* SPDX-License-Identifier: MIT */
/* Writes pcapng files: frames with comments, and the key log that decrypts them. */
#ifndef SD_CAPTURE_WRITER_H
#define SD_CAPTURE_WRITER_H

#include "capture/frame.h"

#include <stdio.h>

struct sd_writer;

/* Writes the section header. The caller closes `out` after sd_writer_finish(). NULL when there
 * is no memory. */
struct sd_writer *sd_writer_new(FILE *out, const char *application);
void sd_writer_free(struct sd_writer *w);

/* All of these return 0 or -errno. After the first failure of the stream nothing more is
 * written, and every further call returns the same error. */

/* Optional, before the first frame of the interface: `interface` is the number of
 * sd_frame.interface; name "" = none. */
int sd_writer_interface(struct sd_writer *w, uint32_t interface, uint16_t linktype,
                        uint32_t snaplen, const char *name);
/* Lines of a key log, as a secrets block. Wireshark decrypts the frames after it. */
int sd_writer_keylog(struct sd_writer *w, struct sd_span lines);
/* -EINVAL for a frame that is too large for every reader. A comment is UTF-8; at most 65,535
 * bytes of it are kept. */
int sd_writer_frame(struct sd_writer *w, const struct sd_frame *f, const struct sd_span *comments,
                    size_t count);
/* At the end: what the interface received and dropped while the frames were captured. */
int sd_writer_statistics(struct sd_writer *w, uint32_t interface, uint64_t received,
                         uint64_t dropped);
/* Flushes. */
int sd_writer_finish(struct sd_writer *w);

#endif
