/* SPDX-License-Identifier: MIT */
/* One captured frame, as a reader or a live capture hands it out. */
#ifndef SD_CAPTURE_FRAME_H
#define SD_CAPTURE_FRAME_H

#include <stdint.h>

#include "base/cursor.h"

#define SD_FRAME_SEC INT64_C(1000000000) /* a second of sd_frame.time */

struct sd_frame {
    uint64_t number; /* from 1 over the whole capture, as Wireshark counts */
    int64_t time; /* nanoseconds since 1970; 0 when the file has no time (simple packet blocks) */
    struct sd_span data; /* the captured bytes; valid until the next frame is asked for */
    uint32_t length;     /* on the wire; more than data.len when the snap length cut the frame */
    uint32_t interface;  /* from 0, counted over all sections */
    uint16_t linktype;   /* LINKTYPE_ number as in files, not the platform's DLT_ */
};

#endif
