/* SPDX-License-Identifier: MIT */
#include "flow/icmp.h"

static enum sd_icmp_meaning meaning_v4(const struct sd_event *e)
{
    if (e->icmp_type != SD_ICMP_UNREACHABLE)
        return SD_MEANS_OTHER;
    switch (e->icmp_code) {
    case SD_ICMP_PORT:
        return SD_MEANS_PORT_CLOSED;
    case SD_ICMP_FRAGMENTATION_NEEDED:
        return SD_MEANS_TOO_BIG;
    default:
        return SD_MEANS_UNREACHABLE;
    }
}

static enum sd_icmp_meaning meaning_v6(const struct sd_event *e)
{
    if (e->icmp_type == SD_ICMPV6_TOO_BIG)
        return SD_MEANS_TOO_BIG;
    if (e->icmp_type != SD_ICMPV6_UNREACHABLE)
        return SD_MEANS_OTHER;
    return e->icmp_code == SD_ICMPV6_PORT ? SD_MEANS_PORT_CLOSED : SD_MEANS_UNREACHABLE;
}

enum sd_icmp_meaning sd_icmp_error_meaning(const struct sd_event *e)
{
    return sd_icmp_is_v6(e) ? meaning_v6(e) : meaning_v4(e);
}
