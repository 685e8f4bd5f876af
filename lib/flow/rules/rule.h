/* A rule: one question to one handshake. Rules are pure; a table in diagnose.c lists them. */
#ifndef SD_FLOW_RULES_RULE_H
#define SD_FLOW_RULES_RULE_H

#include <stdbool.h>

#include "flow/finding.h"
#include "flow/index.h"
#include "flow/view.h"
#include "wire/certificate.h"

/* What a rule may look at besides its handshake. */
struct sd_case {
    const struct sd_view *view;
    const struct sd_exchange *x;        /* = view->x */
    const struct sd_cert_reader *certs; /* NULL = none */
    const struct sd_index *index;       /* what other handshakes of the capture tell, see index.h */
    /* Others to the same server, of which several rules ask. */
    const struct sd_exchange *others[SD_INDEX_MAX];
    size_t other_count;
    enum sd_outcome outcome;
    unsigned fatal; /* findings of that severity, by the rules before this one */
};

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

/* One rule for each entry: rules_answer.c (section A of the catalogue), rules_cookie.c (B),
 * rules_offer.c (C), rules_cert.c (D), rules_size.c (E), rules_keys.c (F), rules_many.c (G),
 * rules_time.c (H), rules_hygiene.c (I). */
#define SD_ENTRY(name, id, severity, title, cause, advice, reference) sd_rule sd_rule_##name;
#include "flow/rules/catalogue.def"
#undef SD_ENTRY

#endif
