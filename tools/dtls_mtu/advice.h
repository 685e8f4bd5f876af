/* SPDX-License-Identifier: MIT */
/* What a path MTU means for DTLS: what each stack does with it, and what to set. */
#ifndef MTU_ADVICE_H
#define MTU_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

enum { MTU_ADVICE_TEXT = 160 };

struct mtu_stack_effect {
    const char *stack;
    char text[MTU_ADVICE_TEXT]; /* "arrives ..." */
    bool bad;
};

struct mtu_setting {
    const char *stack;
    char text[MTU_ADVICE_TEXT];
};

struct mtu_cipher_room {
    const char *name, *ciphers;
    unsigned payload; /* bytes of application data in one datagram */
};

enum { MTU_STACKS = 5, MTU_SETTINGS = 6, MTU_CIPHERS = 4 };

/* How a flight of several datagrams fares where the path carries `payload` bytes of UDP payload
 * and the interface `local`; `reported`: routers report the limit. Figures: measured with OpenSSL
 * 1.1.1 to 4.0, GnuTLS 3.7.9, wolfSSL 5.5.4, Mbed TLS 2.28. */
void mtu_advice_effects(struct mtu_stack_effect out[static MTU_STACKS], unsigned payload,
                        unsigned local, bool reported);
/* `packet`: the IP packet that the payload makes. */
void mtu_advice_settings(struct mtu_setting out[static MTU_SETTINGS], unsigned payload,
                         unsigned packet);
void mtu_advice_ciphers(struct mtu_cipher_room out[static MTU_CIPHERS], unsigned payload);

#endif
