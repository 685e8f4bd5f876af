/* SPDX-License-Identifier: MIT */
/* DTLSv1_listen, and the cookie exchange without it. */
#include "dtls_regress/check.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

/* Where the fields of a ClientHello are that has a record to itself. */
enum {
    RECORD_SEQ_LAST = 10,
    RECORD_LEN = 11,
    MESSAGE_SEQ_LAST = 18,
    FRAG_OFF = 19,
    FRAG_LEN = 22,
    HEADERS = 25,
    HANDSHAKE_HEADER = 12,
    SPLIT = 100, /* bytes of the message in the first of two fragments */
    HELLO_MAX = 600
};

static int call_listen(struct regress_lab *lab)
{
    BIO_ADDR *from = BIO_ADDR_new();
    ERR_clear_error();
    int r = DTLSv1_listen(lab->end[SERVER].ssl, from);
    BIO_ADDR_free(from);
    return r;
}

#define NO_COOKIE_HELLO "the client sends no ClientHello with a cookie"
#define NO_REQUEST "the server sends no HelloVerifyRequest"

/* The client's ClientHello with a cookie, which the server has not seen. NULL: the experiment
 * failed. The caller frees it. */
static struct regress_datagram *second_hello(struct regress_lab *lab)
{
    regress_lab_use_cookies(lab);
    regress_lab_step(lab, CLIENT);
    call_listen(lab);
    regress_lab_step(lab, CLIENT);
    struct regress_datagram *d = regress_lab_take(lab, SERVER);
    if (d && d->len > HEADERS + SPLIT && d->len < HELLO_MAX)
        return d;
    free(d);
    return NULL;
}

static struct regress_lab *lab_with_hello(struct regress_datagram **hello)
{
    struct regress_lab *lab = regress_lab_usual();
    *hello = lab ? second_hello(lab) : NULL;
    return lab;
}

static struct regress_outcome listen_record_number(void)
{
    enum { NUMBER = 5 };
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    int answer = -1;
    if (hello) {
        hello->data[RECORD_SEQ_LAST] = NUMBER;
        regress_lab_put(lab, SERVER, hello->data, hello->len);
        if (call_listen(lab) == 1)
            regress_lab_step(lab, SERVER);
        const struct regress_datagram *flight = lab->end[CLIENT].in;
        answer = flight ? flight->data[RECORD_SEQ_LAST] : -1;
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(answer >= 0, answer < NUMBER,
                             "the server does not answer the ClientHello with the cookie");
}

static struct regress_outcome listen_message_number(void)
{
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    int r = -1;
    bool ok = hello;
    if (ok) {
        hello->data[MESSAGE_SEQ_LAST] = 2;
        regress_lab_put(lab, SERVER, hello->data, hello->len);
        r = call_listen(lab);
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(ok, r == 1, NO_COOKIE_HELLO);
}

static void write_u24(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 16);
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)value;
}

/* Bytes `from` to `to` of the message as a fragment in a record of its own. */
static size_t make_fragment(uint8_t *out, const struct regress_datagram *hello, size_t from,
                            size_t to, uint8_t seq)
{
    size_t body = to - from;
    memcpy(out, hello->data, HEADERS);
    memcpy(out + HEADERS, hello->data + HEADERS + from, body);
    out[RECORD_SEQ_LAST] = seq;
    out[RECORD_LEN] = (uint8_t)((body + HANDSHAKE_HEADER) >> 8);
    out[RECORD_LEN + 1] = (uint8_t)(body + HANDSHAKE_HEADER);
    write_u24(out + FRAG_OFF, from);
    write_u24(out + FRAG_LEN, body);
    return HEADERS + body;
}

/* Both fragments of the ClientHello in one datagram: is the second one lost? */
static struct regress_outcome listen_second_record(void)
{
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    bool ok = hello, done = false;
    if (ok) {
        uint8_t both[2 * HELLO_MAX];
        size_t whole = hello->len - HEADERS, len = make_fragment(both, hello, 0, SPLIT, 0);
        len += make_fragment(both + len, hello, SPLIT, whole, 1);
        regress_lab_put(lab, SERVER, both, len);
        ok = call_listen(lab) == 1;
        done = ok && regress_lab_handshake(lab);
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(ok, !done, NO_COOKIE_HELLO);
}

/* Each fragment in a datagram of its own, as over a narrow path. */
static struct regress_outcome listen_two_datagrams(void)
{
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    bool ok = hello, done = false;
    if (ok) {
        uint8_t part[HELLO_MAX];
        size_t whole = hello->len - HEADERS;
        regress_lab_put(lab, SERVER, part, make_fragment(part, hello, 0, SPLIT, 0));
        regress_lab_put(lab, SERVER, part, make_fragment(part, hello, SPLIT, whole, 1));
        bool heard = call_listen(lab) == 1 || call_listen(lab) == 1;
        done = heard && regress_lab_handshake(lab);
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(ok, !done, NO_COOKIE_HELLO);
}

/* The first fragment of the first ClientHello ends before the cookie field. */
static struct regress_outcome listen_tiny_fragment(void)
{
    enum { TINY = 20 };
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_use_cookies(lab);
    regress_lab_step(lab, CLIENT);
    struct regress_datagram *hello = regress_lab_take(lab, SERVER);
    bool ok = hello && hello->len < HELLO_MAX;
    size_t answers = 0;
    if (ok) {
        uint8_t part[HELLO_MAX];
        size_t whole = hello->len - HEADERS;
        regress_lab_put(lab, SERVER, part, make_fragment(part, hello, 0, TINY, 0));
        call_listen(lab);
        regress_lab_put(lab, SERVER, part, make_fragment(part, hello, TINY, whole, 1));
        call_listen(lab);
        answers = regress_lab_count(lab, CLIENT);
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(ok, !answers, "the client sends no ClientHello");
}

static struct regress_outcome listen_garbage_error(void)
{
    static const uint8_t garbage[20] = {0x40};
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_use_cookies(lab);
    regress_lab_put(lab, SERVER, garbage, sizeof garbage);
    int r = call_listen(lab);
    int error = SSL_get_error(lab->end[SERVER].ssl, r);
    regress_lab_free(lab);
    return regress_measured("%d", error);
}

static struct regress_outcome cookie_request_lost(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_use_cookies(lab);
    regress_lab_step(lab, CLIENT);
    regress_lab_step(lab, SERVER);
    bool asked = regress_lab_count(lab, CLIENT) == 1;
    regress_lab_drop_all(lab, CLIENT);
    bool done = regress_lab_handshake_slowly(lab);
    regress_lab_free(lab);
    return regress_defect_if(asked, !done, NO_REQUEST);
}

/* What is left to read after DTLSv1_listen accepted the ClientHello. */
static struct regress_outcome listen_peeks(void)
{
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    bool taken = false;
    if (hello) {
        regress_lab_put(lab, SERVER, hello->data, hello->len);
        taken = call_listen(lab) == 1;
    }
    const size_t left = taken ? regress_lab_count(lab, SERVER) : 0;
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(taken, left != 0, "DTLSv1_listen does not accept the ClientHello");
}

enum { RECORD_HEADER = 13 };

struct callback_data {
    bool header, message;
    uint8_t bytes[RECORD_HEADER]; /* of the header */
};

static void on_sent_message(int out, int version, int type, const void *data, size_t len, SSL *ssl,
                            void *arg)
{
    struct callback_data *seen = arg;
    (void)version;
    (void)ssl;
    if (!out)
        return;
    seen->message |= type == SSL3_RT_HANDSHAKE;
    if (type == SSL3_RT_HEADER && len == sizeof seen->bytes) {
        seen->header = true;
        memcpy(seen->bytes, data, len);
    }
}

static const char *header_name(const struct callback_data *seen,
                               const struct regress_datagram *sent)
{
    if (!seen->header)
        return "nothing";
    return memcmp(seen->bytes, sent->data, sizeof seen->bytes) ? "header of another record"
                                                               : "header";
}

static struct regress_outcome listen_callback(void)
{
    struct regress_lab *lab = regress_lab_usual();
    struct callback_data seen = {0};
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_use_cookies(lab);
    SSL_set_msg_callback(lab->end[SERVER].ssl, on_sent_message);
    SSL_set_msg_callback_arg(lab->end[SERVER].ssl, &seen);
    regress_lab_step(lab, CLIENT);
    call_listen(lab);
    const struct regress_datagram *sent = lab->end[CLIENT].in;
    struct regress_outcome o =
        sent && sent->len > RECORD_HEADER
            ? regress_measured("%s%s", header_name(&seen, sent), seen.message ? " and message" : "")
            : regress_broken(NO_REQUEST);
    regress_lab_free(lab);
    return o;
}

/* The server supports none of the client's ciphers: does its alert reach the client? */
static struct regress_outcome listen_refusal(void)
{
    struct regress_datagram *hello;
    struct regress_lab *lab = lab_with_hello(&hello);
    bool taken = false, heard = false;
    if (hello) {
        SSL_set_cipher_list(lab->end[SERVER].ssl, "ECDHE-RSA-AES128-GCM-SHA256");
        regress_lab_put(lab, SERVER, hello->data, hello->len);
        taken = call_listen(lab) == 1 && regress_lab_step(lab, SERVER) < 0;
        heard = taken &&
                SSL_get_error(lab->end[CLIENT].ssl, regress_lab_step(lab, CLIENT)) == SSL_ERROR_SSL;
    }
    free(hello);
    regress_lab_free(lab);
    return regress_defect_if(taken, !heard, "the server does not refuse the ClientHello");
}

const struct regress_check regress_listen_checks[] = {
    {.name = "listen-record-number",
     .refs = "OpenSSL #32063",
     .does =
         "DTLSv1_listen accepts a ClientHello with a valid cookie and record number 5, as after "
         "several losses. The check reads the record number of the ServerHello.",
     .means = "vulnerable: the ServerHello has a lower record number than the HelloVerifyRequest. "
              "The client drops it as a replay, and the handshake takes a second longer.",
     .ours = "The gate answers ClientHellos itself, and the guard corrects the record numbers.",
     .run = listen_record_number},
    {.name = "listen-message-number",
     .refs = "OpenSSL #24982, RFC 6347 section 4.2.2",
     .does =
         "DTLSv1_listen reads a ClientHello with a valid cookie and message_seq 2 instead of 1.",
     .means = "vulnerable: DTLSv1_listen accepts it, but the handshake cannot continue.",
     .ours = "The gate only accepts a ClientHello with which the handshake can continue.",
     .run = listen_message_number},
    {.name = "listen-second-record",
     .refs = "OpenSSL #28815, RFC 6347 section 4.1.1",
     .does = "A ClientHello with a cookie arrives as two fragments in one datagram.",
     .means = "vulnerable: everything after the first record is lost, and the handshake takes "
              "a second longer.",
     .ours = "The gate passes whole datagrams to the session.",
     .run = listen_second_record},
    {.name = "listen-two-datagrams",
     .refs = "OpenSSL #27640, #25380",
     .does = "A ClientHello with a cookie arrives as two fragments in two datagrams.",
     .means = "vulnerable: the server does not answer before a timeout.",
     .ours = "The gate answers the first fragment, and the session joins the rest.",
     .run = listen_two_datagrams},
    {.name = "listen-tiny-fragment",
     .refs = "RFC 6347 section 4.2.1",
     .does = "The first ClientHello arrives as two fragments. The first fragment has 20 bytes and "
             "ends before the cookie field.",
     .means = "vulnerable: the server never answers. A client that cuts its ClientHello this small "
              "can never connect.",
     .ours = "The gate does not answer either: it needs the cookie field in the first fragment, "
             "because it keeps no state before the cookie is valid.",
     .run = listen_tiny_fragment},
    {.name = "listen-garbage-error",
     .measures = "SSL_get_error() after garbage",
     .refs = "OpenSSL #30631, #30894",
     .does = "DTLSv1_listen reads 20 bytes of garbage. The check then calls SSL_get_error.",
     .means = "1 is SSL_ERROR_SSL. 5 is SSL_ERROR_SYSCALL, which looks like a broken socket to the "
              "server.",
     .ours = "The gate reads the socket itself, so DTLSv1_listen never sees garbage.",
     .run = listen_garbage_error},
    {.name = "listen-peeks",
     .refs = "OpenSSL #6934, #5024",
     .does = "DTLSv1_listen accepts a ClientHello. The check counts the datagrams that are left in "
             "the socket's queue.",
     .means = "vulnerable: the datagram stays in the socket's queue, so every further call finds "
              "the same new client.",
     .ours = "The gate reads the socket itself.",
     .run = listen_peeks},
    {.name = "listen-callback",
     .measures = "data for the message callback",
     .refs = "OpenSSL #28916, #28816",
     .does =
         "DTLSv1_listen sends a HelloVerifyRequest. The check looks at what the function set by "
         "SSL_set_msg_callback receives.",
     .means = "A trace of the handshake that uses the callback begins with this data.",
     .ours = "The trace reads the datagrams themselves.",
     .run = listen_callback},
    {.name = "listen-refusal",
     .refs = "OpenSSL #2886, #2915",
     .does = "DTLSv1_listen accepts a ClientHello, but the server supports none of its ciphers.",
     .means = "vulnerable: the client drops the server's alert as a replay and keeps waiting.",
     .ours = "The guard corrects the record numbers, so the client accepts the alert.",
     .run = listen_refusal},
    {.name = "cookie-request-lost",
     .refs = "OpenSSL #18635",
     .does = "With SSL_OP_COOKIE_EXCHANGE, the server's HelloVerifyRequest is lost and the client "
             "sends its ClientHello again.",
     .means = "vulnerable: the server never answers this client.",
     .ours = "The gate keeps no state, so every ClientHello gets an answer.",
     .run = cookie_request_lost},
};
const size_t regress_listen_count = sizeof regress_listen_checks / sizeof *regress_listen_checks;
