/* SPDX-License-Identifier: MIT */
/* ServerKeyExchange and CertificateRequest, for fuzz_record. */
#ifndef FUZZ_RECORD_KEYS_H
#define FUZZ_RECORD_KEYS_H

#include "base/cursor.h"
#include "harness/common.h"

/* Reads a ServerKeyExchange in every way there is. */
void record_keys_check(struct sd_span body);
/* Reads a CertificateRequest as each version has it; returns the number of authorities. */
size_t record_keys_check_request(struct sd_span body);
void record_keys_seeds(struct fuzz_seeder *s);

#endif
