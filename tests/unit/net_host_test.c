/* SPDX-License-Identifier: MIT */
/* lib/net and the machine it runs on: addresses, users, limits. What changes
 * the process or needs a network of its own runs in a child. */
#include "net_tools.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { NOBODY = 65534, SKIP = 77 };

/* In a child cmocka's assertions are of no use: it says what failed and ends. */
#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: failed: %s (errno %d)\n", __FILE__, __LINE__, #x, errno);      \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int run_child(void (*body)(void *), void *arg)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        body(arg);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void in_child(void (*body)(void *), void *arg)
{
    int rc = run_child(body, arg);
    if (rc == SKIP)
        skip();
    assert_int_equal(rc, 0);
}

static void needs_root(void)
{
    if (geteuid()) {
        print_message("not run: needs root\n");
        skip();
    }
}

static void drop_privileges(void)
{
    CHECK(!setgid(NOBODY) && !setuid(NOBODY));
}

/* A client speaks to `to`; whatever answers must come from there, and a peer
 * made of it must be served, by a socket of its own or shared. */
static void check_service(struct sd_demux *d, int fd, const struct sd_addr *to, bool own)
{
    struct sd_received got;
    CHECK(sendto(fd, "hello", 5, 0, &to->sa, sd_addr_len(to)) == 5);
    CHECK(sd_demux_next(d, &got, DEADLINE_MS) == 1);
    CHECK(!got.to && sd_addr_eq(&got.local, to));
    CHECK(!sd_demux_reply(d, &got, "who?", 4));
    struct sd_addr from = expect_text(fd, "who?");
    CHECK(sd_addr_eq(&from, to));
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    CHECK(p && (sd_peer_fd(p) >= 0) == own);
    CHECK(sd_addr_eq(sd_peer_local(p), to));
    CHECK(!sd_peer_send(p, "welcome", 7));
    from = expect_text(fd, "welcome");
    CHECK(sd_addr_eq(&from, to));
    CHECK(sendto(fd, "again", 5, 0, &to->sa, sd_addr_len(to)) == 5);
    if (own) { /* the kernel gives it to the peer's socket, not to the listener */
        struct pollfd wait = {.fd = sd_peer_fd(p), .events = POLLIN};
        CHECK(poll(&wait, 1, DEADLINE_MS) == 1);
    }
    CHECK(sd_demux_next(d, &got, DEADLINE_MS) == 1);
    CHECK(got.to == p && sd_addr_eq(&got.local, to));
    CHECK(sd_demux_counter(d, SD_NET_REDISPATCHED) == 0);
    sd_demux_close(d, p);
}

static void serve(const char *listen, const char *spoken_to, const char *client, size_t connected)
{
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = connected});
    struct sd_addr at = listen_on(d, listen), to = addr_of(spoken_to, sd_addr_port(&at));
    int fd = sender(client);
    check_service(d, fd, &to, connected > 0);
    sd_demux_free(d);
    close(fd);
}

static void the_address_that_the_client_spoke_to_answers(void **state)
{
    (void)state;
    serve("0.0.0.0", "127.0.0.2", "127.0.0.1", 8);
    serve("0.0.0.0", "127.0.0.2", "127.0.0.1", 0);
    serve("0.0.0.0", "127.0.0.1", "127.0.0.2", 8);
    serve("::", "::1", "::1", 8);
    serve("::", "::1", "::1", 0);
}

/* Does a datagram get from one of these addresses to the other? */
static bool carries(const char *from, const char *from_device, const char *to,
                    const char *to_device)
{
    enum { LOOK_AGAIN_MS = 50 };
    struct sd_addr a = addr_of(from, 0), b = addr_of(to, 0);
    socklen_t len = sizeof b;
    a.in6.sin6_scope_id = if_nametoindex(from_device);
    b.in6.sin6_scope_id = if_nametoindex(to_device);
    int out = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int in = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = in, .events = POLLIN};
    bool bound = !bind(out, &a.sa, sd_addr_len(&a)) && !bind(in, &b.sa, sd_addr_len(&b)) &&
                 !getsockname(in, &b.sa, &len);
    b.in6.sin6_scope_id = a.in6.sin6_scope_id; /* the way out */
    bool sent = bound && sendto(out, "x", 1, 0, &b.sa, sd_addr_len(&b)) == 1;
    bool came = poll(&p, 1, LOOK_AGAIN_MS) == 1;
    close(out);
    close(in);
    return sent && came;
}

/* The kernel puts new interfaces into operation when it has time. */
static void await_network(void)
{
    sd_time until = sd_clock_now() + DEADLINE_MS * SD_MS;
    while (!carries("fe80::b", "vb", "fe80::a", "va") || !carries("fe80::a", "va", "fe80::b", "vb"))
        CHECK(sd_clock_now() < until);
}

/* A pair of interfaces in a network of its own, both ends in it. */
static void make_network(void)
{
    static const char *const setup[] = {
        "ip link set lo up",
        "ip link add va type veth peer name vb",
        "ip link set va addrgenmode none && ip link set vb addrgenmode none",
        "ip link set va up && ip link set vb up",
        "ip addr add fd99::1/64 dev va nodad && ip addr add fd99::2/64 dev va nodad",
        "ip addr add fe80::a/64 dev va nodad && ip addr add fe80::b/64 dev vb nodad",
        "ip route add local fdaa::/64 dev lo",
    };
    if (unshare(CLONE_NEWNET)) {
        fprintf(stderr, "not run: unshare: %s\n", strerror(errno));
        _exit(SKIP);
    }
    for (size_t i = 0; i < sizeof setup / sizeof *setup; i++) {
        if (system(setup[i])) {
            fprintf(stderr, "not run: %s\n", setup[i]);
            _exit(SKIP);
        }
    }
    await_network();
}

static struct sd_addr link_local(const char *ip, const char *device, uint16_t port)
{
    struct sd_addr a = addr_of(ip, port);
    a.in6.sin6_scope_id = if_nametoindex(device);
    CHECK(a.in6.sin6_scope_id);
    return a;
}

static void serve_link_local(size_t connected)
{
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = connected});
    struct sd_addr at = listen_on(d, "::");
    struct sd_addr client = link_local("fe80::b", "vb", 0);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(!bind(fd, &client.sa, sd_addr_len(&client)));
    struct sd_addr to = link_local("fe80::a", "vb", sd_addr_port(&at)), got_from;
    struct sd_received got;
    CHECK(sendto(fd, "hello", 5, 0, &to.sa, sd_addr_len(&to)) == 5);
    CHECK(sd_demux_next(d, &got, DEADLINE_MS) == 1);
    CHECK(got.local.in6.sin6_scope_id == if_nametoindex("va"));
    CHECK(got.peer.in6.sin6_scope_id == if_nametoindex("va"));
    CHECK(!sd_demux_reply(d, &got, "who?", 4));
    got_from = expect_text(fd, "who?");
    CHECK(sd_addr_eq(&got_from, &to));
    struct sd_peer *p = sd_demux_accept(d, &got, NULL);
    CHECK(p && (sd_peer_fd(p) >= 0) == (connected > 0));
    CHECK(!sd_peer_send(p, "welcome", 7));
    got_from = expect_text(fd, "welcome");
    CHECK(sd_addr_eq(&got_from, &to));
    CHECK(sendto(fd, "again", 5, 0, &to.sa, sd_addr_len(&to)) == 5);
    CHECK(sd_demux_next(d, &got, DEADLINE_MS) == 1 && got.to == p);
    sd_demux_close(d, p);
    sd_demux_free(d);
    close(fd);
}

static void own_network(void *arg)
{
    (void)arg;
    make_network();
    serve("::", "fd99::1", "fd99::2", 8);
    serve("::", "fd99::2", "fd99::1", 8);
    serve("::", "fd99::2", "fd99::1", 0);
    serve_link_local(8);
    serve_link_local(0);
}

static void global_and_link_local_ipv6_addresses_work(void **state)
{
    (void)state;
    needs_root();
    in_child(own_network, NULL);
}

/* An address that is routed to this machine but on none of its interfaces. */
static void any_ip(void *arg)
{
    (void)arg;
    make_network();
    serve("::", "fdaa::5", "fd99::1", 8);
    serve("::", "fdaa::5", "fd99::1", 0);
    struct sd_demux *d = new_demux(&(struct sd_demux_config){0});
    struct sd_addr nowhere = addr_of("fdbb::1", 0);
    CHECK(sd_demux_listen(d, &nowhere) == -EADDRNOTAVAIL);
    sd_demux_free(d);
}

static void an_address_of_no_interface_is_served(void **state)
{
    (void)state;
    needs_root();
    in_child(any_ip, NULL);
}

static void no_loopback(void *arg)
{
    (void)arg;
    if (unshare(CLONE_NEWNET))
        _exit(SKIP);
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    listen_on(d, "0.0.0.0");
    CHECK(!system("ip link set lo up"));
    struct sd_addr to = addr_of("127.0.0.1", sd_addr_port(sd_demux_local(d, 0)));
    check_service(d, sender("127.0.0.1"), &to, true);
    sd_demux_free(d);
}

static void peers_get_sockets_though_the_probe_had_no_loopback(void **state)
{
    (void)state;
    needs_root();
    in_child(no_loopback, NULL);
}

static void attack(void *arg)
{
    const struct sd_addr *at = arg;
    static const int options[] = {0, SO_REUSEADDR, SO_REUSEPORT};
    drop_privileges();
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            struct sd_addr any = sd_addr_any(at->sa.sa_family, sd_addr_port(at));
            const struct sd_addr *target[] = {at, &any};
            for (int t = 0; t < 2; t++) {
                int fd = socket(at->sa.sa_family, SOCK_DGRAM, 0), on = 1;
                if (options[i])
                    CHECK(!setsockopt(fd, SOL_SOCKET, options[i], &on, sizeof on));
                if (options[k])
                    CHECK(!setsockopt(fd, SOL_SOCKET, options[k], &on, sizeof on));
                errno = 0;
                CHECK(bind(fd, &target[t]->sa, sd_addr_len(target[t])) < 0);
                CHECK(errno == EADDRINUSE);
                close(fd);
            }
        }
    }
}

static void another_user_cannot_take_the_port(void **state)
{
    (void)state;
    needs_root();
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
    for (int i = 0; i < 4; i++) {
        struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
        struct sd_addr at = listen_on(d, hosts[i]);
        in_child(attack, &at);
        sd_demux_free(d);
    }
}

/* A program that drops privileges gives its listener away first: a port belongs to the user of
 * its socket. Returns where it listens. */
static struct sd_addr adopt_owned_by(struct sd_demux *d, uid_t user, const struct sd_addr *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && !bind(fd, &at->sa, sd_addr_len(at)));
    CHECK(!fchown(fd, user, (gid_t)user));
    CHECK(!sd_demux_adopt(d, fd));
    return *sd_demux_local(d, 0);
}

static void serve_as_nobody(void *arg)
{
    bool handed_over = *(bool *)arg;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr any_port = addr_of("127.0.0.1", 0);
    struct sd_addr at = adopt_owned_by(d, handed_over ? NOBODY : 0, &any_port);
    drop_privileges();
    check_service(d, sender("127.0.0.1"), &at, handed_over);
    CHECK(sd_demux_counter(d, SD_NET_SOCKET_FAILED) == !handed_over);
    CHECK(sd_demux_counter(d, SD_NET_SHARED) == !handed_over);
    sd_demux_free(d);
}

static void peers_get_sockets_after_privileges_were_dropped(void **state)
{
    (void)state;
    needs_root();
    bool handed_over = true;
    in_child(serve_as_nobody, &handed_over);
}

/* EADDRINUSE: the listener belongs to root still. */
static void peers_are_shared_when_the_port_is_not_theirs(void **state)
{
    (void)state;
    needs_root();
    bool handed_over = false;
    in_child(serve_as_nobody, &handed_over);
}

static void serve_low_port(void *arg)
{
    (void)arg;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = addr_of("127.0.0.1", 700);
    if (unshare(CLONE_NEWNET) || system("ip link set lo up") ||
        system("echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start")) {
        fprintf(stderr, "not run: no network of its own: %s\n", strerror(errno));
        _exit(SKIP);
    }
    adopt_owned_by(d, NOBODY, &at);
    drop_privileges();
    check_service(d, sender("127.0.0.1"), &at, false);
    CHECK(sd_demux_counter(d, SD_NET_SOCKET_FAILED) == 1);
    sd_demux_free(d);
}

static void peers_are_shared_when_a_low_port_is_forbidden(void **state)
{
    (void)state;
    needs_root();
    in_child(serve_low_port, NULL);
}

static void peers_are_shared_when_descriptors_run_out(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.max_connected = 8});
    struct sd_addr at = listen_on(d, "127.0.0.1");
    int fd = sender("127.0.0.1");
    struct rlimit before, now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)fd + 1;
    int gap; /* descriptors below that may be free */
    while ((gap = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && gap < fd)
        ;
    assert_int_equal(close(gap), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    check_service(d, fd, &at, false);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(sd_demux_counter(d, SD_NET_SOCKET_FAILED), 1);
    check_service(d, fd, &at, true);
    sd_demux_free(d);
    close(fd);
}

static void an_unknown_interface_is_refused(void **state)
{
    (void)state;
    struct sd_demux *d = new_demux(&(struct sd_demux_config){.interface = "no-such-device"});
    struct sd_addr at = addr_of("127.0.0.1", 0);
    struct sd_peer *p = NULL;
    assert_int_equal(sd_demux_listen(d, &at), -ENODEV);
    sd_addr_set_port(&at, 9);
    assert_int_equal(sd_demux_connect(d, &at, NULL, NULL, &p), -ENODEV);
    assert_null(p);
    sd_demux_free(d);
    assert_int_equal(
        sd_demux_new(&d, &(struct sd_demux_config){.interface = "longer-than-any-name"}), -ENODEV);
}

static void an_interface_binds_listeners_and_peers(void **state)
{
    (void)state;
    struct sd_demux *d =
        new_demux(&(struct sd_demux_config){.max_connected = 8, .interface = "lo"});
    struct sd_addr at = listen_on(d, "0.0.0.0"), to = addr_of("127.0.0.1", sd_addr_port(&at));
    int fd = sender("127.0.0.1");
    check_service(d, fd, &to, true);
    sd_demux_free(d);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_that_the_client_spoke_to_answers),
        cmocka_unit_test(global_and_link_local_ipv6_addresses_work),
        cmocka_unit_test(an_address_of_no_interface_is_served),
        cmocka_unit_test(peers_get_sockets_though_the_probe_had_no_loopback),
        cmocka_unit_test(another_user_cannot_take_the_port),
        cmocka_unit_test(peers_get_sockets_after_privileges_were_dropped),
        cmocka_unit_test(peers_are_shared_when_the_port_is_not_theirs),
        cmocka_unit_test(peers_are_shared_when_a_low_port_is_forbidden),
        cmocka_unit_test(peers_are_shared_when_descriptors_run_out),
        cmocka_unit_test(an_unknown_interface_is_refused),
        cmocka_unit_test(an_interface_binds_listeners_and_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
