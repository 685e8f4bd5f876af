/* Errors of the socket, seen by OpenSSL. */
#include "dtls_regress/experiment.h"
#include "dtls_regress/heap.h"
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
        return outcome_broken(LAB_REFUSED);
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
    return outcome_defect_if(stuck, !done, "the server wrote another flight than it should");
}

static int accept_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

/* The client shows a certificate, so that the server's ticket is long: it lies in there. */
static void make_mutual(SSL *client, SSL *server)
{
    SSL_use_certificate(client, SSL_get_certificate(server));
    SSL_use_PrivateKey(client, SSL_get_privatekey(server));
    SSL_set_verify(server, SSL_VERIFY_PEER, accept_any);
}

/* The server is freed while its last flight waits for a full socket; true when it waited. */
static bool freed_at(long mtu)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = mtu});
    if (!lab)
        return false;
    struct end *server = &lab->end[SERVER];
    make_mutual(lab->end[CLIENT].ssl, server->ssl);
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    lab_step(lab, CLIENT);
    server->limited = true;
    bool waits = lab_step(lab, SERVER) < 0 && SSL_want_write(server->ssl);
    lab_free(lab);
    return waits;
}

/* Some MTU cuts the flight behind the ticket: ChangeCipherSpec, which follows, goes into a datagram
 * only where there is room for 25 bytes. */
static struct outcome freed_blocked(void)
{
    enum { LEAST = 300, MOST = 800, STEP = 12 };
    unsigned waited = 0;
    if (!heap_is_counted())
        return outcome_not_applicable(HEAP_UNKNOWN);
    heap_guard(1);
    for (long mtu = LEAST; mtu < MOST && !heap_now().freed_twice; mtu += STEP)
        waited += freed_at(mtu);
    return outcome_defect_if(waited, heap_now().freed_twice, "the server never waits");
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
    return outcome_defect_if(before, !after, "no association to begin with");
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
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, CLIENT);
    lab->end[CLIENT].read_error = ECONNREFUSED;
    lab_step(lab, CLIENT);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return outcome_defect(!done);
}

/* One datagram of the application is too long for the path. */
static struct outcome write_too_big(void)
{
    enum { TOO_LONG = 900, LEN = 1000 };
    static const char data[LEN];
    struct lab *lab = usual();
    bool before = lab && lab_handshake(lab) && lab_data(lab), refused = false;
    if (before) {
        lab->end[CLIENT].too_long = TOO_LONG;
        refused = SSL_write(lab->end[CLIENT].ssl, data, LEN) < 0;
        lab->end[CLIENT].too_long = 0;
    }
    bool after = refused && lab_data(lab);
    lab_free(lab);
    return outcome_defect_if(refused, !after, "the write did not fail");
}

/* What the application learns from SSL_get_error and the queue. */
static struct outcome told(int error)
{
    static const char *const names[] = {[SSL_ERROR_SSL] = "SSL_ERROR_SSL",
                                        [SSL_ERROR_SYSCALL] = "SSL_ERROR_SYSCALL",
                                        [SSL_ERROR_ZERO_RETURN] = "SSL_ERROR_ZERO_RETURN"};
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    const char *name =
        error >= 0 && (size_t)error < sizeof names / sizeof *names ? names[error] : NULL;
    if (!name)
        return outcome_measured("%d, %s", error, reason ? reason : "empty queue");
    return outcome_measured("%s, %s", name, reason ? reason : "empty queue");
}

static struct outcome after_short_record(void)
{
    static const uint8_t byte[1] = {0};
    char buf[8];
    struct lab *lab = usual();
    if (!lab || !lab_handshake(lab) || !lab_data(lab) ||
        !lab_inject(lab, SERVER, 23, 1, 99, byte, sizeof byte)) {
        lab_free(lab);
        return outcome_broken("no association to begin with");
    }
    SSL *server = lab->end[SERVER].ssl;
    ERR_clear_error();
    int error = SSL_get_error(server, SSL_read(server, buf, sizeof buf));
    struct outcome o = error == SSL_ERROR_WANT_READ
                           ? outcome_not_applicable("the record is dropped without a word")
                           : told(error);
    lab_free(lab);
    return o;
}

/* A fragment of a message of 16 MB. */
static struct outcome after_long_message(void)
{
    static const uint8_t fragment[13] = {16, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 1, 0};
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    lab_inject(lab, SERVER, 22, 0, 50, fragment, sizeof fragment);
    int error = SSL_get_error(lab->end[SERVER].ssl, lab_step(lab, SERVER));
    bool silent = error == SSL_ERROR_SYSCALL && !ERR_peek_error();
    lab_free(lab);
    return outcome_defect(silent);
}

/* What a client learns of the most common alert. */
static struct outcome alert_words(void)
{
    static const uint8_t handshake_failure[2] = {2, 40};
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, CLIENT);
    lab_drop_all(lab, SERVER);
    lab_inject(lab, CLIENT, 21, 0, 0, handshake_failure, sizeof handshake_failure);
    int r = lab_step(lab, CLIENT);
    const char *words = r < 0 ? ERR_reason_error_string(ERR_peek_error()) : NULL;
    struct outcome o =
        words ? outcome_measured("\"%s\"", words) : outcome_broken("the alert was not heard");
    lab_free(lab);
    return o;
}

const struct experiment error_experiments[] = {
    {"error-full-socket", "R2 CVE-2026-84782",
     "The socket takes 3 datagrams of the server's flight, then says EAGAIN; the timer fires.",
     "vulnerable: the retransmission reads what it should not, and the handshake never ends.",
     "The guard's BIO never says EAGAIN.", full_socket},
    {"error-freed-blocked", "#30415",
     "A server is freed while the socket takes nothing of its last flight, at MTUs from 300 "
     "to 800; what OpenSSL frees again is counted.",
     "vulnerable: to give up a client while the socket is full corrupts the memory of the server.",
     "The guard's BIO never says EAGAIN.", freed_blocked},
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
    {"error-write-too-big", "R5", "SSL_write of 1000 bytes fails with EMSGSIZE, on an association.",
     "vulnerable: one message that is too long for the path ends it for good.",
     "The guard's BIO has no socket errors.", write_too_big},
    {"error-short-record", "R21",
     "SSL_get_error and the error queue after a forged record with a body of one byte.",
     "What a program can tell its user of the end of the association.",
     "The guard drops the record before OpenSSL sees it.", after_short_record},
    {"error-long-message", "#25698 #25356",
     "A fragment of a message of 16 MB reaches a server that waits for the client's flight.",
     "vulnerable: SSL_ERROR_SYSCALL with an empty queue and no errno: nothing to tell anybody.",
     "The guard drops it: handshake.", after_long_message},
    {"error-alert-words", "R20", "The words for a fatal alert 40 in the error queue.",
     "A program that looks for words instead of codes breaks with each new version.",
     "Alerts are told by number and by our own words.", alert_words},
};
const size_t error_count = sizeof error_experiments / sizeof *error_experiments;
