/* SPDX-License-Identifier: MIT */
/* The cipher suites that a server accepts. It is offered many; what it chooses is struck out, until
 * it chooses no more. */
#include <string.h>

#include "dtls_scan/checks/facts.h"
#include "dtls_scan/scan.h"
#include "wire/record.h"

/* wolfSSL refuses a hello with more than 150 suites (WOLFSSL_MAX_SUITE_SZ). */
enum { OFFER = 120, OFFERS = 4 };

static const uint16_t all_suites[] = {
#define X(value, name) value,
#include "wire/suites.def"
#undef X
};

/* 1.3 has its own; and signals are no suites. */
static bool is_legacy_suite(uint16_t suite)
{
    return suite && suite >> 8 != 0x13 && !scan_suite_is(suite, "SCSV");
}

/* What servers of today have comes first, so that most are found with the first offer. */
static bool is_common_suite(uint16_t suite)
{
    static const char *const rare[] = {"CAMELLIA", "ARIA", "SEED",  "IDEA", "KRB5",       "DSS",
                                       "SRP",      "DES",  "DES40", "NULL", "anon",       "EXPORT",
                                       "DH",       "ECDH", "RC2",   "RC4",  "KUZNYECHIK", "MAGMA"};
    for (size_t i = 0; i < sizeof rare / sizeof *rare; i++)
        if (scan_suite_is(suite, rare[i]))
            return false;
    return true;
}

static unsigned list_suites(const struct scan *s, uint16_t *out, bool common)
{
    unsigned n = 0;
    for (size_t i = 0; i < sizeof all_suites / sizeof *all_suites; i++)
        if (is_legacy_suite(all_suites[i]) && is_common_suite(all_suites[i]) == common &&
            (!s->facts.psk_only || scan_suite_exchange(all_suites[i], "PSK")))
            out[n++] = all_suites[i];
    return n;
}

static bool suite_known(const struct scan_suite_fact *f, uint16_t suite)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->suite[i] == suite)
            return true;
    return false;
}

/* The suite that is chosen; 0 = none of these, or *reply says why it is not known. */
static uint16_t choose(struct scan *s, const struct scan_hello *h, enum scan_reply *reply)
{
    struct sd_server_hello sh;
    *reply = scan_ask(&s->asker, h, SCAN_UNTIL_HELLO);
    if (!scan_answer_hello(&s->asker.answer, *reply == SCAN_REPLY_RETRY, &sh))
        return 0;
    bool offered = false;
    for (unsigned i = 0; i < h->suite_count; i++)
        offered |= h->suites[i] == sh.suite;
    return offered ? sh.suite : 0;
}

/* The first two are known: whose order counts? */
static void find_order(struct scan *s, const struct scan_hello *like, struct scan_suite_fact *f)
{
    struct scan_hello h = *like;
    const uint16_t swapped[] = {f->suite[1], f->suite[0]};
    enum scan_reply reply;
    scan_hello_renew(&h);
    scan_hello_suites(&h, swapped, 2);
    uint16_t chosen = choose(s, &h, &reply);
    f->server_order = !chosen ? SCAN_UNKNOWN : chosen == swapped[1] ? SCAN_YES : SCAN_NO;
}

/* A server that follows our order is offered one that it accepts, last: then no hello has to fail.
 * GnuTLS answers a hello that fails with silence, which costs time. */
static void add_anchor(struct scan_hello *h, const struct scan_suite_fact *f)
{
    if (f->server_order == SCAN_NO && h->suite_count < SCAN_SUITES)
        h->suites[h->suite_count++] = f->suite[0];
}

/* False when the scan cannot go on. */
static bool strike_out(struct scan *s, struct scan_hello *offer, struct scan_suite_fact *f)
{
    enum scan_reply reply;
    while (offer->suite_count && f->count < SCAN_SUITES_KEPT) {
        struct scan_hello h = *offer;
        scan_hello_renew(&h);
        add_anchor(&h, f);
        uint16_t chosen = choose(s, &h, &reply);
        if (reply == SCAN_REPLY_UNKNOWN)
            return false;
        if (!chosen || suite_known(f, chosen))
            return true;
        f->suite[f->count++] = chosen;
        scan_hello_drop_suite(offer, chosen);
        if (f->count == 2)
            find_order(s, offer, f);
    }
    return f->count < SCAN_SUITES_KEPT;
}

static bool ask_legacy_suites(struct scan *s, const struct scan_hello *like,
                              struct scan_suite_fact *f)
{
    uint16_t list[SCAN_SUITES];
    struct scan_hello h = *like;
    for (int common = 1; common >= 0; common--) {
        unsigned n = list_suites(s, list, common);
        for (unsigned from = 0; from < n; from += OFFER) {
            scan_hello_suites(&h, list + from, n - from < OFFER ? n - from : OFFER);
            if (!strike_out(s, &h, f))
                return false;
        }
    }
    return true;
}

static bool ask_suites13(struct scan *s, struct scan_suite_fact *f)
{
    struct scan_hello h;
    scan_hello_init(&h, SD_DTLS_1_3);
    return strike_out(s, &h, f);
}

const struct scan_suite_fact *scan_suites(struct scan *s, enum scan_version v)
{
    struct scan_suite_fact *f = &s->facts.suites[v];
    if (f->asked || scan_version(s, v)->accepted != SCAN_YES || s->line.stop)
        return f;
    struct scan_hello h;
    f->asked = true;
    scan_start_hello(s, &h, v);
    f->complete = v == SCAN_V13 ? ask_suites13(s, f) : ask_legacy_suites(s, &h, f);
    return f;
}

const struct scan_suite_fact *scan_legacy_suites(struct scan *s)
{
    return scan_suites(s, scan_version(s, SCAN_V12)->accepted == SCAN_YES ? SCAN_V12 : SCAN_V10);
}
