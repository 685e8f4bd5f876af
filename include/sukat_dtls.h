/* SPDX-License-Identifier: MIT */
/* sukat_dtls: DTLS servers and clients on Linux, with one file descriptor per client.
 *
 * Pull style: one endpoint, one pollable fd, and sdtls_next() returns one event
 * after the other. Your code never runs inside the library, except for the
 * callbacks in sdtls_config. Every timer that DTLS needs is inside the library.
 *
 *     sdtls *s = sdtls_new(&(sdtls_config){SDTLS_CONFIG_INIT, .cert_file = "c.pem",
 *                                          .key_file = "k.pem"});
 *     if (!s || sdtls_listen(s, NULL, "4433"))
 *         return 1;
 *     sdtls_event ev;
 *     while (sdtls_next(s, &ev, -1) >= 0)
 *         if (ev.type == SDTLS_EV_DATA)
 *             sdtls_send(ev.conn, ev.data, ev.len);
 *
 * Threads: an endpoint belongs to one thread at a time; different endpoints
 * are independent. A server that wants all cores has a group: one endpoint in
 * each thread, see sdtls_group_new(). Errors: every int function returns 0 (or a count) on
 * success and a negative enum sdtls_err on failure; sdtls_errmsg() then returns
 * a sentence for the user. */
#ifndef SUKAT_DTLS_H
#define SUKAT_DTLS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SDTLS_API __attribute__((visibility("default")))
#define SDTLS_NODISCARD __attribute__((warn_unused_result))

/* An endpoint: one configuration, any number of listeners and connections. */
typedef struct sdtls sdtls;

/* A connection to one peer. Valid from sdtls_connect() or its
 * SDTLS_EV_ACCEPTED until the sdtls_next() call after the one that returned
 * its SDTLS_EV_CLOSED. */
typedef struct sdtls_conn sdtls_conn;

/* Name, value, text. An alert that was sent and an alert that was received have
 * different codes. After an error below SDTLS_FATAL the endpoint is unusable. */
#define SDTLS_ERRORS(X)                                                                            \
    X(ARG, -1, "invalid argument")                                                                 \
    X(STATE, -2, "not possible in this state")                                                     \
    X(TOOBIG, -3, "larger than the path MTU allows")                                               \
    X(LIMIT, -4, "a configured limit was reached")                                                 \
    X(AGAIN, -5, "the socket takes no more datagrams now")                                         \
    X(RESOLVE, -10, "name resolution failed")                                                      \
    X(IO, -11, "socket error")                                                                     \
    X(REFUSED, -12, "peer port unreachable")                                                       \
    X(TIMEOUT, -13, "handshake not finished in time")                                              \
    X(IDLE, -14, "idle limit reached")                                                             \
    X(NOT_DTLS, -15, "the peer's answers are not DTLS")                                            \
    X(VERIFY, -20, "peer certificate not trusted")                                                 \
    X(ALERT_SENT, -21, "the handshake failed on this side, an alert was sent")                     \
    X(ALERT_RECEIVED, -22, "the peer sent a fatal alert")                                          \
    X(PROTO, -23, "protocol violation")                                                            \
    X(RESTARTED, -24, "replaced: the client started again from the same address")                  \
    X(CRED, -30, "certificate, key or PSK cannot be used")                                         \
    X(OPTION, -31, "OpenSSL did not accept an option")                                             \
    X(FATAL, -100, "(fatal errors follow)")                                                        \
    X(NOMEM, -101, "out of memory")                                                                \
    X(TLSLIB, -102, "OpenSSL failed")

enum sdtls_err {
    SDTLS_OK = 0,
#define SDTLS_X(name, value, text) SDTLS_##name = value,
    SDTLS_ERRORS(SDTLS_X)
#undef SDTLS_X
};

enum sdtls_event_type {
    SDTLS_EV_NONE,       /* nothing to report */
    SDTLS_EV_ACCEPTED,   /* server: cookie verified, the connection exists */
    SDTLS_EV_READY,      /* the handshake is complete, sdtls_send() works */
    SDTLS_EV_DATA,       /* one record of application data: data, len */
    SDTLS_EV_RETRANSMIT, /* a handshake flight was sent again; value = how often */
    SDTLS_EV_MTU,        /* the largest UDP payload changed; value = bytes, text = why */
    SDTLS_EV_FINDING,    /* a diagnosis; finding = its id, text = a sentence */
    SDTLS_EV_CLOSED,     /* last event of a connection; err, alert and text say why */
    SDTLS_EV_WRITABLE    /* after SDTLS_AGAIN: sdtls_send() is worth another try */
};

typedef struct sdtls_event {
    enum sdtls_event_type type;
    int err;          /* enum sdtls_err; SDTLS_OK for an orderly close */
    int alert;        /* TLS AlertDescription, or -1. With SDTLS_OK: 0 (close_notify) when the peer
                         closed, -1 when this side did */
    sdtls_conn *conn; /* NULL for events of the endpoint itself */
    const void *data; /* borrowed until the next sdtls_next() */
    size_t len;
    uint64_t value;
    const char *finding; /* stable id, the same as in dtls_probe; or NULL */
    const char *text;    /* one sentence, borrowed until the next sdtls_next(); or NULL */
    /* SDTLS_EV_DATA: UDP payload of the datagram that carried the data, and the size of the
     * largest IP fragment of that datagram, header included; 0 = not fragmented. */
    size_t datagram, fragment;
} sdtls_event;

enum sdtls_version { SDTLS_V1_0 = 0xfeff, SDTLS_V1_2 = 0xfefd, SDTLS_V1_3 = 0xfefc };

/* How the peer's certificate is checked. */
enum sdtls_verify {
    /* Client: REQUIRE when ca_file, ca_path or verify_host is set, else CHECK.
     * Server: REQUIRE when ca_file or ca_path is set, else NONE. */
    SDTLS_VERIFY_DEFAULT,
    SDTLS_VERIFY_NONE,   /* server: ask for no certificate; client: do not check it */
    SDTLS_VERIFY_CHECK,  /* ask and check, report in sdtls_info, connect in any case */
    SDTLS_VERIFY_REQUIRE /* no trusted certificate, no connection */
};

enum sdtls_flags {
    SDTLS_F_SELF_SIGNED = 1 << 0, /* server without certificate and PSK: make a temporary one */
    SDTLS_F_NO_COOKIE = 1 << 1,   /* tests only: no address check; a forged address gets a flight */
    SDTLS_F_RAW = 1 << 2,         /* tests only: no guard between the network and OpenSSL */
    SDTLS_F_SHARED = 1 << 3,      /* no socket per client: the listener serves all of them */
    SDTLS_F_PROBE = 1 << 4,       /* connections end with SDTLS_OK at the server's first answer */
    SDTLS_F_TAKE_OVER = 1 << 5    /* share the port with a running process of the same user */
};

/* A zero is the default of every field. New versions add fields only at the end. The
 * library copies strings and the PSK, and takes a reference to ssl_ctx. */
typedef struct sdtls_config {
    size_t size; /* set by SDTLS_CONFIG_INIT */

    /* Who we are. */
    const char *cert_file, *key_file; /* PEM; a chain may follow the certificate */
    const char *psk_identity, *psk_hint;
    const void *psk;
    size_t psk_len;
    /* SSL_CTX *, used instead of one made from this struct: then identity, trust, ciphers and
     * session_file are ignored. The library sets the cookie callbacks on it, the keylog
     * callback when `keylog` is given, and some options on each connection. */
    void *ssl_ctx;

    /* Whom we trust. */
    enum sdtls_verify verify;
    const char *ca_file, *ca_path; /* neither: the system's store */
    const char *verify_host;       /* name or IP address that the certificate must have; or
                                      see `pins`, the last member */

    /* What we offer. */
    const char *server_name; /* SNI; NULL = the host of sdtls_connect(), "" = none */
    const char *alpn;        /* comma-separated, in order of preference */
    const char *srtp;        /* use_srtp profiles, colon-separated */
    const char *ciphers, *groups, *sigalgs;
    int min_version, max_version; /* enum sdtls_version; default 1.2 to 1.2 */
    const char
        *session_file; /* client: for resumption, read before a handshake, written after it */

    /* How. */
    unsigned flags;        /* enum sdtls_flags */
    unsigned mtu;          /* largest UDP payload; 0 = automatic, see sdtls_max_payload() */
    unsigned timer_ms;     /* until the first retransmission; 0 = 1000 */
    unsigned handshake_ms; /* deadline of a handshake; 0 = 30000 */
    unsigned idle_ms;      /* close after this time without data; 0 = never */
    unsigned max_clients;  /* established; 0 = 65536. When there are this many, a new client
                              replaces the one that is idle longest, if that had no data for 10 s or
                              its host has more clients; otherwise it is refused with an alert */
    /* Clients in their handshake; 0 = 2048, 256. When there are this many, a new client replaces
     * one of the host that has most: the oldest that has not answered yet. A host that has its
     * share replaces its own after 2 s in which none of its handshakes was complete. A host is an
     * IPv4 address or an IPv6 /56. */
    unsigned max_half_open, max_half_open_per_host;
    unsigned max_connected; /* clients with a socket of their own; 0 = min(1024, nofile - 64) */

    /* Where. */
    int family;            /* AF_INET, AF_INET6, 0 = both */
    const char *source;    /* client: local address */
    const char *interface; /* name of the network interface to use */
    uint16_t source_port;  /* client: local port */

    /* Callbacks. They may call functions that only return something, as sdtls_peer_text(). */
    void (*log)(void *arg, int level, const char *line); /* see log_level */
    void (*keylog)(void *arg, const char *line);         /* one NSS key log line */
    /* Every datagram of a connection. While a client tries several addresses, each of them is
     * another `conn`, of which only the one of sdtls_connect() outlives the handshake. */
    void (*tap)(void *arg, sdtls_conn *conn, int sent, const void *datagram, size_t len);
    void *cb_arg;
    int log_level; /* the highest level passed to log: 0 errors, 1 warnings, 2 connections,
                      3 every datagram from an unproven address */

    unsigned max_clients_per_host; /* established ones; 0 = 4096 */
    size_t max_half_open_bytes;    /* memory of clients in their handshake; 0 = 128000000. One
                                      needs at most 64 kB, and the room for its certificates */

    /* The peer's certificate or public key must have one of these SHA-256 values: in hex or
     * base64, separated by commas or spaces, in any usual spelling, also a whole line as
     * sdtls_fingerprint() or `openssl x509 -fingerprint` gives. Alone they are all that is asked
     * for: no CA, no name, no dates. With ca_file, ca_path or verify_host those must hold as well.
     * A server then requires a client certificate. */
    const char *pins;

    /* Server: a key for each identity, instead of `psk`. Set only one of the three.
     * A file with one "identity:hexkey" a line, as psktool writes it; lines that begin with '#' and
     * empty lines are skipped. It is read once, before the first client. */
    const char *psk_file;
    /* Writes the key of an identity, at most max bytes, and returns its length in bytes; 0 refuses
     * the client. arg is cb_arg. The identity is the client's claim, not proven yet, and any
     * text without a NUL. The call must not block: all clients wait for it. In a group it runs in
     * the thread of each endpoint, also at the same time. */
    int (*psk_lookup)(void *arg, const char *identity, void *key, size_t max);
} sdtls_config;

#define SDTLS_CONFIG_INIT .size = sizeof(sdtls_config)
/* The same where there are no designated initialisers, as in C++. */
static inline sdtls_config sdtls_config_default(void)
{
    sdtls_config c;
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    return c;
}

/* A new endpoint. NULL only when out of memory: the first sdtls_listen() or
 * sdtls_connect() reports what is wrong with the configuration. */
SDTLS_API SDTLS_NODISCARD sdtls *sdtls_new(const sdtls_config *config);
/* Sends close_notify on every established connection and frees everything. NULL is fine. */
SDTLS_API void sdtls_free(sdtls *s);

/* Endpoints that serve the same addresses together, each in a thread of its own. A connection
 * belongs to one endpoint, the one whose sdtls_next() returns its events, and is used in that
 * endpoint's thread. They share the listening sockets, all limits, the cookie secrets, and one
 * OpenSSL context: a session ticket of one is good at all others. The endpoint with the fewest
 * clients gets the next one. A datagram reaches the endpoint that has its client, whichever read
 * it. When an endpoint is freed, the clients of the others notice nothing.
 *
 *     sdtls_group *g = sdtls_group_new(&config);
 *     sdtls *s = sdtls_group_endpoint(g); // one for each thread
 *     if (sdtls_listen(s, NULL, "4433"))  // on one of them: all of them listen
 *         ...
 *
 * The callbacks of the configuration run in the thread of whichever endpoint has something to say,
 * also at the same time. Counters are those of one endpoint: add them up. */
typedef struct sdtls_group sdtls_group;

/* NULL only when out of memory, as with sdtls_new(). */
SDTLS_API SDTLS_NODISCARD sdtls_group *sdtls_group_new(const sdtls_config *config);
/* An endpoint of the group; 64 at a time, or its first call says LIMIT. NULL only when out of
 * memory. Any thread may call it, and sdtls_free() the endpoint in the end. */
SDTLS_API SDTLS_NODISCARD sdtls *sdtls_group_endpoint(sdtls_group *g);
/* No further endpoints; those that exist go on, and the sockets are open until the last one is
 * freed. NULL is fine. */
SDTLS_API void sdtls_group_free(sdtls_group *g);

/* Starts to listen. host NULL = every address, of both families where the
 * system has them; port NULL or "0" = a port that the kernel picks (see
 * sdtls_local()). May be called again for further addresses.
 * Errors: RESOLVE, IO, CRED, OPTION, NOMEM. */
SDTLS_API SDTLS_NODISCARD int sdtls_listen(sdtls *s, const char *host, const char *port);
/* Listens on a UDP socket that is bound already, for example by socket activation.
 * On success the endpoint owns the fd. A program that drops privileges later must
 * first give the fd to its new user with fchown(). Otherwise new clients get no
 * socket of their own, because only sockets of one user can share a port. */
SDTLS_API SDTLS_NODISCARD int sdtls_adopt(sdtls *s, int fd);
/* Starts a client connection; resolving the name blocks, nothing else does.
 * Events follow: READY or CLOSED. pconn may be NULL. The addresses of the host are tried
 * beside each other, 250 ms apart; the first complete handshake wins, and sdtls_peer() may
 * change until then. Before handshake_ms, nothing that somebody off-path can forge ends it:
 * a FINDING tells of it, and it is the reason if nothing better comes.
 * Errors: RESOLVE, IO, CRED, OPTION, NOMEM. */
SDTLS_API SDTLS_NODISCARD int sdtls_connect(sdtls *s, const char *host, const char *port,
                                            sdtls_conn **pconn);

/* The next event. Waits up to timeout_ms (-1 = for ever, 0 = not at all).
 * Returns 1 with *ev filled; 0 with ev->type SDTLS_EV_NONE when the time passed
 * or a signal interrupted the wait; below 0 on a fatal error. While datagrams without an
 * event arrive, as in a flood, it works for timeout_ms or for 1 ms, and then returns 0, too. */
SDTLS_API SDTLS_NODISCARD int sdtls_next(sdtls *s, sdtls_event *ev, int timeout_ms);
/* Readable whenever sdtls_next() has something to do. */
SDTLS_API int sdtls_fd(sdtls *s);

/* --- Without sockets: the program carries the datagrams and tells the time. ---
 *
 *     static int output(void *arg, const sdtls_path *path, const void *datagram, size_t len);
 *     sdtls *s = sdtls_new_with(&config, &(sdtls_transport){sizeof(sdtls_transport), output, arg});
 *     sdtls_serve(s);                              // accept clients (a=setup:passive), or
 *     sdtls_connect_path(s, &path, NULL, now, &c); // be the client (a=setup:active)
 *     // for each datagram that arrives, and when sdtls_deadline() has passed:
 *     sdtls_input(s, &datagram, now); // or sdtls_advance(s, now);
 *     while (sdtls_next(s, &ev, 0) > 0)
 *         ...
 *
 * Everything else is as with sockets: gate and cookies, limits, restarted clients, path MTU,
 * events, sdtls_send(). Such an endpoint opens no file descriptor, reads no clock and makes no
 * system call but for random numbers and memory; sdtls_fd(), sdtls_listen(), sdtls_adopt() and
 * sdtls_connect() say STATE. OpenSSL's retransmission timer and the dates of certificates and
 * tickets follow the system's time, gettimeofday() and time(): `now` has to pass as fast as that.
 */

/* Where a datagram travels: both addresses, or a number of the program's where it has none (a
 * relay, a tunnel). Two paths are the same when peer, local and, for an address that is NULL, id
 * are. */
typedef struct sdtls_path {
    size_t size;                         /* sizeof(sdtls_path) */
    const struct sockaddr *peer, *local; /* IPv4, IPv6, or NULL; borrowed during the call */
    uint64_t id;                         /* of what is NULL */
    size_t payload; /* UDP payload that the path carries, headers of a tunnel deducted; 0 = unknown.
                       It counts when the path's connection begins */
    int verified;   /* the peer is known to receive there, as after a connectivity check of ICE:
                       a ClientHello from there needs no cookie */
} sdtls_path;

/* What arrived. */
typedef struct sdtls_datagram {
    size_t size; /* sizeof(sdtls_datagram) */
    const sdtls_path *path;
    const void *data; /* borrowed during the call, as all of this */
    size_t len;
    /* 0; or the errno that the network reported for a datagram sent to this path (ECONNREFUSED,
     * EMSGSIZE, ...). Then data is what the report quotes of that datagram, and limit the UDP
     * payload that it says fits, or 0. Nobody can end a connection that way. */
    int error;
    size_t limit;
} sdtls_datagram;

typedef struct sdtls_transport {
    size_t size; /* sizeof(sdtls_transport) */
    /* Sends one datagram. It may be called within every function of the endpoint or a connection,
     * and must call none of them. 0; or -EAGAIN or -ENOBUFS: no room, data is kept and offered
     * again; -EMSGSIZE: too large for this path; any other -errno: it is lost. */
    int (*output)(void *arg, const sdtls_path *path, const void *datagram, size_t len);
    void *arg;
} sdtls_transport;

/* A new endpoint without sockets. NULL: out of memory, or no output. */
SDTLS_API SDTLS_NODISCARD sdtls *sdtls_new_with(const sdtls_config *config,
                                                const sdtls_transport *transport);
/* From now on clients are accepted. Errors: STATE, CRED, OPTION, NOMEM. */
SDTLS_API SDTLS_NODISCARD int sdtls_serve(sdtls *s);
/* A client connection over this path. host: whom the certificate must name, and SNI; or NULL.
 * pconn may be NULL. `now` as in sdtls_input().
 * Errors: STATE (also when the path has a connection), ARG, CRED, OPTION, NOMEM. */
SDTLS_API SDTLS_NODISCARD int sdtls_connect_path(sdtls *s, const sdtls_path *path, const char *host,
                                                 uint64_t now, sdtls_conn **pconn);
/* Hands in one datagram, or an error of the network. `now`: nanoseconds of any clock that does not
 * go back. Returns 0; 1 when it is not DTLS by its first byte (RFC 7983, RFC 9443), so nothing was
 * done with it; or ARG, STATE. Call sdtls_next() until it returns 0 before the next datagram. */
SDTLS_API SDTLS_NODISCARD int sdtls_input(sdtls *s, const sdtls_datagram *datagram, uint64_t now);
/* When sdtls_advance() and sdtls_next() are to be called next, on the clock of `now`; UINT64_MAX:
 * only after a datagram. Ask again after each call that takes the endpoint or a connection. */
SDTLS_API uint64_t sdtls_deadline(const sdtls *s);
/* It is `now`: the next call of sdtls_next() runs the timers that are due. */
SDTLS_API void sdtls_advance(sdtls *s, uint64_t now);

/* Sends len bytes as one record in one datagram. Success means handed to the kernel; the
 * network may lose it, as with UDP. When the socket has no room (a slow interface), the library
 * keeps this one datagram and sends it as soon as it can, see sdtls_unsent(). Errors:
 * AGAIN   a datagram still waits for the socket. Nothing was done; send the same data
 *         again after SDTLS_EV_WRITABLE
 * IO      this host refused the datagram (link down, no route, firewall): it is lost, and
 *         sdtls_errmsg() says why. The connection stays
 * TOOBIG  see sdtls_max_payload()
 * STATE   no READY yet, or closed
 * PROTO   the session failed; SDTLS_EV_CLOSED follows
 * A receiver that is slower than the sender loses datagrams without a word to the
 * sender, also over loopback: nothing here paces, only the protocol above can. */
SDTLS_API int sdtls_send(sdtls_conn *c, const void *data, size_t len);
/* The same, but fills the datagram up to exactly `size` bytes of UDP payload, with a
 * record that every DTLS stack discards: a probe of the path MTU, so size may exceed
 * what sdtls_max_payload() allows. Errors: also ARG when the record of data alone is
 * larger than size, or leaves 1 to 12 bytes; TOOBIG when this host refuses the size. */
SDTLS_API int sdtls_send_padded(sdtls_conn *c, const void *data, size_t len, size_t size);
/* Bytes of the datagram that still waits for the socket; 0 = the kernel has everything. When
 * the connection is closed first, that datagram is lost ("guard.unsent"). */
SDTLS_API size_t sdtls_unsent(const sdtls_conn *c);
/* Stops reading from this peer: no DATA, and no CLOSED by the peer, until sdtls_resume(). What
 * the peer sends waits in the connection's own socket, up to its receive buffer (4 MiB for the
 * first clients, 208 KiB for each client when there are many). The kernel drops what does not
 * fit ("net.overflow"). A connection without a socket of its own keeps up to 64 KiB in memory,
 * all of them together 8 MiB ("guard.queue-full"). Sending goes on. idle_ms does not run while
 * paused and begins again with sdtls_resume(). The DATA event that is being
 * handled is delivered; pausing in it means: no more after this one. Errors: STATE. */
SDTLS_API int sdtls_pause(sdtls_conn *c);
SDTLS_API void sdtls_resume(sdtls_conn *c);
/* Sends close_notify; SDTLS_EV_CLOSED with SDTLS_OK follows. What a paused peer has sent is
 * not read any more. */
SDTLS_API void sdtls_close(sdtls_conn *c);
/* The most bytes of application data that fit into one datagram now; 0 before READY.
 * With mtu = 0 it starts with what the kernel's route allows, or with the size that
 * the handshake stepped down to because large datagrams were lost. A router that
 * reports a smaller MTU lowers it, if its ICMP error quotes a datagram that was sent;
 * 10 minutes later the larger size is tried again. Each change is an SDTLS_EV_MTU. The
 * library does not see a path that drops large datagrams silently: dtls_mtu --peer
 * measures it. */
SDTLS_API size_t sdtls_max_payload(const sdtls_conn *c);

/* The connection's own socket, or -1 when the listener serves it. For getsockopt()
 * and poll(); do not read it, because that takes datagrams away from the library.
 * The listener serves a client of a server until data is sent or received, a flight gets
 * no answer, the listener drops datagrams ("net.overflow"), or this is asked, which makes
 * the socket; in a group it is made at once. Only a connection with a socket of its own
 * hears ICMP errors: to hear them during the handshake, ask at ACCEPTED. */
SDTLS_API int sdtls_conn_fd(const sdtls_conn *c);
/* NULL, and length 0, for a path that has no such address. */
SDTLS_API const struct sockaddr *sdtls_peer(const sdtls_conn *c, socklen_t *len);
SDTLS_API const struct sockaddr *sdtls_conn_local(const sdtls_conn *c, socklen_t *len);
/* "192.0.2.1:4433" or "[2001:db8::1]:4433"; lives as long as the connection. */
SDTLS_API const char *sdtls_peer_text(const sdtls_conn *c);
/* The connection's SSL *, borrowed; NULL when it ended before it had one. */
SDTLS_API void *sdtls_native(const sdtls_conn *c);
SDTLS_API void sdtls_set_user(sdtls_conn *c, void *user);
SDTLS_API void *sdtls_user(const sdtls_conn *c);
SDTLS_API sdtls *sdtls_conn_endpoint(const sdtls_conn *c);
/* The addresses that the endpoint listens on: index 0, 1, ...; NULL after the last. */
SDTLS_API const struct sockaddr *sdtls_local(const sdtls *s, unsigned index, socklen_t *len);

/* What is known of a connection. The strings live as long as the connection; a string
 * is NULL when it is not known or not negotiated. Names and identities are as the peer wrote
 * them: a terminal may obey what is in them. */
typedef struct sdtls_info {
    int version; /* enum sdtls_version, 0 before it is negotiated */
    const char *cipher, *group, *alpn, *srtp, *server_name, *psk_identity;
    int server; /* 1 when the peer is the client */
    int resumed;
    int verified; /* 1 = the peer's certificate is trusted, 0 = it is not, or there is none */
    const char *verify_text;                    /* why it is not trusted */
    const char *subject, *issuer, *fingerprint; /* peer certificate; SHA-256, hex */
    unsigned retransmits;                       /* handshake flights that this side sent again */
    uint64_t handshake_us; /* from the first ClientHello (server: its acceptance) to READY */
} sdtls_info;

SDTLS_API void sdtls_conn_info(const sdtls_conn *c, sdtls_info *info);
/* Reads the files of the configuration again: certificate, key, CAs, PSKs. Connections that exist
 * keep what they began with; new ones have what the files hold now, and resume no session of
 * before; a self-signed certificate is made anew. On an error (CRED, OPTION, NOMEM) all stays as it
 * was, and sdtls_errmsg() says why. STATE: the configuration names no file, or an ssl_ctx. In a
 * group: once, for all endpoints, from the thread of any of them. */
SDTLS_API SDTLS_NODISCARD int sdtls_reload(sdtls *s);
/* SHA-256 of the endpoint's own certificate, in hex pairs with colons; NULL without one. Good until
 * sdtls_reload(), or the end of the endpoint. */
SDTLS_API const char *sdtls_fingerprint(sdtls *s);
/* Exports keying material (RFC 5705), after READY. Errors: STATE, TLSLIB. */
SDTLS_API int sdtls_export(const sdtls_conn *c, const char *label, void *out, size_t len);

/* Counters, by index or name ("gate.no-cookie", "net.redispatched",
 * "guard.alert", ...). The names are stable; docs/counters.md explains each one.
 * *name is NULL after the last. */
SDTLS_API uint64_t sdtls_counter(const sdtls *s, unsigned index, const char **name);
SDTLS_API uint64_t sdtls_counter_named(const sdtls *s, const char *name);

SDTLS_API const char *sdtls_strerror(int err); /* "peer port unreachable" */
SDTLS_API const char *sdtls_errname(int err);  /* "REFUSED" */
/* The sentence for the last error of this endpoint; "" without an error so far. */
SDTLS_API const char *sdtls_errmsg(const sdtls *s);
SDTLS_API const char *sdtls_alert_name(int alert);
SDTLS_API const char *sdtls_version(void); /* of this library: "0.2.0" */
/* The OpenSSL version in use, and the one that the library was built with. */
SDTLS_API const char *sdtls_tls_library(void);

#ifdef __cplusplus
}
#endif
#endif
