/* SPDX-License-Identifier: MIT */
/* Lines that wait for an earlier one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dtls_probe/lines.h"

enum { MANY = 10000 }; /* more than may wait */

struct page {
    struct probe_lines lines;
    char *text;
    size_t length;
};

static void open_page(struct page *p)
{
    *p = (struct page){.lines = {.times = 'r'}};
    p->lines.to = open_memstream(&p->text, &p->length);
    assert_non_null(p->lines.to);
}

static void close_page(struct page *p)
{
    probe_lines_free(&p->lines);
    fclose(p->lines.to);
    free(p->text);
}

static void hold_line(struct page *p, uint64_t number, int64_t seconds)
{
    const struct sd_exchange x = {.client.in.sin_family = AF_INET, .server.in.sin_family = AF_INET};
    const struct sd_event e = {.kind = SD_EV_IP_CUT, .number = (uint32_t)number};
    probe_line_hold(
        &p->lines,
        &(struct sd_packet){
            .x = &x, .number = number, .time = seconds * SD_NS_SECOND, .events = &e, .count = 1});
}

/* The packet numbers of the printed lines. */
static size_t numbers_of(struct page *p, unsigned long *numbers, size_t room)
{
    size_t n = 0;
    fflush(p->lines.to);
    for (const char *line = p->text; *line && n < room; line = strchr(line, '\n') + 1)
        numbers[n++] = strtoul(line, NULL, 10);
    return n;
}

static void held_lines_come_in_order_of_time(void **state)
{
    (void)state;
    struct page p;
    unsigned long n[8];
    open_page(&p);
    hold_line(&p, 2, 20);
    hold_line(&p, 4, 40);
    hold_line(&p, 5, 40);
    hold_line(&p, 1, 10);
    hold_line(&p, 3, 30);
    probe_lines_release(&p.lines, 30 * SD_NS_SECOND);
    assert_int_equal(numbers_of(&p, n, 8), 2);
    hold_line(&p, 6, 41);
    probe_lines_release(&p.lines, INT64_MAX);
    assert_int_equal(numbers_of(&p, n, 8), 6);
    for (unsigned long i = 0; i < 6; i++)
        assert_int_equal(n[i], i + 1);
    close_page(&p);
}

static void no_line_is_lost_when_many_wait(void **state)
{
    (void)state;
    static unsigned long n[MANY + 1];
    struct page p;
    open_page(&p);
    for (uint64_t i = 1; i <= MANY; i++)
        hold_line(&p, i, (int64_t)i);
    assert_true(p.lines.held_count < MANY / 2);
    probe_lines_release(&p.lines, INT64_MAX);
    assert_int_equal(numbers_of(&p, n, MANY + 1), MANY);
    for (unsigned long i = 0; i < MANY; i++)
        assert_int_equal(n[i], i + 1);
    close_page(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_lines_come_in_order_of_time),
        cmocka_unit_test(no_line_is_lost_when_many_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
