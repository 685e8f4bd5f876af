/* SPDX-License-Identifier: MIT */
/* What a capture hands to the tracker. All spans are borrowed for the call. */
#ifndef SD_FLOW_INPUT_H
#define SD_FLOW_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/cursor.h"

/* What carried the DTLS records inside UDP. */
enum sd_carrier {
    SD_CARRIER_NONE,
    SD_CARRIER_TURN_INDICATION, /* Send or Data indication (RFC 8656 section 11) */
    SD_CARRIER_TURN_CHANNEL,    /* ChannelData (RFC 8656 section 12) */
    SD_CARRIER_STUN_ATTRIBUTE,  /* an attribute of a STUN check (draft-hancke-webrtc-sped) */
    SD_CARRIER_CAPWAP,          /* the DTLS header of CAPWAP (RFC 5415 section 4.2) */
    SD_CARRIER_RDPUDP           /* a source packet of RDP over UDP (MS-RDPEUDP section 2.2.2.4) */
};

/* By the first byte of the UDP payload (RFC 7983, RFC 9443) and, where that is not
 * enough, by what follows it. */
enum sd_payload {
    SD_PAYLOAD_DTLS, /* may be: what counts is whether its records parse */
    SD_PAYLOAD_STUN,
    SD_PAYLOAD_STUN_SUCCESS, /* a Binding success: the path is validated (RFC 8445) */
    SD_PAYLOAD_ZRTP,
    SD_PAYLOAD_TURN_CHANNEL,
    SD_PAYLOAD_RTP,
    SD_PAYLOAD_QUIC,
    SD_PAYLOAD_OTHER
};

/* One UDP datagram, whole, or as much of it as was captured. */
struct sd_datagram {
    uint64_t number; /* of its frame in the capture, from 1; of the last one when reassembled */
    int64_t time;    /* ns since 1970, of the capture's clock */
    struct sd_addr src, dst;
    struct sd_span payload; /* the records; what carried them is taken off */
    uint32_t length;        /* of the payload as sent: more than payload.len when snapped */
    uint32_t ip_length;     /* of the IP packet with its header, reassembled; 0 = not known */
    uint64_t lane;          /* which of the flows inside one carrier; 0 without one */
    enum sd_carrier carrier;
    enum sd_payload kind;
    uint16_t fragments; /* IP fragments it came in; 0 = it was not fragmented */
    uint8_t ttl;        /* or hop limit */
    bool df;            /* IPv4: don't fragment; IPv6: always true */
    uint32_t interface; /* of the capture */
};

/* An ICMP or ICMPv6 error that quotes a UDP datagram. */
struct sd_icmp {
    uint64_t number;
    int64_t time;
    struct sd_addr from;     /* who says so; port 0 */
    struct sd_addr src, dst; /* of the datagram it quotes */
    uint64_t lane;           /* of the flow inside its carrier; 0 without one */
    uint8_t type, code;      /* as of the family of `from` */
    uint32_t mtu;            /* next-hop MTU of Fragmentation Needed and Packet Too Big, else 0 */
    uint32_t quoted_length;  /* of the IP packet it quotes, as its header says */
    struct sd_span quoted;   /* what it quotes of the UDP payload */
};

/* A UDP datagram whose first IP fragment was captured and another never. */
struct sd_ip_incomplete {
    uint64_t number; /* of the first fragment */
    int64_t time;
    struct sd_addr src, dst;
    uint32_t have, total;   /* bytes of the UDP datagram; total 0 = the last is missing */
    struct sd_span payload; /* as far as the first fragment goes */
};

#endif
