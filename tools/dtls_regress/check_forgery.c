/* SPDX-License-Identifier: MIT */
/* Records and messages that anybody can forge. */
#include "dtls_regress/check.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>
#include <string.h>

/* A record that an attacker can send without any key. */
struct regress_forgery {
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

static const struct regress_forgery forgeries[] = {
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

/* The server has sent its flight and waits for the client's. */
static struct regress_lab *waiting_server(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return NULL;
    regress_lab_use_cookies(lab); /* makes the client's next message number 2, as in HANDSHAKE() */
    regress_lab_turns(lab, 4);
    return lab;
}

#define NOT_SENT "the forged record could not be sent"

/* 1: the handshake completes after this record; 0: it does not; -1: the experiment failed. */
static int survives_forgery(const struct regress_forgery *f)
{
    struct regress_lab *lab = waiting_server();
    if (!lab || !regress_lab_inject(lab, SERVER, f->type, 0, 50, f->body, f->len)) {
        regress_lab_free(lab);
        return -1;
    }
    regress_lab_step(lab, SERVER);
    bool alive = regress_lab_handshake_slowly(lab) && regress_lab_data(lab);
    regress_lab_free(lab);
    return alive;
}

static struct regress_outcome forgery_plaintext(void)
{
    long killed = 0;
    for (int i = 0; i < FORGERIES; i++) {
        int alive = survives_forgery(&forgeries[i]);
        if (alive < 0)
            return regress_broken(NOT_SENT);
        killed += !alive;
    }
    return regress_measured("%ld of %d", killed, FORGERIES);
}

static struct regress_outcome forgery_unknown_type(void)
{
    int alive = survives_forgery(&(struct regress_forgery){99, 4, {0}});
    return regress_defect_if(alive >= 0, !alive, NOT_SENT);
}

/* A record of the connection's epoch reaches the server: does the connection end? */
static struct regress_outcome forge_data(struct regress_lab *lab, const void *body, size_t len)
{
    bool sent = lab && regress_lab_inject(lab, SERVER, 23, 1, 99, body, len);
    bool alive = sent && regress_lab_data(lab);
    regress_lab_free(lab);
    return regress_defect_if(sent, !alive, LAB_UNCONNECTED);
}

static struct regress_outcome forgery_etm(void)
{
    static const uint8_t zero[64];
    struct regress_lab *lab = regress_lab_new(
        &(struct regress_lab_setup){.mtu = 1400, .ciphers = "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"});
    if (lab && regress_lab_handshake(lab) && regress_lab_data(lab))
        return forge_data(lab, zero, sizeof zero);
    regress_lab_free(lab);
    return regress_broken(LAB_UNCONNECTED);
}

static struct regress_outcome forgery_short_record(void)
{
    static const uint8_t byte[1] = {0};
    return forge_data(regress_lab_connected(), byte, sizeof byte);
}

/* Sends one byte of each of the next messages, each of which claims to be as large as allowed.
 * Bytes of heap that the server keeps for each received byte; -1: the experiment failed. */
static long memory_factor(void)
{
    enum { SENT = 28, LEN = 13, RECORD = 13 };
    struct regress_lab *lab = waiting_server();
    if (!lab)
        return -1;
    const size_t before = regress_heap_now().bytes;
    for (uint8_t i = 0; i < SENT; i++) {
        const uint8_t body[LEN] = {11, 1, 0x8f, 0x9c, 0, (uint8_t)(3 + i), 0, 0, 50, 0, 0, 1, 0};
        if (regress_lab_inject(lab, SERVER, 22, 0, 100U + i, body, sizeof body))
            regress_lab_step(lab, SERVER);
    }
    const size_t after = regress_heap_now().bytes;
    regress_lab_free(lab);
    return after > before ? (long)((after - before) / (SENT * (RECORD + LEN))) : 0;
}

static struct regress_outcome forgery_memory(void)
{
    enum { MUCH = 100 };
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    long factor = memory_factor();
    return regress_defect_if(factor >= 0, factor > MUCH, LAB_REFUSED);
}

static struct regress_outcome forgery_memory_factor(void)
{
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    long factor = memory_factor();
    return factor < 0 ? regress_broken(LAB_REFUSED)
                      : regress_measured("%ld bytes", (factor + 5) / 10 * 10);
}

/* A copy of the ClientHello, with one byte of its record number changed, reaches the server. 1: the
 * handshake completes; 0: it does not; -1: the experiment failed. */
static int survives_copy(size_t offset, uint8_t value)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return -1;
    regress_lab_step(lab, CLIENT);
    const struct regress_datagram *hello = lab->end[SERVER].in;
    uint8_t copy[512];
    bool ok = hello && hello->len <= sizeof copy;
    if (ok) {
        memcpy(copy, hello->data, hello->len);
        copy[offset] = value;
        ok = regress_lab_put(lab, SERVER, copy, hello->len);
        regress_lab_step(lab, SERVER);
    }
    bool done = ok && regress_lab_handshake_slowly(lab);
    regress_lab_free(lab);
    return ok ? done : -1;
}

static struct regress_outcome forgery_record_number(void)
{
    int near = survives_copy(10, 5), far = survives_copy(5, 0x40); /* 5, and 2^46 */
    return regress_defect_if(near == 1 && far >= 0, !far,
                             "a handshake with a copied ClientHello does not complete");
}

static struct regress_outcome forgery_restart(void)
{
    struct regress_lab *lab = regress_lab_usual(), *again = regress_lab_usual();
    bool ok = lab && again && regress_lab_handshake(lab);
    size_t answers = 0;
    if (ok) {
        regress_lab_step(again, CLIENT);
        const struct regress_datagram *hello = again->end[SERVER].in;
        const size_t before = lab->end[SERVER].sent;
        char buf[8];
        for (int i = 0; ok && i < 3; i++) {
            ok = hello && regress_lab_put(lab, SERVER, hello->data, hello->len);
            SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
        }
        answers = lab->end[SERVER].sent - before;
    }
    regress_lab_free(lab);
    regress_lab_free(again);
    return regress_defect_if(ok, !answers, LAB_UNCONNECTED);
}

/* The client receives a forgery right before the ServerHello: does its handshake fail? */
static struct regress_outcome forge_before_server_hello(void (*forge)(struct regress_lab *, int,
                                                                      const uint8_t *, size_t))
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    lab->before = forge;
    bool done = regress_lab_handshake_slowly(lab), forged = lab->forged;
    regress_lab_free(lab);
    return regress_defect_if(forged, !done, "the server sends no ServerHello");
}

static bool is_first_server_hello(struct regress_lab *lab, int to, const uint8_t *data, size_t len)
{
    bool now = to == CLIENT && !lab->forged && len >= 14 && data[0] == 22 && data[13] == 2;
    lab->forged |= now;
    return now;
}

static void forge_hello_request(struct regress_lab *lab, int to, const uint8_t *data, size_t len)
{
    static const uint8_t hello_request[12] = {0, 0, 0, 0, 0, 1};
    if (is_first_server_hello(lab, to, data, len))
        regress_lab_inject(lab, CLIENT, 22, 0, 20, hello_request, sizeof hello_request);
}

static struct regress_outcome forgery_hello_request(void)
{
    return forge_before_server_hello(forge_hello_request);
}

static void forge_warning(struct regress_lab *lab, int to, const uint8_t *data, size_t len)
{
    static const uint8_t unrecognized_name[2] = {1, 112};
    if (is_first_server_hello(lab, to, data, len))
        regress_lab_inject(lab, CLIENT, 21, 0, 20, unrecognized_name, sizeof unrecognized_name);
}

static struct regress_outcome forgery_warning(void)
{
    return forge_before_server_hello(forge_warning);
}

/* A HelloVerifyRequest reaches a client that has read the ServerHello, but not the rest. */
static struct regress_outcome forgery_late_hvr(void)
{
    static const uint8_t hvr[] = {3, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 7, 0xfe, 0xff, 4, 1, 2, 3, 4};
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(lab->end[SERVER].ssl, 300);
    regress_lab_step(lab, CLIENT);
    regress_lab_step(lab, SERVER);
    struct regress_datagram *hello = regress_lab_take(lab, CLIENT);
    regress_lab_drop_all(lab, CLIENT);
    bool ok = hello && regress_lab_put(lab, CLIENT, hello->data, hello->len);
    free(hello);
    regress_lab_step(lab, CLIENT);
    const size_t before = lab->end[CLIENT].sent;
    ok = ok && regress_lab_inject(lab, CLIENT, 22, 0, 90, hvr, sizeof hvr);
    regress_lab_step(lab, CLIENT);
    bool again = lab->end[CLIENT].sent > before;
    regress_lab_free(lab);
    return regress_defect_if(ok, again, LAB_UNCONNECTED);
}

/* Records of the next epoch wait for their keys: how much heap do they take? */
static struct regress_outcome forgery_early_records(void)
{
    enum { SENT = 200, MUCH = 100000 };
    static const uint8_t byte[1] = {0};
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    struct regress_lab *lab = waiting_server();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    const size_t before = regress_heap_now().bytes;
    for (unsigned i = 0; i < SENT; i++)
        if (regress_lab_inject(lab, SERVER, 22, 1, i, byte, sizeof byte))
            regress_lab_step(lab, SERVER);
    const size_t after = regress_heap_now().bytes;
    regress_lab_free(lab);
    return regress_defect(after > before + MUCH);
}

#define MAX_CERT_LIST "A server that requests no certificate sets max_cert_list to 16 KiB."

const struct regress_check regress_forgery_checks[] = {
    {.name = "forgery-short-record",
     .refs = "CVE-2026-75806",
     .does = "A forged record with a body of one byte arrives on an established connection with "
             "AES-GCM.",
     .means = "vulnerable: the record ends the connection. The attacker needs no key.",
     .ours = "The guard drops records that are too short for the cipher.",
     .run = forgery_short_record},
    {.name = "forgery-early-records",
     .refs = "CVE-2026-54874",
     .does = "200 records of the next epoch, of one byte each, reach a server that waits for the "
             "client's flight.",
     .means = "vulnerable: the server keeps about 8 kB of heap for each record.",
     .ours = "The guard limits how many such records wait.",
     .run = forgery_early_records},
    {.name = "forgery-warning",
     .refs = "RFC 6066 section 3",
     .does = "One warning alert in plaintext (unrecognized_name) reaches the client before the "
             "ServerHello.",
     .means = "vulnerable: the client ends the handshake (\"too many warn alerts\").",
     .ours = "The guard drops warning alerts in plaintext and counts them.",
     .run = forgery_warning},
    {.name = "forgery-etm",
     .refs = "OpenSSL #24972, #25353, #31145",
     .does = "A forged record of 64 bytes arrives on an established connection with AES-CBC and "
             "encrypt-then-MAC.",
     .means = "vulnerable: the record ends the connection.",
     .ours = "sukat_dtls does not offer encrypt-then-MAC.",
     .run = forgery_etm},
    {.name = "forgery-plaintext",
     .measures = "forgeries that end the handshake",
     .refs = "OpenSSL #25389, #25840",
     .does = "For each of 25 kinds of plaintext records, one reaches a server that waits for the "
             "client's flight.",
     .means = "This many of the 25 kinds end the handshake.",
     .ours = "The guard drops such records (docs/guard.md).",
     .run = forgery_plaintext},
    {.name = "forgery-unknown-type",
     .refs = "OpenSSL #25389, #19062",
     .does = "A plaintext record of content type 99 reaches a server that waits for the client's "
             "flight.",
     .means = "vulnerable: the record ends the handshake.",
     .ours = "The guard drops the record (counter guard.content-type).",
     .run = forgery_unknown_type},
    {.name = "forgery-memory",
     .refs = "CVE-2026-95690",
     .does = "A client with a valid cookie sends 28 datagrams of 26 bytes. Each holds one byte of "
             "another message of 102,300 bytes.",
     .means = "vulnerable: for these 728 bytes the server keeps about a megabyte of heap.",
     .ours = MAX_CERT_LIST,
     .run = forgery_memory},
    {.name = "forgery-memory-factor",
     .measures = "heap kept per received byte",
     .refs = "CVE-2026-95690",
     .does = "The check does the experiment of forgery-memory and measures the heap.",
     .means = "A server keeps this much heap for each byte from a client with a valid cookie.",
     .ours = MAX_CERT_LIST,
     .run = forgery_memory_factor},
    {.name = "forgery-record-number",
     .refs = "RFC 6347 section 4.1.2.6",
     .does = "A copy of the ClientHello with record number 2^46 reaches the server.",
     .means = "vulnerable: the server takes all further plaintext records of the client for "
              "replays, and the handshake fails.",
     .ours = "The guard renumbers incoming plaintext records.",
     .run = forgery_record_number},
    {.name = "forgery-restart",
     .refs = "OpenSSL #3283, RFC 6347 section 4.2.8",
     .does = "A new ClientHello arrives three times on an established connection, as from a client "
             "that has restarted.",
     .means = "vulnerable: the server never answers. The client cannot come back from this port.",
     .ours = "The server does a cookie exchange and then starts a new session.",
     .run = forgery_restart},
    {.name = "forgery-hello-request",
     .refs = "OpenSSL #32363",
     .does = "A HelloRequest with message_seq 1 reaches the client before the ServerHello.",
     .means = "vulnerable: the client's handshake fails.",
     .ours = "The guard drops the message (counter guard.handshake).",
     .run = forgery_hello_request},
    {.name = "forgery-late-hvr",
     .refs = "OpenSSL #15488",
     .does = "A HelloVerifyRequest reaches the client after the ServerHello.",
     .means = "vulnerable: the client starts its handshake again.",
     .ours = "The guard drops the message (counter guard.handshake).",
     .run = forgery_late_hvr},
};
const size_t regress_forgery_count = sizeof regress_forgery_checks / sizeof *regress_forgery_checks;
