/* The options of nc_dtls: the one list behind the parser, --help, completion and
 * the check of the man page. */
#include <sys/socket.h>

#include "common/exit.h"
#include "nc_dtls/options.h"

#define AT(field) offsetof(struct nc_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct tool_choice client_certs[] = {{"none", SDTLS_VERIFY_NONE},
                                                  {"request", SDTLS_VERIFY_CHECK},
                                                  {"require", SDTLS_VERIFY_REQUIRE},
                                                  {NULL, 0}};
static const struct tool_choice versions[] = {
    {"1.0", SDTLS_V1_0}, {"1.2", SDTLS_V1_2}, {"1.3", SDTLS_V1_3}, {NULL, 0}};

#define ROLE "What to do"
#define WHERE "Where"
#define DATA "Data"
#define WHO "Who we are, whom we trust"
#define OFFER "What is negotiated"
#define LIMIT "Times and limits"
#define TELL "What is told"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'l', "listen", NULL, ROLE, "be a server; without a port the kernel picks one", TOOL_FLAG, AT(listen), 0, NULL},
    {'z', "probe", NULL, ROLE, "does a DTLS server answer? leaves no state there", TOOL_FLAG, AT(probe), 0, NULL},
    {0, "clients", "N", ROLE, "N client connections of load, with a summary", TOOL_UINT, AT(clients), 100000, NULL},
    {0, "rate", "R", ROLE, "new connections a second, for --clients; 0 = at once", TOOL_UINT, AT(rate), 1000000, NULL},
    {0, "count", "N", ROLE, "messages each of the --clients sends; default 1", TOOL_UINT, AT(count), 1000000, NULL},

    {'4', "ipv4", NULL, WHERE, "IPv4 only", TOOL_SET, AT(tls.family), AF_INET, NULL},
    {'6', "ipv6", NULL, WHERE, "IPv6 only", TOOL_SET, AT(tls.family), AF_INET6, NULL},
    {'n', "numeric", NULL, WHERE, "the host is an address; ask no name server", TOOL_FLAG, AT(numeric), 0, NULL},
    {'s', "source", "ADDR", WHERE, "local address", TOOL_TEXT, AT(tls.source), 0, NULL},
    {'p', "source-port", "PORT", WHERE, "local port", TOOL_PORT, AT(port), 0, NULL},
    {'i', "ifindex,interface", "IF", WHERE, "only over this interface, by name or index", TOOL_TEXT, AT(interface), 0, NULL},
    {0, "fd", "N", WHERE, "with -l: serve this bound UDP socket", TOOL_UINT, AT(fd), 1 << 20, NULL},
    {0, "max-connected", "N", WHERE, "clients with a socket of their own; 0 = none", TOOL_UINT, AT(max_connected), 1 << 20, NULL},

    {0, "echo", NULL, DATA, "send every datagram back", TOOL_FLAG, AT(echo), 0, NULL},
    {'e', "exec", "CMD", DATA, "run CMD for every peer, its stdin and stdout are the peer", TOOL_TEXT, AT(exec), 0, NULL},
    {'1', "once", NULL, DATA, "with -l: serve one client, then end", TOOL_FLAG, AT(once), 0, NULL},
    {'d', "no-stdin", NULL, DATA, "do not read stdin", TOOL_FLAG, AT(no_stdin), 0, NULL},
    {'N', "close-at-eof", NULL, DATA, "close at the end of stdin, without waiting for replies", TOOL_FLAG, AT(close_at_eof), 0, NULL},
    {'q', "quit-after", "SECS", DATA, "wait this long for replies after the end of stdin; 0.2", TOOL_SECONDS, AT(quit_after_ms), 0, NULL},
    {0, "line", NULL, DATA, "one line of stdin is one datagram", TOOL_FLAG, AT(line), 0, NULL},

    {'c', "certificate,cert", "FILE", WHO, "own certificate, PEM; a chain may follow", TOOL_TEXT, AT(tls.cert_file), 0, NULL},
    {'k', "pkey,key", "FILE", WHO, "its private key, PEM; default: in the same file", TOOL_TEXT, AT(tls.key_file), 0, NULL},
    {0, "psk", "HEX|@FILE", WHO, "pre-shared key, in hex", TOOL_TEXT, AT(psk), 0, NULL},
    {0, "psk-identity", "ID", WHO, "its identity; a server takes any when not given", TOOL_TEXT, AT(tls.psk_identity), 0, NULL},
    {0, "psk-hint", "HINT", WHO, "identity hint of a server", TOOL_TEXT, AT(tls.psk_hint), 0, NULL},
    {0, "verify", NULL, WHO, "no connection with a peer that is not trusted", TOOL_FLAG, AT(verify), 0, NULL},
    {0, "ca-file", "FILE", WHO, "certificates to trust; implies --verify", TOOL_TEXT, AT(tls.ca_file), 0, NULL},
    {0, "ca-path", "DIR", WHO, "the same, a directory hashed by c_rehash", TOOL_TEXT, AT(tls.ca_path), 0, NULL},
    {0, "verify-host", "NAME", WHO, "name or address the certificate must carry; implies --verify", TOOL_TEXT, AT(tls.verify_host), 0, NULL},
    {0, "insecure", NULL, WHO, "do not look at the peer's certificate, nor warn", TOOL_FLAG, AT(insecure), 0, NULL},
    {0, "client-cert", "MODE", WHO, "with -l: none, request or require a client's certificate", TOOL_CHOICE, AT(client_cert), 0, client_certs},

    {0, "sni,servername", "NAME", OFFER, "server name to ask for; \"none\" = do not", TOOL_TEXT, AT(tls.server_name), 0, NULL},
    {0, "alpn", "LIST", OFFER, "application protocols, comma-separated", TOOL_TEXT, AT(tls.alpn), 0, NULL},
    {0, "min", "VERSION", OFFER, "lowest DTLS version: 1.0, 1.2 or 1.3; default 1.2", TOOL_CHOICE, AT(tls.min_version), 0, versions},
    {0, "max", "VERSION", OFFER, "highest DTLS version; default 1.2", TOOL_CHOICE, AT(tls.max_version), 0, versions},
    {0, "ciphers", "LIST", OFFER, "cipher suites, in OpenSSL's words", TOOL_TEXT, AT(tls.ciphers), 0, NULL},
    {0, "groups", "LIST", OFFER, "key exchange groups, colon-separated", TOOL_TEXT, AT(tls.groups), 0, NULL},
    {0, "sigalgs", "LIST", OFFER, "signature algorithms, colon-separated", TOOL_TEXT, AT(tls.sigalgs), 0, NULL},
    {0, "srtp", "LIST", OFFER, "SRTP profiles, colon-separated", TOOL_TEXT, AT(tls.srtp), 0, NULL},
    {0, "session", "FILE", OFFER, "resume the session in FILE; keep the new one there", TOOL_TEXT, AT(tls.session_file), 0, NULL},
    {0, "export", "LABEL:LEN", OFFER, "print LEN bytes of keying material (RFC 5705)", TOOL_TEXT, AT(export), 0, NULL},
    {0, "no-cookie", NULL, OFFER, "tests only: serve unproven addresses", TOOL_OR, AT(tls.flags), SDTLS_F_NO_COOKIE, NULL},

    {'w', "wait", "SECS", LIMIT, "deadline of a handshake; default 30, with -z 5", TOOL_SECONDS, AT(tls.handshake_ms), 0, NULL},
    {0, "idle", "SECS", LIMIT, "close after this long without data", TOOL_SECONDS, AT(tls.idle_ms), 0, NULL},
    {0, "timer", "MS", LIMIT, "first retransmission; default 1000", TOOL_MILLIS, AT(tls.timer_ms), 0, NULL},
    {'m', "max-conns", "N", LIMIT, "with -l: most clients at a time", TOOL_UINT, AT(tls.max_clients), 10000000, NULL},
    {0, "mtu", "BYTES|auto", LIMIT, "most UDP payload of a datagram; auto (default) finds out", TOOL_TEXT, AT(mtu), 0, NULL},

    {'v', "verbose", NULL, TELL, "connections; twice: messages; records; hex", TOOL_COUNT, AT(verbose), 0, NULL},
    {0, "quiet", NULL, TELL, "no errors, no warnings: the exit status tells", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, TELL, "events on stderr, one JSON object a line", TOOL_FLAG, AT(json), 0, NULL},
    {0, "stats", NULL, TELL, "counters at the end; at any time with SIGUSR1", TOOL_FLAG, AT(stats), 0, NULL},
    {0, "keylog", "FILE", TELL, "append secrets for a packet analyser; else SSLKEYLOGFILE", TOOL_TEXT, AT(keylog), 0, NULL},

    {'g', "gdb", NULL, NULL, "once upon a time; no effect", TOOL_FLAG, AT(gdb), 0, NULL},
    {0, "raw", NULL, NULL, "tests only: no guard in front of OpenSSL", TOOL_OR, AT(tls.flags), SDTLS_F_RAW, NULL},

    TOOL_STANDARD_OPTS(struct nc_config),
};
/* clang-format on */

#define EXIT_LINE(name, value, text) "  " #value "      " text "\n"

const struct tool_usage nc_usage = {
    .prog = "nc_dtls",
    .about = "nc_dtls: netcat for DTLS. stdin goes to the peer, what it sends goes to stdout.",
    .synopsis = "Usage: nc_dtls [OPTIONS] HOST PORT       (or HOST:PORT, [IPV6]:PORT)\n"
                "       nc_dtls -l [OPTIONS] [HOST] [PORT]",
    .notes = "Exit status:\n" TOOL_EXITS(EXIT_LINE) "  128+n  ended by signal n\n"
                                                    "With -z: 0 a server answers, 1 refused, 3 "
                                                    "silent, 4 it answers with an alert.\n",
    .opts = opts,
    .count = COUNT(opts),
};
