/* Errors of the socket, seen by OpenSSL. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <errno.h>

static struct lab *usual(void)
{
    return lab_new(&(struct lab_setup){.mtu = 1400});
}

/* The socket is full in the middle of the server's flight; then its timer fires. */
static struct outcome full_socket(void)
{
    enum { TAKEN = 3 };
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 300, .padding = 3000});
    if (!lab)
        return OUTCOME(BROKEN);
    struct end *server = &lab->end[SERVER];
    lab_step(lab, CLIENT);
    server->limited = true;
    server->room = TAKEN;
    lab_step(lab, SERVER);
    bool stuck = lab_count(lab, CLIENT) == TAKEN;
    lab_later(1500);
    server->limited = false;
    DTLSv1_handle_timeout(server->ssl);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return stuck ? OUTCOME_IF(!done) : OUTCOME(BROKEN);
}

/* One error of the socket where the application reads, as an ICMP error makes it. */
static struct outcome read_error(int error)
{
    struct lab *lab = usual();
    bool before = lab && lab_handshake(lab) && lab_data(lab);
    char buf[8];
    if (before) {
        lab->end[SERVER].read_error = error;
        SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
    }
    bool after = before && lab_data(lab);
    lab_free(lab);
    return before ? OUTCOME_IF(!after) : OUTCOME(BROKEN);
}

static struct outcome refused(void)
{
    return read_error(ECONNREFUSED);
}

static struct outcome too_big(void)
{
    return read_error(EMSGSIZE);
}

static struct outcome refused_early(void)
{
    struct lab *lab = usual();
    if (!lab)
        return OUTCOME(BROKEN);
    lab_step(lab, CLIENT);
    lab->end[CLIENT].read_error = ECONNREFUSED;
    lab_step(lab, CLIENT);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return OUTCOME_IF(!done);
}

const struct experiment error_experiments[] = {
    {"error-full-socket", "R2 CVE-2026-84782",
     "The socket takes 3 datagrams of the server's flight, then says EAGAIN; the timer fires.",
     "vulnerable: the retransmission reads what it should not, and the handshake never ends.",
     "The guard's BIO never says EAGAIN.", full_socket},
    {"error-read-refused", "R5", "One ECONNREFUSED on reading, on an association.",
     "vulnerable: one forged ICMP error ends it for good.", "The guard's BIO has no socket errors.",
     refused},
    {"error-read-too-big", "R5 #30894", "One EMSGSIZE on reading, on an association.",
     "vulnerable: one forged ICMP error ends it for good.", "The guard's BIO has no socket errors.",
     too_big},
    {"error-read-handshake", "R5",
     "One ECONNREFUSED on reading, while a client waits for the server.",
     "vulnerable: one forged ICMP error ends the handshake for good.",
     "The guard's BIO has no socket errors.", refused_early},
};
const size_t error_count = sizeof error_experiments / sizeof *error_experiments;
