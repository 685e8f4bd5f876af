/* SPDX-License-Identifier: MIT */
#include "dtls_scan/checks/service.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* --- STUN and TURN, RFC 8489 and 8656 --- */

enum { STUN_COOKIE = 0x2112a442, STUN_ID = 12, STUN_BINDING = 0x001, TURN_REFRESH = 0x004 };
enum { STUN_SUCCESS = 0x100, STUN_ERROR = 0x110 };
enum { STUN_REALM = 0x0014, STUN_SOFTWARE = 0x8022, TURN_LIFETIME = 0x000d };

static void ask_stun(struct sd_wr *w, const uint8_t *nonce)
{
    sd_wr_u16(w, STUN_BINDING);
    sd_wr_u16(w, 0);
    sd_wr_u32(w, STUN_COOKIE);
    sd_wr_bytes(w, nonce, STUN_ID);
}

/* A lifetime of 0 ends an allocation; this association has none. */
static void ask_turn(struct sd_wr *w, const uint8_t *nonce)
{
    enum { ATTRIBUTE = 8, LIFETIME_LEN = 4 };
    sd_wr_u16(w, TURN_REFRESH);
    sd_wr_u16(w, ATTRIBUTE);
    sd_wr_u32(w, STUN_COOKIE);
    sd_wr_bytes(w, nonce, STUN_ID);
    sd_wr_u16(w, TURN_LIFETIME);
    sd_wr_u16(w, LIFETIME_LEN);
    sd_wr_u32(w, 0);
}

/* The next attribute; false at the end. */
static bool next_stun_attribute(struct sd_rd *r, uint16_t *type, struct sd_rd *body)
{
    enum { ALIGN = 4 };
    if (!sd_rd_left(r))
        return false;
    *type = sd_rd_u16(r);
    *body = sd_rd_vec16(r);
    sd_rd_bytes(r, (ALIGN - sd_rd_left(body) % ALIGN) % ALIGN);
    return !r->bad;
}

/* "software X, realm Y" of the attributes. */
static void read_stun_attributes(struct sd_rd r, char *detail)
{
    struct sd_rd body;
    uint16_t type;
    size_t used = 0;
    while (used < SCAN_SERVICE_DETAIL && next_stun_attribute(&r, &type, &body)) {
        if (type != STUN_REALM && type != STUN_SOFTWARE)
            continue;
        struct sd_span text = sd_rd_rest(&body);
        used += (size_t)snprintf(detail + used, SCAN_SERVICE_DETAIL - used, "%s%s %.*s",
                                 used ? ", " : "", type == STUN_REALM ? "realm" : "software",
                                 (int)text.len, (const char *)text.p);
    }
}

static bool is_stun_answer(struct sd_span data, const uint8_t *nonce, uint16_t method,
                           struct sd_rd *attributes, char *detail)
{
    struct sd_rd r = sd_rd_init(data.p, data.len);
    uint16_t type = sd_rd_u16(&r), len = sd_rd_u16(&r);
    uint32_t cookie = sd_rd_u32(&r);
    struct sd_span id = sd_rd_bytes(&r, STUN_ID);
    if (r.bad || cookie != STUN_COOKIE || len != sd_rd_left(&r) || memcmp(id.p, nonce, STUN_ID))
        return false;
    if (type != (method | STUN_SUCCESS) && type != (method | STUN_ERROR))
        return false;
    read_stun_attributes(r, detail);
    *attributes = r;
    return true;
}

static bool answers_stun(struct sd_span data, const uint8_t *nonce, char *detail)
{
    struct sd_rd attributes;
    return is_stun_answer(data, nonce, STUN_BINDING, &attributes, detail);
}

/* A server of STUN alone calls it a bad request (400), without a realm to log in to; a TURN server
 * wants to know who asks (401, with a realm), or has no such allocation (437). */
static bool is_turn(struct sd_span data, const uint8_t *nonce, char *detail)
{
    enum { ERROR_CODE = 9, CODE_AT = 2, BAD_REQUEST = 400, HUNDRED = 100, MASK = 7 };
    struct sd_rd r, body;
    uint16_t type;
    if (!is_stun_answer(data, nonce, TURN_REFRESH, &r, detail))
        return false;
    while (next_stun_attribute(&r, &type, &body)) {
        if (type != ERROR_CODE)
            continue;
        sd_rd_bytes(&body, CODE_AT);
        unsigned hundreds = sd_rd_u8(&body) & MASK, number = sd_rd_u8(&body);
        return !body.bad && hundreds * HUNDRED + number != BAD_REQUEST;
    }
    return true;
}

/* --- CoAP, RFC 7252 section 4.3 --- */

enum { COAP_CON_EMPTY = 0x40, COAP_RST_EMPTY = 0x70, COAP_ID = 2 };

static void ask_coap(struct sd_wr *w, const uint8_t *nonce)
{
    sd_wr_u8(w, COAP_CON_EMPTY);
    sd_wr_u8(w, 0);
    sd_wr_bytes(w, nonce, COAP_ID);
}

static bool is_coap(struct sd_span data, const uint8_t *nonce, char *detail)
{
    struct sd_rd r = sd_rd_init(data.p, data.len);
    uint8_t head = sd_rd_u8(&r), code = sd_rd_u8(&r);
    struct sd_span id = sd_rd_bytes(&r, COAP_ID);
    (void)detail;
    return sd_rd_done(&r) && head == COAP_RST_EMPTY && !code && !memcmp(id.p, nonce, COAP_ID);
}

/* --- SCTP over DTLS, RFC 8261 and RFC 9260 section 3.3.2 --- */

enum { SCTP_PORT = 5000, SCTP_TAG = 4, SCTP_CHECKSUM = 4, SCTP_HEAD = 12 };
enum { SCTP_INIT = 1, SCTP_INIT_ACK = 2, SCTP_ABORT = 6 };

/* CRC32c, RFC 9260 appendix A. */
static uint32_t crc32c(struct sd_span data)
{
    enum { POLYNOMIAL_BITS = 8 };
    const uint32_t polynomial = 0x82f63b78;
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < data.len; i++) {
        crc ^= data.p[i];
        for (unsigned bit = 0; bit < POLYNOMIAL_BITS; bit++)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    }
    return ~crc;
}

static void put_sctp_init(struct sd_wr *w, const uint8_t *nonce, uint32_t checksum)
{
    enum { LENGTH = 20, WINDOW = 128 << 10 };
    sd_wr_u16(w, SCTP_PORT);
    sd_wr_u16(w, SCTP_PORT);
    sd_wr_u32(w, 0);
    sd_wr_u32(w, __builtin_bswap32(checksum));
    sd_wr_u8(w, SCTP_INIT);
    sd_wr_u8(w, 0);
    sd_wr_u16(w, LENGTH);
    sd_wr_bytes(w, nonce, SCTP_TAG);
    sd_wr_u32(w, WINDOW);
    sd_wr_u16(w, 1);
    sd_wr_u16(w, 1);
    sd_wr_bytes(w, nonce + SCTP_TAG, SCTP_TAG); /* initial TSN */
}

static void ask_sctp(struct sd_wr *w, const uint8_t *nonce)
{
    uint8_t buf[SCAN_SERVICE_REQUEST];
    struct sd_wr unsummed = sd_wr_init(buf, sizeof buf);
    put_sctp_init(&unsummed, nonce, 0);
    put_sctp_init(w, nonce, crc32c((struct sd_span){buf, sd_wr_len(&unsummed)}));
}

/* An INIT ACK or ABORT under our tag; or an INIT of its own, with another tag than ours. */
static bool is_sctp(struct sd_span data, const uint8_t *nonce, char *detail)
{
    enum { PORTS = 4, FLAGS_AND_LENGTH = 3 };
    static const uint8_t no_tag[SCTP_TAG];
    struct sd_rd r = sd_rd_init(data.p, data.len);
    sd_rd_bytes(&r, PORTS);
    struct sd_span tag = sd_rd_bytes(&r, SCTP_TAG);
    sd_rd_bytes(&r, SCTP_CHECKSUM);
    uint8_t chunk = sd_rd_u8(&r);
    sd_rd_bytes(&r, FLAGS_AND_LENGTH);
    (void)detail;
    if (r.bad)
        return false;
    if (chunk != SCTP_INIT)
        return !memcmp(tag.p, nonce, SCTP_TAG) && (chunk == SCTP_INIT_ACK || chunk == SCTP_ABORT);
    struct sd_span own = sd_rd_bytes(&r, SCTP_TAG);
    return !r.bad && !memcmp(tag.p, no_tag, SCTP_TAG) && memcmp(own.p, nonce, SCTP_TAG);
}

/* --- RADIUS over DTLS, RFC 7360 and RFC 5997 --- */

enum { RADIUS_STATUS = 12, RADIUS_AUTH = 16, RADIUS_HEAD = 20, RADIUS_MAC = 80, RADIUS_LEN = 38 };
static const char radius_secret[] = "radius/dtls"; /* RFC 7360 section 2.1 */

static void put_status(struct sd_wr *w, const uint8_t *nonce, const uint8_t *mac)
{
    sd_wr_u8(w, RADIUS_STATUS);
    sd_wr_u8(w, nonce[0]);
    sd_wr_u16(w, RADIUS_LEN);
    sd_wr_bytes(w, nonce, RADIUS_AUTH);
    sd_wr_u8(w, RADIUS_MAC);
    sd_wr_u8(w, RADIUS_LEN - RADIUS_HEAD);
    sd_wr_bytes(w, mac, RADIUS_AUTH);
}

static void ask_radius(struct sd_wr *w, const uint8_t *nonce)
{
    static const uint8_t none[RADIUS_AUTH];
    uint8_t buf[RADIUS_LEN], mac[EVP_MAX_MD_SIZE] = {0};
    struct sd_wr unsigned_one = sd_wr_init(buf, sizeof buf);
    put_status(&unsigned_one, nonce, none);
    HMAC(EVP_md5(), radius_secret, sizeof radius_secret - 1, buf, sizeof buf, mac, NULL);
    put_status(w, nonce, mac);
}

/* Access-Accept, Accounting-Response, or a refusal, of the length and number it should have. */
static bool is_radius(struct sd_span data, const uint8_t *nonce, char *detail)
{
    enum { ACCEPT = 2, REJECT = 3, ACCOUNTING = 5, CHALLENGE = 11 };
    struct sd_rd r = sd_rd_init(data.p, data.len);
    uint8_t code = sd_rd_u8(&r), id = sd_rd_u8(&r);
    uint16_t len = sd_rd_u16(&r);
    sd_rd_bytes(&r, RADIUS_AUTH);
    (void)detail;
    return !r.bad && id == nonce[0] && len == data.len &&
           (code == ACCEPT || code == REJECT || code == ACCOUNTING || code == CHALLENGE);
}

/* --- VPNs --- */

enum { VPN_DPD_REQUEST = 3, VPN_DPD_RESPONSE = 4 };

static void ask_openconnect(struct sd_wr *w, const uint8_t *nonce)
{
    (void)nonce;
    sd_wr_u8(w, VPN_DPD_REQUEST);
}

static bool is_openconnect(struct sd_span data, const uint8_t *nonce, char *detail)
{
    (void)nonce, (void)detail;
    return data.len == 1 && data.p[0] == VPN_DPD_RESPONSE;
}

/* Two bytes of length, then texts that each end with a zero byte. Without a FortiGate at hand this
 * follows what openconnect sends and expects. */
static void ask_fortinet(struct sd_wr *w, const uint8_t *nonce)
{
    static const char hello[] = "GFtype\0clthello\0SVPNCOOKIE\0";
    (void)nonce;
    sd_wr_u16(w, 2 + sizeof hello);
    sd_wr_bytes(w, hello, sizeof hello);
}

static bool is_fortinet(struct sd_span data, const uint8_t *nonce, char *detail)
{
    static const char answer[] = "GFtype\0svrhello";
    struct sd_rd r = sd_rd_init(data.p, data.len);
    uint16_t len = sd_rd_u16(&r);
    struct sd_span head = sd_rd_bytes(&r, sizeof answer);
    (void)nonce, (void)detail;
    return !r.bad && len == data.len && !memcmp(head.p, answer, sizeof answer);
}

/* --- the table --- */

static void (*const ask_for[SCAN_SERVICE_COUNT])(struct sd_wr *w, const uint8_t *nonce) = {
    [SCAN_SERVICE_STUN] = ask_stun,         [SCAN_SERVICE_TURN] = ask_turn,
    [SCAN_SERVICE_COAP] = ask_coap,         [SCAN_SERVICE_SCTP] = ask_sctp,
    [SCAN_SERVICE_RADIUS] = ask_radius,     [SCAN_SERVICE_OPENCONNECT] = ask_openconnect,
    [SCAN_SERVICE_FORTINET] = ask_fortinet,
};

static bool (*const is_answer[SCAN_SERVICE_COUNT])(struct sd_span data, const uint8_t *nonce,
                                                   char *detail) = {
    [SCAN_SERVICE_STUN] = answers_stun,    [SCAN_SERVICE_TURN] = is_turn,
    [SCAN_SERVICE_COAP] = is_coap,         [SCAN_SERVICE_SCTP] = is_sctp,
    [SCAN_SERVICE_RADIUS] = is_radius,     [SCAN_SERVICE_OPENCONNECT] = is_openconnect,
    [SCAN_SERVICE_FORTINET] = is_fortinet,
};

static const struct {
    const char *name, *request;
} service_words[] = {
#define SCAN_X(name, title, request) {title, request},
    SCAN_SERVICES(SCAN_X)
#undef SCAN_X
};

const char *scan_service_name(enum scan_service kind)
{
    return service_words[kind].name;
}

const char *scan_service_request(enum scan_service kind)
{
    return service_words[kind].request;
}

void scan_service_ask(struct sd_wr *w, enum scan_service kind,
                      const uint8_t nonce[static SCAN_SERVICE_NONCE])
{
    ask_for[kind](w, nonce);
}

bool scan_service_is(enum scan_service kind, struct sd_span data,
                     const uint8_t nonce[static SCAN_SERVICE_NONCE],
                     char detail[static SCAN_SERVICE_DETAIL])
{
    detail[0] = '\0';
    return is_answer[kind](data, nonce, detail);
}
