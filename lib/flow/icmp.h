/* SPDX-License-Identifier: MIT */
/* What the ICMP error of an event says: types and codes of both families under their names. */
#ifndef SD_FLOW_ICMP_H
#define SD_FLOW_ICMP_H

#include <stdbool.h>

#include "flow/event.h"

enum { SD_PROTO_ICMP = 1, SD_PROTO_ICMPV6 = 58 }; /* sd_event.icmp_protocol */

/* RFC 792, RFC 1812 section 5.2.7.1 */
enum {
    SD_ICMP_UNREACHABLE = 3, /* type; the others are codes of it */
    SD_ICMP_NETWORK = 0,
    SD_ICMP_HOST = 1,
    SD_ICMP_PROTOCOL = 2,
    SD_ICMP_PORT = 3,
    SD_ICMP_FRAGMENTATION_NEEDED = 4,
    SD_ICMP_PROHIBITED_FIRST = 9, /* for the network, the host; by a filter */
    SD_ICMP_PROHIBITED_LAST = 13
};

/* RFC 4443 sections 3.1 and 3.2 */
enum {
    SD_ICMPV6_UNREACHABLE = 1, /* type; the others but the last are codes of it */
    SD_ICMPV6_NO_ROUTE = 0,
    SD_ICMPV6_PROHIBITED = 1,
    SD_ICMPV6_ADDRESS = 3,
    SD_ICMPV6_PORT = 4,
    SD_ICMPV6_TOO_BIG = 2 /* type */
};

enum sd_icmp_meaning {
    SD_MEANS_OTHER,
    SD_MEANS_PORT_CLOSED,
    SD_MEANS_TOO_BIG,    /* and icmp_mtu says what would pass; 0 = it does not say */
    SD_MEANS_UNREACHABLE /* network, host or policy */
};

enum sd_icmp_meaning sd_icmp_error_meaning(const struct sd_event *e);

/* Of any event; SD_MEANS_OTHER when it is no SD_EV_ICMP. */
static inline enum sd_icmp_meaning sd_icmp_meaning(const struct sd_event *e)
{
    return e->kind == SD_EV_ICMP ? sd_icmp_error_meaning(e) : SD_MEANS_OTHER;
}

static inline bool sd_icmp_is_v6(const struct sd_event *e)
{
    return e->icmp_protocol == SD_PROTO_ICMPV6;
}

#endif
