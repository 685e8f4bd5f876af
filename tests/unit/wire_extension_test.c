/* SPDX-License-Identifier: MIT */
/* lib/wire/extension: each reader takes its extension whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wire/extension.h"

static struct sd_span span(const void *p, size_t n)
{
    return (struct sd_span){p, n};
}

/* No prefix of a body, and no body with a byte too many, passes a reader. */
static void only_whole(bool (*reader)(struct sd_span), const uint8_t *body, size_t len)
{
    for (size_t n = 0; n <= len + 1; n++) {
        uint8_t *copy = calloc(1, n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, body, n < len ? n : len);
        assert_int_equal(reader(span(copy, n)), n == len);
        free(copy);
    }
}

static void the_block_is_walked_and_searched(void **state)
{
    (void)state;
    const uint8_t block[] = {0, 10, 0, 2, 0x55, 0x66, 0x0a, 0x0a, 0, 0, 0, 10, 0, 1, 7};
    struct sd_rd r = sd_rd_init(block, sizeof block);
    struct sd_ext e;
    assert_int_equal(sd_ext_next(&r, &e), SD_EXT_OK);
    assert_int_equal(e.type, SD_EXT_SUPPORTED_GROUPS);
    assert_int_equal(e.body.len, 2);
    assert_int_equal(sd_ext_next(&r, &e), SD_EXT_OK);
    assert_int_equal(e.type, 0x0a0a);
    assert_int_equal(e.body.len, 0);
    assert_int_equal(sd_ext_next(&r, &e), SD_EXT_OK);
    assert_int_equal(sd_ext_next(&r, &e), SD_EXT_END);
    struct sd_span body;
    assert_true(sd_ext_find(span(block, sizeof block), SD_EXT_SUPPORTED_GROUPS, &body));
    assert_ptr_equal(body.p, block + 4); /* the first of two */
    assert_false(sd_ext_find(span(block, sizeof block), SD_EXT_COOKIE, &body));
    assert_int_equal(body.len, 0);
    assert_false(sd_ext_has(span(NULL, 0), SD_EXT_COOKIE));
}

static void a_cut_block_yields_what_is_whole(void **state)
{
    (void)state;
    const uint8_t block[] = {0, 10, 0, 2, 0x55, 0x66, 0, 23, 0, 3, 1, 2};
    for (size_t n = 1; n <= sizeof block; n++) {
        struct sd_rd r = sd_rd_init(block, n);
        struct sd_ext e;
        enum sd_ext_status st = sd_ext_next(&r, &e);
        if (n >= 6) {
            assert_int_equal(st, SD_EXT_OK);
            st = sd_ext_next(&r, &e);
        }
        assert_int_equal(st, n == 6 ? SD_EXT_END : SD_EXT_CUT);
        assert_int_equal(e.type, 0);
        assert_int_equal(e.body.len, 0);
    }
}

static bool read_list1(struct sd_span b)
{
    struct sd_rd list;
    return sd_ext_u16s(b, 1, &list);
}

static bool read_list2(struct sd_span b)
{
    struct sd_rd list;
    return sd_ext_u16s(b, 2, &list);
}

static void lists_of_numbers_come_in_two_widths(void **state)
{
    (void)state;
    const uint8_t versions[] = {4, 0xfe, 0xfc, 0xfe, 0xfd}, groups[] = {0, 4, 0, 29, 0x11, 0xec};
    struct sd_rd list;
    assert_true(sd_ext_u16s(span(versions, sizeof versions), 1, &list));
    assert_int_equal(sd_rd_u16(&list), 0xfefc);
    assert_int_equal(sd_rd_u16(&list), 0xfefd);
    assert_true(sd_rd_done(&list));
    assert_true(sd_ext_u16s(span(groups, sizeof groups), 2, &list));
    assert_int_equal(sd_rd_u16(&list), 29);
    only_whole(read_list1, versions, sizeof versions);
    only_whole(read_list2, groups, sizeof groups);
    const uint8_t odd[] = {0, 3, 0, 29, 1}, empty[] = {0, 0};
    assert_false(sd_ext_u16s(span(odd, sizeof odd), 2, &list));
    assert_int_equal(sd_rd_left(&list), 0);
    assert_false(sd_ext_u16s(span(empty, sizeof empty), 2, &list));
}

static bool read_name(struct sd_span b)
{
    struct sd_span host;
    return sd_ext_server_name(b, &host);
}

static void server_name_is_one_host(void **state)
{
    (void)state;
    const uint8_t sni[] = {0, 8, 0, 0, 5, 'a', '.', 'b', '.', 'c'};
    struct sd_span host;
    assert_true(sd_ext_server_name(span(sni, sizeof sni), &host));
    assert_int_equal(host.len, 5);
    assert_memory_equal(host.p, "a.b.c", 5);
    only_whole(read_name, sni, sizeof sni);
    const uint8_t empty[] = {0, 3, 0, 0, 0}, type1[] = {0, 4, 1, 0, 1, 'a'};
    assert_false(sd_ext_server_name(span(empty, sizeof empty), &host));
    assert_false(sd_ext_server_name(span(type1, sizeof type1), &host));
    assert_int_equal(host.len, 0);
}

static bool read_alpn(struct sd_span b)
{
    struct sd_rd names;
    return sd_ext_alpn(b, &names);
}

static void alpn_names_come_one_by_one(void **state)
{
    (void)state;
    const uint8_t alpn[] = {0, 9, 6, 'w', 'e', 'b', 'r', 't', 'c', 1, 'x'};
    struct sd_rd names;
    struct sd_span name;
    assert_true(sd_ext_alpn(span(alpn, sizeof alpn), &names));
    assert_true(sd_alpn_next(&names, &name));
    assert_memory_equal(name.p, "webrtc", 6);
    assert_true(sd_alpn_next(&names, &name));
    assert_int_equal(name.len, 1);
    assert_false(sd_alpn_next(&names, &name));
    only_whole(read_alpn, alpn, sizeof alpn);
    const uint8_t no_name[] = {0, 3, 0, 1, 'x'}, beyond[] = {0, 2, 9, 'x'};
    assert_false(sd_ext_alpn(span(no_name, sizeof no_name), &names));
    assert_false(sd_ext_alpn(span(beyond, sizeof beyond), &names));
    assert_false(sd_alpn_next(&names, &name));
}

static bool read_shares(struct sd_span b)
{
    struct sd_rd shares;
    return sd_ext_key_shares(b, &shares);
}

static void key_shares_have_groups_and_sizes(void **state)
{
    (void)state;
    const uint8_t shares[] = {0, 13, 0x11, 0xec, 0, 3, 1, 2, 3, 0, 29, 0, 2, 8, 9};
    struct sd_rd r;
    struct sd_key_share ks;
    assert_true(sd_ext_key_shares(span(shares, sizeof shares), &r));
    assert_true(sd_key_share_next(&r, &ks));
    assert_int_equal(ks.group, 0x11ec);
    assert_int_equal(ks.key.len, 3);
    assert_true(sd_key_share_next(&r, &ks));
    assert_int_equal(ks.group, 29);
    assert_false(sd_key_share_next(&r, &ks));
    only_whole(read_shares, shares, sizeof shares);
    const uint8_t none[] = {0, 0};
    assert_true(sd_ext_key_shares(span(none, sizeof none), &r));
    assert_false(sd_key_share_next(&r, &ks));
    const uint8_t beyond[] = {0, 5, 0, 29, 0, 9, 1};
    assert_false(sd_ext_key_shares(span(beyond, sizeof beyond), &r));
}

static bool read_srtp(struct sd_span b)
{
    struct sd_rd profiles;
    struct sd_span mki;
    return sd_ext_use_srtp(b, &profiles, &mki);
}

static void use_srtp_has_profiles_and_a_key_identifier(void **state)
{
    (void)state;
    const uint8_t srtp[] = {0, 4, 0, 7, 0, 1, 2, 0xaa, 0xbb};
    struct sd_rd profiles;
    struct sd_span mki;
    assert_true(sd_ext_use_srtp(span(srtp, sizeof srtp), &profiles, &mki));
    assert_int_equal(sd_rd_u16(&profiles), SD_SRTP_AEAD_AES_128_GCM);
    assert_int_equal(sd_rd_u16(&profiles), SD_SRTP_AES128_CM_SHA1_80);
    assert_int_equal(mki.len, 2);
    only_whole(read_srtp, srtp, sizeof srtp);
    const uint8_t odd[] = {0, 3, 0, 7, 0, 0}, none[] = {0, 0, 0};
    assert_false(read_srtp(span(odd, sizeof odd)));
    assert_false(read_srtp(span(none, sizeof none)));
}

static bool read_u16(struct sd_span b)
{
    uint16_t v;
    return sd_ext_u16(b, &v);
}

static bool read_opaque(struct sd_span b)
{
    struct sd_span v;
    return sd_ext_opaque(b, 2, &v);
}

static bool read_identities(struct sd_span b)
{
    struct sd_rd identities;
    return sd_ext_psk_identities(b, &identities);
}

static void psk_identities_have_ages_and_binders(void **state)
{
    (void)state;
    const uint8_t psk[] = {0, 16,  0, 3, 'm', 'e', '!', 1, 2, 3, 4, 0,
                           1, 'x', 0, 0, 0,   9,   0,   4, 3, 7, 7, 7};
    struct sd_rd r;
    struct sd_psk_identity id;
    assert_true(sd_ext_psk_identities(span(psk, sizeof psk), &r));
    assert_true(sd_psk_identity_next(&r, &id));
    assert_memory_equal(id.identity.p, "me!", 3);
    assert_int_equal(id.age, 0x01020304);
    assert_true(sd_psk_identity_next(&r, &id));
    assert_int_equal(id.identity.len, 1);
    assert_int_equal(id.age, 9);
    assert_false(sd_psk_identity_next(&r, &id));
    only_whole(read_identities, psk, sizeof psk);
    const uint8_t nameless[] = {0, 6, 0, 0, 1, 2, 3, 4, 0, 4, 3, 7, 7, 7};
    const uint8_t none[] = {0, 0, 0, 4, 3, 7, 7, 7};
    assert_false(read_identities(span(nameless, sizeof nameless)));
    assert_false(read_identities(span(none, sizeof none)));
}

static void single_values_fill_their_body(void **state)
{
    (void)state;
    const uint8_t cookie[] = {0, 3, 'a', 'b', 'c'}, cid[] = {0}, limit[] = {0x04, 0x00};
    struct sd_span v;
    assert_true(sd_ext_opaque(span(cookie, sizeof cookie), 2, &v));
    assert_memory_equal(v.p, "abc", 3);
    assert_true(sd_ext_opaque(span(cid, 1), 1, &v)); /* an empty CID: none wanted */
    assert_int_equal(v.len, 0);
    uint16_t n;
    assert_true(sd_ext_u16(span(limit, 2), &n));
    assert_int_equal(n, 1024);
    only_whole(read_opaque, cookie, sizeof cookie);
    only_whole(read_u16, limit, sizeof limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_is_walked_and_searched),
        cmocka_unit_test(a_cut_block_yields_what_is_whole),
        cmocka_unit_test(lists_of_numbers_come_in_two_widths),
        cmocka_unit_test(server_name_is_one_host),
        cmocka_unit_test(alpn_names_come_one_by_one),
        cmocka_unit_test(key_shares_have_groups_and_sizes),
        cmocka_unit_test(use_srtp_has_profiles_and_a_key_identifier),
        cmocka_unit_test(psk_identities_have_ages_and_binders),
        cmocka_unit_test(single_values_fill_their_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
