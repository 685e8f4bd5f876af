#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that has just written its flight, with a certificate of several datagrams. */
static struct lab *flight(long query, uint64_t options, long set)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = query, .padding = 3000});
    if (!lab)
        return NULL;
    SSL_set_options(lab->end[SERVER].ssl, options);
    if (set)
        SSL_set_mtu(lab->end[SERVER].ssl, set);
    lab_step(lab, CLIENT);
    return lab;
}

static struct outcome set_too_early(void)
{
    struct lab *lab = flight(1400, 0, 600);
    if (!lab)
        return OUTCOME(BROKEN);
    lab_step(lab, SERVER);
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return largest ? OUTCOME_IF(largest > 600) : OUTCOME(BROKEN);
}

static struct outcome unknown(void)
{
    struct lab *lab = flight(0, 0, 0);
    if (!lab)
        return OUTCOME(BROKEN);
    lab_step(lab, SERVER);
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return largest ? OUTCOME_NUMBER(largest, "bytes a datagram") : OUTCOME(BROKEN);
}

static struct outcome never_set(void)
{
    struct lab *lab = flight(1400, SSL_OP_NO_QUERY_MTU, 0);
    if (!lab)
        return OUTCOME(BROKEN);
    int r = lab_step(lab, SERVER);
    bool silent = r < 0 && SSL_get_error(lab->end[SERVER].ssl, r) == SSL_ERROR_SYSCALL &&
                  !ERR_peek_error() && !lab_count(lab, CLIENT);
    lab_free(lab);
    return OUTCOME_IF(silent);
}

static struct outcome after_timeouts(void)
{
    struct lab *lab = flight(1400, 0, 0);
    if (!lab)
        return OUTCOME(BROKEN);
    lab_step(lab, SERVER);
    for (int i = 0; i < 3; i++) {
        lab_drop_all(lab, CLIENT);
        lab_later(61000);
        DTLSv1_handle_timeout(lab->end[SERVER].ssl);
    }
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return largest ? OUTCOME_NUMBER(largest, "bytes a datagram") : OUTCOME(BROKEN);
}

static struct outcome stuck(void)
{
    struct lab *lab = flight(1400, 0, 0);
    if (!lab)
        return OUTCOME(BROKEN);
    lab->end[SERVER].too_long = 900;
    int r = lab_step(lab, SERVER);
    bool refused = r < 0 && !lab->end[SERVER].sent;
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(lab->end[SERVER].ssl, 800);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return refused ? OUTCOME_IF(!done) : OUTCOME(BROKEN);
}

/* A socket connected to itself. */
static int loop_socket(struct sockaddr_in *addr)
{
    socklen_t len = sizeof *addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd >= 0 && bind(fd, (struct sockaddr *)addr, len) == 0 &&
        getsockname(fd, (struct sockaddr *)addr, &len) == 0 &&
        connect(fd, (struct sockaddr *)addr, len) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* True when a write above the largest UDP datagram failed as it should. */
static bool write_too_long(BIO *bio, const struct sockaddr_in *addr)
{
    static const char data[65530];
    BIO_ADDR *peer = BIO_ADDR_new();
    if (!peer)
        return false;
    BIO_ADDR_rawmake(peer, AF_INET, &addr->sin_addr, sizeof addr->sin_addr, addr->sin_port);
    BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, peer);
    BIO_ADDR_free(peer);
    errno = 0;
    return BIO_write(bio, data, sizeof data) < 0 && errno == EMSGSIZE;
}

static struct outcome exceeded(void)
{
    struct sockaddr_in addr;
    int fd = loop_socket(&addr);
    if (fd < 0)
        return OUTCOME(BROKEN);
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    bool failed = bio && write_too_long(bio, &addr);
    long said = bio ? BIO_ctrl(bio, BIO_CTRL_DGRAM_MTU_EXCEEDED, 0, NULL) : 0;
    BIO_free(bio);
    close(fd);
    return failed ? OUTCOME_IF(said != 1) : OUTCOME(BROKEN);
}

const struct experiment mtu_experiments[] = {
    {"mtu-set-too-early", "T3", "SSL_set_mtu(600) before the handshake, over a BIO of MTU 1400.",
     "vulnerable: the setting is undone without a word.",
     "SSL_OP_NO_QUERY_MTU, and the MTU is set again after DTLSv1_listen.", set_too_early},
    {"mtu-unknown", "T6", "The BIO answers 0 to QUERY_MTU, as memory BIOs do.",
     "The largest datagram: small ones mean long flights, each more likely to lose one.",
     "The MTU is always set.", unknown},
    {"mtu-never-set", "T7", "SSL_OP_NO_QUERY_MTU without SSL_set_mtu.",
     "vulnerable: SSL_ERROR_SYSCALL with an empty error queue, nothing is sent.",
     "The MTU is always set.", never_set},
    {"mtu-after-timeouts", "T8", "The server's flight times out three times.",
     "The largest datagram of the third retransmission.",
     "SSL_OP_NO_QUERY_MTU: the session lowers the MTU itself.", after_timeouts},
    {"mtu-emsgsize", "T4 #27905",
     "Writes above 900 bytes fail with EMSGSIZE; then SSL_set_mtu(800), and time for timeouts.",
     "vulnerable: the refused datagram is tried for ever, the handshake never completes.",
     "The guard reports success and lowers the MTU at the next timeout.", stuck},
    {"mtu-exceeded", "T5",
     "A BIO_s_datagram write fails with EMSGSIZE; then MTU_EXCEEDED is asked.",
     "vulnerable: it says no, so nobody learns why the write failed.",
     "The guard has a BIO of its own.", exceeded},
};
const size_t mtu_count = sizeof mtu_experiments / sizeof *mtu_experiments;
