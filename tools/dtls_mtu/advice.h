/* What a path MTU means for DTLS: what each stack does with it, and what to set. */
#ifndef MTU_ADVICE_H
#define MTU_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

enum { ADVICE_TEXT = 160 };

struct stack_effect {
    const char *stack;
    char text[ADVICE_TEXT];
    bool bad;
};

struct setting {
    const char *stack;
    char text[ADVICE_TEXT];
};

struct cipher_room {
    const char *name, *ciphers;
    unsigned payload; /* bytes of application data in one datagram */
};

enum { STACKS = 5, SETTINGS = 6, CIPHERS = 4 };

/* What a flight larger than a datagram meets where `payload` bytes of UDP pass and the
 * interface would carry `local`; `told`: routers report it. Figures: measured with OpenSSL
 * 1.1.1 to 4.0, GnuTLS 3.7.9, wolfSSL 5.5.4, Mbed TLS 2.28. */
void advice_effects(struct stack_effect out[static STACKS], unsigned payload, unsigned local,
                    bool told);
/* `packet`: the IP packet that the payload makes. */
void advice_settings(struct setting out[static SETTINGS], unsigned payload, unsigned packet);
void advice_ciphers(struct cipher_room out[static CIPHERS], unsigned payload);

#endif
