/* SPDX-License-Identifier: MIT */
/* lib/capture/decap: every link type and tunnel gives the same datagram, cut ones as much
 * of it as there is, and no bytes whatsoever an access out of bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture_seen.h"

/* --- the wrappings --- */

static void v4(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .place = 0x4000});
}

static void v6(struct build *b)
{
    build_udp(b);
    put_v6(b, 17);
}

static void v4_options(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .options = 10});
}

static void v4_no_length(struct build *b)
{
    build_udp(b);
    put_v4(b, (struct v4){.protocol = 17, .no_length = true});
}

static void v6_extensions(struct build *b)
{
    build_udp(b);
    put_extension(b, 17, 2); /* destination options */
    put_zeros(b, 14);        /* AH counts in 4 bytes, less 2 */
    put8(b, 2);
    put8(b, 60);
    put_extension(b, 51, 1); /* routing */
    put_extension(b, 43, 0); /* hop by hop */
    put_v6(b, 0);
}

static void v6_atomic_fragment(struct build *b)
{
    build_udp(b);
    put_v6_fragment(b, 17, 0, 9);
    put_v6(b, 44);
}

static void ethernet(struct build *b)
{
    v4(b);
    put_ethernet(b, 0x0800);
}

static void ethernet6(struct build *b)
{
    v6(b);
    put_ethernet(b, 0x86dd);
}

static void ethernet_snap(struct build *b)
{
    v4(b);
    put16(b, 0x0800);
    put16(b, 0);
    put32(b, 0xaaaa0300);
    uint16_t length = build_len(b);
    put_ethernet(b, length);
}

static void vlan(struct build *b)
{
    v4(b);
    put_tag(b, 0x0800);
    put_ethernet(b, 0x8100);
}

static void qinq(struct build *b)
{
    v6(b);
    put_tag(b, 0x86dd);
    put_tag(b, 0x8100);
    put_tag(b, 0x9100);
    put_ethernet(b, 0x88a8);
}

static void pppoe(struct build *b)
{
    v4(b);
    put_pppoe(b);
    put_ethernet(b, 0x8864);
}

static void mpls(struct build *b)
{
    v4(b);
    put32(b, 0x00010140);
    put32(b, 0x00020040);
    put_ethernet(b, 0x8847);
}

static void mpls_ethernet(struct build *b)
{
    ethernet(b);
    put32(b, 0x00010140);
    put_ethernet(b, 0x8848);
}

static void mpls_control_word(struct build *b)
{
    ethernet(b);
    put32(b, 0);
    put32(b, 0x00010140);
    put_ethernet(b, 0x8847);
}

static void ipip(struct build *b)
{
    v4(b);
    put_v4(b, (struct v4){.protocol = 4});
}

static void six_in_four(struct build *b)
{
    v6(b);
    put_v4(b, (struct v4){.protocol = 41});
}

static void four_in_six(struct build *b)
{
    v4(b);
    put_v6(b, 4);
}

static void gre(struct build *b)
{
    v4(b);
    put32(b, 0x00000800);
    put_v4(b, (struct v4){.protocol = 47});
}

static void gre_all_fields(struct build *b)
{
    v6(b);
    put32(b, 77); /* sequence number */
    put32(b, 1);  /* key */
    put32(b, 0);  /* checksum */
    put32(b, 0xb00086dd);
    put_v6(b, 47);
}

static void gre_ethernet(struct build *b)
{
    ethernet(b);
    put32(b, 1);
    put32(b, 0x20006558);
    put_v4(b, (struct v4){.protocol = 47});
}

static void gre_ppp(struct build *b)
{
    v4(b);
    put8(b, 0x21); /* compressed */
    put32(b, 9);
    put32(b, 8);
    put32(b, 0x00400001);
    put32(b, 0x3081880b);
    put_v4(b, (struct v4){.protocol = 47});
}

static void vxlan(struct build *b)
{
    ethernet6(b);
    put32(b, 0x00002a00);
    put32(b, 0x08000000);
    put_udp(b, 55555, 4789);
    put_v4(b, (struct v4){.protocol = 17});
    put_ethernet(b, 0x0800);
}

static void gtpu(struct build *b)
{
    v4(b);
    uint16_t length = build_len(b);
    put32(b, 0xcafe);
    put16(b, length);
    put16(b, 0x30ff);
    put_udp(b, 2152, 2152);
    put_v4(b, (struct v4){.protocol = 17});
    put_ethernet(b, 0x0800);
}

static void gtpu_extensions(struct build *b)
{
    v6(b);
    put(b, "\2\1\2\3\4\5\6\0", 8);
    put(b, "\1\0\7\xc0", 4);
    put8(b, 0x85); /* the next header: a PDU session container */
    put_zeros(b, 3);
    uint16_t length = build_len(b);
    put32(b, 0xcafe);
    put16(b, length);
    put16(b, 0x36ff);
    put_udp(b, 2152, 2152);
    put_v6(b, 17);
}

static void null_little(struct build *b)
{
    v4(b);
    put32(b, 0x02000000);
}

static void loop_six(struct build *b)
{
    v6(b);
    put32(b, 30);
}

static void null_six(struct build *b)
{
    v6(b);
    put32(b, 0x1c000000);
}

static void ppp(struct build *b)
{
    v4(b);
    put16(b, 0x0021);
}

static void ppp_hdlc(struct build *b)
{
    v6(b);
    put32(b, 0xff030057);
}

static void cisco_hdlc(struct build *b)
{
    v4(b);
    put32(b, 0x0f000800);
}

static void ppp_ether(struct build *b)
{
    v4(b);
    put_pppoe(b);
}

static void sll(struct build *b)
{
    v4(b);
    put16(b, 0x0800);
    put_zeros(b, 14);
}

static void sll2_vlan(struct build *b)
{
    v6(b);
    put_tag(b, 0x86dd);
    put_zeros(b, 18);
    put16(b, 0x8100);
}

struct wrapping {
    const char *name;
    void (*build)(struct build *b);
    uint16_t linktype;
    int family;
    uint32_t ip_length;
};

/* 25 bytes of records and 8 of UDP. */
#define V4 AF_INET, 53
#define V6 AF_INET6, 73

static const struct wrapping wrappings[] = {
    {"raw 4", v4, 101, V4},
    {"raw 6", v6, 101, V6},
    {"raw BSD", v4, 12, V4},
    {"raw OpenBSD", v6, 14, V6},
    {"LINKTYPE_IPV4", v4, 228, V4},
    {"LINKTYPE_IPV6", v6, 229, V6},
    {"options", v4_options, 228, AF_INET, 93},
    {"no total length", v4_no_length, 228, V4},
    {"extension headers", v6_extensions, 229, AF_INET6, 73 + 64},
    {"atomic fragment", v6_atomic_fragment, 229, AF_INET6, 81},
    {"Ethernet", ethernet, 1, V4},
    {"Ethernet 6", ethernet6, 1, V6},
    {"802.2", ethernet_snap, 1, V4},
    {"VLAN", vlan, 1, V4},
    {"QinQ", qinq, 1, V6},
    {"PPPoE", pppoe, 1, V4},
    {"MPLS", mpls, 1, V4},
    {"MPLS Ethernet", mpls_ethernet, 1, V4},
    {"MPLS control word", mpls_control_word, 1, V4},
    {"IPIP", ipip, 101, V4},
    {"6in4", six_in_four, 101, V6},
    {"4in6", four_in_six, 101, V4},
    {"GRE", gre, 101, V4},
    {"GRE with all fields", gre_all_fields, 101, V6},
    {"GRE Ethernet", gre_ethernet, 101, V4},
    {"GRE PPP", gre_ppp, 101, V4},
    {"VXLAN", vxlan, 1, V6},
    {"GTP-U", gtpu, 1, V4},
    {"GTP-U extensions", gtpu_extensions, 101, V6},
    {"NULL", null_little, 0, V4},
    {"NULL 6", null_six, 0, V6},
    {"LOOP 6", loop_six, 108, V6},
    {"PPP", ppp, 9, V4},
    {"PPP HDLC", ppp_hdlc, 50, V6},
    {"PPP HDLC on PPP", ppp_hdlc, 9, V6},
    {"Cisco HDLC", cisco_hdlc, 50, V4},
    {"PPP_ETHER", ppp_ether, 51, V4},
    {"SLL", sll, 113, V4},
    {"SLL2 VLAN", sll2_vlan, 276, V6},
};

enum { WRAPPINGS = sizeof wrappings / sizeof *wrappings };

static void every_wrapping_gives_the_same_datagram(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    for (size_t i = 0; i < WRAPPINGS; i++) {
        const struct wrapping *w = &wrappings[i];
        print_message("  %s\n", w->name);
        w->build(&b);
        struct sd_decap_counts counts = show(&s, &b, w->linktype);
        assert_int_equal(s.datagrams, 1);
        assert_int_equal(counts.frames, 1);
        assert_int_equal(counts.datagrams, 1);
        check_addresses(&s.last.src, &s.last.dst, w->family);
        assert_int_equal(s.last.length, sizeof a_record);
        assert_int_equal(s.last.payload.len, sizeof a_record);
        assert_memory_equal(s.last.payload.p, a_record, sizeof a_record);
        assert_int_equal(s.last.ip_length, w->ip_length);
        assert_int_equal(s.last.ttl, w->family == AF_INET ? 61 : 62);
        assert_int_equal(s.last.kind, SD_PAYLOAD_DTLS);
        assert_int_equal(s.last.carrier, SD_CARRIER_NONE);
        assert_true(s.last.number == 3 && s.last.time == 5 && s.last.interface == 1);
        assert_true(s.last.lane == 0 && s.last.fragments == 0);
    }
}

static void a_cut_frame_gives_what_there_is(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    for (size_t i = 0; i < WRAPPINGS; i++) {
        wrappings[i].build(&b);
        for (size_t captured = 0; captured <= build_len(&b); captured++) {
            struct sd_decap *d = open_decap(&s);
            give(d, &b, wrappings[i].linktype, captured);
            sd_decap_free(d);
            bool inner = s.datagrams && sd_addr_port(&s.last.dst) == 4433;
            size_t gone = build_len(&b) - captured;
            /* Every header was captured, so there has to be a datagram. */
            if (gone <= sizeof a_record)
                assert_true(inner);
            if (!inner)
                continue;
            assert_int_equal(s.last.length, sizeof a_record);
            assert_int_equal(s.last.payload.len, sizeof a_record - gone);
            assert_memory_equal(s.last.payload.p, a_record, s.last.payload.len);
            assert_int_equal(s.last.ip_length, wrappings[i].ip_length);
        }
    }
}

/* Under sanitizers: nothing is read that was not captured. */
static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    uint32_t x = 20240611;
    struct sd_decap *d = open_decap(&s);
    for (unsigned round = 0; round < 1000; round++) {
        for (size_t i = 0; i < WRAPPINGS; i++) {
            wrappings[i].build(&b);
            for (unsigned flips = next_random(&x) % 4 + 1; flips; flips--)
                b.bytes[b.at + next_random(&x) % build_len(&b)] ^=
                    (uint8_t)(1 << next_random(&x) % 8);
            size_t cut = next_random(&x) % 3 ? 0 : next_random(&x) % build_len(&b);
            give(d, &b, wrappings[i].linktype, build_len(&b) - cut);
        }
    }
    sd_decap_flush(d);
    struct sd_decap_counts c = sd_decap_counts(d);
    assert_int_equal(c.frames, 1000 * WRAPPINGS);
    assert_int_equal(c.frames, c.datagrams + c.icmp + c.fragments + c.other + c.malformed);
    assert_true(c.datagrams > c.frames / 4);
    sd_decap_free(d);
}

/* --- lengths --- */

static void ethernet_padding_is_no_payload(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    build_start(&b);
    put_zeros(&b, 14);
    b.bytes[BUILD_MAX - 1] = 1;
    put(&b, "\x17", 1);
    size_t padding = 14;
    /* Built as if the padding were payload; the length fields then say what it is not. */
    put_udp(&b, 40000, 4433);
    put_v4(&b, (struct v4){.protocol = 17});
    b.bytes[b.at + 3] = (uint8_t)(b.bytes[b.at + 3] - padding);
    b.bytes[b.at + 25] = (uint8_t)(b.bytes[b.at + 25] - padding);
    put_ethernet(&b, 0x0800);
    show(&s, &b, 1);
    assert_int_equal(s.datagrams, 1);
    assert_int_equal(s.last.length, 1);
    assert_int_equal(s.last.payload.len, 1);
    assert_int_equal(s.last.ip_length, 29);
}

/* Here only PPPoE says where the packet ends. */
static void a_pppoe_length_ends_its_packet(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4_no_length(&b);
    put_pppoe(&b);
    put_ethernet(&b, 0x8864);
    uint8_t padded[BUILD_MAX] = {0};
    memcpy(padded, build_bytes(&b), build_len(&b));
    padded[14 + 8 + 24] = padded[14 + 8 + 25] = 0; /* no UDP length either */
    struct sd_decap *d = open_decap(&s);
    struct sd_frame f = {
        .data = {padded, build_len(&b) + 6U}, .length = build_len(&b) + 6U, .linktype = 1};
    sd_decap_frame(d, &f);
    sd_decap_free(d);
    assert_int_equal(s.datagrams, 1);
    assert_int_equal(s.last.length, sizeof a_record);
    assert_int_equal(s.last.ip_length, 53);
}

static struct sd_decap_counts with_udp_length(struct seen *s, uint16_t length)
{
    struct build b;
    v4(&b);
    b.bytes[b.at + 24] = (uint8_t)(length >> 8);
    b.bytes[b.at + 25] = (uint8_t)length;
    return show(s, &b, 101);
}

static void a_udp_length_is_believed_as_far_as_a_receiver_would(void **state)
{
    (void)state;
    struct seen s;
    assert_int_equal(with_udp_length(&s, 0).datagrams, 1);
    assert_int_equal(s.last.length, sizeof a_record);
    assert_int_equal(with_udp_length(&s, 8 + 13).datagrams, 1);
    assert_int_equal(s.last.length, 13);
    assert_int_equal(with_udp_length(&s, 8).datagrams, 1);
    assert_int_equal(s.last.length, 0);
    assert_int_equal(with_udp_length(&s, 7).malformed, 1);
    assert_int_equal(with_udp_length(&s, 8 + sizeof a_record + 1).malformed, 1);
    assert_int_equal(s.datagrams, 0);
}

/* Some programs cut frames and say that they were never longer. */
static void an_ip_length_beyond_the_frame_means_cut(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    ethernet(&b);
    struct sd_decap *d = open_decap(&s);
    struct sd_frame f = {.data = {build_bytes(&b), build_len(&b) - 10U},
                         .length = build_len(&b) - 10U,
                         .linktype = 1};
    sd_decap_frame(d, &f);
    sd_decap_free(d);
    assert_int_equal(s.datagrams, 1);
    assert_int_equal(s.last.length, sizeof a_record);
    assert_int_equal(s.last.payload.len, sizeof a_record - 10);
}

static void dont_fragment_is_told(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4(&b);
    show(&s, &b, 101);
    assert_true(s.last.df);
    v4_options(&b);
    show(&s, &b, 101);
    assert_false(s.last.df);
    v6(&b);
    show(&s, &b, 101);
    assert_true(s.last.df);
}

static void tunnels_in_tunnels_have_an_end(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4(&b);
    for (unsigned levels = 1; levels < 8; levels++)
        put_v4(&b, (struct v4){.protocol = 4});
    assert_int_equal(show(&s, &b, 101).datagrams, 1);
    put_v4(&b, (struct v4){.protocol = 4});
    assert_int_equal(show(&s, &b, 101).malformed, 1);
    assert_int_equal(s.datagrams, 0);
}

static void what_is_not_udp_is_counted(void **state)
{
    (void)state;
    struct seen s;
    struct build b;
    v4(&b);
    assert_int_equal(show(&s, &b, 147).other, 1); /* a link type for private use */
    b.bytes[b.at + 9] = 6;
    assert_int_equal(show(&s, &b, 101).other, 1);
    put_ethernet(&b, 0x0806);
    assert_int_equal(show(&s, &b, 1).other, 1);
    assert_int_equal(s.datagrams, 0);
    b.at += 14;
    b.bytes[b.at] = 0x44; /* a header shorter than the shortest */
    assert_int_equal(show(&s, &b, 101).malformed, 1);
}

/* A server on the port of a tunnel is no tunnel. */
static void records_to_the_port_of_a_tunnel_stay_records(void **state)
{
    (void)state;
    static const uint16_t ports[] = {2152, 4789};
    struct seen s;
    struct build b;
    for (size_t i = 0; i < 2; i++) {
        build_start(&b);
        put(&b, a_record, sizeof a_record);
        put_udp(&b, 40000, ports[i]);
        put_v4(&b, (struct v4){.protocol = 17});
        show(&s, &b, 101);
        assert_int_equal(s.datagrams, 1);
        assert_int_equal(s.last.length, sizeof a_record);
        assert_int_equal(sd_addr_port(&s.last.dst), ports[i]);
    }
}

/* Of GTP-U only the user's packets are a tunnel. */
static void other_messages_of_gtp_stay_datagrams(void **state)
{
    (void)state;
    static const uint16_t beginnings[] = {0x3001, 0x50ff, 0x20ff};
    struct seen s;
    struct build b;
    for (size_t i = 0; i < 3; i++) {
        v4(&b);
        put32(&b, 0xcafe);
        put16(&b, 53);
        put16(&b, beginnings[i]);
        put_udp(&b, 2152, 2152);
        put_v4(&b, (struct v4){.protocol = 17});
        show(&s, &b, 101);
        assert_int_equal(s.datagrams, 1);
        assert_int_equal(s.last.length, 61);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrapping_gives_the_same_datagram),
        cmocka_unit_test(a_cut_frame_gives_what_there_is),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(ethernet_padding_is_no_payload),
        cmocka_unit_test(a_pppoe_length_ends_its_packet),
        cmocka_unit_test(other_messages_of_gtp_stay_datagrams),
        cmocka_unit_test(a_udp_length_is_believed_as_far_as_a_receiver_would),
        cmocka_unit_test(an_ip_length_beyond_the_frame_means_cut),
        cmocka_unit_test(dont_fragment_is_told),
        cmocka_unit_test(tunnels_in_tunnels_have_an_end),
        cmocka_unit_test(what_is_not_udp_is_counted),
        cmocka_unit_test(records_to_the_port_of_a_tunnel_stay_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
