/* SPDX-License-Identifier: MIT */
/* Records that bring a datagram to an exact size and that nobody reads:
 * application data of epoch 0. RFC 6347 section 4.1.2.7 wants invalid records
 * discarded; OpenSSL, GnuTLS, Mbed TLS and wolfSSL do, before and after the
 * handshake (measured). */
#ifndef SD_WIRE_JUNK_H
#define SD_WIRE_JUNK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"

/* Room that can be filled: none, or at least a record header. */
bool sd_junk_fits(size_t room);
/* Writes `room` bytes of junk records. `fill` makes their bodies: with random bytes, whoever
 * quotes the datagram has seen it; NULL = zeros. Fails unless `room` fits. */
void sd_junk_build(struct sd_wr *w, size_t room, void (*fill)(void *buf, size_t len));

#endif
