/* SPDX-License-Identifier: MIT */
/* One handshake, captured once and wrapped in ten ways: what comes out of each is the same.
 * The captures are no part of the project; without them there is nothing to test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decap.h"
#include "capture/reader.h"

enum { DATAGRAMS_MAX = 64, PAYLOAD_MAX = 2048 };

struct datagram {
    struct sd_addr src, dst;
    uint32_t length;
    size_t captured;
    uint8_t payload[PAYLOAD_MAX];
};

struct list {
    size_t count;
    struct datagram d[DATAGRAMS_MAX];
};

static void on_datagram(void *arg, const struct sd_datagram *d)
{
    struct list *l = arg;
    if (d->kind != SD_PAYLOAD_DTLS)
        return;
    assert_true(l->count < DATAGRAMS_MAX);
    assert_true(d->payload.len <= PAYLOAD_MAX);
    struct datagram *to = &l->d[l->count++];
    *to = (struct datagram){
        .src = d->src, .dst = d->dst, .length = d->length, .captured = d->payload.len};
    memcpy(to->payload, d->payload.p, d->payload.len);
}

static void captures(char *path, size_t size, const char *name)
{
    const char *folder = getenv("SDTLS_CAPTURES");
    const char *end = strrchr(__FILE__, '/');
    if (folder)
        snprintf(path, size, "%s/encap/%s", folder, name);
    else
        snprintf(path, size, "%.*s/../../../shared/captures/encap/%s", (int)(end - __FILE__),
                 __FILE__, name);
}

static enum sd_reader_status read_capture(const char *name, struct list *l)
{
    char path[512];
    captures(path, sizeof path, name);
    struct sd_reader *r;
    struct sd_err e;
    if (sd_reader_open(&r, path, NULL, &e))
        fail_msg("%s: %s", path, e.text);
    struct sd_decap_config config = {.sink = {.arg = l, .datagram = on_datagram}};
    struct sd_decap *d = sd_decap_new(&config);
    assert_non_null(d);
    l->count = 0;
    struct sd_frame f;
    enum sd_reader_status s;
    while ((s = sd_reader_next(r, &f)) == SD_READER_FRAME)
        sd_decap_frame(d, &f);
    sd_decap_free(d);
    sd_reader_close(r);
    return s;
}

static void check_same(const struct list *l, const struct list *plain)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct datagram *a = &l->d[i], *b = &plain->d[i];
        assert_true(sd_addr_eq(&a->src, &b->src) && sd_addr_eq(&a->dst, &b->dst));
        assert_int_equal(a->length, b->length);
        assert_memory_equal(a->payload, b->payload, a->captured);
    }
}

static struct list plain, other;

static void every_wrapping_gives_the_same_datagrams(void **state)
{
    (void)state;
    static const char *const names[] = {"ether.pcapng", "gtpu.pcap", "nanosec.pcap", "pppoe.pcap",
                                        "raw_ip.pcap",  "sll2.pcap", "vlan.pcap"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        print_message("  %s\n", names[i]);
        assert_int_equal(read_capture(names[i], &other), SD_READER_END);
        assert_int_equal(other.count, plain.count);
        check_same(&other, &plain);
        for (size_t k = 0; k < other.count; k++)
            assert_int_equal(other.d[k].captured, other.d[k].length);
    }
}

static void a_snap_length_cuts_payloads_not_lengths(void **state)
{
    (void)state;
    assert_int_equal(read_capture("snaplen96.pcap", &other), SD_READER_END);
    assert_int_equal(other.count, plain.count);
    check_same(&other, &plain);
    size_t cut = 0;
    for (size_t k = 0; k < other.count; k++) {
        size_t room = 96 - 14 - 20 - 8, length = other.d[k].length;
        assert_int_equal(other.d[k].captured, length < room ? length : room);
        cut += other.d[k].captured < length;
    }
    assert_true(cut > 0);
}

static void a_file_that_ends_early_gives_what_it_has(void **state)
{
    (void)state;
    assert_int_equal(read_capture("truncated_file.pcap", &other), SD_READER_TRUNCATED);
    assert_in_range(other.count, 1, plain.count);
    check_same(&other, &plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrapping_gives_the_same_datagrams),
        cmocka_unit_test(a_snap_length_cuts_payloads_not_lengths),
        cmocka_unit_test(a_file_that_ends_early_gives_what_it_has),
    };
    char path[512];
    captures(path, sizeof path, "ether.pcap");
    if (access(path, R_OK)) {
        printf("skipped: no %s\n", path);
        return 0;
    }
    if (read_capture("ether.pcap", &plain) != SD_READER_END || plain.count < 10)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
