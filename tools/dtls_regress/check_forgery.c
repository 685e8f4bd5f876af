#include "dtls_regress/experiment.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

/* What somebody without any key can send. */
struct forgery {
    uint8_t type;
    uint8_t len;
    uint8_t body[24];
};

#define ALERT(level, what)                                                                         \
    21, 2,                                                                                         \
    {                                                                                              \
        (level), (what)                                                                            \
    }
/* A fragment header with an empty or zero body of up to 12 bytes. */
#define HANDSHAKE(type, total, frag_len, body_len)                                                 \
    22, 12 + (body_len),                                                                           \
    {                                                                                              \
        (type), (total) >> 16 & 255, (total) >> 8 & 255, (total)&255, 0, 2, 0, 0, 0, 0, 0,         \
            (frag_len)                                                                             \
    }

static const struct forgery forgeries[] = {
    {23, 4, {1}},                    /* application data */
    {99, 4, {0}},                    /* unknown type */
    {24, 4, {1}},                    /* heartbeat */
    {25, 4, {0}},                    /* tls12_cid */
    {26, 4, {0}},                    /* ACK */
    {ALERT(1, 0)},                   /* close_notify */
    {ALERT(1, 41)},                  /* no_certificate */
    {ALERT(1, 112)},                 /* unrecognized_name */
    {ALERT(2, 40)},                  /* handshake_failure */
    {ALERT(3, 40)},                  /* no such level */
    {21, 1, {2}},                    /* half an alert */
    {21, 3, {2, 40}},                /* more than an alert */
    {22, 0, {0}},                    /* empty handshake record */
    {22, 5, {16}},                   /* less than a header */
    {HANDSHAKE(16, 1, 2, 2)},        /* fragment beyond its message */
    {HANDSHAKE(16, 0xffffff, 1, 1)}, /* 16 MB */
    {HANDSHAKE(16, 70, 70, 0)},      /* fragment longer than its record */
    {HANDSHAKE(0, 0, 0, 0)},         /* HelloRequest */
    {HANDSHAKE(20, 12, 12, 12)},     /* Finished */
    {HANDSHAKE(2, 4, 4, 4)},         /* ServerHello */
    {HANDSHAKE(99, 4, 4, 4)},        /* unknown message */
    {HANDSHAKE(16, 4, 4, 4)},        /* ClientKeyExchange */
    {HANDSHAKE(1, 4, 4, 4)},         /* ClientHello */
    {20, 1, {1}},                    /* ChangeCipherSpec */
    {20, 2, {1, 1}},                 /* a long one */
};
enum { FORGERIES = sizeof forgeries / sizeof *forgeries };

static struct lab *usual(void)
{
    return lab_new(&(struct lab_setup){.mtu = 1400});
}

/* The server has sent its flight and waits for the client's. */
static struct lab *waiting_server(void)
{
    struct lab *lab = usual();
    if (!lab)
        return NULL;
    lab_use_cookies(lab); /* so the client's next message is number 2, as in the forgeries */
    for (int i = 0; i < 4; i++)
        lab_step(lab, i % 2 ? SERVER : CLIENT);
    return lab;
}

/* -1: the experiment failed. */
static int survives(const struct forgery *f)
{
    struct lab *lab = waiting_server();
    if (!lab || !lab_inject(lab, SERVER, f->type, 0, 50, f->body, f->len)) {
        lab_free(lab);
        return -1;
    }
    lab_step(lab, SERVER);
    bool alive = lab_handshake_slowly(lab) && lab_data(lab);
    lab_free(lab);
    return alive;
}

static struct outcome plaintext(void)
{
    long killed = 0;
    for (int i = 0; i < FORGERIES; i++) {
        int alive = survives(&forgeries[i]);
        if (alive < 0)
            return outcome_broken("nothing could be injected");
        killed += !alive;
    }
    return outcome_measured("%ld of 25 forgeries kill", killed);
}

static struct outcome unknown_type(void)
{
    int alive = survives(&(struct forgery){99, 4, {0}});
    return outcome_defect_if(alive >= 0, !alive, "nothing could be injected");
}

static struct outcome etm(void)
{
    static const uint8_t zero[64];
    const struct lab_setup setup = {.mtu = 1400, .ciphers = "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"};
    struct lab *lab = lab_new(&setup);
    bool before = lab && lab_handshake(lab) && lab_data(lab) &&
                  lab_inject(lab, SERVER, 23, 1, 99, zero, sizeof zero);
    bool after = before && lab_data(lab);
    lab_free(lab);
    return outcome_defect_if(before, !after, "no association to begin with");
}

/* One byte of each of the next messages, each claiming to be the largest allowed: bytes of heap
 * kept for each byte received. -1: the experiment failed. */
static long kept(void)
{
    enum { SENT = 28, LEN = 13, RECORD = 13 };
    struct lab *lab = waiting_server();
    if (!lab)
        return -1;
    const size_t before = heap_now().bytes;
    for (uint8_t i = 0; i < SENT; i++) {
        const uint8_t body[LEN] = {11, 1, 0x8f, 0x9c, 0, (uint8_t)(3 + i), 0, 0, 50, 0, 0, 1, 0};
        if (lab_inject(lab, SERVER, 22, 0, 100U + i, body, sizeof body))
            lab_step(lab, SERVER);
    }
    const size_t after = heap_now().bytes;
    lab_free(lab);
    return after > before ? (long)((after - before) / (SENT * (RECORD + LEN))) : 0;
}

static struct outcome pinned(void)
{
    enum { MUCH = 100 };
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    long factor = kept();
    return outcome_defect_if(factor >= 0, factor > MUCH, LAB_REFUSED);
}

static struct outcome pinned_factor(void)
{
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    long factor = kept();
    return factor < 0 ? outcome_broken(LAB_REFUSED)
                      : outcome_measured("%ld bytes kept a byte received", (factor + 5) / 10 * 10);
}

/* A copy of the ClientHello reaches the server, with this byte of its record number changed. -1:
 * the experiment failed. */
static int survives_copy(size_t offset, uint8_t value)
{
    struct lab *lab = usual();
    if (!lab)
        return -1;
    lab_step(lab, CLIENT);
    const struct dgram *hello = lab->end[SERVER].in;
    uint8_t copy[512];
    bool ok = hello && hello->len <= sizeof copy;
    if (ok) {
        memcpy(copy, hello->data, hello->len);
        copy[offset] = value;
        ok = lab_put(lab, SERVER, copy, hello->len);
        lab_step(lab, SERVER);
    }
    bool done = ok && lab_handshake_slowly(lab);
    lab_free(lab);
    return ok ? done : -1;
}

static struct outcome far_number(void)
{
    int near = survives_copy(10, 5), far = survives_copy(5, 0x40); /* 5, and 2^46 */
    return outcome_defect_if(near == 1 && far >= 0, !far,
                             "a handshake with a copied hello does not complete");
}

static struct outcome restart(void)
{
    struct lab *lab = usual(), *again = usual();
    bool ok = lab && again && lab_handshake(lab);
    size_t answers = 0;
    if (ok) {
        lab_step(again, CLIENT);
        const struct dgram *hello = again->end[SERVER].in;
        const size_t before = lab->end[SERVER].sent;
        char buf[8];
        for (int i = 0; ok && i < 3; i++) {
            ok = hello && lab_put(lab, SERVER, hello->data, hello->len);
            SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
        }
        answers = lab->end[SERVER].sent - before;
    }
    lab_free(lab);
    lab_free(again);
    return outcome_defect_if(ok, !answers, "no association to begin with");
}

/* A handshake whose client gets something forged right before the ServerHello: does it end? */
static struct outcome before_server_hello(void (*forge)(struct lab *, int, const uint8_t *, size_t))
{
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab->before = forge;
    bool done = lab_handshake_slowly(lab), forged = lab->forged;
    lab_free(lab);
    return outcome_defect_if(forged, !done, "no ServerHello was seen");
}

static bool is_server_hello(struct lab *lab, int to, const uint8_t *data, size_t len)
{
    bool now = to == CLIENT && !lab->forged && len >= 14 && data[0] == 22 && data[13] == 2;
    lab->forged |= now;
    return now;
}

static void forge_request(struct lab *lab, int to, const uint8_t *data, size_t len)
{
    static const uint8_t hello_request[12] = {0, 0, 0, 0, 0, 1};
    if (is_server_hello(lab, to, data, len))
        lab_inject(lab, CLIENT, 22, 0, 20, hello_request, sizeof hello_request);
}

static struct outcome hello_request(void)
{
    return before_server_hello(forge_request);
}

static void forge_warning(struct lab *lab, int to, const uint8_t *data, size_t len)
{
    static const uint8_t unrecognized_name[2] = {1, 112};
    if (is_server_hello(lab, to, data, len))
        lab_inject(lab, CLIENT, 21, 0, 20, unrecognized_name, sizeof unrecognized_name);
}

static struct outcome warning(void)
{
    return before_server_hello(forge_warning);
}

/* A HelloVerifyRequest for a client that has read ServerHello, but not the rest. */
static struct outcome late_hvr(void)
{
    static const uint8_t hvr[] = {3, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 7, 0xfe, 0xff, 4, 1, 2, 3, 4};
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(lab->end[SERVER].ssl, 300);
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    struct dgram *hello = lab_take(lab, CLIENT);
    lab_drop_all(lab, CLIENT);
    bool ok = hello && lab_put(lab, CLIENT, hello->data, hello->len);
    free(hello);
    lab_step(lab, CLIENT);
    const size_t before = lab->end[CLIENT].sent;
    ok = ok && lab_inject(lab, CLIENT, 22, 0, 90, hvr, sizeof hvr);
    lab_step(lab, CLIENT);
    bool again = lab->end[CLIENT].sent > before;
    lab_free(lab);
    return outcome_defect_if(ok, again, "no association to begin with");
}

static struct outcome short_record(void)
{
    static const uint8_t byte[1] = {0};
    struct lab *lab = usual();
    bool before = lab && lab_handshake(lab) && lab_data(lab) &&
                  lab_inject(lab, SERVER, 23, 1, 99, byte, sizeof byte);
    bool after = before && lab_data(lab);
    lab_free(lab);
    return outcome_defect_if(before, !after, "no association to begin with");
}

/* Records of the next epoch wait for its keys: how much of the heap do they take? */
static struct outcome early_records(void)
{
    enum { SENT = 200, MUCH = 100000 };
    static const uint8_t byte[1] = {0};
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    struct lab *lab = waiting_server();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    const size_t before = heap_now().bytes;
    for (unsigned i = 0; i < SENT; i++)
        if (lab_inject(lab, SERVER, 22, 1, i, byte, sizeof byte))
            lab_step(lab, SERVER);
    const size_t after = heap_now().bytes;
    lab_free(lab);
    return outcome_defect(after > before + MUCH);
}

const struct experiment forgery_experiments[] = {
    {"forgery-short-record", "R1 CVE-2026-75806",
     "One forged record with a body of one byte on an association with AES-GCM.",
     "vulnerable: it ends the association. Nobody needs a key for that.",
     "The guard drops records that are too short for the cipher.", short_record},
    {"forgery-early-records", "R3 CVE-2026-54874",
     "200 records of the next epoch, a byte each, reach a server that waits for the client.",
     "vulnerable: it keeps some 8 kB of heap for each.", "The guard bounds what waits.",
     early_records},
    {"forgery-warning", "R10", "One warning alert, unrecognized_name, before the ServerHello.",
     "vulnerable: the client gives up: too many warn alerts.",
     "The guard drops alerts in plaintext, and tells.", warning},
    {"forgery-etm", "T1 #24972 #25353 #31145",
     "One forged record of 64 bytes on an association with AES-CBC and encrypt-then-MAC.",
     "vulnerable: it ends the association.", "Encrypt-then-MAC is not offered.", etm},
    {"forgery-plaintext", "T2 #25389 #25840",
     "25 kinds of plaintext records, each sent to a server that waits for the client's flight.",
     "So many of them end the handshake.", "The guard's rules drop them (docs/guard.md).",
     plaintext},
    {"forgery-unknown-type", "#25389 #19062", "The same with content type 99 only.",
     "vulnerable: the handshake ends.", "The guard drops it: content-type.", unknown_type},
    {"forgery-memory", "T12 CVE-2026-95690",
     "28 datagrams of 26 bytes, each with one byte of a further message of 102,300.",
     "vulnerable: somebody behind a cookie makes the server keep a megabyte with 728 bytes.",
     "max_cert_list is 16 KiB on a server that asks for no certificate.", pinned},
    {"forgery-memory-factor", "T12 CVE-2026-95690", "The same, as a number.",
     "Heap kept for each byte that somebody behind a cookie sends.",
     "max_cert_list is 16 KiB on a server that asks for no certificate.", pinned_factor},
    {"forgery-record-number", "docs/guard.md",
     "A copy of the ClientHello with record number 2^46 reaches the server.",
     "vulnerable: all further plaintext of the client counts as replayed, the handshake fails.",
     "The guard numbers incoming plaintext records itself.", far_number},
    {"forgery-restart", "T11 #3283",
     "A new ClientHello, three times, on an association: the client has been restarted.",
     "vulnerable: no answer ever, the client cannot come back from this port.",
     "A cookie exchange, then a new association.", restart},
    {"forgery-hello-request", "T13 #32363",
     "HelloRequest with message number 1 reaches the client before ServerHello.",
     "vulnerable: the client fails.", "The guard drops it: handshake.", hello_request},
    {"forgery-late-hvr", "T14 #15488", "HelloVerifyRequest reaches the client after ServerHello.",
     "vulnerable: the client starts anew.", "The guard drops it: handshake.", late_hvr},
};
const size_t forgery_count = sizeof forgery_experiments / sizeof *forgery_experiments;
