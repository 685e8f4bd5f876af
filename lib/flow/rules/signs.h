/* SPDX-License-Identifier: MIT */
/* What a handshake shows at first sight. Most rules explain something that most handshakes do not
 * have: they are asked only where there is a sign of it. */
#ifndef SD_FLOW_RULES_SIGNS_H
#define SD_FLOW_RULES_SIGNS_H

#include <stdbool.h>

#include "flow/diagnosis.h"

enum sd_sign {
    SD_SIGN_FAILED = 1,
    SD_SIGN_NOT_OK = 1 << 1, /* failed or incomplete */
    SD_SIGN_ALERT = 1 << 2,  /* one that could be read */
    SD_SIGN_ICMP = 1 << 3,
    SD_SIGN_IP_CUT = 1 << 4, /* an IP packet without its rest */
    SD_SIGN_AGAIN = 1 << 5,  /* some flight came in more than one burst */
    SD_SIGN_GAP = 1 << 6,    /* some record number did not come, or late */
    SD_SIGN_DATA = 1 << 7,
    SD_SIGN_FOREIGN = 1 << 8, /* datagrams that are not DTLS */
    SD_SIGN_RARE = 1 << 9,    /* something of struct sd_rare */
    SD_SIGN_DUPLICATE = 1 << 10,
    SD_SIGN_REORDERED = 1 << 11,
    SD_SIGN_REUSED = 1 << 12, /* a number was used twice, or will be */
    SD_SIGN_CHANGED = 1 << 13,
    SD_SIGN_REKEYED = 1 << 14 /* an epoch above 1 */
};

unsigned sd_signs_of(const struct sd_case *c);
/* False when the rule of this entry would say no: none of the signs it goes by is there. */
bool sd_signs_allow(const struct sd_entry *entry, unsigned signs);

#endif
