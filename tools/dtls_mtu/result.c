/* SPDX-License-Identifier: MIT */
#include "dtls_mtu/result.h"

unsigned mtu_result_c2s(const struct mtu_result *r)
{
    return r->has_c2s ? r->c2s.mtu : 0;
}

unsigned mtu_result_s2c(const struct mtu_result *r)
{
    return r->has_s2c ? r->s2c.mtu : 0;
}

unsigned mtu_result_least(const struct mtu_result *r)
{
    unsigned c2s = mtu_result_c2s(r), s2c = mtu_result_s2c(r);
    return s2c && s2c < c2s ? s2c : c2s;
}

bool mtu_result_too_small(const struct mtu_result *r, bool there)
{
    return there ? r->has_c2s && r->c2s.mtu < r->require : r->has_s2c && r->s2c.mtu < r->require;
}

bool mtu_result_same_host(const struct mtu_result *r)
{
    return r->interface == UINT16_MAX;
}
