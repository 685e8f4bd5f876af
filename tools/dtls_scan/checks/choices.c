/* SPDX-License-Identifier: MIT */
/* Groups and signature schemes: what the server chooses is struck out, until it chooses no more. */
#include <string.h>

#include "dtls_scan/checks/facts.h"
#include "dtls_scan/scan.h"
#include "wire/certificate.h"
#include "wire/extension.h"
#include "wire/keyexchange.h"
#include "wire/record.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Curves of RFC 8422 and 7027 and older ones; RFC 7919; hybrids with ML-KEM; then odd ones. */
static const uint16_t ec_groups[] = {29, 23, 24, 25, 30, 26, 27, 28, 31, 32, 33,
                                     22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12,
                                     11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1};
static const uint16_t groups_of_13[] = {4588, 4587, 4589, 29,  23,  24,  25, 30, 256, 257,
                                        258,  259,  260,  512, 513, 514, 31, 32, 33};
static const uint16_t all_schemes[] = {
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401,
    0x0501, 0x0601, 0x081a, 0x081b, 0x081c, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0202, 0x0101};

static bool code_known(const struct scan_choice_fact *f, uint16_t code)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->code[i] == code)
            return true;
    return false;
}

static void drop_code(struct scan_codes *list, uint16_t code)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < list->count; i++)
        if (list->code[i] != code)
            list->code[kept++] = list->code[i];
    list->count = kept;
}

/* Which code the answer chose; 0 = none. */
typedef uint16_t pick(const struct scan_answer *a);

static bool server_key(const struct scan_answer *a, struct sd_server_key *k)
{
    struct sd_server_hello sh;
    struct sd_span body;
    if (!scan_answer_hello(a, false, &sh) ||
        !scan_answer_message(a, SD_HS_SERVER_KEY_EXCHANGE, &body))
        return false;
    bool ecdhe = scan_suite_exchange(sh.suite, "ECDHE");
    enum sd_exchange_kind kind = ecdhe ? SD_KX_ECDHE : SD_KX_DHE;
    return sd_server_key_parse(k, body, kind, scan_suite_exchange(sh.suite, "PSK"),
                               sd_server_hello_version(&sh) == SD_DTLS_1_2);
}

static uint16_t pick_group(const struct scan_answer *a)
{
    struct sd_server_key k;
    return server_key(a, &k) ? k.group : 0;
}

static uint16_t pick_scheme(const struct scan_answer *a)
{
    struct sd_server_key k;
    return server_key(a, &k) ? k.scheme : 0;
}

static uint16_t pick_group13(const struct scan_answer *a)
{
    struct sd_server_hello sh;
    struct sd_span body;
    uint16_t group;
    if (!scan_answer_hello(a, true, &sh) || !sd_ext_find(sh.extensions, SD_EXT_KEY_SHARE, &body))
        return 0;
    return sd_ext_u16(body, &group) ? group : 0;
}

/* `list` is in `h`. `keep`: stays on the list, at its end, until it is chosen twice; 0 = none. */
static void strike_codes(struct scan *s, struct scan_hello *h, struct scan_codes *list,
                         pick *chosen, enum scan_until until, uint16_t keep,
                         struct scan_choice_fact *f)
{
    f->complete = false;
    while (list->count && f->count < SCAN_CODES) {
        scan_hello_renew(h);
        enum scan_reply reply = scan_ask(&s->asker, h, until);
        if (reply == SCAN_REPLY_UNKNOWN)
            return;
        uint16_t code = chosen(&s->asker.answer);
        bool cut = reply == SCAN_REPLY_HELLO && !code && until == SCAN_UNTIL_FLIGHT &&
                   !scan_answer_flight(&s->asker.answer);
        if (cut)
            return; /* the flight did not come whole */
        if (!code || code_known(f, code))
            break;
        f->code[f->count++] = code;
        drop_code(list, code);
        drop_code(list, keep);
        if (keep)
            list->code[list->count++] = keep;
    }
    f->complete = true;
}

/* The suites that the server accepts with this key exchange; last, one without (as an anchor: a
 * hello that must fail is avoided). */
static unsigned suites_with(const struct scan_suite_fact *f, const char *exchange, uint16_t *out,
                            const char *anchor)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->count; i++)
        if (scan_suite_exchange(f->suite[i], exchange) &&
            !scan_suite_exchange(f->suite[i], "anon") && !scan_suite_exchange(f->suite[i], "PSK"))
            out[n++] = f->suite[i];
    for (unsigned i = 0; n && i < f->count; i++) {
        if (scan_suite_exchange(f->suite[i], exchange) ||
            (anchor && !scan_suite_exchange(f->suite[i], anchor)) ||
            scan_suite_exchange(f->suite[i], "PSK"))
            continue;
        out[n++] = f->suite[i];
        break;
    }
    return n;
}

/* RFC 8422 section 5.1: a server without RSA refuses a hello without the curve of its certificate,
 * whatever groups it would take for the key exchange. */
static uint16_t curve_of_certificate(struct scan *s)
{
    const struct scan_chain_fact *f = scan_chain(s, SCAN_CERT_ECDSA);
    struct sd_cert cert;
    struct sd_span message = {f->message, f->len};
    return f->there && scan_chain_leaf(message, &cert) ? cert.group : 0;
}

const struct scan_choice_fact *scan_groups(struct scan *s)
{
    struct scan_choice_fact *f = &s->facts.groups;
    uint16_t suites[SCAN_SUITES_KEPT];
    struct scan_hello h;
    if (f->asked || s->line.stop || !scan_legacy_hello(s, &h))
        return f;
    unsigned n = suites_with(scan_legacy_suites(s), "ECDHE", suites, NULL);
    f->asked = true;
    if (!n)
        return f;
    scan_hello_suites(&h, suites, n);
    scan_codes_set(&h.groups, ec_groups, COUNT(ec_groups));
    uint16_t curve = curve_of_certificate(s);
    strike_codes(s, &h, &h.groups, pick_group, SCAN_UNTIL_FLIGHT, curve, f);
    if (!curve || !f->complete)
        return f;
    drop_code(&h.groups, curve); /* a server with an order of its own */
    strike_codes(s, &h, &h.groups, pick_group, SCAN_UNTIL_FLIGHT, 0, f);
    return f;
}

const struct scan_choice_fact *scan_groups13(struct scan *s)
{
    struct scan_choice_fact *f = &s->facts.groups13;
    struct scan_hello h;
    if (f->asked || s->line.stop || scan_version(s, SCAN_V13)->accepted != SCAN_YES)
        return f;
    f->asked = true;
    scan_hello_init(&h, SD_DTLS_1_3);
    scan_codes_set(&h.groups, groups_of_13, COUNT(groups_of_13));
    strike_codes(s, &h, &h.groups, pick_group13, SCAN_UNTIL_HELLO, 0, f);
    return f;
}

const struct scan_choice_fact *scan_schemes(struct scan *s)
{
    struct scan_choice_fact *f = &s->facts.schemes;
    uint16_t suites[SCAN_SUITES_KEPT];
    struct scan_hello h;
    if (f->asked || s->line.stop || scan_version(s, SCAN_V12)->accepted != SCAN_YES ||
        !scan_legacy_hello(s, &h))
        return f;
    unsigned n = suites_with(scan_legacy_suites(s), "ECDHE", suites, "RSA");
    if (!n)
        n = suites_with(scan_legacy_suites(s), "DHE", suites, "RSA");
    f->asked = true;
    if (!n)
        return f;
    scan_hello_suites(&h, suites, n);
    scan_codes_set(&h.schemes, all_schemes, COUNT(all_schemes));
    strike_codes(s, &h, &h.schemes, pick_scheme, SCAN_UNTIL_FLIGHT, 0, f);
    return f;
}
