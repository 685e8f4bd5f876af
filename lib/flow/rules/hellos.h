/* SPDX-License-Identifier: MIT */
/* What a client offers and what a server chose, read from the kept hellos. */
#ifndef SD_FLOW_RULES_HELLOS_H
#define SD_FLOW_RULES_HELLOS_H

#include "flow/exchange.h"
#include "wire/hello.h"

struct sd_offer {
    struct sd_client_hello hello; /* borrowed from the exchange */
    bool ems, reneg;              /* RFC 7627; RFC 5746, by extension or SCSV */
    bool v13;                     /* DTLS 1.3 or a draft of it is among its versions */
    bool only13;                  /* and nothing older */
    bool compression;             /* something besides null */
    bool fallback;                /* TLS_FALLBACK_SCSV (RFC 7507) */
};

/* How many suites of which kind; GREASE and signals are not counted. */
struct sd_suites {
    unsigned all, psk, ecdsa, rsa;
    unsigned tls13; /* these fit every certificate (RFC 8446 section B.4) */
};
struct sd_suites sd_offer_suites(const struct sd_offer *o);
/* False when the ClientHello was not seen whole. */
bool sd_offer_read(const struct sd_exchange *x, struct sd_offer *o);
/* The body of an extension of the ClientHello, or of the ServerHello. */
bool sd_offer_ext(const struct sd_exchange *x, uint16_t type, struct sd_span *body);
bool sd_choice_ext(const struct sd_exchange *x, uint16_t type, struct sd_span *body);
/* The names of a list of 16-bit values, ", " between, as many as fit; returns buf. */
enum { SD_LIST_TEXT = 160 };
const char *sd_offer_names(struct sd_span list, int registry, char buf[static SD_LIST_TEXT]);
/* The list of 16-bit values has this one. */
bool sd_offer_lists(struct sd_span list, uint16_t value);
/* The versions of DTLS that the client offers, in words; returns buf. */
const char *sd_offer_versions(const struct sd_offer *o, char buf[static SD_LIST_TEXT]);
/* Text from the network, printable; returns buf. */
const char *sd_offer_text(struct sd_span text, char *buf, size_t cap);

#endif
