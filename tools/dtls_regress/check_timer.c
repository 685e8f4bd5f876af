#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <sys/time.h>

static struct lab *usual(void)
{
    return lab_new(&(struct lab_setup){.mtu = 1400});
}

/* Milliseconds to the next timeout; -1 when no timer runs. */
static long left_ms(SSL *ssl)
{
    struct timeval t = {0};
    return DTLSv1_get_timeout(ssl, &t) == 1 ? (long)(t.tv_sec * 1000 + t.tv_usec / 1000) : -1;
}

/* A ClientHello that nobody answers: how often it is sent again, and for how long. -1: its timer
 * does not come to an end. */
static long wait_in_vain(long *ms)
{
    struct lab *lab = usual();
    *ms = 0;
    if (!lab)
        return -1;
    long sent = 0;
    lab_step(lab, CLIENT);
    int r = 1;
    for (; r > 0 && sent<40; sent += r> 0) {
        long left = left_ms(lab->end[CLIENT].ssl);
        lab_later(left + 1);
        *ms += left;
        r = left < 0 ? 0 : (int)DTLSv1_handle_timeout(lab->end[CLIENT].ssl);
    }
    lab_free(lab);
    return r < 0 ? sent : -1;
}

static struct outcome retransmissions(void)
{
    long ms, n = wait_in_vain(&ms);
    return n < 0 ? outcome_broken("the timer does not come to an end")
                 : outcome_measured("%ld retransmissions", n);
}

static struct outcome patience(void)
{
    long ms, n = wait_in_vain(&ms);
    return n < 0 ? outcome_broken("the timer does not come to an end")
                 : outcome_measured("%ld s", ms / 1000);
}

static struct outcome clock_set_back(void)
{
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, CLIENT);
    lab_later(-3600L * 1000);
    long left = left_ms(lab->end[CLIENT].ssl);
    lab_later(3600L * 1000);
    lab_free(lab);
    return outcome_defect_if(left >= 0, left > 60000, "no timer runs");
}

/* The server is done, its last flight is lost, the client sends its own again. */
static struct lab *last_flight_lost(void)
{
    struct lab *lab = usual();
    if (!lab)
        return NULL;
    for (int i = 0; i < 4; i++)
        lab_step(lab, i % 2 ? SERVER : CLIENT);
    lab_drop_all(lab, CLIENT);
    lab_later(1100);
    DTLSv1_handle_timeout(lab->end[CLIENT].ssl);
    return lab;
}

static struct outcome last_flight(void)
{
    struct lab *lab = last_flight_lost();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    struct end *server = &lab->end[SERVER];
    char buf[8];
    size_t before = server->sent;
    DTLSv1_handle_timeout(server->ssl);
    SSL_do_handshake(server->ssl);
    bool alone = server->sent > before;
    SSL_read(server->ssl, buf, sizeof buf);
    bool done = server->done && lab_step(lab, CLIENT) == 1;
    lab_free(lab);
    return outcome_defect_if(done, !alone, "the handshake does not complete");
}

static struct outcome timer_off(void)
{
    struct lab *lab = usual();
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    bool done = lab_handshake(lab);
    bool runs = left_ms(lab->end[CLIENT].ssl) >= 0 || left_ms(lab->end[SERVER].ssl) >= 0;
    lab_free(lab);
    return outcome_defect_if(done, runs, "the handshake does not complete");
}

/* A server's flight of several datagrams, and the same again after a timeout. */
static struct outcome coalescing(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400, .padding = 3000});
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    struct end *server = &lab->end[SERVER];
    lab_step(lab, CLIENT);
    lab_step(lab, SERVER);
    const size_t first = server->sent;
    lab_later(1100);
    bool again = DTLSv1_handle_timeout(server->ssl) == 1;
    const size_t second = server->sent - first;
    lab_free(lab);
    return first && again ? outcome_measured("%zu datagrams, after a timeout %zu", first, second)
                          : outcome_broken("the server does not send its flight again");
}

const struct experiment timer_experiments[] = {
    {"timer-retransmissions", "T9",
     "A ClientHello is never answered; the clock jumps to each timeout.",
     "After so many retransmissions the handshake fails.",
     "Sessions have a handshake deadline of their own.", retransmissions},
    {"timer-patience", "T9", "The same, adding up the timeouts.",
     "So long does a program wait for a server that is not there.",
     "Sessions have a handshake deadline of their own.", patience},
    {"timer-flight-size", "T8", "A server's flight times out once.",
     "A flight sent again is cut otherwise than the first time: more datagrams, each of which may "
     "be "
     "lost.",
     "Nothing is changed.", coalescing},
    {"timer-wall-clock", "T15", "The clock is set back by an hour while a ClientHello waits.",
     "vulnerable: nothing is sent again until the clock has caught up.",
     "Sessions look again every second, and their deadline is monotonic.", clock_set_back},
    {"timer-last-flight", "T10",
     "The server's last flight is lost and the client repeats its own. The server calls "
     "DTLSv1_handle_timeout and SSL_do_handshake, then SSL_read.",
     "vulnerable: only SSL_read answers; a server that just writes leaves the client waiting.",
     "A session reads on after the handshake.", last_flight},
    {"timer-after-handshake", "#7998 #8047", "DTLSv1_get_timeout after a complete handshake.",
     "vulnerable: the timer runs on, and ends the association.",
     "Sessions ignore the timer once the handshake is complete.", timer_off},
};
const size_t timer_count = sizeof timer_experiments / sizeof *timer_experiments;
