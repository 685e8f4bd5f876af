/* SPDX-License-Identifier: MIT */
/* What the modules of the tracker share. */
#ifndef SD_FLOW_INTERNAL_H
#define SD_FLOW_INTERNAL_H

#include "base/table.h"
#include "flow/ended.h"
#include "flow/index.h"
#include "flow/look.h"
#include "flow/tracker.h"
#include "wire/handshake.h"
#include "wire/record.h"

enum {
    SD_EVENTS_MAX = 96, /* of one datagram; its further records are counted only */
    SD_LOG_FIRST = 20,  /* the log's first allocation: most handshakes fit */
    SD_ICE_WORDS = 1024 /* 64 bits each */
};

/* A handshake message of which fragments came. */
struct sd_pending {
    struct sd_pending *next;
    enum sd_side side;
    uint8_t type;
    uint8_t pieces; /* fragments that brought something new */
    uint16_t message_seq;
    uint32_t length;
    struct sd_range have[SD_RANGES_MAX];
    size_t have_count;
    uint8_t body[];
};

/* In which point handshakes are alike: same random, server address, client host. */
enum sd_likeness { SD_BY_RANDOM, SD_BY_SERVER, SD_BY_CLIENT, SD_LIKENESSES };

/* Exchanges that are alike in one point. A list of its own, not a chain in a bucket:
 * a hundred thousand clients of one server must leave it in no time. */
struct sd_group {
    struct sd_node node;
    struct sd_link *first;
};

struct sd_link {
    struct sd_group *group; /* NULL = not in one */
    struct sd_link *next, *prev;
};

/* All groups, for questions across flows. */
struct sd_index {
    struct sd_alloc alloc;
    struct sd_hash_key key;
    struct sd_table groups[SD_LIKENESSES];
    const struct sd_index *also; /* exchanges that are not in this one; NULL = none */
};

/* An exchange, and what the tracker keeps with it. */
struct sd_held {
    struct sd_exchange x;
    struct sd_link alike[SD_LIKENESSES];
    struct sd_held *next; /* after its end: the one that ended next */
    int64_t now;          /* ns: the newest packet at its end */
    uint32_t bytes;       /* at its end: all that it owns */
    bool drops;           /* at its end: the capture had lost packets */
};

static inline struct sd_held *sd_held_of(struct sd_exchange *x)
{
    return (struct sd_held *)x;
}

/* What the next exchange on these addresses keeps of the one before. */
struct sd_before {
    uint32_t foreign; /* datagrams that were not DTLS */
    bool known;       /* who was the client, as the hellos showed */
    bool open;        /* its session had not ended */
    bool second;      /* its server was addr[1] of the flow */
};

/* The ICE checks between two addresses. */
struct sd_ice {
    uint64_t session;    /* hash of the user names; 0 = none seen */
    int64_t first, last; /* ns: checks that succeeded */
    uint32_t first_number, last_number, answers;
    bool media; /* something else than STUN or DTLS was sent */
};

/* All datagrams between two addresses, and the newest handshake of them. */
struct sd_flow {
    struct sd_node by_addr;
    struct sd_flow *newer, *older; /* by last packet */
    struct sd_flow *next, *prev;   /* by first packet of the exchange */
    struct sd_addr addr[2];
    uint64_t lane;
    struct sd_exchange *x; /* NULL: nothing worth following yet */
    struct sd_pending *pending;
    void *keys; /* of config.unprotect */
    int64_t last;
    int64_t ask_again;        /* ns: whether it is stuck is not asked before */
    uint64_t previous;        /* id of the exchange before this one */
    uint64_t previous_random; /* its hash */
    int64_t over;             /* ns: that one was judged and freed, and both sides had closed it */
    struct sd_before before;  /* what was then noted of it */
    struct sd_ice *ice;       /* NULL: no STUN here */
    union {
        /* Without an exchange: records of a session whose handshake was not captured, until there
         * are enough. */
        uint64_t candidate_seq[2];
        /* With one: by the time when both sides had closed it. */
        struct {
            struct sd_flow *closed_next, *closed_prev;
        };
    };
    uint16_t candidate_epoch;
    uint8_t candidates;
    bool validated : 1; /* a STUN check succeeded here */
    bool tried_keys : 1;
    bool previous_established : 1;
    bool saw_dtls : 1; /* or what may be a record of it */
    bool closed : 1;   /* in the list of those that both sides have closed */
};

struct sd_tracker {
    struct sd_tracker_config config;
    struct sd_table flows;
    struct sd_index index;
    struct sd_flow *newest, *oldest; /* by last packet */
    struct sd_flow *first, *last;    /* by exchange */
    struct sd_flow *closed_first, *closed_last;
    struct sd_tracker_counts counts;
    size_t pending, kept, logs; /* bytes */
    size_t open;                /* exchanges */
    uint64_t next_id;
    int64_t now, began; /* ns; began: the first packet, 0 = none yet */
    bool drops;
    uint64_t ice_dtls[SD_ICE_WORDS]; /* ICE sessions with DTLS, see ice.c */
    struct sd_event events[SD_EVENTS_MAX];
    size_t event_count;
    uint8_t plain[SD_RECORD_BODY_MAX];
    struct sd_view view; /* 10 kB: not on the stack */
};

/* flows.c: the table */
struct sd_flow *sd_flow_find(struct sd_tracker *t, const struct sd_addr *a, const struct sd_addr *b,
                             uint64_t lane);
/* A new one; the longest silent makes room. NULL when there is no memory. */
struct sd_flow *sd_flow_add(struct sd_tracker *t, const struct sd_addr *a, const struct sd_addr *b,
                            uint64_t lane);
void sd_flow_touch(struct sd_tracker *t, struct sd_flow *f);
void sd_flow_remove(struct sd_tracker *t, struct sd_flow *f);
/* The longest silent one makes room: its exchange is judged as it is. */
void sd_flow_evict(struct sd_tracker *t);
/* The list of those that both sides have closed. */
void sd_flow_note_closed(struct sd_tracker *t, struct sd_flow *f);
void sd_flow_forget_closed(struct sd_tracker *t, struct sd_flow *f);
struct sd_exchange *sd_exchange_begin(struct sd_tracker *t, struct sd_flow *f);
/* Frees the exchange of a flow with all it owns. */
void sd_exchange_drop(struct sd_tracker *t, struct sd_flow *f);
/* The end of an exchange before that of its flow: judges and frees it, or hands it over to who
 * does. */
void sd_exchange_end(struct sd_tracker *t, struct sd_flow *f);
/* Takes the exchange of a flow out of the tracker, for who judges and frees it. */
struct sd_held *sd_exchange_take_out(struct sd_tracker *t, struct sd_flow *f);
void sd_held_free(const struct sd_alloc *a, struct sd_held *h);

/* ended.c: judges all that wait; `open` has what goes on, and from now on knows those as well. */
void sd_ended_rest(struct sd_ended *e, struct sd_index *open);

/* relief.c: what is judged and freed before the capture ends */
/* The newest datagram of this flow is in the log. */
void sd_relief_note(struct sd_tracker *t, struct sd_flow *f);
/* Both sides closed it, and what was on its way has arrived: a new hello is an orderly start. */
bool sd_relief_is_over(const struct sd_exchange *x, int64_t now);
/* What the next exchange will be told of this one. */
struct sd_before sd_relief_before(const struct sd_flow *f, int64_t now);

static inline uint64_t sd_random_hash(const struct sd_tracker *t, const uint8_t random[static 32])
{
    return sd_hash(t->config.key, random, 32);
}

/* index.c */
bool sd_index_init(struct sd_index *index, const struct sd_tracker_config *config);
void sd_index_fini(struct sd_index *index);
/* Puts an exchange into groups by what is known of its exchange by now. False: no memory, for now
 * it is not found by others. */
bool sd_index_enter(struct sd_index *index, struct sd_exchange *x);
void sd_index_leave(struct sd_index *index, struct sd_exchange *x);
/* The newest exchange of a group, NULL = none: with this address as its server
 * (SD_BY_SERVER), or with this host as its client (SD_BY_CLIENT). A group may hold a few others:
 * compare. */
struct sd_exchange *sd_index_first(const struct sd_index *index, enum sd_likeness by,
                                   const struct sd_addr *addr);
struct sd_exchange *sd_index_next(struct sd_exchange *x, enum sd_likeness by);

/* detect.c: is it DTLS? */
enum sd_begins {
    SD_BEGINS_NOTHING,
    SD_BEGINS_HELLO,  /* plaintext handshake, alert or CCS of epoch 0 */
    SD_BEGINS_SEALED, /* protected records that look well-formed */
};
enum sd_begins sd_detect(const struct sd_look *l);

/* records.c: one datagram of an exchange becomes events */
void sd_events_read(struct sd_tracker *t, struct sd_flow *f, const struct sd_look *l,
                    enum sd_side side);
/* A datagram that begins inside a record, where the one before it ended: a sender that lets the
 * network layer cut its bytes makes such. True when it is one; receivers drop it. */
bool sd_events_continue(struct sd_tracker *t, struct sd_exchange *x, const struct sd_datagram *d,
                        enum sd_side side);
/* Appends to the scratch; NULL when it is full. */
struct sd_event *sd_event_add(struct sd_tracker *t, enum sd_event_kind kind, uint64_t number,
                              int64_t time, enum sd_side side);
void sd_event_sizes(struct sd_event *e, const struct sd_datagram *d);
/* Moves the scratch to the log, as far as it belongs there. */
void sd_log_append(struct sd_tracker *t, struct sd_exchange *x);

/* established.c: after each datagram of it, whether both sides have shown that they accept it */
void sd_note_established(struct sd_exchange *x, int64_t time);

/* numbers.c: record numbers of one direction and epoch */
/* Notes one; *gap = numbers skipped before it. True when it was seen before. */
bool sd_numbers_note(struct sd_numbers *n, uint64_t seq, uint16_t *gap, bool *reordered);

/* flights.c: where in the handshake an event belongs */
void sd_flight_assign(struct sd_exchange *x, struct sd_event *e);
/* Whether its bytes came before, as the log and the scratch before it tell. */
void sd_flight_copies(const struct sd_tracker *t, const struct sd_exchange *x, struct sd_event *e);

/* The same piece of the handshake by the same side, or an overlapping one. */
bool sd_flight_repeats(const struct sd_event *old, const struct sd_event *e);

/* messages.c: reassembly, and what whole messages tell */
/* Returns the message that this fragment completed, for sd_message_free(); NULL when it is whole by
 * itself, or still incomplete. */
struct sd_pending *sd_message_fragment(struct sd_tracker *t, struct sd_flow *f,
                                       const struct sd_handshake *h, const struct sd_event *e);
void sd_message_free(struct sd_tracker *t, struct sd_pending *p);
/* A whole message, for who wants to see each once; `e` brought its last piece. */
void sd_message_show(struct sd_tracker *t, const struct sd_exchange *x, const struct sd_event *e,
                     struct sd_span body);
/* The server of this exchange gave this cookie. */
bool sd_cookie_known(const struct sd_tracker *t, const struct sd_exchange *x,
                     struct sd_span cookie);
/* Each piece of a ClientHello without a cookie has been answered by a HelloVerifyRequest: one more
 * answers something else. */
bool sd_hello_pieces_answered(const struct sd_exchange *x);
void sd_pending_free(struct sd_tracker *t, struct sd_flow *f);
/* Ranges, sorted and apart. False when there is no room for one more. */
bool sd_ranges_add(struct sd_range *r, size_t *count, size_t room, uint32_t from, uint32_t to);

/* report.c */
void sd_packet_report(struct sd_tracker *t, const struct sd_exchange *x,
                      const struct sd_datagram *d);

/* elsewhere.c */
/* Records on addresses without a handshake: true when they continue the session of another client
 * address, or answer one that did. */
bool sd_elsewhere_continued(struct sd_tracker *t, const struct sd_look *l);
/* What a server says from an address that nobody asked: notes it where a client waits. */
void sd_elsewhere_answered(struct sd_tracker *t, const struct sd_datagram *d);

/* rare.c */
/* Where to note what few need; NULL when there is no memory. */
struct sd_rare *sd_rare_new(struct sd_tracker *t, struct sd_exchange *x);
void sd_rare_free(const struct sd_alloc *a, struct sd_exchange *x);

/* keys.c: secrets of a log, pre-shared keys */
/* Opens a record into t->plain; false when nobody can. */
bool sd_keys_open(struct sd_tracker *t, struct sd_flow *f, enum sd_side side,
                  const struct sd_record *rec, struct sd_record *plain);
/* A whole message that was opened: further keys may follow from it. */
void sd_keys_message(const struct sd_tracker *t, const struct sd_flow *f, enum sd_side side,
                     uint8_t type, struct sd_span body);

/* ice.c: STUN checks, and what must follow them */
void sd_ice_note(struct sd_tracker *t, struct sd_flow *f, const struct sd_datagram *d);
/* Something that may be DTLS is on these addresses. */
void sd_ice_saw_dtls(struct sd_tracker *t, struct sd_flow *f);
/* The flow ends: reports that no hello came. */
void sd_ice_judge(struct sd_tracker *t, struct sd_flow *f);

/* judge.c: the end of an exchange */
/* Reports what it was, as others in `index` tell. */
void sd_judge_report(const struct sd_tracker_config *config, struct sd_view *view,
                     const struct sd_index *index, struct sd_held *h, bool only_if_clear);
void sd_exchange_judge(struct sd_tracker *t, struct sd_flow *f);
/* The same, in the thread that calls: the one where conversations are judged. */
void sd_exchange_judge_here(struct sd_tracker *t, struct sd_flow *f);
/* Runs fn(of) where conversations are judged. */
void sd_judge_call(const struct sd_tracker *t, void (*fn)(void *of), void *of);
/* Reports it already, when its outcome is clear. */
void sd_exchange_judge_early(struct sd_tracker *t, struct sd_flow *f);

#endif
