#include "dtls_regress/experiment.h"
#include "dtls_regress/lab.h"

#include <arpa/inet.h>
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
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, SERVER);
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return outcome_defect_if(largest, largest > 600, "the server sent nothing");
}

static struct outcome unknown(void)
{
    struct lab *lab = flight(0, 0, 0);
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, SERVER);
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return largest ? outcome_measured("%zu bytes a datagram", largest)
                   : outcome_broken("the server sent nothing");
}

static struct outcome never_set(void)
{
    struct lab *lab = flight(1400, SSL_OP_NO_QUERY_MTU, 0);
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    int r = lab_step(lab, SERVER);
    bool silent = r < 0 && SSL_get_error(lab->end[SERVER].ssl, r) == SSL_ERROR_SYSCALL &&
                  !ERR_peek_error() && !lab_count(lab, CLIENT);
    lab_free(lab);
    return outcome_defect(silent);
}

static struct outcome after_timeouts(void)
{
    struct lab *lab = flight(1400, 0, 0);
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab_step(lab, SERVER);
    for (int i = 0; i < 3; i++) {
        lab_drop_all(lab, CLIENT);
        lab_later(61000);
        DTLSv1_handle_timeout(lab->end[SERVER].ssl);
    }
    size_t largest = lab_largest(lab, CLIENT);
    lab_free(lab);
    return largest ? outcome_measured("%zu bytes a datagram", largest)
                   : outcome_broken("the server sent nothing");
}

static struct outcome stuck(void)
{
    struct lab *lab = flight(1400, 0, 0);
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    lab->end[SERVER].too_long = 900;
    int r = lab_step(lab, SERVER);
    bool refused = r < 0 && !lab->end[SERVER].sent;
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(lab->end[SERVER].ssl, 800);
    bool done = lab_handshake_slowly(lab);
    lab_free(lab);
    return outcome_defect_if(refused, !done, "the server wrote in spite of the error");
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

/* Does the BIO say that a write failed for its length? -1: it did not fail. */
static int tells(BIO *bio, size_t len)
{
    static const char data[65530];
    errno = 0;
    if (BIO_write(bio, data, (int)len) >= 0 || errno != EMSGSIZE)
        return -1;
    return BIO_ctrl(bio, BIO_CTRL_DGRAM_MTU_EXCEEDED, 0, NULL) == 1;
}

/* A BIO that does say so is heard. */
static bool heard(void)
{
    struct lab *lab = lab_new(&(struct lab_setup){.mtu = 1400});
    if (!lab)
        return false;
    lab->end[CLIENT].too_long = 900;
    bool told = tells(lab->end[CLIENT].bio, 1000) == 1;
    lab_free(lab);
    return told;
}

static BIO *dgram_bio(int fd, const void *peer, int family, size_t len, in_port_t port)
{
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    BIO_ADDR *to = BIO_ADDR_new();
    if (bio && to && BIO_ADDR_rawmake(to, family, peer, len, port) == 1)
        BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, to);
    BIO_ADDR_free(to);
    return bio;
}

static struct outcome exceeded(void)
{
    struct sockaddr_in addr;
    int fd = loop_socket(&addr);
    if (fd < 0 || !heard())
        return outcome_broken(fd < 0 ? "no UDP socket on the loopback" : "no BIO is heard");
    BIO *bio = dgram_bio(fd, &addr.sin_addr, AF_INET, sizeof addr.sin_addr, addr.sin_port);
    int told = bio ? tells(bio, 65530) : -1;
    BIO_free(bio);
    close(fd);
    return outcome_defect_if(told >= 0, told == 0, "the write did not fail");
}

/* An IPv6 socket connected to an IPv4 address of this machine. */
static int mapped_socket(struct in6_addr *peer, in_port_t port)
{
    const int off = 0;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET6, "::ffff:127.0.0.1", peer);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *peer, .sin6_port = port};
    if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What OpenSSL takes off the path's MTU for the headers. */
static struct outcome v4_mapped(void)
{
    enum { ANY_PORT = 9, HEADERS = 20 + 8 };
    struct in6_addr peer;
    int mtu = 0;
    socklen_t len = sizeof mtu;
    int fd = mapped_socket(&peer, htons(ANY_PORT));
    if (fd < 0)
        return outcome_not_applicable("no IPv6 sockets on this machine");
    BIO *bio = dgram_bio(fd, &peer, AF_INET6, sizeof peer, htons(ANY_PORT));
    bool ok = bio && getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len) == 0;
    long said = ok ? BIO_ctrl(bio, BIO_CTRL_DGRAM_QUERY_MTU, 0, NULL) : 0;
    BIO_free(bio);
    close(fd);
    return outcome_defect_if(said > 0, mtu - said != HEADERS, "no path MTU is told");
}

static void longest(struct lab *lab, int to, const uint8_t *data, size_t len)
{
    (void)to;
    (void)data;
    lab->longest = len > lab->longest ? len : lab->longest;
}

/* A second handshake, which is encrypted: does its flight of full datagrams fit? */
static struct outcome encrypted_flight(void)
{
    enum { MTU = 1472 };
    struct lab *lab = lab_new(&(struct lab_setup){
        .mtu = MTU, .padding = 3000, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
    if (!lab)
        return outcome_broken(LAB_REFUSED);
    SSL *client = lab->end[CLIENT].ssl, *server = lab->end[SERVER].ssl;
    char buf[8];
    bool again = lab_handshake(lab) && lab_data(lab) && SSL_renegotiate(server) == 1;
    lab->before = longest;
    for (int i = 0; again && i < 10; i++) {
        ERR_clear_error();
        SSL_do_handshake(server);
        SSL_read(client, buf, sizeof buf);
        SSL_read(server, buf, sizeof buf);
    }
    const size_t most = lab->longest;
    lab_free(lab);
    return most > 1000 ? outcome_measured("%zu bytes at an MTU of 1472", most)
                       : outcome_broken("no second handshake");
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
    {"mtu-v4-mapped", "R13",
     "An IPv6 socket connected to ::ffff:127.0.0.1; BIO_s_datagram is asked for the MTU.",
     "vulnerable: it takes off the headers of IPv6, or none, from a path of IPv4.",
     "lib/net knows the family of the address.", v4_mapped},
    {"mtu-encrypted-flight", "R12",
     "The server starts a second handshake, whose flight is encrypted, with an MTU of 1472.",
     "More than 1472: the datagrams are cut in fragments on the way, or lost.",
     "Renegotiation is switched off.", encrypted_flight},
};
const size_t mtu_count = sizeof mtu_experiments / sizeof *mtu_experiments;
