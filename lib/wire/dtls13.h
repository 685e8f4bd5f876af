/* What only DTLS 1.3 has, once it is decrypted (RFC 9147). */
#ifndef SD_WIRE_DTLS13_H
#define SD_WIRE_DTLS13_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* Epochs of RFC 9147 section 6.1; application data starts at 3 and counts up. */
enum sd_epoch13 {
    SD_EPOCH13_PLAIN,
    SD_EPOCH13_EARLY_DATA,
    SD_EPOCH13_HANDSHAKE,
    SD_EPOCH13_APPDATA
};

struct sd_record_number {
    uint64_t epoch, seq;
};

/* The body of an ACK, a list of record numbers (section 7), for
 * sd_ack_next(); an empty list is legal. False unless it is whole. */
bool sd_ack_parse(struct sd_rd *numbers, struct sd_span body);
bool sd_ack_next(struct sd_rd *numbers, struct sd_record_number *n);
void sd_ack_build(struct sd_wr *w, const struct sd_record_number *n, size_t count);

/* KeyUpdate (RFC 8446 section 4.6.3): whether the peer shall update, too. */
bool sd_key_update_parse(bool *requested, struct sd_span body);
void sd_key_update_build(struct sd_wr *w, bool requested);

#endif
