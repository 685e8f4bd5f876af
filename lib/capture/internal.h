/* SPDX-License-Identifier: MIT */
/* What the files of the room share: first those that take a frame apart, then those that read
 * a capture file. */
#ifndef SD_CAPTURE_INTERNAL_H
#define SD_CAPTURE_INTERNAL_H

#include "capture/bytes.h"
#include "capture/carrier.h"
#include "capture/decap.h"
#include "capture/ipfrag.h"
#include "capture/order.h"
#include "capture/reader.h"

/* --- a frame: each function reads one header and hands what follows to the next --- */

/* Ethernet and IP headers in one frame; three nested tunnels have 6 or 7. */
enum { SD_NESTING_MAX = 8 };

enum sd_ethertype {
    SD_ETHERTYPE_IPV4 = 0x0800,
    SD_ETHERTYPE_TEB = 0x6558, /* transparent Ethernet bridging (RFC 1701, RFC 7637) */
    SD_ETHERTYPE_VLAN = 0x8100,
    SD_ETHERTYPE_IPV6 = 0x86dd,
    SD_ETHERTYPE_PPP = 0x880b,
    SD_ETHERTYPE_MPLS = 0x8847,
    SD_ETHERTYPE_MPLS_UPSTREAM = 0x8848,
    SD_ETHERTYPE_PPPOE = 0x8864,
    SD_ETHERTYPE_QINQ = 0x88a8,
    SD_ETHERTYPE_QINQ_OLD = 0x9100
};

/* What was found in a frame, at the innermost level. */
enum sd_fate {
    SD_FATE_NONE, /* a UDP payload that is no tunnel */
    SD_FATE_DATAGRAM,
    SD_FATE_ICMP,
    SD_FATE_FRAGMENT,
    SD_FATE_OTHER,
    SD_FATE_MALFORMED,
    SD_FATES
};

struct sd_decap {
    struct sd_decap_config config;
    uint64_t frames;
    uint64_t fates[SD_FATES];
    struct sd_ipfrag *frag;
    struct sd_carriers *carriers;
    struct sd_streams *streams;
};

/* The way into one frame. */
struct sd_walk {
    struct sd_decap *d;
    const struct sd_frame *frame;
    unsigned depth;
    uint16_t fragments; /* of the outermost fragmented packet so far; 0 = none */
};

/* What of a frame is still unread. */
struct sd_unread {
    struct sd_rd rd;
    size_t missing; /* bytes after it that were sent, but not captured */
};

/* What the innermost IP header says. */
struct sd_ip {
    struct sd_addr src, dst; /* ports 0 */
    size_t length;           /* with the header, as sent */
    uint8_t ttl;
    bool df;
};

static inline uint16_t sd_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline size_t sd_unread_sent(const struct sd_unread *p)
{
    return sd_rd_left(&p->rd) + p->missing;
}

/* Ends the unread part after `sent` bytes, according to a length field: what follows is padding;
 * bytes beyond the captured ones are missing. */
static inline void sd_unread_end(struct sd_unread *p, size_t sent)
{
    size_t left = sd_rd_left(&p->rd);
    p->missing = sent > left ? sent - left : 0;
    if (sent < left)
        p->rd = sd_rd_init(p->rd.p, sent);
}

/* Protocol numbers of IP. */
enum sd_protocol {
    SD_PROTOCOL_HOP_BY_HOP = 0,
    SD_PROTOCOL_ICMP = 1,
    SD_PROTOCOL_IPV4 = 4,
    SD_PROTOCOL_TCP = 6,
    SD_PROTOCOL_UDP = 17,
    SD_PROTOCOL_IPV6 = 41,
    SD_PROTOCOL_ROUTING = 43,
    SD_PROTOCOL_FRAGMENT = 44,
    SD_PROTOCOL_GRE = 47,
    SD_PROTOCOL_AH = 51,
    SD_PROTOCOL_ICMP6 = 58,
    SD_PROTOCOL_OPTIONS = 60,
    SD_PROTOCOL_MOBILITY = 135,
    SD_PROTOCOL_HIP = 139,
    SD_PROTOCOL_SHIM6 = 140
};

/* ipheader.c */
/* Skips one extension header (RFC 8200 section 4; not the fragment header) and sets *protocol to
 * the next one. False when *protocol is no extension header, or the header is cut. */
bool sd_ip_extension(struct sd_rd *r, uint8_t *protocol);
struct sd_addr sd_ip_addr4(const uint8_t *bytes); /* port 0 */
struct sd_addr sd_ip_addr6(const uint8_t *bytes);

/* emit.c */
/* Takes off what carries records, and hands the datagram to the sink. */
void sd_decap_emit(struct sd_decap *d, struct sd_datagram *datagram);

/* link.c */
enum sd_fate sd_decap_link(struct sd_walk *w, uint16_t linktype, struct sd_unread *p);
enum sd_fate sd_decap_ethernet(struct sd_walk *w, struct sd_unread *p);
enum sd_fate sd_decap_ethertype(struct sd_walk *w, uint16_t type, struct sd_unread *p);
/* ip.c */
enum sd_fate sd_decap_ip(struct sd_walk *w,
                         struct sd_unread *p); /* IPv4 or IPv6, by its version field */
/* tunnel.c */
enum sd_fate sd_decap_gre(struct sd_walk *w, struct sd_unread *p);
/* SD_FATE_NONE when the datagram to this port is no tunnel; then *p is unchanged. */
enum sd_fate sd_decap_udp_tunnel(struct sd_walk *w, uint16_t port, struct sd_unread *p);
/* udp.c */
enum sd_fate sd_decap_udp(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p);
/* tcp.c */
enum sd_fate sd_decap_tcp(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p);
struct sd_streams *sd_streams_new(void); /* NULL when there is no memory */
void sd_streams_free(struct sd_streams *s);
/* icmp.c */
enum sd_fate sd_decap_icmp4(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p);
enum sd_fate sd_decap_icmp6(struct sd_walk *w, const struct sd_ip *ip, struct sd_unread *p);

/* --- a file: what the readers of both formats share --- */

struct sd_interface {
    struct sd_reader_interface info;
    /* Time stamp to nanoseconds: (stamp * factor / divisor) >> shift, plus offset. */
    uint64_t factor, divisor;
    unsigned shift;
    int64_t offset;
};

struct sd_reader {
    struct sd_bytes source;
    struct sd_reader_config config;
    enum sd_reader_status (*next)(struct sd_reader *r, struct sd_frame *f);
    enum sd_reader_status status;
    char reason[256];
    uint64_t frames;
    uint64_t damaged; /* blocks that were left out; `reason` is about the first */
    bool big;         /* the file, or the current section, is big-endian */

    struct sd_interface *interfaces; /* of all sections */
    uint32_t interface_count, interface_room;

    /* pcap */
    unsigned header;   /* bytes before a frame */
    uint32_t fraction; /* unit of the second time field, in nanoseconds */
    bool old_lengths;  /* the two lengths may be swapped (before version 2.4) */

    /* pcapng */
    uint32_t section;     /* index of the section's first interface */
    struct sd_rd options; /* of the last frame: what sd_reader_comment() has yet to read */
};

/* Each is r->next of its format: it reads the beginning of the file first, then the frames. */
enum sd_reader_status sd_pcap_begin(struct sd_reader *r, struct sd_frame *f);
enum sd_reader_status sd_pcapng_next(struct sd_reader *r, struct sd_frame *f);
/* The next comment of r->options. */
bool sd_pcapng_comment(struct sd_reader *r, struct sd_span *text);

/* A new interface that counts microseconds since 1970. NULL when there is no memory or there are
 * too many; then the status is set. */
struct sd_interface *sd_reader_add_interface(struct sd_reader *r);
/* Ends the reading with a sentence. */
enum sd_reader_status sd_reader_end(struct sd_reader *r, enum sd_reader_status status,
                                    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The source has fewer bytes than needed: finds out why. `what` was to be read. */
enum sd_reader_status sd_reader_short(struct sd_reader *r, const char *what);
/* Notes that the block at `offset` is left out, because it holds `what`. */
void sd_reader_damaged(struct sd_reader *r, uint64_t offset, const char *what);

#endif
