/* SPDX-License-Identifier: MIT */
/* The result for people, on stdout. */
#ifndef MTU_REPORT_H
#define MTU_REPORT_H

#include "dtls_mtu/result.h"

void mtu_report(const struct mtu_result *r, bool color);

#endif
