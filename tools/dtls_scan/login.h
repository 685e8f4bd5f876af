/* SPDX-License-Identifier: MIT */
/* Who the scanner is: a certificate with its key, and a pre-shared key. */
#ifndef SCAN_LOGIN_H
#define SCAN_LOGIN_H

#include "common/psk.h"
#include "dtls_scan/puppet/proof.h"

struct scan_config;

struct scan_login {
    struct puppet_login certificate; /* its chain lies in `bytes` */
    uint8_t *bytes;
    struct sd_span identity, psk; /* psk empty = none */
};

/* Reads what the options name; the login borrows the key of `c`. False: `why`, and nothing to
 * free. */
bool scan_login_open(struct scan_login *l, const struct scan_config *c, char why[static TOOL_WHY]);
void scan_login_close(struct scan_login *l);

#endif
