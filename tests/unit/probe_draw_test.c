/* SPDX-License-Identifier: MIT */
/* Handshakes made by hand, drawn for terminals, Mermaid and issue trackers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_probe/ladder.h"
#include "dtls_probe/markdown.h"
#include "dtls_probe/markup.h"
#include "dtls_probe/mermaid.h"
#include "dtls_probe/timeline.h"
#include "flow/icmp.h"
#include "wire/iana.h"

enum { MS = 1000000, EVENTS = 32 };

struct scene {
    struct sd_event log[EVENTS];
    struct sd_exchange x;
    struct sd_view view;
    struct sd_finding finding;
    struct probe_report report;
};

static const struct sd_entry black_hole = {.id = "pmtu-black-hole",
                                           .title = "large packets vanish",
                                           .cause = "a router drops them",
                                           .advice = "send smaller ones",
                                           .reference = "RFC 9147 section 4.4"};

static struct sd_addr address(uint32_t ip, uint16_t port)
{
    return (struct sd_addr){
        .in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)}};
}

static void begin(struct scene *s, enum sd_outcome outcome)
{
    memset(s, 0, sizeof *s);
    s->x.id = 7;
    s->x.client = address(0xc0000201, 50000);
    s->x.server = address(0xc6336402, 4433);
    s->x.start = 1000 * (int64_t)MS;
    s->x.log = s->log;
    s->view.x = &s->x;
    s->report = (struct probe_report){
        .x = &s->x, .view = &s->view, .findings = &s->finding, .outcome = outcome};
}

/* A datagram with one whole message, after the one before it. */
static struct sd_event *say(struct scene *s, int ms, bool server, unsigned type, unsigned seq)
{
    struct sd_event *e = &s->log[s->x.count++];
    assert_true(s->x.count <= EVENTS);
    *e = (struct sd_event){.time = s->x.start + ms * (int64_t)MS,
                           .seq = seq,
                           .number = (uint32_t)s->x.count,
                           .length = 100,
                           .frag_len = 100,
                           .datagram = 125,
                           .record = 112,
                           .flags = (uint16_t)(SD_EVF_FIRST | (server ? SD_EVF_SERVER : 0)),
                           .kind = SD_EV_HANDSHAKE,
                           .content = SD_CT_HANDSHAKE,
                           .message = (uint8_t)type,
                           .flight = (uint8_t)(server ? 4 : 3)};
    s->x.last = e->time;
    return e;
}

static void find(struct scene *s, const char *detail, uint32_t packet)
{
    s->finding = (struct sd_finding){.entry = &black_hole,
                                     .severity = SD_FATAL,
                                     .confidence = SD_HIGH,
                                     .packets = {packet},
                                     .packet_count = 1};
    snprintf(s->finding.detail, sizeof s->finding.detail, "%s", detail);
    s->report.count = 1;
}

/* These records of the server never came; the next one did in this packet. */
static void lose_records(struct scene *s, uint64_t from, uint64_t to, uint32_t packet)
{
    s->view.gaps[s->view.gap_count++] =
        (struct sd_gap){.side = SD_SERVER, .from = from, .to = to, .before = packet};
}

static void losing_scene(struct scene *s)
{
    begin(s, SD_FAILED);
    say(s, 0, false, SD_HS_CLIENT_HELLO, 0);
    say(s, 10, true, SD_HS_SERVER_HELLO, 0);
    say(s, 11, true, SD_HS_SERVER_HELLO_DONE, 3)->gap = 2;
    struct sd_event *again = say(s, 1011, true, SD_HS_SERVER_HELLO, 4);
    again->flags |= SD_EVF_RETRANSMIT;
    again->copy = 1;
    lose_records(s, 1, 3, 3);
    find(s, "2 records never came", 3);
}

enum form { LADDER, LANES, MERMAID, MARKDOWN };

/* The drawing as a string of the caller's. */
static char *draw_wide(const struct probe_report *r, enum form form, struct probe_ladder look)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    bool ok = form == LADDER    ? probe_ladder(to, r, look)
              : form == LANES   ? probe_ladder_lanes(to, r, look)
              : form == MERMAID ? probe_mermaid(to, r)
                                : probe_markdown(to, r);
    assert_int_equal(fclose(to), 0);
    assert_true(ok);
    return text;
}

static char *draw(const struct probe_report *r, enum form form)
{
    return draw_wide(r, form, (struct probe_ladder){.width = 80});
}

static void assert_says(const struct probe_report *r, enum form form, const char *words)
{
    char *text = draw(r, form);
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in:\n%s", words, text);
    free(text);
}

static void assert_silent(const struct probe_report *r, enum form form, const char *words)
{
    char *text = draw(r, form);
    if (strstr(text, words))
        fail_msg("\"%s\" is in:\n%s", words, text);
    free(text);
}

/* Characters, not bytes. */
static size_t columns(const char *line, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)line[i] & 0xc0) != 0x80;
    return n;
}

static void every_line_of_the_lanes_fits_and_closes(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    for (unsigned width = 60; width <= 120; width++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct probe_ladder look = {width, utf8};
            char *text = draw_wide(&s.report, LANES, look), *line = text;
            for (size_t n = 0, len; *line; line += len + 1, n++) {
                len = strcspn(line, "\n");
                if (n == 0 || n == 1)
                    assert_true(columns(line, len) <= width);
                else
                    assert_int_equal(columns(line, len), width);
            }
            free(text);
        }
}

static void a_width_out_of_range_is_brought_into_it(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    char *none = draw_wide(&s.report, LANES, (struct probe_ladder){.width = 0});
    char *least = draw_wide(&s.report, LANES, (struct probe_ladder){.width = 60});
    assert_string_equal(none, least);
    free(none);
    free(least);
}

static void the_ladder_shows_arrows_both_ways(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_OK);
    say(&s, 0, false, SD_HS_CLIENT_HELLO, 0);
    say(&s, 10, true, SD_HS_SERVER_HELLO, 0);
    s.x.established = s.x.start + 10 * (int64_t)MS;
    assert_says(&s.report, LADDER, "| Client Hello ");
    assert_says(&s.report, LADDER, "--->|\n");
    assert_says(&s.report, LADDER, "|<---");
    assert_says(&s.report, LADDER, "== established after 10.00 ms ==");
    assert_silent(&s.report, LADDER, "lost");
}

static void the_ladder_shows_loss_and_retransmission(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    assert_says(&s.report, LADDER, " records 1-2 lost  x---");
    assert_says(&s.report, LADDER, "Server Hello [RETX #1]");
    assert_says(&s.report, LADDER, "|<- - - ");
    assert_says(&s.report, LADDER, "... 1.000 s ...");
    assert_says(&s.report, LADDER, "  3* 4 ");
    assert_says(&s.report, LADDER, "fatal pmtu-black-hole: large packets vanish");
    assert_says(&s.report, LADDER, "packets 3\n");
}

static void a_capture_that_lost_packets_proves_no_loss(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    s.view.doubtful = true;
    assert_says(&s.report, LADDER, "records 1-2 not captured");
    assert_says(&s.report, MERMAID, "records 1-2 not captured");
    assert_silent(&s.report, LADDER, "2 lost");
}

static void assert_order(const struct probe_report *r, enum form form, const char *first,
                         const char *second)
{
    char *text = draw(r, form);
    const char *a = strstr(text, first), *b = strstr(text, second);
    if (!a || !b || a > b)
        fail_msg("\"%s\" is not before \"%s\" in:\n%s", first, second, text);
    free(text);
}

static void rows_are_in_order_of_time(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_FAILED);
    say(&s, 0, false, SD_HS_CLIENT_HELLO, 0);
    say(&s, 1000, true, SD_HS_SERVER_HELLO_DONE, 1)->gap = 1;
    struct sd_event *cut = say(&s, 20, true, SD_HS_SERVER_HELLO, 0);
    cut->kind = SD_EV_IP_CUT;
    cut->datagram = 1480;
    lose_records(&s, 0, 1, 2);
    s.x.last = s.log[1].time;
    s.view.silence = 5 * SD_NS_SECOND;
    for (enum form f = LADDER; f <= MARKDOWN; f++) {
        assert_order(&s.report, f, "Client Hello", "IP fragment");
        assert_order(&s.report, f, "IP fragment", "record 0 lost");
        assert_order(&s.report, f, "record 0 lost", "Server Hello Done");
    }
    struct probe_timeline *t = malloc(sizeof *t);
    assert_non_null(t);
    probe_timeline_build(t, &s.report, 0);
    assert_int_equal(t->count, 5);
    for (size_t i = 1; i < t->count; i++) {
        assert_true(t->rows[i - 1].time <= t->rows[i].time);
        assert_true(t->rows[i - 1].y < t->rows[i].y);
    }
    assert_int_equal(t->rows[4].kind, PROBE_ROW_END);
    free(t);
}

static void records_before_the_first_of_a_side_are_drawn(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_FAILED);
    say(&s, 0, false, SD_HS_CLIENT_HELLO, 0);
    say(&s, 10, true, SD_HS_SERVER_HELLO, 3);
    lose_records(&s, 1, 3, 2);
    assert_order(&s.report, LADDER, " records 1-2 lost  x---", "Server Hello");
    assert_order(&s.report, MERMAID, "S--xC: records 1-2 lost", "Server Hello");
}

static void what_is_no_loss_in_the_view_is_not_drawn(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_OK);
    say(&s, 0, false, SD_HS_CLIENT_HELLO, 0);
    say(&s, 10, true, SD_HS_SERVER_HELLO, 3)->gap = 2; /* the client's numbers, taken over */
    assert_silent(&s.report, LADDER, "lost");
}

static void an_icmp_error_goes_to_who_sent_what_it_quotes(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_FAILED);
    struct sd_event *e = say(&s, 5, true, 3, 0);
    *e = (struct sd_event){.time = e->time,
                           .number = 1,
                           .kind = SD_EV_ICMP,
                           .icmp_protocol = SD_PROTO_ICMP,
                           .icmp_type = SD_ICMP_UNREACHABLE,
                           .icmp_code = SD_ICMP_FRAGMENTATION_NEEDED,
                           .icmp_mtu = 900,
                           .flags = SD_EVF_FIRST | SD_EVF_SERVER};
    s.x.icmp_number = 1;
    struct sd_rare rare = {.icmp_from = address(0xcb007101, 0)};
    s.x.rare = &rare;
    assert_says(&s.report, LADDER, "ICMP 3/4 Fragmentation Needed (MTU 900) from ");
    assert_says(&s.report, LADDER, "| 203.0.113.1 ");
    assert_says(&s.report, LADDER, "~~~>|\n");
    assert_says(&s.report, MERMAID, "participant N as network");
    assert_says(&s.report, MERMAID, "N->>S: 5.00 ms ICMP 3/4");
    e->flags = SD_EVF_FIRST;
    assert_says(&s.report, LADDER, "|<~~~");
    assert_says(&s.report, MERMAID, "N->>C: ");
}

static void an_alert_is_named_in_every_form(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, SD_FAILED);
    struct sd_event *e = say(&s, 1, true, SD_HS_CLIENT_HELLO, 0);
    e->kind = SD_EV_ALERT;
    e->message = 40;
    e->level = 2;
    assert_says(&s.report, LADDER, "Alert (Fatal: Handshake Failure)");
    assert_says(&s.report, MERMAID, "S->>C: 1.00 ms Alert (Fatal: Handshake Failure) (packet 1");
    find(&s, "the server refuses", 1);
    assert_says(&s.report, MARKDOWN, "| 1 | 1.00 ms | server | 125 | Alert (Fatal: Handshake");
}

static void mermaid_crosses_what_was_lost(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    assert_says(&s.report, MERMAID, "sequenceDiagram\n    participant C as client 192.0.2.1:50000");
    assert_says(&s.report, MERMAID, "S--xC: records 1-2 lost\n");
    assert_says(&s.report, MERMAID,
                "S-->>C: 1.011 s Server Hello [RETX #35;1] (packet 4, flight 4)");
    assert_says(&s.report, MERMAID, "failed<br/>fatal pmtu-black-hole: large packets vanish");
}

static void the_report_has_verdict_evidence_and_ladder(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    assert_says(&s.report, MARKDOWN, "## DTLS handshake 7: failed\n");
    assert_says(&s.report, MARKDOWN, "### fatal: large packets vanish (`pmtu-black-hole`)\n");
    assert_says(&s.report, MARKDOWN,
                "| 3 | 11.00 ms | server | 125 | Server Hello Done \\[GAP 1-2\\]");
    assert_says(&s.report, MARKDOWN, "```text\n    seconds");
    s.finding.packets[0] = 99;
    assert_says(&s.report, MARKDOWN, "| 99 | | | | |\n");
}

static void hostile_words_stay_words(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    find(&s, "\033[2J `<img>` |\n# @all #12 GH-3 www.x http://y \xe2\x80\xae", 3);
    assert_silent(&s.report, LADDER, "\033");
    assert_silent(&s.report, LADDER, "\xe2");
    assert_silent(&s.report, MARKDOWN, "\033");
    assert_silent(&s.report, MARKDOWN, "\xe2");
    assert_says(&s.report, MARKDOWN,
                "\\`\\<img\\>\\` \\|?<!-- -->\\#<!-- --> <!-- -->@<!-- -->all");
    assert_says(&s.report, MARKDOWN, "GH<!-- -->-<!-- -->3 www<!-- -->.<!-- -->x");
    assert_silent(&s.report, MARKDOWN, "http://");
}

static void mermaid_text_cannot_end_its_line(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    probe_mermaid_text(to, "a;b\n%%<br>#1;\"");
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "a#59;b?#37;#37;#60;br#62;#35;1#59;#34;");
    free(text);
}

static void a_full_stream_is_told(void **state)
{
    (void)state;
    struct scene s;
    losing_scene(&s);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_false(probe_ladder(full, &s.report, (struct probe_ladder){.width = 80}));
    assert_false(probe_mermaid(full, &s.report));
    assert_false(probe_markdown(full, &s.report));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_the_lanes_fits_and_closes),
        cmocka_unit_test(a_width_out_of_range_is_brought_into_it),
        cmocka_unit_test(the_ladder_shows_arrows_both_ways),
        cmocka_unit_test(the_ladder_shows_loss_and_retransmission),
        cmocka_unit_test(a_capture_that_lost_packets_proves_no_loss),
        cmocka_unit_test(rows_are_in_order_of_time),
        cmocka_unit_test(records_before_the_first_of_a_side_are_drawn),
        cmocka_unit_test(what_is_no_loss_in_the_view_is_not_drawn),
        cmocka_unit_test(an_icmp_error_goes_to_who_sent_what_it_quotes),
        cmocka_unit_test(an_alert_is_named_in_every_form),
        cmocka_unit_test(mermaid_crosses_what_was_lost),
        cmocka_unit_test(the_report_has_verdict_evidence_and_ladder),
        cmocka_unit_test(hostile_words_stay_words),
        cmocka_unit_test(mermaid_text_cannot_end_its_line),
        cmocka_unit_test(a_full_stream_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
