/* SPDX-License-Identifier: MIT */
/* The heap that OpenSSL uses when nothing is wrong. */
#include "dtls_regress/check.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>

enum { KB = 1000 };

/* What DTLSv1_listen allocates for each ClientHello without a cookie. */
static struct regress_outcome measure_listen(void)
{
    struct regress_lab *lab = regress_lab_usual();
    BIO_ADDR *from = BIO_ADDR_new();
    struct regress_heap before = {0}, after = {0};
    if (!lab || !from) {
        regress_lab_free(lab);
        BIO_ADDR_free(from);
        return regress_broken(LAB_REFUSED);
    }
    regress_lab_use_cookies(lab);
    regress_lab_step(lab, CLIENT);
    struct regress_datagram *hello = regress_lab_take(lab, SERVER);
    for (int i = 0; hello && i < 2; i++) { /* the first call also allocates what is kept */
        regress_lab_put(lab, SERVER, hello->data, hello->len);
        before = regress_heap_now();
        DTLSv1_listen(lab->end[SERVER].ssl, from);
        after = regress_heap_now();
    }
    bool asked = regress_lab_count(lab, CLIENT) == 2;
    free(hello);
    BIO_ADDR_free(from);
    regress_lab_free(lab);
    return asked ? regress_measured("%zu allocations, %zu bytes",
                                    after.allocations - before.allocations,
                                    after.asked - before.asked)
                 : regress_broken("the server sends no HelloVerifyRequest");
}

static struct regress_outcome memory_listen(void)
{
    return regress_heap_is_counted() ? measure_listen() : regress_not_applicable(HEAP_UNKNOWN);
}

/* How far the server has come. */
enum server_stage { BEGUN, HALF_OPEN, ESTABLISHED, USED };

/* Bytes of heap by which one step grows; it may wrap, for a step that frees memory. */
static size_t grow_by_step(struct regress_lab *lab, int id)
{
    const size_t before = regress_heap_now().bytes;
    regress_lab_step(lab, id);
    return regress_heap_now().bytes - before;
}

/* The same for four bytes each way. */
static size_t grow_by_data(struct regress_lab *lab)
{
    char buf[8];
    SSL_write(lab->end[CLIENT].ssl, "ping", 4);
    const size_t before = regress_heap_now().bytes;
    SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
    SSL_write(lab->end[SERVER].ssl, "ping", 4);
    return regress_heap_now().bytes - before;
}

/* Bytes of heap that the server's SSL holds at this stage; 0: the experiment failed. */
static size_t heap_held(struct regress_lab *lab, enum server_stage stage)
{
    const size_t before = regress_heap_now().bytes;
    SSL *again = SSL_new(lab->end[SERVER].ctx);
    size_t bytes = regress_heap_now().bytes - before;
    SSL_free(again);
    const int steps = stage == BEGUN ? 0 : stage == HALF_OPEN ? 1 : 3;
    for (int i = 0; i < steps; i++) {
        regress_lab_step(lab, CLIENT);
        bytes += grow_by_step(lab, SERVER);
    }
    regress_lab_step(lab, CLIENT);
    const bool there = stage < ESTABLISHED || (lab->end[CLIENT].done && lab->end[SERVER].done);
    if (stage == USED)
        bytes += grow_by_data(lab);
    return again && there ? bytes : 0;
}

static size_t measure_stage(enum server_stage stage, long mode)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return 0;
    SSL_set_mode(lab->end[SERVER].ssl, mode);
    size_t bytes = heap_held(lab, stage);
    regress_lab_free(lab);
    return bytes;
}

static struct regress_outcome measure_kilobytes(enum server_stage stage)
{
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    size_t bytes = measure_stage(stage, 0);
    return bytes ? regress_measured("%zu kB", (bytes + KB / 2) / KB)
                 : regress_broken("the server does not reach this stage");
}

static struct regress_outcome memory_new(void)
{
    return measure_kilobytes(BEGUN);
}

static struct regress_outcome memory_half_open(void)
{
    return measure_kilobytes(HALF_OPEN);
}

static struct regress_outcome memory_established(void)
{
    return measure_kilobytes(ESTABLISHED);
}

static struct regress_outcome memory_release_buffers(void)
{
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    size_t usual = measure_stage(USED, 0), less = measure_stage(USED, SSL_MODE_RELEASE_BUFFERS);
    return usual && less <= usual ? regress_measured("%zu kB", (usual - less + KB / 2) / KB)
                                  : regress_broken("the server does not reach this stage");
}

const struct regress_check regress_memory_checks[] = {
    {.name = "memory-listen",
     .measures = "heap for one refusal",
     .refs = "",
     .does = "The check counts what DTLSv1_listen allocates for one ClientHello without a cookie.",
     .means = "Each ClientHello of a flood costs this much in a server without a gate.",
     .ours = "The gate refuses without allocating memory.",
     .run = memory_listen},
    {.name = "memory-new",
     .measures = "heap of a new SSL",
     .refs = "OpenSSL #31492",
     .does = "The check measures the heap that a new SSL of a server holds.",
     .means = "A client costs this much from the start.",
     .ours = "A client costs no memory before its cookie is valid.",
     .run = memory_new},
    {.name = "memory-half-open",
     .measures = "heap of a half-open SSL",
     .refs = "OpenSSL #31492",
     .does = "The check measures the heap that the SSL of a server holds after sending its flight.",
     .means = "A client that stops in the middle of its handshake costs this much.",
     .ours = "sukat_dtls limits the number of half-open clients.",
     .run = memory_half_open},
    {.name = "memory-established",
     .measures = "heap of an established SSL",
     .refs = "OpenSSL #31492",
     .does = "The check measures the heap that the SSL of a server holds after the handshake.",
     .means = "A connected client costs this much.",
     .ours = "See memory-release-buffers.",
     .run = memory_established},
    {.name = "memory-release-buffers",
     .measures = "heap saved per idle SSL",
     .refs = "OpenSSL #31492",
     .does = "The check measures how much less heap the idle SSL of a server holds with "
             "SSL_MODE_RELEASE_BUFFERS.",
     .means = "The mode saves this much for each client.",
     .ours = "sukat_dtls sets this mode.",
     .run = memory_release_buffers},
};
const size_t regress_memory_count = sizeof regress_memory_checks / sizeof *regress_memory_checks;
