/* SPDX-License-Identifier: MIT */
/* A side of stock OpenSSL: what a program gets that uses OpenSSL alone, over a BIO that does what a
 * UDP socket does. */
#ifndef FUZZ_STOCK_H
#define FUZZ_STOCK_H

#include "peers/sim.h"

extern const struct sim_stack stock_stack;

/* Renegotiates; `abbreviated`: resumes the session for that. Nothing happens to a side that is not
 * stock OpenSSL. */
void stock_renegotiate(struct sim_side *e, bool abbreviated);
/* Both sides are stock OpenSSL: they forget each other and begin again. The client offers its
 * session if it is to `resume` it, and changes the habits that have a bit in `other_habits`. */
void stock_begin_again(struct sim *s, bool resume, uint32_t other_habits);
/* The n-th allocation of OpenSSL from now on fails. With a cache of sessions it does not: OpenSSL
 * then keeps one in the cache that it has freed, see docs/fuzzing.md. */
void stock_scarce(struct sim *s, unsigned n);

#endif
