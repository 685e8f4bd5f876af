/* One captured frame, as a reader or a live capture hands it out. */
#ifndef SD_CAPTURE_FRAME_H
#define SD_CAPTURE_FRAME_H

#include "base/cursor.h"

#include <stdint.h>

struct sd_frame {
    uint64_t number; /* from 1 over the whole capture, as other tools count */
    int64_t time;    /* nanoseconds since 1970; 0 where the file has none (simple packet blocks) */
    struct sd_span data; /* the captured bytes; valid until the next frame is asked for */
    uint32_t length;     /* on the wire; data.len is less when the snap length cut the frame */
    uint32_t interface;  /* from 0, counted over all sections */
    uint16_t linktype;   /* LINKTYPE_ number as files carry it, not the platform's DLT_ */
};

#endif
