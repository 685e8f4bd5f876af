/* What OpenSSL takes from the heap where nothing is wrong. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <stdlib.h>

enum { KB = 1000 };

/* What a server that refuses hellos takes for each. */
static struct outcome listening(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    BIO_ADDR *from = BIO_ADDR_new();
    struct heap before = {0}, after = {0};
    if (!lab || !from) {
        lab_free(lab);
        BIO_ADDR_free(from);
        return outcome_broken(LAB_REFUSED);
    }
    lab_use_cookies(lab);
    lab_step(lab, CLIENT);
    struct dgram *hello = lab_take(lab, SERVER);
    for (int i = 0; hello && i < 2; i++) { /* the first one pays for what is made once */
        lab_put(lab, SERVER, hello->data, hello->len);
        before = heap_now();
        DTLSv1_listen(lab->end[SERVER].ssl, from);
        after = heap_now();
    }
    bool asked = lab_count(lab, CLIENT) == 2;
    free(hello);
    BIO_ADDR_free(from);
    lab_free(lab);
    return asked ? outcome_measured("%zu allocations, %zu bytes",
                                    after.allocations - before.allocations,
                                    after.asked - before.asked)
                 : outcome_broken("the server asked for no cookie");
}

static struct outcome churn(void)
{
    return heap_is_counted() ? listening() : outcome_not_applicable(HEAP_UNKNOWN);
}

/* How far a server goes. */
enum stage { BEGUN, HALF_OPEN, ESTABLISHED, USED };

static size_t step(struct lab *lab, int id)
{
    const size_t before = heap_now().bytes;
    lab_step(lab, id);
    return heap_now().bytes - before; /* may wrap: it is added to another one */
}

/* Four bytes to the server. */
static size_t receive(struct lab *lab)
{
    char buf[8];
    SSL_write(lab->end[CLIENT].ssl, "ping", 4);
    const size_t before = heap_now().bytes;
    SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
    SSL_write(lab->end[SERVER].ssl, "ping", 4);
    return heap_now().bytes - before;
}

/* Bytes that the server's SSL holds there; 0: the experiment failed. */
static size_t held(struct lab *lab, enum stage stage)
{
    const size_t before = heap_now().bytes;
    SSL *again = SSL_new(lab->end[SERVER].ctx);
    size_t bytes = heap_now().bytes - before;
    SSL_free(again);
    const int steps = stage == BEGUN ? 0 : stage == HALF_OPEN ? 1 : 3;
    for (int i = 0; i < steps; i++) {
        lab_step(lab, CLIENT);
        bytes += step(lab, SERVER);
    }
    lab_step(lab, CLIENT);
    const bool there = stage < ESTABLISHED || (lab->end[CLIENT].done && lab->end[SERVER].done);
    if (stage == USED)
        bytes += receive(lab);
    return again && there ? bytes : 0;
}

static size_t measure(enum stage stage, long mode)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return 0;
    SSL_set_mode(lab->end[SERVER].ssl, mode);
    size_t bytes = held(lab, stage);
    lab_free(lab);
    return bytes;
}

static struct outcome kilobytes(enum stage stage)
{
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    size_t bytes = measure(stage, 0);
    return bytes ? outcome_measured("%zu kB", (bytes + KB / 2) / KB)
                 : outcome_broken("the server does not come so far");
}

static struct outcome begun(void)
{
    return kilobytes(BEGUN);
}

static struct outcome half_open(void)
{
    return kilobytes(HALF_OPEN);
}

static struct outcome established(void)
{
    return kilobytes(ESTABLISHED);
}

static struct outcome released(void)
{
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    size_t usual = measure(USED, 0), less = measure(USED, SSL_MODE_RELEASE_BUFFERS);
    return usual && less <= usual ? outcome_measured("%zu kB less", (usual - less + KB / 2) / KB)
                                  : outcome_broken("the server does not come so far");
}

const struct experiment memory_experiments[] = {
    {"memory-listen", "R18", "Counts what DTLSv1_listen asks of the heap for one refused hello.",
     "What a flood of hellos costs a server that has no gate.",
     "The gate refuses without the heap.", churn},
    {"memory-new", "R19", "The heap held by a server's SSL that is new.", "The price of a client.",
     "None before the cookie is good.", begun},
    {"memory-half-open", "R19", "The same, when its flight is sent.",
     "The price of a client that does not go on.", "The number of half-open clients is limited.",
     half_open},
    {"memory-established", "R19", "The same, with the handshake complete.",
     "The price of a client that is there.", "See memory-release-buffers.", established},
    {"memory-release-buffers", "R23",
     "How much less an idle server's SSL holds with SSL_MODE_RELEASE_BUFFERS.",
     "What the mode saves for each client.", "The mode is set.", released},
};
const size_t memory_count = sizeof memory_experiments / sizeof *memory_experiments;
