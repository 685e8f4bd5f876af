/* SPDX-License-Identifier: MIT */
/* What the files of the puppet share. */
#ifndef PUPPET_INTERNAL_H
#define PUPPET_INTERNAL_H

#include "dtls_scan/puppet/puppet.h"

/* send.c */
void puppet_end_with(struct puppet *p, enum puppet_end end);
/* Sends the flight as it stands in `flight`, after the caller's changes, and starts its timer. */
void puppet_send_flight(struct puppet *p);
/* Sends it once more. */
void puppet_send_again(struct puppet *p);

/* hello.c: puts the ClientHello with the current cookie in the flight. */
bool puppet_make_hello(struct puppet *p);
/* handshake.c: a fragment that came. True when nothing in it is new. */
bool puppet_take_fragment(struct puppet *p, const struct sd_handshake *h);
/* derive.c. The master secret of the session comes first. */
bool puppet_derive_master(struct puppet *p, const struct puppet_secret *secret);
bool puppet_derive_keys(struct puppet *p);
/* The verify_data of a Finished after what the transcript has. */
bool puppet_verify_data(struct puppet *p, const char *label, uint8_t out[PUPPET_VERIFY_LEN]);

#endif
