/* SPDX-License-Identifier: MIT */
/* Timeouts and retransmissions. */
#include "dtls_regress/check.h"
#include "dtls_regress/lab.h"

#include <sys/time.h>

/* Milliseconds to the next timeout; -1 when no timer runs. */
static long timeout_ms(SSL *ssl)
{
    struct timeval t = {0};
    return DTLSv1_get_timeout(ssl, &t) == 1 ? (long)(t.tv_sec * 1000 + t.tv_usec / 1000) : -1;
}

/* Nobody answers the ClientHello. How often the client sends it again, and in `ms` for how long;
 * -1: the client never gives up. */
static long count_retransmissions(long *ms)
{
    enum { TOO_MANY = 40 };
    struct regress_lab *lab = regress_lab_usual();
    long sent = 0;
    int r = 1;
    *ms = 0;
    if (!lab)
        return -1;
    SSL *client = lab->end[CLIENT].ssl;
    regress_lab_step(lab, CLIENT);
    while (r > 0 && sent < TOO_MANY) {
        long left = timeout_ms(client);
        regress_lab_later(left + 1);
        *ms += left;
        r = left < 0 ? 0 : (int)DTLSv1_handle_timeout(client);
        sent += r > 0;
    }
    regress_lab_free(lab);
    return r < 0 ? sent : -1;
}

#define NEVER_GIVES_UP "the client never gives up"

static struct regress_outcome timer_retransmissions(void)
{
    long ms, n = count_retransmissions(&ms);
    return n < 0 ? regress_broken(NEVER_GIVES_UP) : regress_measured("%ld", n);
}

static struct regress_outcome timer_patience(void)
{
    long ms, n = count_retransmissions(&ms);
    return n < 0 ? regress_broken(NEVER_GIVES_UP) : regress_measured("%ld s", ms / LAB_SECOND);
}

static struct regress_outcome timer_wall_clock(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, CLIENT);
    regress_lab_later(-LAB_HOUR);
    long left = timeout_ms(lab->end[CLIENT].ssl);
    regress_lab_later(LAB_HOUR);
    regress_lab_free(lab);
    return regress_defect_if(left >= 0, left > LAB_LONGEST_TIMEOUT, "no timer runs");
}

/* The server is done, its last flight is lost, and the client sends its own again. */
static struct regress_lab *lose_last_flight(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return NULL;
    regress_lab_turns(lab, 4);
    regress_lab_drop_all(lab, CLIENT);
    regress_lab_later(LAB_FIRST_TIMEOUT);
    DTLSv1_handle_timeout(lab->end[CLIENT].ssl);
    return lab;
}

#define INCOMPLETE "the handshake does not complete"

static struct regress_outcome timer_last_flight(void)
{
    struct regress_lab *lab = lose_last_flight();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    struct regress_end *server = &lab->end[SERVER];
    char buf[8];
    size_t before = server->sent;
    DTLSv1_handle_timeout(server->ssl);
    SSL_do_handshake(server->ssl);
    bool unread = server->sent > before;
    SSL_read(server->ssl, buf, sizeof buf);
    bool done = server->done && regress_lab_step(lab, CLIENT) == 1;
    regress_lab_free(lab);
    return regress_defect_if(done, !unread, INCOMPLETE);
}

static struct regress_outcome timer_after_handshake(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return regress_broken(LAB_REFUSED);
    bool done = regress_lab_handshake(lab);
    bool runs = timeout_ms(lab->end[CLIENT].ssl) >= 0 || timeout_ms(lab->end[SERVER].ssl) >= 0;
    regress_lab_free(lab);
    return regress_defect_if(done, runs, INCOMPLETE);
}

/* The datagrams of a server's flight, and how many the same flight has after a timeout. */
static struct regress_outcome timer_flight_size(void)
{
    struct regress_lab *lab =
        regress_lab_new(&(struct regress_lab_setup){.mtu = 1400, .padding = LAB_LONG_CERTIFICATE});
    if (!lab)
        return regress_broken(LAB_REFUSED);
    struct regress_end *server = &lab->end[SERVER];
    regress_lab_step(lab, CLIENT);
    regress_lab_step(lab, SERVER);
    const size_t first = server->sent;
    regress_lab_later(LAB_FIRST_TIMEOUT);
    bool again = DTLSv1_handle_timeout(server->ssl) == 1;
    const size_t second = server->sent - first;
    regress_lab_free(lab);
    return first && again ? regress_measured("%zu at first, %zu after a timeout", first, second)
                          : regress_broken("the server does not send its flight again");
}

#define OWN_DEADLINE "A session of sukat_dtls has a handshake deadline of its own."

const struct regress_check regress_timer_checks[] = {
    {.name = "timer-retransmissions",
     .measures = "retransmissions before failure",
     .refs = "RFC 6347 section 4.2.4",
     .does = "Nobody answers a ClientHello. The clock jumps from timeout to timeout.",
     .means = "The handshake fails after this many retransmissions.",
     .ours = OWN_DEADLINE,
     .run = timer_retransmissions},
    {.name = "timer-patience",
     .measures = "time until failure",
     .refs = "RFC 6347 section 4.2.4",
     .does = "Nobody answers a ClientHello. The check adds up the timeouts.",
     .means = "This is how long a client waits for a server that does not answer.",
     .ours = OWN_DEADLINE,
     .run = timer_patience},
    {.name = "timer-flight-size",
     .measures = "datagrams of the flight",
     .refs = "OpenSSL #8166",
     .does = "A server's flight of several datagrams times out once.",
     .means = "OpenSSL cuts the flight into other datagrams when it sends it again. Each "
              "additional datagram may be lost.",
     .ours = "sukat_dtls does not change this.",
     .run = timer_flight_size},
    {.name = "timer-wall-clock",
     .refs = "OpenSSL #18519",
     .does = "The system clock is set back by an hour while a ClientHello waits for its answer.",
     .means = "vulnerable: OpenSSL retransmits nothing until the clock has caught up.",
     .ours = "A session checks its timer every second and has a monotonic deadline.",
     .run = timer_wall_clock},
    {.name = "timer-last-flight",
     .refs = "OpenSSL #8047, RFC 6347 section 4.2.4",
     .does = "The server's last flight is lost, and the client repeats its own. The server calls "
             "DTLSv1_handle_timeout and SSL_do_handshake, then SSL_read.",
     .means = "vulnerable: only SSL_read sends the flight again. A server that only writes leaves "
              "the client waiting.",
     .ours = "A session continues to read after the handshake.",
     .run = timer_last_flight},
    {.name = "timer-after-handshake",
     .refs = "OpenSSL #7998, #8047",
     .does = "The check calls DTLSv1_get_timeout after a complete handshake.",
     .means = "vulnerable: the timer continues to run and ends the connection.",
     .ours = "A session ignores the timer after the handshake.",
     .run = timer_after_handshake},
};
const size_t regress_timer_count = sizeof regress_timer_checks / sizeof *regress_timer_checks;
