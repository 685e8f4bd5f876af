/* SPDX-License-Identifier: MIT */
/* Our gate reads the same datagrams as DTLSv1_listen(). */
#ifndef FUZZ_OSSL_GATE_H
#define FUZZ_OSSL_GATE_H

#include <stddef.h>
#include <stdint.h>

/* OpenSSL reads a datagram. */
void ossl_gate_sees(const uint8_t *data, size_t len);
/* OpenSSL answered or accepted it. The gate may be stricter, but must recognise it as a hello. */
void ossl_gate_answered(void);
/* OpenSSL was silent, although nothing failed. If the gate admits such a datagram, its sender would
 * wait for ever. */
void ossl_gate_silence(void);

#endif
