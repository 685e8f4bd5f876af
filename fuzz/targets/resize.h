/* SPDX-License-Identifier: MIT */
/* Datagrams of another size: cut into smaller ones, and filled up with junk. */
#ifndef FUZZ_RESIZE_H
#define FUZZ_RESIZE_H

#include "base/cursor.h"

void resize_check(struct sd_span datagram);

#endif
