/* SPDX-License-Identifier: MIT */
/* What a session sent and still needs: the datagrams of the current flight, to be sent again in
 * smaller pieces, and the first bytes of the last large datagrams, to tell an ICMP error that
 * quotes one of them from a forged one. */
#ifndef SD_SESSION_SENT_H
#define SD_SESSION_SENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
    SD_SENT_LARGE = 256, /* bytes; smaller datagrams fit everywhere and are not noted */
    SD_SENT_RECENT = 8,  /* large datagrams that are remembered */
    SD_SENT_HEAD =
        48, /* bytes of each: they reach the random of a hello, or 35 bytes of ciphertext */
    SD_SENT_FLIGHT = 65536 /* bytes kept of one flight; the rest waits for the timer */
};

struct sd_sent_copy {
    STAILQ_ENTRY(sd_sent_copy) next;
    size_t len;
    uint8_t data[];
};
STAILQ_HEAD(sd_sent_flight, sd_sent_copy);

struct sd_sent {
    struct {
        size_t len;
        uint8_t head[SD_SENT_HEAD];
    } recent[SD_SENT_RECENT];
    unsigned next;
    struct sd_sent_flight flight;
    size_t kept;
};

void sd_sent_init(struct sd_sent *s);
/* A datagram went out; `keep`: it belongs to a handshake flight. */
void sd_sent_note(struct sd_sent *s, const uint8_t *data, size_t len, bool keep);
/* The flight is over, or OpenSSL sends all of it again. */
void sd_sent_forget(struct sd_sent *s);
/* The length of the datagram that begins with these bytes; 0 = no such datagram. */
size_t sd_sent_quoted(const struct sd_sent *s, const uint8_t *quote, size_t len);
/* Moves the flight's datagrams larger than `mtu` to `out`; the caller frees them. */
void sd_sent_take(struct sd_sent *s, size_t mtu, struct sd_sent_flight *out);

#endif
