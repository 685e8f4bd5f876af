/* SPDX-License-Identifier: MIT */
/* Unpacks gzip data (RFC 1952) piece by piece, all members one after another. */
#ifndef SD_CAPTURE_GUNZIP_H
#define SD_CAPTURE_GUNZIP_H

#include "base/cursor.h"

#include <sys/types.h>

struct sd_gunzip;

/* 0 or -errno: -ENOTSUP in a build without zlib. */
int sd_gunzip_new(struct sd_gunzip **out);
void sd_gunzip_free(struct sd_gunzip *g);
/* Removes from `in` what it used. Returns the number of bytes it wrote, 0 when it needs more
 * input, -1 when the data is damaged. */
ssize_t sd_gunzip_run(struct sd_gunzip *g, struct sd_span *in, uint8_t *to, size_t room);
/* True between members: the data may end here. */
bool sd_gunzip_whole(const struct sd_gunzip *g);

#endif
