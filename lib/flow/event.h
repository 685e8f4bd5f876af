/* SPDX-License-Identifier: MIT */
/* One line of the log of a handshake: a record, or a piece of a handshake message in it,
 * or what else happened on the same addresses. Rules and diagrams read the log. */
#ifndef SD_FLOW_EVENT_H
#define SD_FLOW_EVENT_H

#include <stdint.h>

enum sd_event_kind {
    SD_EV_HANDSHAKE, /* a whole message or a fragment, in plaintext or decrypted */
    SD_EV_CCS,
    SD_EV_ALERT,     /* in plaintext or decrypted; message = description, level in `level` */
    SD_EV_ACK,       /* DTLS 1.3, decrypted */
    SD_EV_PROTECTED, /* a record that nobody could open; `content` is its outer type */
    SD_EV_APPDATA,   /* application_data: its beginning; the rest is only counted */
    SD_EV_ICMP,      /* an ICMP error about a packet, sent by a third party; see icmp.h */
    SD_EV_FOREIGN,   /* a datagram on these addresses that is not DTLS */
    SD_EV_IP_CUT,    /* an IP packet of which a fragment never came */
    SD_EV_MALFORMED  /* a DTLS record whose content is not well-formed */
};

enum sd_event_flag {
    SD_EVF_SERVER = 1,     /* from the server to the client; an ICMP error: about such a packet */
    SD_EVF_FIRST = 1 << 1, /* the first record of its datagram */
    SD_EVF_RETRANSMIT = 1 << 2, /* bytes of a handshake message that were seen before */
    SD_EVF_DUPLICATE = 1 << 3,  /* the very record was seen before: the network copied it */
    SD_EVF_REORDERED = 1 << 4,  /* a later record number came before this one */
    SD_EVF_CHANGED = 1 << 5,    /* a retransmission whose bytes are not those of before */
    SD_EVF_SNAPPED = 1 << 6,    /* the capture holds only its beginning */
    SD_EVF_DECRYPTED = 1 << 7,
    SD_EVF_IP_FRAGMENTS = 1 << 8,  /* its datagram came in IP fragments */
    SD_EVF_UNIFIED = 1 << 9,       /* a DTLS 1.3 header: seq has its low bits, encrypted */
    SD_EVF_REFRAGMENTED = 1 << 10, /* a retransmission with other boundaries */
    SD_EVF_REUSED = 1 << 11,       /* another record had this number in this epoch */
    SD_EVF_TRAILING = 1 << 12      /* the last record of its datagram; zero bytes follow it */
};

/* Times of a capture are nanoseconds since 1970, of its clock. */
#define SD_NS_MS INT64_C(1000000)
#define SD_NS_SECOND (1000 * SD_NS_MS)

#define SD_U24 0xffffffU
#define SD_U48 UINT64_C(0xffffffffffff)

/* Most of the memory of a handshake under way are its events: 48 bytes each. What has 24 bits
 * on the wire shares its word with something small. */
struct sd_event {
    int64_t time;                  /* ns */
    uint64_t seq : 48, epoch : 16; /* record number */
    uint32_t number;               /* of the frame */
    union {
        struct {
            uint32_t hash : 24; /* of the fragment's bytes */
            uint32_t copy : 8;  /* how often these bytes had been seen before, at most 255 */
        };
        struct {
            uint32_t icmp_mtu : 24; /* of the next hop; 0 = it does not say */
            uint32_t icmp_protocol : 8;
        };
    };
    uint32_t length : 24; /* HANDSHAKE: of the whole message; ICMP: of the packet it quotes */
    uint32_t content : 8; /* enum sd_content_type; 0 when unified and not opened */
    uint32_t frag_off : 24;
    uint32_t kind : 4;   /* enum sd_event_kind */
    uint32_t flight : 4; /* 1 to 6 (RFC 6347 section 4.2.4); 0 = outside the handshake */
    uint32_t frag_len : 24;
    uint32_t message : 8; /* enum sd_handshake_type, alert description */
    uint16_t datagram;    /* UDP payload bytes */
    uint16_t ip_length;   /* of the IP packet, at most UINT16_MAX; 0 = not known */
    uint16_t record;      /* bytes of the record's body */
    union {
        uint16_t message_seq; /* HANDSHAKE */
        struct {
            uint8_t level; /* ALERT */
            uint8_t minor; /* of the version in its record's header: 0xff = DTLS 1.0; 0 = none */
        };
        struct {
            uint8_t icmp_type, icmp_code;
        };
    };
    uint16_t flags; /* enum sd_event_flag */
    uint16_t gap;   /* record numbers skipped before this one, in its direction and epoch */
};

_Static_assert(sizeof(struct sd_event) == 48, "a handshake has up to SD_LOG_MAX of them");

#endif
