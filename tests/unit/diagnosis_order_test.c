/* SPDX-License-Identifier: MIT */
/* The order of the rules says nothing: each handshake of each capture is diagnosed with the rows
 * of the catalogue in many orders; and no rule that is left out for want of a sign would say yes.
 * Other captures than ours, when they are there, as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decap.h"
#include "capture/reader.h"
#include "flow/rules/diagnose.h"
#include "flow/rules/signs.h"
#include "flow/tracker.h"
#include "unseal/x509read.h"

enum { ORDERS = 60, ROWS_MAX = 256 };

struct diagnosis {
    struct sd_finding findings[SD_FINDINGS_MAX];
    size_t count;
    enum sd_outcome outcome;
};

static const char *capture; /* the one that is read */
static size_t judged, with_several, not_asked, captures;

/* --- orders --- */

static uint32_t random_below(uint32_t n)
{
    static uint32_t seed = 1;
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

/* The first is the reverse, the others are drawn. */
static void put_in_order(struct sd_row *rows, unsigned which)
{
    for (size_t i = 0; i < sd_catalogue_count; i++)
        rows[i] = sd_rows[sd_catalogue_count - 1 - i];
    for (size_t i = sd_catalogue_count - 1; which && i; i--) {
        size_t j = random_below((uint32_t)i + 1);
        struct sd_row row = rows[i];
        rows[i] = rows[j];
        rows[j] = row;
    }
}

/* --- what they say --- */

static struct diagnosis ask(const struct sd_row *rows, const struct sd_case *c)
{
    struct diagnosis d;
    struct sd_case own = *c;
    d.count = sd_diagnose_by(rows, &own, d.findings);
    d.outcome = own.outcome;
    return d;
}

static void check_same_finding(const struct sd_finding *a, const struct sd_finding *b)
{
    assert_string_equal(a->entry->id, b->entry->id);
    assert_ptr_equal(a->runner_up, b->runner_up);
    assert_int_equal(a->severity, b->severity);
    assert_int_equal(a->confidence, b->confidence);
    assert_int_equal(a->exchange, b->exchange);
    assert_int_equal(a->packet_count, b->packet_count);
    assert_memory_equal(a->packets, b->packets, a->packet_count * sizeof *a->packets);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->to, b->to);
    assert_int_equal(a->mtu_above, b->mtu_above);
    assert_int_equal(a->mtu_below, b->mtu_below);
    assert_string_equal(a->detail, b->detail);
}

static bool same_ids(const struct diagnosis *a, const struct diagnosis *b)
{
    bool same = a->count == b->count && a->outcome == b->outcome;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->findings[i].entry == b->findings[i].entry;
    return same;
}

static void check_same(const struct diagnosis *usual, const struct diagnosis *d, uint64_t handshake)
{
    if (!same_ids(usual, d))
        fail_msg("%s, handshake %llu: %s first of %zu findings, usually %s of %zu", capture,
                 (unsigned long long)handshake, d->count ? d->findings[0].entry->id : "nothing",
                 d->count, usual->count ? usual->findings[0].entry->id : "nothing", usual->count);
    for (size_t i = 0; i < d->count; i++)
        check_same_finding(&usual->findings[i], &d->findings[i]);
}

static void check_signs(const struct sd_case *c)
{
    unsigned signs = sd_signs_of(c);
    for (const struct sd_row *row = sd_rows; row < sd_rows + sd_catalogue_count; row++) {
        struct sd_finding f = {.entry = row->entry, .severity = row->entry->severity};
        bool left_out = !row->last_resort && !sd_signs_allow(row->entry, signs);
        not_asked += left_out;
        if (left_out && row->rule(c, &f))
            fail_msg("%s, handshake %llu: %s applies, but there is no sign of it", capture,
                     (unsigned long long)c->x->id, row->entry->id);
    }
}

/* The diagnosis of the tracker: the usual one, and it is the same in every order. */
static size_t in_every_order(struct sd_case *c, struct sd_finding findings[static SD_FINDINGS_MAX])
{
    struct sd_row rows[ROWS_MAX];
    struct diagnosis usual = ask(sd_rows, c);
    check_signs(c);
    for (unsigned i = 0; i < ORDERS; i++) {
        put_in_order(rows, i);
        struct diagnosis d = ask(rows, c);
        check_same(&usual, &d, c->x->id);
    }
    judged++;
    with_several += usual.count > 1;
    return sd_diagnose(c, findings);
}

/* --- captures --- */

static void on_datagram(void *arg, const struct sd_datagram *d)
{
    sd_tracker_datagram(arg, d);
}

static void on_icmp(void *arg, const struct sd_icmp *e)
{
    sd_tracker_icmp(arg, e);
}

static void on_incomplete(void *arg, const struct sd_ip_incomplete *e)
{
    sd_tracker_ip_incomplete(arg, e);
}

static void on_done(void *arg, const struct sd_result *r)
{
    (void)arg, (void)r;
}

static void read_frames(struct sd_reader *from, struct sd_tracker *t)
{
    struct sd_frame f;
    struct sd_decap_config config = {.sink = {t, on_datagram, on_icmp, on_incomplete}};
    struct sd_decap *d = sd_decap_new(&config);
    assert_non_null(d);
    while (sd_reader_next(from, &f) == SD_READER_FRAME)
        sd_decap_frame(d, &f);
    sd_decap_flush(d);
    sd_decap_free(d);
}

static void diagnose_capture(const char *path)
{
    struct sd_reader *from;
    struct sd_err e;
    struct sd_x509read *x509 = sd_x509read_new();
    assert_non_null(x509);
    struct sd_cert_reader certs = sd_x509read_hooks(x509);
    struct sd_tracker_config config = {
        .alloc = sd_alloc_libc(), .certs = &certs, .diagnose = in_every_order, .done = on_done};
    struct sd_tracker *t = sd_tracker_new(&config);
    assert_non_null(t);
    assert_int_equal(sd_reader_open(&from, path, NULL, &e), 0);
    capture = path;
    read_frames(from, t);
    sd_tracker_finish(t);
    sd_tracker_free(t);
    sd_reader_close(from);
    sd_x509read_free(x509);
    captures++;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)at;
    if (type == FTW_F && strstr(path, ".pcap"))
        diagnose_capture(path);
    return 0;
}

/* Returns how many captures are in it, and below it. */
static size_t diagnose_folder(const char *folder)
{
    captures = 0;
    nftw(folder, visit, 16, FTW_PHYS);
    return captures;
}

/* --- the tests --- */

static void our_captures_are_the_same_in_every_order(void **state)
{
    (void)state;
    judged = with_several = not_asked = 0;
    assert_true(sd_catalogue_count <= ROWS_MAX);
    if (!diagnose_folder(SDTLS_SOURCE_DIR "/pcap-tests/captures"))
        skip();
    assert_in_range(with_several, 20, judged);
    assert_true(not_asked > judged);
}

static void other_captures_are_the_same_in_every_order(void **state)
{
    (void)state;
    const char *given = getenv("SDTLS_CAPTURES");
    if (!diagnose_folder(given ? given : SDTLS_SOURCE_DIR "/../shared"))
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_captures_are_the_same_in_every_order),
        cmocka_unit_test(other_captures_are_the_same_in_every_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
