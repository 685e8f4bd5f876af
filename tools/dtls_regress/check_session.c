/* What a session allows and keeps. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static struct lab *usual(void)
{
    return lab_new(&(struct lab_setup){.mtu = 1400});
}

/* The server is through and writes; what it writes overtakes its last flight. */
static struct outcome early_data(void)
{
    enum { SENT = 50, HELD_MAX = 8 };
    struct dgram *held[HELD_MAX];
    size_t count = 0;
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    for (int i = 0; i < 4; i++)
        lab_step(lab, i % 2 ? SERVER : CLIENT);
    while (count < HELD_MAX && (held[count] = lab_take(lab, CLIENT)))
        count++;
    bool ok = lab->end[SERVER].done && count;
    for (int i = 0; ok && i < SENT; i++)
        ok = SSL_write(lab->end[SERVER].ssl, "data", 4) == 4;
    lab_step(lab, CLIENT);
    for (size_t i = 0; i < count; i++) {
        lab_put(lab, CLIENT, held[i]->data, held[i]->len);
        free(held[i]);
    }
    ok = ok && lab_handshake(lab);
    long arrived = 0;
    char buf[8];
    while (ok && SSL_read(lab->end[CLIENT].ssl, buf, sizeof buf) == 4)
        arrived++;
    lab_free(lab);
    return ok ? outcome_measured("%ld of 50 early records survive", arrived)
              : outcome_broken("no association to begin with");
}

/* The client wants a second handshake; true when it was complete. */
static bool renegotiate(struct lab *lab)
{
    SSL *client = lab->end[CLIENT].ssl, *server = lab->end[SERVER].ssl;
    char buf[8];
    bool again = SSL_renegotiate(client) == 1;
    for (int i = 0; again && i < 10; i++) {
        ERR_clear_error();
        SSL_do_handshake(client);
        SSL_read(server, buf, sizeof buf);
    }
    return again && SSL_CTX_sess_accept_renegotiate(lab->end[SERVER].ctx) > 0 &&
           !SSL_in_init(client);
}

static struct outcome renegotiation(void)
{
    struct lab *lab = usual();
    bool ok = lab && lab_handshake(lab) && lab_data(lab);
    bool allowed = ok && renegotiate(lab);
    lab_free(lab);
    return outcome_defect_if(ok, allowed, "no association to begin with");
}

static struct outcome old_methods(void)
{
    bool there = dlsym(RTLD_DEFAULT, "DTLSv1_2_method") != NULL;
    return outcome_measured("%d of DTLSv1_2_method exported", there);
}

static struct outcome security_level(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    int level = ctx ? SSL_CTX_get_security_level(ctx) : 0;
    SSL_CTX_free(ctx);
    return ctx ? outcome_measured("%d is the default security level", level)
               : outcome_broken("no context");
}

static bool works_with(int version, int level)
{
    char ciphers[32];
    snprintf(ciphers, sizeof ciphers, "ALL:@SECLEVEL=%d", level);
    struct lab *lab = lab_new(
        &(struct lab_setup){.mtu = 1400, .rsa = true, .version = version, .ciphers = ciphers});
    bool works = lab && lab_handshake(lab) && lab_data(lab);
    lab_free(lab);
    return works;
}

static struct outcome old_version(void)
{
    enum { LEVELS = 3 };
    if (!works_with(DTLS1_2_VERSION, 0))
        return outcome_broken("not even DTLS 1.2 works");
    for (int level = LEVELS - 1; level >= 0; level--)
        if (works_with(DTLS1_VERSION, level))
            return outcome_measured("up to security level %d", level);
    return outcome_measured("at no security level");
}

/* Handshakes to the end of the server's side: what it sent last is still on its way. */
static struct lab *server_done(void)
{
    struct lab *lab = usual();
    if (!lab)
        return NULL;
    for (int i = 0; i < 4; i++)
        lab_step(lab, i % 2 ? SERVER : CLIENT);
    if (lab->end[SERVER].done && lab->end[CLIENT].in)
        return lab;
    lab_free(lab);
    return NULL;
}

static struct outcome last_flight(void)
{
    enum { HEADER = 13 };
    struct lab *lab = server_done();
    unsigned encrypted = 0;
    if (!lab)
        return outcome_broken("the server does not come to an end");
    for (const struct dgram *d = lab->end[CLIENT].in; d; d = d->next)
        for (size_t at = 0; at + HEADER <= d->len;
             at += HEADER + (size_t)(d->data[at + 11] << 8 | d->data[at + 12]))
            encrypted += d->data[at + 4] == 1;
    lab_free(lab);
    return outcome_measured("%u encrypted in the last flight", encrypted);
}

static struct outcome doubled(void)
{
    struct lab *lab = server_done();
    if (!lab)
        return outcome_broken("the server does not come to an end");
    for (size_t n = lab_count(lab, CLIENT); n; n--) {
        struct dgram *d = lab_take(lab, CLIENT);
        lab_put(lab, CLIENT, d->data, d->len);
        lab_put(lab, CLIENT, d->data, d->len);
        free(d);
    }
    bool works = lab_handshake(lab) && lab_data(lab);
    lab_free(lab);
    return outcome_defect(!works);
}

/* Its records in datagrams of their own, the last one first. */
static void reverse(struct lab *lab, const struct dgram *d)
{
    enum { HEADER = 13, MOST = 16 };
    size_t starts[MOST], count = 0, at = 0;
    for (; at + HEADER <= d->len && count < MOST;
         at += HEADER + (size_t)(d->data[at + 11] << 8 | d->data[at + 12]))
        starts[count++] = at;
    for (size_t end = d->len; count; end = starts[count])
        if (starts[--count] < end)
            lab_put(lab, SERVER, d->data + starts[count], end - starts[count]);
}

static struct outcome reversed(void)
{
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    for (int i = 0; i < 3; i++)
        lab_step(lab, i % 2 ? SERVER : CLIENT);
    struct dgram *flight = lab_take(lab, SERVER);
    if (flight)
        reverse(lab, flight);
    bool whole = flight && lab_count(lab, SERVER) == 3; /* and nothing else was sent */
    free(flight);
    bool works = lab_handshake_slowly(lab) && lab_data(lab);
    lab_free(lab);
    return outcome_defect_if(whole, !works, "the client's flight is not of three records");
}

/* --- short records (max_fragment_length), then long ones --- */

enum { LONG = 1200, GUARDED = 4096 };

/* An association whose client asked for records of 512 bytes, and got them. */
static struct lab *short_records(void)
{
    struct lab *lab = usual();
    SSL *client = lab ? lab->end[CLIENT].ssl : NULL;
    bool ok = lab &&
              SSL_set_tlsext_max_fragment_length(client, TLSEXT_max_fragment_length_512) == 1 &&
              lab_handshake(lab) && lab_data(lab) &&
              SSL_SESSION_get_max_fragment_length(SSL_get0_session(client)) ==
                  TLSEXT_max_fragment_length_512;
    if (ok)
        return lab;
    lab_free(lab);
    return NULL;
}

static void write_long(struct lab *lab, int id)
{
    const char message[LONG] = {0};
    ERR_clear_error();
    SSL_write(lab->end[id].ssl, message, sizeof message);
}

/* The session goes to a server that has never seen it, and does not know of short records. */
static bool offer_elsewhere(SSL_SESSION *session)
{
    struct lab *lab = usual();
    bool ok = lab && SSL_set_session(lab->end[CLIENT].ssl, session) == 1 && lab_handshake(lab) &&
              !SSL_session_reused(lab->end[CLIENT].ssl);
    if (ok)
        write_long(lab, CLIENT);
    lab_free(lab);
    return ok;
}

static struct outcome short_offered(void)
{
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    heap_guard(GUARDED);
    struct lab *lab = short_records();
    SSL_SESSION *session = lab ? SSL_get1_session(lab->end[CLIENT].ssl) : NULL;
    lab_free(lab);
    const size_t before = heap_now().overrun;
    bool ok = session && offer_elsewhere(session);
    SSL_SESSION_free(session);
    return outcome_defect_if(ok, heap_now().overrun > before, "no association of short records");
}

static bool renew(struct lab *lab)
{
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
    SSL_set_tlsext_max_fragment_length(lab->end[CLIENT].ssl, TLSEXT_max_fragment_length_DISABLED);
    return renegotiate(lab);
}

static struct outcome short_renewed(void)
{
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    heap_guard(GUARDED);
    struct lab *lab = short_records();
    if (!lab)
        return outcome_broken("no association of short records");
    const bool renewed = renew(lab);
    write_long(lab, SERVER);
    lab_free(lab);
    return outcome_defect_if(renewed, heap_now().overrun, "the client cannot renegotiate");
}

const struct experiment session_experiments[] = {
    {"session-early-data", "R4 #9289",
     "50 records of data overtake the server's last flight on the way to the client.",
     "Those that do not survive are lost without a word.",
     "Data may be lost on UDP; the guard passes what came.", early_data},
    {"session-renegotiation", "R15", "The client starts a second handshake, encrypted, unasked.",
     "vulnerable: any client can make the server do handshake after handshake.",
     "Renegotiation is switched off.", renegotiation},
    {"session-security-level", "R22", "Asks a fresh context for its security level.",
     "From 1 on keys of 80 bits are needed, from 2 on 112: RSA-1024 and DTLS 1.0 no longer work.",
     "The default of OpenSSL is kept.", security_level},
    {"session-dtls-1.0", "R14 #20837",
     "Handshakes of DTLS 1.0 at the security levels 0 to 2, with RSA of 2048 bits.",
     "Old peers are lost where the default level is higher.", "DTLS 1.2 unless told otherwise.",
     old_version},
    {"session-last-flight", "#26662", "Counts the encrypted records in the server's last flight.",
     "Some peers drop the datagram when there are two.", "Nothing is changed.", last_flight},
    {"session-doubled-flight", "#18887", "The server's last flight arrives twice.",
     "vulnerable: the client is stuck.", "Nothing is changed.", doubled},
    {"session-reversed-flight", "#4929 #6170 #6196",
     "The client's second flight arrives as three datagrams, Finished first.",
     "vulnerable: the handshake ends; a path may reorder.", "Nothing is changed.", reversed},
    {"session-short-offered", "fuzz/deployed",
     "A client offers a session of records of 512 bytes (max_fragment_length) to a server that "
     "does not resume it, and writes 1200 bytes; the memory behind OpenSSL's blocks is watched.",
     "vulnerable: the client writes behind its buffer; a server chooses to provoke it.",
     "Sessions of short records are not offered.", short_offered},
    {"session-short-renewed", "fuzz/deployed",
     "A client with records of 512 bytes renegotiates without max_fragment_length, as far as the "
     "server may allow it; the memory behind OpenSSL's blocks is watched.",
     "vulnerable: a server that allows renegotiation writes behind its buffer when a client wants "
     "it to; with 1.1.1 that is every server that does not forbid it.",
     "Renegotiation is switched off.", short_renewed},
    {"session-old-methods", "R16", "Looks for DTLSv1_2_method in the library that is loaded.",
     "0: programs that name a version by its method do not start any more.",
     "DTLS_method with explicit bounds.", old_methods},
};
const size_t session_count = sizeof session_experiments / sizeof *session_experiments;
