/* SPDX-License-Identifier: MIT */
/* --app: what is the server for? */
#include <string.h>

#include "base/random.h"
#include "dtls_scan/checks/association.h"
#include "dtls_scan/checks/check.h"
#include "dtls_scan/checks/service.h"

struct answering {
    bool known, talks; /* talks: it sent data, whatever it was */
    enum scan_service kind;
    char detail[SCAN_SERVICE_DETAIL];
};

/* The server may speak first, so an answer is held against every service. */
static void recognise(struct answering *r, struct sd_span said, const uint8_t *nonce)
{
    r->talks = true;
    for (unsigned k = 0; k < SCAN_SERVICE_COUNT && !r->known; k++) {
        r->known = scan_service_is((enum scan_service)k, said, nonce, r->detail);
        r->kind = (enum scan_service)k;
    }
}

/* Sends one request until something is recognised, or often enough. */
static void ask_service(struct answering *r, struct scan_association *a, enum scan_service kind,
                        const uint8_t *nonce)
{
    uint8_t request[SCAN_SERVICE_REQUEST];
    struct sd_wr w = sd_wr_init(request, sizeof request);
    unsigned tries = scan_line_tries(&a->scan->line);
    scan_service_ask(&w, kind, nonce);
    for (unsigned i = 0; i < tries && !r->known && scan_associated(a); i++) {
        sd_time until = sd_clock_now() + scan_answer_time(a->scan);
        unsigned before = a->data;
        puppet_say(&a->puppet, request, sd_wr_len(&w));
        do {
            before = a->data;
            scan_associate_hear(a, until, &a->data, before);
            if (a->data > before)
                recognise(r, (struct sd_span){a->said, a->said_len}, nonce);
        } while (!r->known && a->data > before);
    }
}

/* An association for each request: one that is not understood may end it. */
static bool ask_alone(struct answering *r, struct scan *s, enum scan_service kind)
{
    const struct scan_wish wish = {0};
    uint8_t nonce[SCAN_SERVICE_NONCE];
    struct scan_association *a = sd_random(nonce, sizeof nonce) ? scan_associate(s, &wish) : NULL;
    bool tried = scan_associated(a);
    if (tried)
        ask_service(r, a, kind, nonce);
    scan_dissociate(a);
    return tried;
}

static void check_service(struct scan *s, struct scan_outcome *o)
{
    struct answering r = {0}, turn = {0};
    unsigned tried = 0;
    if (!scan_life(s)->connected) {
        scan_not_known(o, "no association to ask over: %s", scan_life_why(s));
        return;
    }
    for (unsigned k = 0; k < SCAN_SERVICE_COUNT && !r.known && !s->line.stop; k++)
        tried += k != SCAN_SERVICE_TURN && ask_alone(&r, s, (enum scan_service)k);
    if (r.known && r.kind == SCAN_SERVICE_STUN && ask_alone(&turn, s, SCAN_SERVICE_TURN) &&
        turn.known && turn.kind == SCAN_SERVICE_TURN)
        r = turn;
    const char *name = scan_service_name(r.kind);
    if (r.known)
        scan_found(o, SCAN_INFO, json_string(name), "%s: answers %s%s%s%s", name,
                   scan_service_request(r.kind), *r.detail ? " (" : "", r.detail,
                   *r.detail ? ")" : "");
    else if (tried < SCAN_SERVICE_COUNT - 1)
        scan_not_known(o, "not all associations came about to ask over");
    else
        scan_found(o, SCAN_INFO, s->facts.life.echoes ? json_string("echo") : json_null(),
                   "%s; no STUN, TURN, CoAP, SCTP, RADIUS, OpenConnect, Fortinet",
                   s->facts.life.echoes ? "sends back what it gets"
                   : r.talks            ? "sends data that is of no known service"
                                        : "answers no request of a known service");
}

const struct scan_check scan_service_checks[] = {
    {"service", "Service", SCAN_GROUP_PROTOCOL, SCAN_APP, check_service},
};
const size_t scan_service_count = sizeof scan_service_checks / sizeof *scan_service_checks;
