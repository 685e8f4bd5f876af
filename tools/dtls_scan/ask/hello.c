/* SPDX-License-Identifier: MIT */
#include "dtls_scan/ask/hello.h"

#include <string.h>

#include "base/random.h"
#include "dtls_scan/ask/share.h"
#include "wire/extension.h"
#include "wire/record.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* AEAD with ephemeral keys first, then what older servers have; last, what no server should have:
 * one that has nothing else is a server all the same. wolfSSL takes no more than 150. */
static const uint16_t usual_suites[] = {
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0ac, 0xc0ae, 0xc0ad, 0xc0af, 0x009e, 0x009f,
    0xccaa, 0xc09e, 0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014, 0x0067, 0x006b,
    0x0033, 0x0039, 0xc008, 0xc012, 0x009c, 0x009d, 0xc09c, 0xc0a0, 0x003c, 0x003d, 0x002f, 0x0035,
    0x000a, 0xd001, 0xd005, 0xccac, 0xccad, 0xccab, 0xc037, 0xc035, 0x00aa, 0xc0a6, 0xc0a8, 0xc0a4,
    0xc0a5, 0xc0a9, 0x00a8, 0x00a9, 0x00ae, 0x00af, 0x008c, 0x008d, 0x0090, 0x00b2, 0x0041, 0x0084,
    0x0045, 0x00ba, 0xc072, 0xc076, 0xc07a, 0xc086, 0xc08a, 0xc05c, 0xc060, 0x0096, 0x009a, 0x00a2,
    0x0032, 0xc004, 0xc00e, 0xc02d, 0xc031, 0x009b, 0x0004, 0x0005, 0xc007, 0xc011, 0x0009, 0x0015,
    0x0016, 0xc018, 0xc019, 0xc017, 0x0034, 0x003a, 0x006c, 0x00a6, 0x001b, 0x0018, 0x003b, 0x0002,
    0x0001, 0xc006, 0xc010, 0xc015, 0x002c, 0x002d, 0x002e, 0x00b0, 0x00b4, 0x00b8, 0xc039, 0xc03a,
    0x0003, 0x0006, 0x0008, 0x0014, 0x0019, 0x0017};
static const uint16_t suites13[] = {0x1301, 0x1302, 0x1303, 0x1304, 0x1305};
static const uint16_t usual_groups[] = {29, 23, 24, 25, 30, 256, 257};
static const uint16_t usual_schemes[] = {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806,
                                         0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0401,
                                         0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202};
static const uint16_t version13[] = {SD_DTLS_1_3};

void scan_codes_set(struct scan_codes *list, const uint16_t *codes, unsigned count)
{
    list->count = count < SCAN_CODES ? count : SCAN_CODES;
    memcpy(list->code, codes, list->count * sizeof *codes);
}

void scan_hello_suites(struct scan_hello *h, const uint16_t *suites, unsigned count)
{
    h->suite_count = count < SCAN_SUITES ? count : SCAN_SUITES;
    memcpy(h->suites, suites, h->suite_count * sizeof *suites);
}

void scan_hello_drop_suite(struct scan_hello *h, uint16_t suite)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < h->suite_count; i++)
        if (h->suites[i] != suite)
            h->suites[kept++] = h->suites[i];
    h->suite_count = kept;
}

/* Without random bytes a constant: the server does not care. */
void scan_hello_renew(struct scan_hello *h)
{
    if (!sd_random(h->random, sizeof h->random))
        memset(h->random, 0x5d, sizeof h->random);
}

void scan_hello_init(struct scan_hello *h, uint16_t version)
{
    bool tls13 = version == SD_DTLS_1_3;
    *h = (struct scan_hello){.record_version = version == SD_DTLS_BAD ? SD_DTLS_BAD : SD_DTLS_1_0,
                             .version = tls13 ? SD_DTLS_1_2 : version,
                             .compression_count = 1,
                             .ext = SCAN_EXT_EMS | SCAN_EXT_RENEGOTIATION | SCAN_EXT_POINTS};
    scan_hello_renew(h);
    if (tls13) {
        scan_hello_suites(h, suites13, COUNT(suites13));
        scan_codes_set(&h->versions, version13, COUNT(version13));
        h->ext = SCAN_EXT_EMPTY_SHARE;
    } else {
        scan_hello_suites(h, usual_suites, COUNT(usual_suites));
    }
    scan_codes_set(&h->groups, usual_groups, COUNT(usual_groups));
    scan_codes_set(&h->schemes, usual_schemes, COUNT(usual_schemes));
}

void scan_hello_add(struct scan_hello *h, uint16_t type, const void *body, size_t len)
{
    struct sd_wr w = sd_wr_init(h->extra + h->extra_len, sizeof h->extra - h->extra_len);
    sd_wr_u16(&w, type);
    size_t mark = sd_wr_open(&w, 2);
    sd_wr_bytes(&w, body, len);
    sd_wr_close(&w, mark, 2);
    h->extra_len += sd_wr_len(&w);
}

static void put_codes(struct sd_wr *w, uint16_t type, const struct scan_codes *list, unsigned width)
{
    if (!list->count)
        return;
    sd_wr_u16(w, type);
    size_t body = sd_wr_open(w, 2), codes = sd_wr_open(w, width);
    for (unsigned i = 0; i < list->count; i++)
        sd_wr_u16(w, list->code[i]);
    sd_wr_close(w, codes, width);
    if (type == SD_EXT_USE_SRTP)
        sd_wr_u8(w, 0); /* no MKI */
    sd_wr_close(w, body, 2);
}

/* Extensions whose body is the same in every hello. */
static void put_fixed(struct sd_wr *w, uint32_t ext)
{
    static const struct {
        uint32_t flag;
        uint16_t type;
        uint8_t len, body[5];
    } rows[] = {
        {SCAN_EXT_EMS, SD_EXT_EXTENDED_MASTER_SECRET, 0, {0}},
        {SCAN_EXT_ETM, SD_EXT_ENCRYPT_THEN_MAC, 0, {0}},
        {SCAN_EXT_RENEGOTIATION, SD_EXT_RENEGOTIATION_INFO, 1, {0}},
        {SCAN_EXT_TICKET, SD_EXT_SESSION_TICKET, 0, {0}},
        {SCAN_EXT_STATUS, SD_EXT_STATUS_REQUEST, 5, {1, 0, 0, 0, 0}},
        {SCAN_EXT_POINTS, SD_EXT_EC_POINT_FORMATS, 2, {1, 0}},
        {SCAN_EXT_HEARTBEAT, SD_EXT_HEARTBEAT, 1, {1}},
        {SCAN_EXT_CID, SD_EXT_CONNECTION_ID, 1, {0}},
        {SCAN_EXT_RAW_KEY, SD_EXT_SERVER_CERTIFICATE_TYPE, 3, {2, 2, 0}},
        {SCAN_EXT_EMPTY_SHARE, SD_EXT_KEY_SHARE, 2, {0, 0}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!(ext & rows[i].flag))
            continue;
        sd_wr_u16(w, rows[i].type);
        sd_wr_u16(w, rows[i].len);
        sd_wr_bytes(w, rows[i].body, rows[i].len);
    }
}

static void put_server_name(struct sd_wr *w, const char *name)
{
    if (!name)
        return;
    sd_wr_u16(w, SD_EXT_SERVER_NAME);
    size_t body = sd_wr_open(w, 2), list = sd_wr_open(w, 2);
    sd_wr_u8(w, 0); /* host_name */
    size_t host = sd_wr_open(w, 2);
    sd_wr_bytes(w, name, strlen(name));
    sd_wr_close(w, host, 2);
    sd_wr_close(w, list, 2);
    sd_wr_close(w, body, 2);
}

static void put_alpn(struct sd_wr *w, const char *names)
{
    if (!names)
        return;
    sd_wr_u16(w, SD_EXT_ALPN);
    size_t body = sd_wr_open(w, 2), list = sd_wr_open(w, 2);
    while (*names) {
        size_t len = strcspn(names, ","), mark = sd_wr_open(w, 1);
        sd_wr_bytes(w, names, len);
        sd_wr_close(w, mark, 1);
        names += len + (names[len] == ',');
    }
    sd_wr_close(w, list, 2);
    sd_wr_close(w, body, 2);
}

static void put_limits(struct sd_wr *w, const struct scan_hello *h)
{
    if (h->max_fragment) {
        sd_wr_u16(w, SD_EXT_MAX_FRAGMENT_LENGTH);
        sd_wr_u16(w, 1);
        sd_wr_u8(w, h->max_fragment);
    }
    if (h->record_limit) {
        sd_wr_u16(w, SD_EXT_RECORD_SIZE_LIMIT);
        sd_wr_u16(w, 2);
        sd_wr_u16(w, h->record_limit);
    }
}

static void put_shares(struct sd_wr *w, const struct scan_codes *groups)
{
    if (!groups->count)
        return;
    sd_wr_u16(w, SD_EXT_KEY_SHARE);
    size_t body = sd_wr_open(w, 2), list = sd_wr_open(w, 2);
    for (unsigned i = 0; i < groups->count; i++) {
        sd_wr_u16(w, groups->code[i]);
        size_t key = sd_wr_open(w, 2);
        scan_share_write(w, groups->code[i]);
        sd_wr_close(w, key, 2);
    }
    sd_wr_close(w, list, 2);
    sd_wr_close(w, body, 2);
}

void scan_hello_body(struct sd_wr *w, const struct scan_hello *h)
{
    static uint8_t const none[1];
    uint8_t suites[2 * SCAN_SUITES], block[SCAN_HELLO_BYTES];
    struct sd_wr s = sd_wr_init(suites, sizeof suites), e = sd_wr_init(block, sizeof block);
    for (unsigned i = 0; i < h->suite_count; i++)
        sd_wr_u16(&s, h->suites[i]);
    put_server_name(&e, h->server_name);
    put_codes(&e, SD_EXT_SUPPORTED_VERSIONS, &h->versions, 1);
    put_codes(&e, SD_EXT_SUPPORTED_GROUPS, &h->groups, 2);
    put_codes(&e, SD_EXT_SIGNATURE_ALGORITHMS, &h->schemes, 2);
    put_codes(&e, SD_EXT_USE_SRTP, &h->srtp, 2);
    put_fixed(&e, h->ext);
    put_alpn(&e, h->alpn);
    put_limits(&e, h);
    put_shares(&e, &h->shares);
    sd_wr_bytes(&e, h->extra, h->extra_len);
    struct sd_client_hello ch = {
        .version = h->version,
        .random = {h->random, sizeof h->random},
        .session_id = {h->session_id, h->session_id_len},
        .cookie = {h->cookie, h->cookie_len},
        .suites = {suites, sd_wr_len(&s)},
        .compression = {h->compression_count ? h->compression : none, h->compression_count},
        .extensions = {block, sd_wr_len(&e)}};
    w->bad |= s.bad || e.bad;
    sd_client_hello_build(w, &ch);
}
