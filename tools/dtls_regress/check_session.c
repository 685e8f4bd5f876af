/* SPDX-License-Identifier: MIT */
/* What a connection allows, and how it ends its handshake. */
#include "dtls_regress/check.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* The server is done; its last flight has not arrived yet. NULL: it does not get there. */
static struct regress_lab *lab_with_done_server(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return NULL;
    regress_lab_turns(lab, 4);
    if (lab->end[SERVER].done && lab->end[CLIENT].in)
        return lab;
    regress_lab_free(lab);
    return NULL;
}

#define SERVER_NOT_DONE "the server's handshake does not complete"

/* Takes what waits for the client, at most `room` datagrams. */
static size_t hold_flight(struct regress_lab *lab, struct regress_datagram **held, size_t room)
{
    size_t count = 0;
    while (count < room && (held[count] = regress_lab_take(lab, CLIENT)))
        count++;
    return count;
}

static void release_flight(struct regress_lab *lab, struct regress_datagram **held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        regress_lab_put(lab, CLIENT, held[i]->data, held[i]->len);
        free(held[i]);
    }
}

/* What the server writes after its handshake overtakes its last flight. */
static struct regress_outcome session_early_data(void)
{
    enum { SENT = 50, HELD_MAX = 8 };
    struct regress_datagram *held[HELD_MAX];
    struct regress_lab *lab = lab_with_done_server();
    if (!lab)
        return regress_broken(SERVER_NOT_DONE);
    size_t count = hold_flight(lab, held, HELD_MAX);
    bool ok = true;
    for (int i = 0; ok && i < SENT; i++)
        ok = SSL_write(lab->end[SERVER].ssl, "data", 4) == 4;
    regress_lab_step(lab, CLIENT);
    release_flight(lab, held, count);
    ok = ok && regress_lab_handshake(lab);
    int delivered = 0;
    char buf[8];
    while (ok && SSL_read(lab->end[CLIENT].ssl, buf, sizeof buf) == 4)
        delivered++;
    regress_lab_free(lab);
    return ok ? regress_measured("%d of %d", delivered, SENT) : regress_broken(LAB_UNCONNECTED);
}

/* The client asks for a second handshake; true when it completes. */
static bool renegotiate(struct regress_lab *lab)
{
    enum { TURNS = 10 };
    SSL *client = lab->end[CLIENT].ssl, *server = lab->end[SERVER].ssl;
    char buf[8];
    bool again = SSL_renegotiate(client) == 1;
    for (int i = 0; again && i < TURNS; i++) {
        ERR_clear_error();
        SSL_do_handshake(client);
        SSL_read(server, buf, sizeof buf);
    }
    return again && SSL_CTX_sess_accept_renegotiate(lab->end[SERVER].ctx) > 0 &&
           !SSL_in_init(client);
}

static struct regress_outcome session_renegotiation(void)
{
    struct regress_lab *lab = regress_lab_connected();
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    bool allowed = renegotiate(lab);
    regress_lab_free(lab);
    return regress_defect(allowed);
}

static struct regress_outcome session_old_methods(void)
{
    bool there = dlsym(RTLD_DEFAULT, "DTLSv1_2_method") != NULL;
    return regress_measured("%s", there ? "yes" : "no");
}

static struct regress_outcome session_security_level(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    int level = ctx ? SSL_CTX_get_security_level(ctx) : 0;
    SSL_CTX_free(ctx);
    return ctx ? regress_measured("%d", level) : regress_broken("SSL_CTX_new fails");
}

static bool version_works(EVP_PKEY *key, int version, int level)
{
    char ciphers[32];
    snprintf(ciphers, sizeof ciphers, "ALL:@SECLEVEL=%d", level);
    struct regress_lab *lab = regress_lab_new(&(struct regress_lab_setup){
        .mtu = 1400, .key = key, .version = version, .ciphers = ciphers});
    bool works = lab && regress_lab_handshake(lab) && regress_lab_data(lab);
    regress_lab_free(lab);
    return works;
}

static struct regress_outcome highest_level_of_dtls_1_0(EVP_PKEY *key)
{
    enum { LEVELS = 3 };
    if (!version_works(key, DTLS1_2_VERSION, 0))
        return regress_broken("not even DTLS 1.2 works");
    for (int level = LEVELS - 1; level >= 0; level--)
        if (version_works(key, DTLS1_VERSION, level))
            return regress_measured("%d", level);
    return regress_measured("none");
}

static struct regress_outcome session_dtls_1_0(void)
{
    EVP_PKEY *key = regress_lab_rsa_key();
    if (!key)
        return regress_broken("OpenSSL makes no RSA key");
    struct regress_outcome o = highest_level_of_dtls_1_0(key);
    EVP_PKEY_free(key);
    return o;
}

static struct regress_outcome session_last_flight(void)
{
    enum { HEADER = 13 };
    struct regress_lab *lab = lab_with_done_server();
    unsigned encrypted = 0;
    if (!lab)
        return regress_broken(SERVER_NOT_DONE);
    for (const struct regress_datagram *d = lab->end[CLIENT].in; d; d = d->next)
        for (size_t at = 0; at + HEADER <= d->len;
             at += HEADER + (size_t)(d->data[at + 11] << 8 | d->data[at + 12]))
            encrypted += d->data[at + 4] == 1;
    regress_lab_free(lab);
    return regress_measured("%u", encrypted);
}

static struct regress_outcome session_doubled_flight(void)
{
    struct regress_lab *lab = lab_with_done_server();
    if (!lab)
        return regress_broken(SERVER_NOT_DONE);
    for (size_t n = regress_lab_count(lab, CLIENT); n; n--) {
        struct regress_datagram *d = regress_lab_take(lab, CLIENT);
        regress_lab_put(lab, CLIENT, d->data, d->len);
        regress_lab_put(lab, CLIENT, d->data, d->len);
        free(d);
    }
    bool works = regress_lab_handshake(lab) && regress_lab_data(lab);
    regress_lab_free(lab);
    return regress_defect(!works);
}

/* Sends each record of a datagram in a datagram of its own to the server, the last one first. */
static void send_reversed(struct regress_lab *lab, const struct regress_datagram *d)
{
    enum { HEADER = 13, MOST = 16 };
    size_t starts[MOST], count = 0, at = 0;
    for (; at + HEADER <= d->len && count < MOST;
         at += HEADER + (size_t)(d->data[at + 11] << 8 | d->data[at + 12]))
        starts[count++] = at;
    for (size_t end = d->len; count; end = starts[count])
        if (starts[--count] < end)
            regress_lab_put(lab, SERVER, d->data + starts[count], end - starts[count]);
}

static struct regress_outcome session_reversed_flight(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_turns(lab, 3);
    struct regress_datagram *flight = regress_lab_take(lab, SERVER);
    if (flight)
        send_reversed(lab, flight);
    /* Its three records are all that the client sent. */
    bool whole = flight && regress_lab_count(lab, SERVER) == 3;
    free(flight);
    bool works = regress_lab_handshake_slowly(lab) && regress_lab_data(lab);
    regress_lab_free(lab);
    return regress_defect_if(whole, !works, "the client's flight does not have three records");
}

/* --- short records (max_fragment_length), then long ones --- */

enum { LONG = 1200, GUARDED = 4096 };

/* A connection whose client asked for records of 512 bytes, and got them; NULL: it did not. */
static struct regress_lab *lab_with_short_records(void)
{
    struct regress_lab *lab = regress_lab_usual();
    SSL *client = lab ? lab->end[CLIENT].ssl : NULL;
    bool ok = lab &&
              SSL_set_tlsext_max_fragment_length(client, TLSEXT_max_fragment_length_512) == 1 &&
              regress_lab_handshake(lab) && regress_lab_data(lab) &&
              SSL_SESSION_get_max_fragment_length(SSL_get0_session(client)) ==
                  TLSEXT_max_fragment_length_512;
    if (ok)
        return lab;
    regress_lab_free(lab);
    return NULL;
}

#define NO_SHORT_RECORDS "no connection with short records was established"

static void write_long(struct regress_lab *lab, int id)
{
    const char message[LONG] = {0};
    ERR_clear_error();
    SSL_write(lab->end[id].ssl, message, sizeof message);
}

/* The client offers the session to a server that does not know it, and writes. */
static bool offer_to_stranger(SSL_SESSION *session)
{
    struct regress_lab *lab = regress_lab_usual();
    bool ok = lab && SSL_set_session(lab->end[CLIENT].ssl, session) == 1 &&
              regress_lab_handshake(lab) && !SSL_session_reused(lab->end[CLIENT].ssl);
    if (ok)
        write_long(lab, CLIENT);
    regress_lab_free(lab);
    return ok;
}

static struct regress_outcome session_short_offered(void)
{
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    regress_heap_guard(GUARDED);
    struct regress_lab *lab = lab_with_short_records();
    SSL_SESSION *session = lab ? SSL_get1_session(lab->end[CLIENT].ssl) : NULL;
    regress_lab_free(lab);
    const size_t before = regress_heap_now().overrun;
    bool ok = session && offer_to_stranger(session);
    SSL_SESSION_free(session);
    return regress_defect_if(ok, regress_heap_now().overrun > before, NO_SHORT_RECORDS);
}

/* The client renegotiates without short records. */
static bool renew_without_limit(struct regress_lab *lab)
{
#ifdef SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
#endif
    SSL_set_tlsext_max_fragment_length(lab->end[CLIENT].ssl, TLSEXT_max_fragment_length_DISABLED);
    return renegotiate(lab);
}

static struct regress_outcome session_short_renewed(void)
{
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    regress_heap_guard(GUARDED);
    struct regress_lab *lab = lab_with_short_records();
    if (!lab)
        return regress_broken(NO_SHORT_RECORDS);
    const bool renewed = renew_without_limit(lab);
    write_long(lab, SERVER);
    regress_lab_free(lab);
    return regress_defect_if(renewed, regress_heap_now().overrun, "the client cannot renegotiate");
}

#define NO_RENEGOTIATION "sukat_dtls disables renegotiation."
#define UNCHANGED "sukat_dtls does not change this."

const struct regress_check regress_session_checks[] = {
    {.name = "session-early-data",
     .measures = "early records delivered",
     .refs = "CVE-2026-54874, OpenSSL #9289",
     .does = "50 records of data overtake the server's last flight on the way to the client.",
     .means = "All other records are lost, and OpenSSL does not report it.",
     .ours = "UDP may lose data; the guard keeps the first 16 early records.",
     .run = session_early_data},
    {.name = "session-renegotiation",
     .refs = "OpenSSL #14685, #15184",
     .does = "The client starts a second, encrypted handshake without being asked.",
     .means = "vulnerable: any client can make the server do one handshake after another.",
     .ours = NO_RENEGOTIATION,
     .run = session_renegotiation},
    {.name = "session-security-level",
     .measures = "default security level",
     .refs = "OpenSSL #16760",
     .does = "The check asks a new SSL_CTX for its security level.",
     .means =
         "Level 1 demands 80 bits of security. Level 2 demands 112 bits, which RSA keys of 1024 "
         "bits do not have. See also session-dtls-1.0.",
     .ours = "sukat_dtls keeps the default of OpenSSL.",
     .run = session_security_level},
    {.name = "session-dtls-1.0",
     .measures = "highest security level for DTLS 1.0",
     .refs = "OpenSSL #20837",
     .does =
         "The check does DTLS 1.0 handshakes at security levels 0 to 2, with an RSA key of 2048 "
         "bits.",
     .means = "Old peers cannot connect where the default level is higher.",
     .ours = "sukat_dtls uses DTLS 1.2 unless the program allows DTLS 1.0.",
     .run = session_dtls_1_0},
    {.name = "session-last-flight",
     .measures = "encrypted records in the last flight",
     .refs = "OpenSSL #26662",
     .does = "The check counts the encrypted records in the server's last flight.",
     .means = "Some peers drop a datagram with two encrypted records.",
     .ours = UNCHANGED,
     .run = session_last_flight},
    {.name = "session-doubled-flight",
     .refs = "OpenSSL #18887",
     .does = "The server's last flight arrives twice.",
     .means = "vulnerable: the client's handshake does not complete.",
     .ours = UNCHANGED,
     .run = session_doubled_flight},
    {.name = "session-reversed-flight",
     .refs = "OpenSSL #4929, #6170, #6196",
     .does = "The client's second flight arrives as three datagrams, Finished first.",
     .means = "vulnerable: the handshake fails, although any path may reorder datagrams.",
     .ours = UNCHANGED,
     .run = session_reversed_flight},
    {.name = "session-short-offered",
     .refs = "RFC 6066 section 4",
     .does =
         "A client offers a session with records of 512 bytes (max_fragment_length) to a server "
         "that does not resume it, and writes 1200 bytes. The check watches the memory after "
         "OpenSSL's blocks.",
     .means =
         "vulnerable: the client writes past the end of its buffer. A server can provoke this.",
     .ours = "sukat_dtls does not offer sessions with short records.",
     .run = session_short_offered},
    {.name = "session-short-renewed",
     .refs = "OpenSSL #18121, RFC 6066 section 4",
     .does = "A client with records of 512 bytes renegotiates without max_fragment_length, and the "
             "server allows it. The check watches the memory after OpenSSL's blocks.",
     .means = "vulnerable: a client can make a server that allows renegotiation write past the end "
              "of its buffer. OpenSSL 1.1.1 allows renegotiation by default.",
     .ours = NO_RENEGOTIATION,
     .run = session_short_renewed},
    {.name = "session-old-methods",
     .measures = "DTLSv1_2_method() exported",
     .refs = "OpenSSL #28343",
     .does = "The check looks for DTLSv1_2_method in the loaded library.",
     .means = "no: programs that choose a version by its method do not start.",
     .ours = "sukat_dtls uses DTLS_method and sets the lowest and the highest version.",
     .run = session_old_methods},
};
const size_t regress_session_count = sizeof regress_session_checks / sizeof *regress_session_checks;
