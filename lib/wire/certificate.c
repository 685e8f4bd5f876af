/* SPDX-License-Identifier: MIT */
#include "wire/certificate.h"

bool sd_cert_chain_init(struct sd_cert_chain *chain, struct sd_span body, bool tls13)
{
    struct sd_rd r = sd_rd_init(body.p, body.len);
    if (tls13)
        sd_rd_vec8(&r); /* certificate_request_context */
    *chain = (struct sd_cert_chain){.rd = sd_rd_vec24(&r), .tls13 = tls13};
    return sd_rd_done(&r);
}

bool sd_cert_next(struct sd_cert_chain *chain, struct sd_span *der)
{
    *der = (struct sd_span){0};
    if (chain->rd.bad || !sd_rd_left(&chain->rd))
        return false;
    struct sd_rd one = sd_rd_vec24(&chain->rd);
    if (chain->tls13)
        sd_rd_vec16(&chain->rd); /* extensions */
    if (chain->rd.bad)
        return false;
    *der = sd_rd_rest(&one);
    return true;
}
