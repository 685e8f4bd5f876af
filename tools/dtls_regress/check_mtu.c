/* SPDX-License-Identifier: MIT */
/* Path MTU: where OpenSSL gets it from, and what OpenSSL does with it. */
#include "dtls_regress/check.h"
#include "dtls_regress/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that is about to write its flight, with a certificate of several datagrams. Its BIO
 * answers `query` to BIO_CTRL_DGRAM_QUERY_MTU; `set`, unless it is 0, goes to SSL_set_mtu(). */
static struct regress_lab *server_with_hello(long query, uint64_t options, long set)
{
    struct regress_lab *lab =
        regress_lab_new(&(struct regress_lab_setup){.mtu = query, .padding = LAB_LONG_CERTIFICATE});
    if (!lab)
        return NULL;
    SSL_set_options(lab->end[SERVER].ssl, options);
    if (set)
        SSL_set_mtu(lab->end[SERVER].ssl, set);
    regress_lab_step(lab, CLIENT);
    return lab;
}

#define SENT_NOTHING "the server sends nothing"

static struct regress_outcome mtu_set_too_early(void)
{
    struct regress_lab *lab = server_with_hello(1400, 0, 600);
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, SERVER);
    size_t largest = regress_lab_largest(lab, CLIENT);
    regress_lab_free(lab);
    return regress_defect_if(largest, largest > 600, SENT_NOTHING);
}

static struct regress_outcome mtu_unknown(void)
{
    struct regress_lab *lab = server_with_hello(0, 0, 0);
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, SERVER);
    size_t largest = regress_lab_largest(lab, CLIENT);
    regress_lab_free(lab);
    return largest ? regress_measured("%zu bytes", largest) : regress_broken(SENT_NOTHING);
}

static struct regress_outcome mtu_never_set(void)
{
    struct regress_lab *lab = server_with_hello(1400, SSL_OP_NO_QUERY_MTU, 0);
    if (!lab)
        return regress_broken(LAB_REFUSED);
    int r = regress_lab_step(lab, SERVER);
    bool silent = r < 0 && SSL_get_error(lab->end[SERVER].ssl, r) == SSL_ERROR_SYSCALL &&
                  !ERR_peek_error() && !regress_lab_count(lab, CLIENT);
    regress_lab_free(lab);
    return regress_defect(silent);
}

static struct regress_outcome mtu_after_timeouts(void)
{
    enum { TIMEOUTS = 3 };
    struct regress_lab *lab = server_with_hello(1400, 0, 0);
    if (!lab)
        return regress_broken(LAB_REFUSED);
    regress_lab_step(lab, SERVER);
    for (int i = 0; i < TIMEOUTS; i++) {
        regress_lab_drop_all(lab, CLIENT);
        regress_lab_later(LAB_ANY_TIMEOUT);
        DTLSv1_handle_timeout(lab->end[SERVER].ssl);
    }
    size_t largest = regress_lab_largest(lab, CLIENT);
    regress_lab_free(lab);
    return largest ? regress_measured("%zu bytes", largest) : regress_broken(SENT_NOTHING);
}

static struct regress_outcome mtu_emsgsize(void)
{
    struct regress_lab *lab = server_with_hello(1400, 0, 0);
    if (!lab)
        return regress_broken(LAB_REFUSED);
    lab->end[SERVER].too_long = 900;
    int r = regress_lab_step(lab, SERVER);
    bool refused = r < 0 && !lab->end[SERVER].sent;
    SSL_set_options(lab->end[SERVER].ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(lab->end[SERVER].ssl, 800);
    bool done = regress_lab_handshake_slowly(lab);
    regress_lab_free(lab);
    return regress_defect_if(refused, !done, "the server sends its flight in spite of the error");
}

/* A UDP socket connected to itself; -1: an error. */
static int open_loop_socket(struct sockaddr_in *addr)
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

/* 1: the BIO says that the length made a write fail; 0: it does not say so; -1: no write fails. */
static int reports_length(BIO *bio, size_t len)
{
    static const char data[65530];
    errno = 0;
    if (BIO_write(bio, data, (int)len) >= 0 || errno != EMSGSIZE)
        return -1;
    return BIO_ctrl(bio, BIO_CTRL_DGRAM_MTU_EXCEEDED, 0, NULL) == 1;
}

/* The lab's BIO does say so, and reports_length() sees it. */
static bool lab_reports_length(void)
{
    struct regress_lab *lab = regress_lab_usual();
    if (!lab)
        return false;
    lab->end[CLIENT].too_long = 900;
    bool reported = reports_length(lab->end[CLIENT].bio, 1000) == 1;
    regress_lab_free(lab);
    return reported;
}

static BIO *new_datagram_bio(int fd, const void *peer, int family, size_t len, in_port_t port)
{
    BIO *bio = BIO_new_dgram(fd, BIO_NOCLOSE);
    BIO_ADDR *to = BIO_ADDR_new();
    if (bio && to && BIO_ADDR_rawmake(to, family, peer, len, port) == 1)
        BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, to);
    BIO_ADDR_free(to);
    return bio;
}

static struct regress_outcome mtu_exceeded(void)
{
    struct sockaddr_in addr;
    if (!lab_reports_length())
        return regress_broken("even the lab's BIO reports nothing");
    int fd = open_loop_socket(&addr);
    if (fd < 0)
        return regress_broken("no UDP socket on the loopback interface");
    BIO *bio = new_datagram_bio(fd, &addr.sin_addr, AF_INET, sizeof addr.sin_addr, addr.sin_port);
    int reported = bio ? reports_length(bio, 65530) : -1;
    BIO_free(bio);
    close(fd);
    return regress_defect_if(reported >= 0, !reported, "the write did not fail");
}

/* An IPv6 socket connected to an IPv4 address of this machine; -1: an error. */
static int open_mapped_socket(struct in6_addr *peer, in_port_t port)
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

/* Which size of headers OpenSSL subtracts from the path MTU. */
static struct regress_outcome mtu_v4_mapped(void)
{
    enum { ANY_PORT = 9, HEADERS = 20 + 8 };
    struct in6_addr peer;
    int mtu = 0;
    socklen_t len = sizeof mtu;
    int fd = open_mapped_socket(&peer, htons(ANY_PORT));
    if (fd < 0)
        return regress_not_applicable("no IPv6 sockets on this machine");
    BIO *bio = new_datagram_bio(fd, &peer, AF_INET6, sizeof peer, htons(ANY_PORT));
    bool ok = bio && getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len) == 0;
    long said = ok ? BIO_ctrl(bio, BIO_CTRL_DGRAM_QUERY_MTU, 0, NULL) : 0;
    BIO_free(bio);
    close(fd);
    return regress_defect_if(said > 0, mtu - said != HEADERS, "the BIO reports no MTU");
}

static void note_longest(struct regress_lab *lab, int to, const uint8_t *data, size_t len)
{
    (void)to;
    (void)data;
    lab->longest = len > lab->longest ? len : lab->longest;
}

/* A second handshake, which is encrypted: does its flight of full datagrams fit? */
static struct regress_outcome mtu_encrypted_flight(void)
{
    enum { MTU = 1472 };
    struct regress_lab *lab = regress_lab_new(&(struct regress_lab_setup){
        .mtu = MTU, .padding = LAB_LONG_CERTIFICATE, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
    if (!lab)
        return regress_broken(LAB_REFUSED);
    SSL *client = lab->end[CLIENT].ssl, *server = lab->end[SERVER].ssl;
    char buf[8];
    bool again =
        regress_lab_handshake(lab) && regress_lab_data(lab) && SSL_renegotiate(server) == 1;
    lab->before = note_longest;
    for (int i = 0; again && i < 10; i++) {
        ERR_clear_error();
        SSL_do_handshake(server);
        SSL_read(client, buf, sizeof buf);
        SSL_read(server, buf, sizeof buf);
    }
    const size_t most = lab->longest;
    regress_lab_free(lab);
    return most > 1000 ? regress_measured("%zu bytes", most)
                       : regress_broken("no second handshake begins");
}

#define ALWAYS_SET "sukat_dtls always sets the MTU."

const struct regress_check regress_mtu_checks[] = {
    {.name = "mtu-set-too-early",
     .refs = "",
     .does = "SSL_set_mtu(600) is called before the handshake, over a BIO that reports an MTU of "
             "1400 bytes.",
     .means = "vulnerable: OpenSSL silently discards the setting.",
     .ours = "sukat_dtls sets SSL_OP_NO_QUERY_MTU, and sets the MTU again after DTLSv1_listen.",
     .run = mtu_set_too_early},
    {.name = "mtu-unknown",
     .measures = "largest datagram",
     .refs = "",
     .does = "The BIO answers 0 to BIO_CTRL_DGRAM_QUERY_MTU, as memory BIOs do.",
     .means = "Small datagrams make long flights, and each datagram may be lost.",
     .ours = ALWAYS_SET,
     .run = mtu_unknown},
    {.name = "mtu-never-set",
     .refs = "",
     .does = "SSL_OP_NO_QUERY_MTU is set, but SSL_set_mtu is not called.",
     .means =
         "vulnerable: OpenSSL sends nothing, and the result is SSL_ERROR_SYSCALL with an empty "
         "error queue.",
     .ours = ALWAYS_SET,
     .run = mtu_never_set},
    {.name = "mtu-after-timeouts",
     .measures = "largest datagram",
     .refs = "OpenSSL #8166",
     .does = "A server's flight times out three times.",
     .means = "After three timeouts OpenSSL sends no larger datagrams than this.",
     .ours = "sukat_dtls sets SSL_OP_NO_QUERY_MTU, and the session lowers the MTU itself.",
     .run = mtu_after_timeouts},
    {.name = "mtu-emsgsize",
     .refs = "OpenSSL #27905, #29598",
     .does =
         "Writes above 900 bytes fail with EMSGSIZE. Then SSL_set_mtu(800) is called, and there "
         "is time for timeouts.",
     .means = "vulnerable: OpenSSL tries the refused datagram again and again, and the handshake "
              "never completes.",
     .ours = "The guard reports success and lowers the MTU at the next timeout.",
     .run = mtu_emsgsize},
    {.name = "mtu-exceeded",
     .refs = "",
     .does = "A write to a BIO_s_datagram fails with EMSGSIZE. The check then asks the BIO with "
             "BIO_CTRL_DGRAM_MTU_EXCEEDED.",
     .means = "vulnerable: the BIO answers no, so OpenSSL never learns why the write failed.",
     .ours = "sukat_dtls uses a BIO of its own, the guard.",
     .run = mtu_exceeded},
    {.name = "mtu-v4-mapped",
     .refs = "OpenSSL #28088",
     .does =
         "An IPv6 socket is connected to ::ffff:127.0.0.1. The check asks BIO_s_datagram for the "
         "MTU.",
     .means = "vulnerable: the BIO subtracts the IPv6 header size, or nothing, on an IPv4 path.",
     .ours = "sukat_dtls subtracts the headers of the family that the path really has.",
     .run = mtu_v4_mapped},
    {.name = "mtu-encrypted-flight",
     .measures = "largest datagram at MTU 1472",
     .refs = "OpenSSL #19516",
     .does = "With an MTU of 1472 bytes, the server starts a second handshake, whose flight is "
             "encrypted.",
     .means = "Datagrams above 1472 bytes are fragmented on the way, or lost.",
     .ours = "sukat_dtls disables renegotiation.",
     .run = mtu_encrypted_flight},
};
const size_t regress_mtu_count = sizeof regress_mtu_checks / sizeof *regress_mtu_checks;
