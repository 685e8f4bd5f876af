/* SPDX-License-Identifier: MIT */
/* From numbers to findings, with the ids that dtls_probe has for the same things. */
#ifndef MTU_JUDGE_H
#define MTU_JUDGE_H

#include "dtls_mtu/result.h"

/* Sets the findings and the exit status. */
void mtu_judge(struct mtu_result *r);

#endif
