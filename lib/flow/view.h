/* SPDX-License-Identifier: MIT */
/* A log read as a handshake: who sent which flight when, what of each message arrived,
 * what was lost. Computed once before the rules speak; it points into the exchange. */
#ifndef SD_FLOW_VIEW_H
#define SD_FLOW_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow/exchange.h"

enum { SD_BURSTS_MAX = 64, SD_PARTS_MAX = 24, SD_RANGES_MAX = 8, SD_GAPS_MAX = 16 };
enum { SD_STACK_TEXT = 128 };

/* Why a burst was sent. */
enum sd_cause {
    SD_CAUSE_FIRST,    /* new bytes */
    SD_CAUSE_TIMER,    /* again, and nothing from the peer just before */
    SD_CAUSE_RESPONSE, /* again, right after the peer repeated its flight */
    SD_CAUSE_CROSSED,  /* again, while the answer was already on its way */
    SD_CAUSE_DUPLICATE /* the network's copy */
};

/* Datagrams that one side sent in one go. */
struct sd_burst {
    enum sd_side side;
    uint8_t flight; /* of its first event */
    enum sd_cause cause;
    size_t first, end; /* events [first, end) of the log, some may be of the other side */
    int64_t start, stop;
    uint32_t number;  /* of its first frame */
    uint32_t largest; /* IP packet, or datagram when that is not known */
    unsigned gap;     /* epoch-0 record numbers missing before and in it */
};

struct sd_range {
    uint32_t from, to; /* bytes [from, to) */
};

/* A handshake message as far as it was seen. */
struct sd_part {
    enum sd_side side;
    uint8_t type;
    uint8_t flight;
    uint16_t message_seq;
    uint32_t length;
    struct sd_range have[SD_RANGES_MAX]; /* sorted, apart */
    size_t have_count;
    bool whole;
    bool crowded;    /* more ranges than fit: `have` is not exact */
    unsigned sent;   /* most often that a byte of it was seen */
    uint32_t number; /* of the first frame with a piece of it */
    int64_t first, last;
};

struct sd_gap {
    enum sd_side side;
    uint64_t from, to; /* record numbers [from, to) of epoch 0 that never came */
    uint32_t before;   /* frame in which the next one came */
    bool leading;      /* no smaller number came */
};

enum sd_vantage { SD_VANTAGE_UNKNOWN, SD_NEAR_CLIENT, SD_NEAR_SERVER, SD_MIDDLE };

struct sd_view {
    const struct sd_exchange *x;
    int64_t now;             /* the last packet of the capture, ns */
    unsigned lost[SD_SIDES]; /* epoch-0 record numbers that never came, by sender */
    int64_t silence;         /* from the last packet of the exchange to the end of the capture */
    int64_t backoff;         /* the longest time between two retransmissions of a flight */
    bool alerts;             /* there is one that could be read */
    bool gaps_seen;          /* some event has a gap */
    uint16_t flags;          /* enum sd_event_flag: those of all events together */
    uint16_t kinds;          /* bit: enum sd_event_kind */
    bool concluded;          /* long enough silent, or ended otherwise: "failed" may be said */
    bool one_way;            /* what one side answered was not captured */
    bool doubtful;           /* the capture itself lost packets: loss proves nothing */
    enum sd_vantage vantage;
    int64_t rtt_client, rtt_server; /* ns to that side and back, 0 = not measured */
    char stacks[SD_STACK_TEXT];     /* the DTLS libraries that the client resembles; "" = none */
    size_t burst_count, part_count, gap_count;
    /* Only the first burst_count, part_count and gap_count are set. */
    struct sd_burst bursts[SD_BURSTS_MAX];
    struct sd_part parts[SD_PARTS_MAX];
    struct sd_gap gaps[SD_GAPS_MAX];
};

/* Never fails; what does not fit its arrays is left out. */
void sd_view_build(struct sd_view *v, const struct sd_exchange *x, int64_t now, bool drops);

/* What it alone says of the handshake, before any diagnosis. */
enum sd_outcome sd_outcome_of(const struct sd_view *v);

/* Bursts of a side that carry a flight, and of those, the retransmissions by `cause`. */
unsigned sd_view_bursts(const struct sd_view *v, enum sd_side side, uint8_t flight);
unsigned sd_view_caused(const struct sd_view *v, enum sd_side side, uint8_t flight,
                        enum sd_cause cause);
/* The first burst of that flight, or NULL. */
const struct sd_burst *sd_view_burst(const struct sd_view *v, enum sd_side side, uint8_t flight);
const struct sd_part *sd_view_part(const struct sd_view *v, enum sd_side side, uint8_t type);
/* No message of this side lacks a piece; true of a side that sent none. */
bool sd_view_whole(const struct sd_view *v, enum sd_side side);
/* Of this side's flight 4 or 5 a message is missing altogether: their message_seq tell. */
bool sd_view_absent(const struct sd_view *v, enum sd_side side);
/* The first alert of a side with this description, or NULL; -1 = any that is fatal. */
const struct sd_event *sd_view_alert(const struct sd_view *v, enum sd_side side, int description);
/* The alert that ended the handshake: a fatal one, or a close_notify or user_canceled after which
 * its side sent nothing more of it; NULL = none. */
const struct sd_event *sd_view_ending_alert(const struct sd_view *v);

#endif
