/* DTLSv1_listen, and the cookie exchange without it. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

/* Where the fields of a ClientHello in a record of its own stand. */
enum {
    RECORD_SEQ_LAST = 10,
    RECORD_LEN = 11,
    MESSAGE_SEQ_LAST = 18,
    FRAG_OFF = 19,
    FRAG_LEN = 22,
    HEADERS = 25,
    HELLO_MAX = 600
};

static int listen_once(struct lab *lab)
{
    BIO_ADDR *from = BIO_ADDR_new();
    ERR_clear_error();
    int r = DTLSv1_listen(lab->end[SERVER].ssl, from);
    BIO_ADDR_free(from);
    return r;
}

/* The client's hello with a cookie; the server has seen none of it. NULL: the experiment failed. */
static struct dgram *second_hello(struct lab *lab)
{
    lab_use_cookies(lab);
    lab_step(lab, CLIENT);
    listen_once(lab);
    lab_step(lab, CLIENT);
    struct dgram *d = lab_take(lab, SERVER);
    if (d && d->len > HEADERS + 100 && d->len < HELLO_MAX)
        return d;
    free(d);
    return NULL;
}

static struct lab *usual(struct dgram **hello)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    *hello = lab ? second_hello(lab) : NULL;
    return lab;
}

static struct outcome record_number(void)
{
    enum { NUMBER = 5 };
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    int answer = -1;
    if (hello) {
        hello->data[RECORD_SEQ_LAST] = NUMBER;
        lab_put(lab, SERVER, hello->data, hello->len);
        if (listen_once(lab) == 1)
            lab_step(lab, SERVER);
        const struct dgram *flight = lab->end[CLIENT].in;
        answer = flight ? flight->data[RECORD_SEQ_LAST] : -1;
    }
    free(hello);
    lab_free(lab);
    return answer < 0 ? OUTCOME(BROKEN) : OUTCOME_IF(answer < NUMBER);
}

static struct outcome message_number(void)
{
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    int r = -1;
    bool ok = hello;
    if (ok) {
        hello->data[MESSAGE_SEQ_LAST] = 2;
        lab_put(lab, SERVER, hello->data, hello->len);
        r = listen_once(lab);
    }
    free(hello);
    lab_free(lab);
    return ok ? OUTCOME_IF(r == 1) : OUTCOME(BROKEN);
}

static void put24(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 16);
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)value;
}

/* Bytes `from` to `to` of the message as a fragment in a record of its own. */
static size_t fragment(uint8_t *out, const struct dgram *hello, size_t from, size_t to, uint8_t seq)
{
    size_t body = to - from;
    memcpy(out, hello->data, HEADERS);
    memcpy(out + HEADERS, hello->data + HEADERS + from, body);
    out[RECORD_SEQ_LAST] = seq;
    out[RECORD_LEN] = (uint8_t)((body + 12) >> 8);
    out[RECORD_LEN + 1] = (uint8_t)(body + 12);
    put24(out + FRAG_OFF, from);
    put24(out + FRAG_LEN, body);
    return HEADERS + body;
}

/* Both fragments of the hello in one datagram: is the second lost? */
static struct outcome second_record(void)
{
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    bool ok = hello, done = false;
    if (ok) {
        uint8_t both[2 * HELLO_MAX];
        size_t whole = hello->len - HEADERS, len = fragment(both, hello, 0, 100, 0);
        len += fragment(both + len, hello, 100, whole, 1);
        lab_put(lab, SERVER, both, len);
        ok = listen_once(lab) == 1;
        done = ok && lab_handshake(lab);
    }
    free(hello);
    lab_free(lab);
    return ok ? OUTCOME_IF(!done) : OUTCOME(BROKEN);
}

/* The two fragments in datagrams of their own, as they come from a narrow path. */
static struct outcome two_datagrams(void)
{
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    bool ok = hello, done = false;
    if (ok) {
        uint8_t part[HELLO_MAX];
        size_t whole = hello->len - HEADERS;
        lab_put(lab, SERVER, part, fragment(part, hello, 0, 100, 0));
        lab_put(lab, SERVER, part, fragment(part, hello, 100, whole, 1));
        bool heard = listen_once(lab) == 1 || listen_once(lab) == 1;
        done = heard && lab_handshake(lab);
    }
    free(hello);
    lab_free(lab);
    return ok ? OUTCOME_IF(!done) : OUTCOME(BROKEN);
}

/* So little of the first hello that the place of the cookie is not in it. */
static struct outcome tiny_fragment(void)
{
    enum { TINY = 20 };
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return OUTCOME(BROKEN);
    lab_use_cookies(lab);
    lab_step(lab, CLIENT);
    struct dgram *hello = lab_take(lab, SERVER);
    bool ok = hello && hello->len < HELLO_MAX;
    size_t answers = 0;
    if (ok) {
        uint8_t part[HELLO_MAX];
        size_t whole = hello->len - HEADERS;
        lab_put(lab, SERVER, part, fragment(part, hello, 0, TINY, 0));
        listen_once(lab);
        lab_put(lab, SERVER, part, fragment(part, hello, TINY, whole, 1));
        listen_once(lab);
        answers = lab_count(lab, CLIENT);
    }
    free(hello);
    lab_free(lab);
    return ok ? OUTCOME_IF(!answers) : OUTCOME(BROKEN);
}

static struct outcome garbage_error(void)
{
    static const uint8_t garbage[20] = {0x40};
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return OUTCOME(BROKEN);
    lab_use_cookies(lab);
    lab_put(lab, SERVER, garbage, sizeof garbage);
    int r = listen_once(lab);
    int error = SSL_get_error(lab->end[SERVER].ssl, r);
    lab_free(lab);
    return OUTCOME_NUMBER(error, "is SSL_get_error() after garbage");
}

static struct outcome lost_request(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return OUTCOME(BROKEN);
    lab_use_cookies(lab);
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    bool asked = lab_count(lab, CLIENT) == 1;
    lab_drop_all(lab, CLIENT);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return asked ? OUTCOME_IF(!done) : OUTCOME(BROKEN);
}

const struct experiment listen_experiments[] = {
    {"listen-record-number", "R6 #32063",
     "DTLSv1_listen takes a hello with a cookie whose record number is 5, as after lost ones.",
     "vulnerable: the ServerHello has a lower number than the HelloVerifyRequest had: the client "
     "drops it as a replay, and a second is lost.",
     "The gate answers by itself, and hands the hello over with a number that fits.",
     record_number},
    {"listen-message-number", "R8",
     "DTLSv1_listen gets a hello with a good cookie, and message number 2 instead of 1.",
     "vulnerable: it is taken, and the handshake that follows cannot work.",
     "The gate takes what the session can go on with.", message_number},
    {"listen-second-record", "R7",
     "The hello with the cookie comes as two fragments in one datagram.",
     "vulnerable: what stands behind the first record is lost, and a second with it.",
     "The gate hands over whole datagrams.", second_record},
    {"listen-two-datagrams", "#27640 #25380",
     "The hello with the cookie comes as two fragments in a datagram each.",
     "vulnerable: the server does not come to an answer without a timer.",
     "The gate answers the first fragment; a session joins the rest.", two_datagrams},
    {"listen-tiny-fragment", "T17",
     "The first hello comes in two fragments, the first of 20 bytes: without the cookie's place.",
     "vulnerable: no answer, ever. A client that cuts its hello so small never gets in.",
     "The gate needs the first fragment up to the cookie, too: one reply, no state.",
     tiny_fragment},
    {"listen-garbage-error", "R9", "SSL_get_error after DTLSv1_listen saw 20 bytes of garbage.",
     "5, SSL_ERROR_SYSCALL, looks like a dead socket to a server that asks.",
     "DTLSv1_listen is not used.", garbage_error},
    {"cookie-request-lost", "R11 #18635",
     "With SSL_OP_COOKIE_EXCHANGE the HelloVerifyRequest is lost, and the client asks again.",
     "vulnerable: the server never answers that client.",
     "The gate keeps no state: each hello gets an answer.", lost_request},
};
const size_t listen_count = sizeof listen_experiments / sizeof *listen_experiments;
