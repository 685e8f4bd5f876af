/* SPDX-License-Identifier: MIT */
/* The language of the stories that become seeds of fuzz_flow. A story is steps with a space between
 * them; a step happens 10 ms after the one before it.
 *
 * Messages, joined by '+' when they share a datagram. Small letters are the client's, capitals the
 * server's. Numbers after a letter are the bytes [from.to) of the message.
 *   c hello  k hello with the cookie  v HelloVerifyRequest  h ServerHello  e certificate
 *   o empty certificate  x key exchange  r certificate request  d ServerHelloDone
 * Other records:
 *   q ChangeCipherSpec  z alert.level  f encrypted handshake (length)  n encrypted alert
 *   a application data (length)  y what the keys open: Finished, or an alert  u DTLS 1.3 (epoch)
 *   b with a connection id  l skipped record numbers, in epoch 1 with a second number
 * Other steps:
 *   i ICMP type.code.mtu, capital: about the server's packet  t seconds pass  p TTLs and lane
 *   m an allocation fails  j an IP packet is cut  s STUN and its like  g flow n begins
 *   w the capture dropped packets  = the last datagram again  {not DTLS}  {!not DTLS, from the
 * server} Before a step: ~ a second later, ^ a millisecond later, < earlier, | in IP fragments, '
 * from another port, % cut by the capture, 3* three times. */
#ifndef FUZZ_FLOW_STORIES_H
#define FUZZ_FLOW_STORIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

enum { STORY_NOW = 1704067200, STORY_DAY = 86400, STORY_CHAIN = 3 };

struct cert {
    uint8_t kind, bits; /* see watch_certs() */
    uint32_t from, to;
    uint8_t flags;
    uint16_t more; /* bytes */
    uint16_t group, scheme;
};

struct story {
    const char *text;
    uint8_t limits, fails, traits; /* of flow_ops.h */
    uint8_t session_id;            /* how long */
    uint16_t suite;                /* the server's choice */
    struct sd_span suites, others; /* the client's offer; the offer in other flows */
    struct sd_span offer, answer;  /* extensions; without an offer, all there are */
    struct sd_span key;            /* the key exchanges */
    struct sd_span request;        /* the CertificateRequest */
    struct cert chain[STORY_CHAIN];
};

extern const struct story flow_stories[];
extern const size_t flow_story_count;

#endif
