/* SPDX-License-Identifier: MIT */
/* Protects records as a suite of DTLS 1.0 or 1.2 wants it, or not quite. */
#ifndef PUPPET_SEAL_H
#define PUPPET_SEAL_H

#include "unseal/opener.h"
#include "wire/record.h"

/* What is wrong with a record on purpose. */
enum puppet_spoil {
    PUPPET_SOUND,
    PUPPET_SPOIL_MAC,     /* one bit of the MAC or the tag; in CBC under a sound padding */
    PUPPET_SPOIL_PADDING, /* CBC: one bit of the padding, the MAC is sound; else as the MAC */
    PUPPET_SPOIL_BOTH,    /* CBC: padding and MAC */
    PUPPET_SPOIL_CUT      /* shorter than any record of the suite can be */
};

/* Writes the record with its header: `plain` says type, version, epoch, number and content. False,
 * with `w` bad, when it does not fit, or OpenSSL does not have the cipher. */
bool puppet_seal(const struct sd_opener *keys, bool encrypt_then_mac, struct sd_wr *w,
                 const struct sd_record *plain, enum puppet_spoil spoil);

#endif
