/* What a session allows and keeps. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <dlfcn.h>
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
        return OUTCOME(BROKEN);
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
    return ok ? OUTCOME_NUMBER(arrived, "of 50 early records survive") : OUTCOME(BROKEN);
}

static struct outcome renegotiation(void)
{
    struct lab *lab = usual();
    bool ok = lab && lab_handshake(lab) && lab_data(lab);
    SSL *client = ok ? lab->end[CLIENT].ssl : NULL, *server = ok ? lab->end[SERVER].ssl : NULL;
    char buf[8];
    bool again = ok && SSL_renegotiate(client) == 1;
    for (int i = 0; again && i < 10; i++) {
        ERR_clear_error();
        SSL_do_handshake(client);
        SSL_read(server, buf, sizeof buf);
    }
    bool allowed =
        again && SSL_CTX_sess_accept_renegotiate(lab->end[SERVER].ctx) > 0 && !SSL_in_init(client);
    lab_free(lab);
    return ok ? OUTCOME_IF(allowed) : OUTCOME(BROKEN);
}

static struct outcome old_methods(void)
{
    bool there = dlsym(RTLD_DEFAULT, "DTLSv1_2_method") != NULL;
    return OUTCOME_NUMBER(there, "of DTLSv1_2_method exported");
}

static struct outcome security_level(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    int level = ctx ? SSL_CTX_get_security_level(ctx) : 0;
    SSL_CTX_free(ctx);
    return ctx ? OUTCOME_NUMBER(level, "is the default security level") : OUTCOME(BROKEN);
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
    {"session-old-methods", "R16", "Looks for DTLSv1_2_method in the library that is loaded.",
     "0: programs that name a version by its method do not start any more.",
     "DTLS_method with explicit bounds.", old_methods},
};
const size_t session_count = sizeof session_experiments / sizeof *session_experiments;
