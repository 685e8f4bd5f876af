/* SPDX-License-Identifier: MIT */
/* The result for programs: one object in one line on stdout. */
#ifndef MTU_JSON_H
#define MTU_JSON_H

#include "dtls_mtu/result.h"

void mtu_json(const struct mtu_result *r);

#endif
