/* Our gate beside DTLSv1_listen(): what it makes of the same datagrams. */
#ifndef FUZZ_OSSL_GATE_H
#define FUZZ_OSSL_GATE_H

#include <stddef.h>
#include <stdint.h>

/* OpenSSL reads a datagram. */
void ossl_gate_sees(const uint8_t *data, size_t len);
/* It answered that one, or took it. The gate may be stricter, but must not take it for something
 * else than a hello. */
void ossl_gate_answered(void);
/* It said nothing, although nothing failed. Then whoever the gate admits for the like would wait
 * for ever. */
void ossl_gate_silence(void);

#endif
