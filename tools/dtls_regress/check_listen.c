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
    return outcome_defect_if(answer >= 0, answer < NUMBER,
                             "the server does not answer the hello with the cookie");
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
    return outcome_defect_if(ok, r == 1, "the client sends no hello with a cookie");
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
    return outcome_defect_if(ok, !done, "the client sends no hello with a cookie");
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
    return outcome_defect_if(ok, !done, "the client sends no hello with a cookie");
}

/* So little of the first hello that the place of the cookie is not in it. */
static struct outcome tiny_fragment(void)
{
    enum { TINY = 20 };
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return outcome_broken(LAB_REFUSED);
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
    return outcome_defect_if(ok, !answers, "the client sends no hello with a cookie");
}

static struct outcome garbage_error(void)
{
    static const uint8_t garbage[20] = {0x40};
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_use_cookies(lab);
    lab_put(lab, SERVER, garbage, sizeof garbage);
    int r = listen_once(lab);
    int error = SSL_get_error(lab->end[SERVER].ssl, r);
    lab_free(lab);
    return outcome_measured("%d is SSL_get_error() after garbage", error);
}

static struct outcome lost_request(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_use_cookies(lab);
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    bool asked = lab_count(lab, CLIENT) == 1;
    lab_drop_all(lab, CLIENT);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return outcome_defect_if(asked, !done, "the server asked for no cookie");
}

/* What is left to read after the hello was taken. */
static struct outcome peeks(void)
{
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    bool taken = false;
    if (hello) {
        lab_put(lab, SERVER, hello->data, hello->len);
        taken = listen_once(lab) == 1;
    }
    const size_t left = taken ? lab_count(lab, SERVER) : 0;
    free(hello);
    lab_free(lab);
    return outcome_defect_if(taken, left != 0, "the hello with the cookie is not taken");
}

enum { RECORD_HEADER = 13 };

struct seen {
    bool header, message;
    uint8_t bytes[RECORD_HEADER]; /* of the header */
};

static void on_message(int out, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    struct seen *seen = arg;
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

static const char *which_header(const struct seen *seen, const struct dgram *sent)
{
    if (!seen->header)
        return "nothing";
    return memcmp(seen->bytes, sent->data, sizeof seen->bytes) ? "the header of another record"
                                                               : "the header";
}

static struct outcome callback(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    struct seen seen = {0};
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_use_cookies(lab);
    SSL_set_msg_callback(lab->end[SERVER].ssl, on_message);
    SSL_set_msg_callback_arg(lab->end[SERVER].ssl, &seen);
    lab_step(lab, CLIENT);
    listen_once(lab);
    const struct dgram *sent = lab->end[CLIENT].in;
    struct outcome o = sent && sent->len > RECORD_HEADER
                           ? outcome_measured("%s%s", which_header(&seen, sent),
                                              seen.message ? " and the message" : "")
                           : outcome_broken("the server asked for no cookie");
    lab_free(lab);
    return o;
}

/* The server takes the hello, and has no cipher for it: does the client hear of that? */
static struct outcome refusal(void)
{
    struct dgram *hello;
    struct lab *lab = usual(&hello);
    bool taken = false, heard = false;
    if (hello) {
        SSL_set_cipher_list(lab->end[SERVER].ssl, "ECDHE-RSA-AES128-GCM-SHA256");
        lab_put(lab, SERVER, hello->data, hello->len);
        taken = listen_once(lab) == 1 && lab_step(lab, SERVER) < 0;
        heard =
            taken && SSL_get_error(lab->end[CLIENT].ssl, lab_step(lab, CLIENT)) == SSL_ERROR_SSL;
    }
    free(hello);
    lab_free(lab);
    return outcome_defect_if(taken, !heard, "the server does not refuse");
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
    {"listen-peeks", "#6934 #5024", "What DTLSv1_listen leaves of the hello it has taken.",
     "vulnerable: it stays in the queue of the socket: the next call finds a new client, for ever.",
     "The gate reads the socket itself.", peeks},
    {"listen-callback", "R17",
     "What SSL_set_msg_callback is told of the HelloVerifyRequest that DTLSv1_listen sends.",
     "A trace of the handshake begins with what is told here.",
     "The trace looks at the datagrams themselves.", callback},
    {"listen-refusal", "#2886 #2915",
     "DTLSv1_listen takes a hello for which the server has no cipher.",
     "vulnerable: the client drops the alert as a replay and waits.",
     "The gate hands the hello over with a number that fits.", refusal},
    {"cookie-request-lost", "R11 #18635",
     "With SSL_OP_COOKIE_EXCHANGE the HelloVerifyRequest is lost, and the client asks again.",
     "vulnerable: the server never answers that client.",
     "The gate keeps no state: each hello gets an answer.", lost_request},
};
const size_t listen_count = sizeof listen_experiments / sizeof *listen_experiments;
