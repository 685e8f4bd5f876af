/* SPDX-License-Identifier: MIT */
/* A rule: one question to one handshake. Rules are pure; sd_rows lists them. */
#ifndef SD_FLOW_RULES_RULE_H
#define SD_FLOW_RULES_RULE_H

#include <stdbool.h>

#include "flow/diagnosis.h"
#include "flow/rules/catalogue.h"

/* True when it applies: then `f`, zeroed before but for entry, severity and exchange, has
 * detail, packets and confidence. It may change the severity. */
typedef bool sd_rule(const struct sd_case *c, struct sd_finding *f);

/* For sentences. */
static inline double sd_seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static inline double sd_millis(int64_t ns)
{
    return (double)ns / 1e6;
}

/* "1 record", "2 records". */
static inline const char *sd_plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* Writes the sentence. */
void sd_say(struct sd_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What else it may be: the id of another entry. */
void sd_confuse(struct sd_finding *f, const char *id);
/* Adds the frame of an event to the evidence, and its time. */
void sd_prove(struct sd_finding *f, const struct sd_event *e);
void sd_prove_frame(struct sd_finding *f, uint32_t number, int64_t time);
/* The first frames of up to `most` bursts of this flight. */
void sd_prove_bursts(struct sd_finding *f, const struct sd_view *v, enum sd_side side,
                     uint8_t flight, unsigned most);
/* Those of them that have this cause. */
void sd_prove_caused(struct sd_finding *f, const struct sd_view *v, enum sd_side side,
                     uint8_t flight, enum sd_cause cause, unsigned most);

/* The handshake on another port of this client that got the answers to this one; NULL = none.
 * Silence on its own port is then no evidence of anything. */
const struct sd_exchange *sd_answered_elsewhere(const struct sd_case *c);

/* The same handshake on the other side of a NAT or relay: the same records on other addresses, at
 * the same time; NULL = this capture has one side only. */
const struct sd_exchange *sd_other_leg(const struct sd_case *c);
bool sd_is_other_leg(const struct sd_exchange *x, const struct sd_exchange *o);
/* From the server's flight on nothing came out of the device between the legs. */
bool sd_reply_path_died(const struct sd_case *c, struct sd_finding *f);

/* The client's host only asks the server what it does, as dtls_scan: it cancels other handshakes as
 * soon as it knows. What it leaves open, tries again or asks from other ports shows no fault. */
bool sd_client_only_asks(const struct sd_case *c);

/* STUN or RTP came from the server on the same addresses: "nothing came back" is false. */
bool sd_passes_beside(const struct sd_exchange *x);

/* A side repeated itself although nothing was lost: its timer is shorter than the way. */
bool sd_timer_below_round_trip(const struct sd_view *v);

/* Some record is longer than the two sides agreed, for which the receiver may drop it. */
bool sd_record_above_limit(const struct sd_exchange *x);

/* The server sent its flight more than once, and the client said nothing to it, not even an
 * alert. */
bool sd_server_flight_unanswered(const struct sd_view *v);
/* Something in the server's flight is against what was offered, or against the order of messages:
 * a client may drop it without a word. */
bool sd_server_flight_faulty(const struct sd_case *c);

/* Zero bytes follow the records of this side, for which the other may drop its datagrams. */
bool sd_padded(const struct sd_exchange *x, enum sd_side side);

/* One rule for each entry: answer.c (section A of the catalogue), cookie.c (B), offer.c and
 * agreed.c, flight.c and malformed.c (C), cert.c and unfit.c (D), size.c (E), keys.c (F), many.c
 * (G), time.c (H), hygiene.c (I), silence.c and padding.c (J); lone.c for addresses without a
 * handshake. */
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) sd_rule sd_rule_##name;
#include "flow/rules/catalogue.def"
#undef SD_ENTRY

/* A rule has evidence of its own, or is a last resort, which is asked when the handshake failed
 * and no other rule found a reason. No rule knows what another one said. */
struct sd_row {
    const struct sd_entry *entry;
    sd_rule *rule;
    bool last_resort;
};

/* sd_catalogue_count of them. */
extern const struct sd_row sd_rows[];

#endif
