/* SPDX-License-Identifier: MIT */
/* Live capture on loopback; needs the right to capture, as root has it. */
#include "capture_image.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "capture/bpf.h"
#include "capture/live.h"
#include "sukat_dtls.h"

enum { DEADLINE_MS = 30000 };

static struct sd_live *open_or_skip(const struct sd_live_config *config)
{
    struct sd_live *l = NULL;
    struct sd_err e = {0};
    int rc = sd_live_open(&l, config, &e);
    if (rc && strstr(e.text, "no permission"))
        skip();
    if (rc)
        fail_msg("%s", e.text);
    return l;
}

/* A socket that sends to itself, and its port. */
static int self_socket(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static struct sd_frame wait_frame(struct sd_live *l)
{
    struct sd_frame f;
    struct sd_err e;
    int rc;
    while ((rc = sd_live_next(l, &f, &e)) == 0) {
        struct pollfd p = {.fd = sd_live_fd(l), .events = POLLIN};
        if (poll(&p, 1, DEADLINE_MS) != 1)
            fail_msg("no frame within %d ms", DEADLINE_MS);
    }
    if (rc < 0)
        fail_msg("%s", e.text);
    return f;
}

static void expect_datagram(struct sd_live *l, uint16_t linktype, const char *text)
{
    struct sd_frame f = wait_frame(l);
    assert_int_equal(f.linktype, linktype);
    size_t n = strlen(text);
    assert_true(f.data.len > n);
    assert_memory_equal(f.data.p + f.data.len - n, text, n);
}

static void check_interface(const char *interface, uint16_t linktype, uint32_t delay_ms)
{
    char filter[64];
    uint16_t port;
    int fd = self_socket(&port);
    snprintf(filter, sizeof filter, "udp and dst port %u", port);
    struct sd_live *l = open_or_skip(
        &(struct sd_live_config){.interface = interface, .filter = filter, .delay_ms = delay_ms});
    struct sd_frame f;
    assert_int_equal(sd_live_next(l, &f, NULL), 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(send(fd, "one datagram", 12, 0), 12);
        expect_datagram(l, linktype, "one datagram");
    }
    assert_int_equal(sd_live_next(l, &f, NULL), 0);
    struct sd_live_stats s;
    assert_int_equal(sd_live_statistics(l, &s), 0);
    assert_int_equal(sd_live_statistics(l, &s), 0);
    assert_in_range(s.received, 3, 6); /* loopback shows a frame twice to the kernel's counter */
    assert_int_equal(s.dropped, 0);
    sd_live_close(l);
    close(fd);
}

static void frames_of_loopback_come_as_soon_as_they_are_sent(void **state)
{
    (void)state;
    check_interface("lo", 1, 0);
}

static void frames_may_come_in_bundles(void **state)
{
    (void)state;
    check_interface("lo", 1, 20);
}

static void the_interface_any_sees_them_too(void **state)
{
    (void)state;
    check_interface("any", 113, 0);
}

static void a_frame_has_its_number_its_time_and_its_length(void **state)
{
    (void)state;
    char filter[64];
    uint16_t port;
    struct timespec before, after;
    int fd = self_socket(&port);
    snprintf(filter, sizeof filter, "udp dst port %u", port);
    struct sd_live *l =
        open_or_skip(&(struct sd_live_config){.interface = "lo", .filter = filter, .snaplen = 96});
    clock_gettime(CLOCK_REALTIME, &before);
    char payload[100] = {0};
    assert_int_equal(send(fd, payload, sizeof payload, 0), sizeof payload);
    struct sd_frame f = wait_frame(l);
    clock_gettime(CLOCK_REALTIME, &after);
    assert_int_equal(f.number, 1);
    assert_int_equal(f.length, 14 + 20 + 8 + sizeof payload);
    assert_int_equal(f.data.len, 96);
    assert_int_equal(f.linktype, 1);
    assert_in_range(f.time / 1000000000, before.tv_sec - 1, after.tv_sec);
    sd_live_close(l);
    close(fd);
}

/* Opening fails with these words. */
static void expect_refusal(const struct sd_live_config *config, const char *words)
{
    struct sd_live *l = NULL;
    struct sd_err e = {0};
    assert_int_not_equal(sd_live_open(&l, config, &e), 0);
    assert_null(l);
    if (strstr(e.text, "no permission"))
        skip();
    if (!strstr(e.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, e.text);
}

static void an_unknown_interface_is_named_with_those_there_are(void **state)
{
    (void)state;
    expect_refusal(&(struct sd_live_config){.interface = "nosuch0"},
                   "no interface is called nosuch0 (available: ");
}

static void a_wrong_filter_is_refused_with_its_text(void **state)
{
    (void)state;
    expect_refusal(&(struct sd_live_config){.interface = "lo", .filter = "udp prot 1"},
                   "filter \"udp prot 1\": ");
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    expect_refusal(&(struct sd_live_config){.interface = "lo", .snaplen = SD_FRAME_MAX + 1},
                   "out of range");
    expect_refusal(&(struct sd_live_config){.interface = "lo", .buffer = UINT32_MAX},
                   "out of range");
}

static void without_the_right_to_capture_the_sentence_says_what_helps(void **state)
{
    (void)state;
    struct sd_live *l = NULL;
    struct sd_err e = {0};
    if (geteuid() != 0 || seteuid(65534) != 0)
        skip();
    int rc = sd_live_open(&l, &(struct sd_live_config){.interface = "lo"}, &e);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, SDTLS_IO);
    assert_non_null(strstr(e.text, "no permission to capture on lo"));
    assert_non_null(strstr(e.text, "setcap cap_net_raw=ep"));
    assert_non_null(strstr(e.text, "-r"));
}

/* IPv4, UDP, from port 1 to 4433, without payload. */
static const uint8_t ip_udp[] = {0x45, 0, 0,   28, 0, 0, 0, 0, 64,   17,   0, 0, 127, 0,
                                 0,    1, 127, 0,  0, 1, 0, 1, 0x11, 0x51, 0, 8, 0,   0};

static bool matches(struct sd_bpf *filter, uint16_t linktype)
{
    struct image m = {.big = true};
    if (linktype == 1 || linktype == 113) {
        add_bytes(&m, (const uint8_t[14]){0}, linktype == 1 ? 12 : 14);
        add16(&m, 0x0800);
    }
    add_bytes(&m, ip_udp, sizeof ip_udp);
    struct sd_frame f = {.data = {m.p, m.len}, .length = (uint32_t)m.len, .linktype = linktype};
    bool result = sd_bpf_match(filter, &f);
    image_free(&m);
    return result;
}

static void a_filter_works_on_frames_of_each_link_type(void **state)
{
    (void)state;
    static const uint16_t types[] = {1, 113, 101, 228, 1};
    struct sd_bpf *yes, *no;
    assert_int_equal(sd_bpf_compile(&yes, "udp port 4433", NULL), 0);
    assert_int_equal(sd_bpf_compile(&no, "udp port 4434", NULL), 0);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_true(matches(yes, types[i]));
        assert_false(matches(no, types[i]));
    }
    sd_bpf_free(yes);
    sd_bpf_free(no);
}

static void a_filter_survives_more_link_types_than_there_are(void **state)
{
    (void)state;
    struct sd_bpf *filter;
    assert_int_equal(sd_bpf_compile(&filter, "ether host 00:00:00:00:00:00", NULL), 0);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(matches(filter, (uint16_t)i), i == 1);
    sd_bpf_free(filter);
}

static void a_filter_with_an_error_is_refused_with_its_text(void **state)
{
    (void)state;
    struct sd_bpf *filter = NULL;
    struct sd_err e;
    assert_int_equal(sd_bpf_compile(&filter, "udp port port", &e), SDTLS_ARG);
    assert_non_null(strstr(e.text, "filter \"udp port port\": "));
    assert_null(filter);
}

static void an_empty_frame_matches_nothing_but_the_empty_filter(void **state)
{
    (void)state;
    struct sd_bpf *all, *udp;
    struct sd_frame f = {.linktype = 1};
    assert_int_equal(sd_bpf_compile(&all, "", NULL), 0);
    assert_int_equal(sd_bpf_compile(&udp, "udp", NULL), 0);
    assert_true(sd_bpf_match(all, &f));
    assert_false(sd_bpf_match(udp, &f));
    sd_bpf_free(all);
    sd_bpf_free(udp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_loopback_come_as_soon_as_they_are_sent),
        cmocka_unit_test(frames_may_come_in_bundles),
        cmocka_unit_test(the_interface_any_sees_them_too),
        cmocka_unit_test(a_frame_has_its_number_its_time_and_its_length),
        cmocka_unit_test(an_unknown_interface_is_named_with_those_there_are),
        cmocka_unit_test(a_wrong_filter_is_refused_with_its_text),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(without_the_right_to_capture_the_sentence_says_what_helps),
        cmocka_unit_test(a_filter_works_on_frames_of_each_link_type),
        cmocka_unit_test(a_filter_survives_more_link_types_than_there_are),
        cmocka_unit_test(a_filter_with_an_error_is_refused_with_its_text),
        cmocka_unit_test(an_empty_frame_matches_nothing_but_the_empty_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
