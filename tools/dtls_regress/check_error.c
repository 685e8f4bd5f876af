/* SPDX-License-Identifier: MIT */
/* Errors of the socket, seen by OpenSSL. */
#include "dtls_regress/check.h"
#include "dtls_regress/heap.h"
#include "dtls_regress/lab.h"

#include <errno.h>

/* The socket is full in the middle of the server's flight; then the timer fires. */
static struct regress_outcome error_full_socket(void)
{
    enum { TAKEN = 3 };
    struct regress_lab *lab =
        regress_lab_new(&(struct regress_lab_setup){.mtu = 300, .padding = LAB_LONG_CERTIFICATE});
    if (!lab)
        return regress_broken(LAB_REFUSED);
    struct regress_end *server = &lab->end[SERVER];
    regress_lab_step(lab, CLIENT);
    server->limited = true;
    server->room = TAKEN;
    regress_lab_step(lab, SERVER);
    bool stuck = regress_lab_count(lab, CLIENT) == TAKEN;
    regress_lab_later(LAB_FIRST_TIMEOUT);
    server->limited = false;
    DTLSv1_handle_timeout(server->ssl);
    bool done = regress_lab_handshake_slowly(lab);
    regress_lab_free(lab);
    return regress_defect_if(stuck, !done,
                             "the server's flight has fewer datagrams than the check needs");
}

static int accept_any_certificate(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

/* The client sends a certificate, which makes the server's ticket long: the ticket holds it. */
static void use_client_certificate(SSL *client, SSL *server)
{
    SSL_use_certificate(client, SSL_get_certificate(server));
    SSL_use_PrivateKey(client, SSL_get_privatekey(server));
    SSL_set_verify(server, SSL_VERIFY_PEER, accept_any_certificate);
}

/* Frees the server while its last flight waits for a full socket; true when it did wait. */
static bool free_blocked_at(long mtu)
{
    struct regress_lab *lab = regress_lab_new(&(struct regress_lab_setup){.mtu = mtu});
    if (!lab)
        return false;
    struct regress_end *server = &lab->end[SERVER];
    use_client_certificate(lab->end[CLIENT].ssl, server->ssl);
    regress_lab_turns(lab, 3);
    server->limited = true;
    bool waits = regress_lab_step(lab, SERVER) < 0 && SSL_want_write(server->ssl);
    regress_lab_free(lab);
    return waits;
}

/* At some MTUs a datagram ends after the ticket: ChangeCipherSpec, which follows, goes into the
 * same datagram only where 25 bytes are left. */
static struct regress_outcome error_freed_blocked(void)
{
    enum { LEAST = 300, MOST = 800, STEP = 12 };
    unsigned waited = 0;
    if (!regress_heap_is_counted())
        return regress_not_applicable(HEAP_UNKNOWN);
    regress_heap_guard(1);
    for (long mtu = LEAST; mtu < MOST && !regress_heap_now().freed_twice; mtu += STEP)
        waited += free_blocked_at(mtu);
    return regress_defect_if(waited, regress_heap_now().freed_twice,
                             "the server never waits for the socket");
}

/* The socket reports one error, as after an ICMP error, when the application reads. */
static struct regress_outcome fail_one_read(int error)
{
    struct regress_lab *lab = regress_lab_connected();
    char buf[8];
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    lab->end[SERVER].read_error = error;
    SSL_read(lab->end[SERVER].ssl, buf, sizeof buf);
    bool alive = regress_lab_data(lab);
    regress_lab_free(lab);
    return regress_defect(!alive);
}

static struct regress_outcome error_read_refused(void)
{
    return fail_one_read(ECONNREFUSED);
}

static struct regress_outcome error_read_too_big(void)
{
    return fail_one_read(EMSGSIZE);
}

static struct regress_outcome error_read_handshake(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, CLIENT);
    lab->end[CLIENT].read_error = ECONNREFUSED;
    regress_lab_step(lab, CLIENT);
    bool done = regress_lab_handshake_slowly(lab);
    regress_lab_free(lab);
    return regress_defect(!done);
}

/* The application sends one datagram that is too long for the path. */
static struct regress_outcome error_write_too_big(void)
{
    enum { TOO_LONG = 900, LEN = 1000 };
    static const char data[LEN];
    struct regress_lab *lab = regress_lab_connected();
    if (!lab)
        return regress_broken(LAB_UNCONNECTED);
    lab->end[CLIENT].too_long = TOO_LONG;
    bool failed = SSL_write(lab->end[CLIENT].ssl, data, LEN) < 0;
    lab->end[CLIENT].too_long = 0;
    bool alive = failed && regress_lab_data(lab);
    regress_lab_free(lab);
    return regress_defect_if(failed, !alive, "the write did not fail");
}

/* What SSL_get_error and the error queue say. */
static struct regress_outcome describe_error(int error)
{
    static const char *const names[] = {[SSL_ERROR_SSL] = "SSL_ERROR_SSL",
                                        [SSL_ERROR_SYSCALL] = "SSL_ERROR_SYSCALL",
                                        [SSL_ERROR_ZERO_RETURN] = "SSL_ERROR_ZERO_RETURN"};
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    const char *name =
        error >= 0 && (size_t)error < sizeof names / sizeof *names ? names[error] : NULL;
    if (!reason)
        reason = "empty error queue";
    return name ? regress_measured("%s, %s", name, reason)
                : regress_measured("%d, %s", error, reason);
}

static struct regress_outcome error_short_record(void)
{
    static const uint8_t byte[1] = {0};
    char buf[8];
    struct regress_lab *lab = regress_lab_connected();
    if (!lab || !regress_lab_inject(lab, SERVER, 23, 1, 99, byte, sizeof byte)) {
        regress_lab_free(lab);
        return regress_broken(LAB_UNCONNECTED);
    }
    SSL *server = lab->end[SERVER].ssl;
    ERR_clear_error();
    int error = SSL_get_error(server, SSL_read(server, buf, sizeof buf));
    struct regress_outcome o = error == SSL_ERROR_WANT_READ
                                   ? regress_not_applicable("OpenSSL silently drops the record")
                                   : describe_error(error);
    regress_lab_free(lab);
    return o;
}

/* A fragment of a message of 16 MB. */
static struct regress_outcome error_long_message(void)
{
    static const uint8_t fragment[13] = {16, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 1, 0};
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, CLIENT);
    regress_lab_step(lab, SERVER);
    regress_lab_inject(lab, SERVER, 22, 0, 50, fragment, sizeof fragment);
    int error = SSL_get_error(lab->end[SERVER].ssl, regress_lab_step(lab, SERVER));
    bool silent = error == SSL_ERROR_SYSCALL && !ERR_peek_error();
    regress_lab_free(lab);
    return regress_defect(silent);
}

/* What a client learns from the most common alert. */
static struct regress_outcome error_alert_words(void)
{
    static const uint8_t handshake_failure[2] = {2, 40};
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, CLIENT);
    regress_lab_drop_all(lab, SERVER);
    regress_lab_inject(lab, CLIENT, 21, 0, 0, handshake_failure, sizeof handshake_failure);
    int r = regress_lab_step(lab, CLIENT);
    const char *words = r < 0 ? ERR_reason_error_string(ERR_peek_error()) : NULL;
    struct regress_outcome o = words ? regress_measured("\"%s\"", words)
                                     : regress_broken("the client does not see the alert");
    regress_lab_free(lab);
    return o;
}

#define NO_EAGAIN "The guard's BIO never fails with EAGAIN."
#define NO_SOCKET_ERRORS "The guard's BIO hides errors of the socket from OpenSSL."

const struct regress_check regress_error_checks[] = {
    {.name = "error-full-socket",
     .refs = "CVE-2026-84782",
     .does = "The socket sends 3 datagrams of the server's flight and then fails with EAGAIN. Then "
             "the retransmission timer fires.",
     .means = "vulnerable: the retransmission reads memory outside the message, and the handshake "
              "never completes.",
     .ours = NO_EAGAIN,
     .run = error_full_socket},
    {.name = "error-freed-blocked",
     .refs = "OpenSSL #30415",
     .does =
         "A server is freed while the socket does not send its last flight, at MTUs from 300 to "
         "800 bytes. The check counts the memory blocks that OpenSSL frees twice.",
     .means = "vulnerable: a server that gives up a client while its socket is full corrupts its "
              "own memory.",
     .ours = NO_EAGAIN,
     .run = error_freed_blocked},
    {.name = "error-read-refused",
     .refs = "OpenSSL #30631",
     .does = "On an established connection, one read fails with ECONNREFUSED.",
     .means = "vulnerable: one forged ICMP error ends the connection for good.",
     .ours = NO_SOCKET_ERRORS,
     .run = error_read_refused},
    {.name = "error-read-too-big",
     .refs = "OpenSSL #30894",
     .does = "On an established connection, one read fails with EMSGSIZE.",
     .means = "vulnerable: one forged ICMP error ends the connection for good.",
     .ours = NO_SOCKET_ERRORS,
     .run = error_read_too_big},
    {.name = "error-read-handshake",
     .refs = "OpenSSL #30631",
     .does = "While a client waits for the server, one read fails with ECONNREFUSED.",
     .means = "vulnerable: one forged ICMP error ends the handshake for good.",
     .ours = NO_SOCKET_ERRORS,
     .run = error_read_handshake},
    {.name = "error-write-too-big",
     .refs = "OpenSSL #30631",
     .does = "On an established connection, SSL_write of 1000 bytes fails with EMSGSIZE.",
     .means = "vulnerable: one message that is too long for the path ends the connection for good.",
     .ours = NO_SOCKET_ERRORS,
     .run = error_write_too_big},
    {.name = "error-short-record",
     .measures = "SSL_read() error",
     .refs = "CVE-2026-75806",
     .does =
         "A forged record with a body of one byte arrives. The check reads SSL_get_error and the "
         "error queue.",
     .means = "This is all that a program can report about the end of the connection.",
     .ours = "The guard drops the record before OpenSSL sees it.",
     .run = error_short_record},
    {.name = "error-long-message",
     .refs = "OpenSSL #25698, #25356",
     .does =
         "A fragment of a message of 16 MB reaches a server that waits for the client's flight.",
     .means = "vulnerable: the result is SSL_ERROR_SYSCALL with an empty error queue and no errno, "
              "so a program cannot report the cause.",
     .ours = "The guard drops the fragment (counter guard.handshake).",
     .run = error_long_message},
    {.name = "error-alert-words",
     .measures = "error text of alert 40",
     .refs = "OpenSSL #7953, #28443",
     .does = "The server's fatal alert 40 (handshake_failure) reaches the client. The check reads "
             "the text in the error queue.",
     .means = "A program that compares this text instead of the error code breaks when OpenSSL "
              "changes the text.",
     .ours = "sukat_dtls reports alerts by number, with a text of its own.",
     .run = error_alert_words},
};
const size_t regress_error_count = sizeof regress_error_checks / sizeof *regress_error_checks;
