/* SPDX-License-Identifier: MIT */
/* The table of nc_dtls' options. */
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
#define ADDRESS "Addresses"
#define DATA "Data"
#define TRUST "Keys and trust"
#define OFFER "Negotiation"
#define LIMIT "Times and limits"
#define OUTPUT "Output"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'l', "listen", NULL, ROLE, "be a server; without a port the kernel picks one", TOOL_FLAG, AT(listen), 0, NULL},
    {'z', "probe", NULL, ROLE, "find out whether a DTLS server answers; the server keeps no state", TOOL_FLAG, AT(probe), 0, NULL},
    {0, "workers", "N", ROLE, "with -l: serve in N threads, up to 64; 0 = one for each CPU; default 1", TOOL_UINT, AT(workers), NC_WORKERS, NULL},
    {0, "clients", "N", ROLE, "open N connections from this process, and print a summary", TOOL_UINT, AT(clients), 100000, NULL},
    {0, "count", "N", ROLE, "with --clients: send N messages on each connection; default 1", TOOL_UINT, AT(count), 1000000, NULL},

    {'4', "ipv4", NULL, ADDRESS, "use IPv4 only", TOOL_SET, AT(tls.family), AF_INET, NULL},
    {'6', "ipv6", NULL, ADDRESS, "use IPv6 only", TOOL_SET, AT(tls.family), AF_INET6, NULL},
    {'n', "numeric", NULL, ADDRESS, "take the host as a numeric address, and ask no name server", TOOL_FLAG, AT(numeric), 0, NULL},
    {'s', "source", "ADDR", ADDRESS, "local address to send from; with -l the address to listen on", TOOL_TEXT, AT(tls.source), 0, NULL},
    {'p', "source-port", "PORT", ADDRESS, "local port to send from; with -l the port to listen on", TOOL_PORT, AT(port), 0, NULL},
    {'i', "ifindex,interface", "IF", ADDRESS, "use only this network interface, given by name or index", TOOL_TEXT, AT(interface), 0, NULL},
    {0, "fd", "N", ADDRESS, "with -l: serve the bound UDP socket of file descriptor N", TOOL_UINT, AT(fd), 1 << 20, NULL},
    {0, "max-connected", "N", ADDRESS, "with -l: give at most N clients a socket of their own; 0 = none", TOOL_UINT, AT(max_connected), 1 << 20, NULL},

    {0, "echo", NULL, DATA, "send every datagram back to its sender instead of printing it", TOOL_FLAG, AT(echo), 0, NULL},
    {'e', "exec", "CMD", DATA, "run CMD for every peer; its stdin and stdout are the connection", TOOL_TEXT, AT(exec), 0, NULL},
    {0, "max-exec", "N", DATA, "with --exec: run at most N commands at a time; default 100", TOOL_UINT, AT(max_exec), 100000, NULL},
    {'1', "once", NULL, DATA, "with -l: serve one client, then end", TOOL_FLAG, AT(once), 0, NULL},
    {'d', "no-stdin", NULL, DATA, "do not read stdin", TOOL_FLAG, AT(no_stdin), 0, NULL},
    {'N', "close-at-eof", NULL, DATA, "close the connection when stdin ends, without waiting for replies", TOOL_FLAG, AT(close_at_eof), 0, NULL},
    {'q', "quit-after", "SECS", DATA, "wait this long for replies after stdin ends; default 0.2 s plus the handshake's time", TOOL_SECONDS, AT(quit_after_ms), 0, NULL},
    {0, "line", NULL, DATA, "send each line of stdin as one datagram", TOOL_FLAG, AT(line), 0, NULL},
    {0, "rate", "R", DATA, "send at most R bits a second, such as 2M; default 80M; 0 = no limit; with --clients: begin R connections a second", TOOL_TEXT, AT(rate_text), 0, NULL},
    {0, "strict", NULL, DATA, "exit with status 7 if data was lost on this host", TOOL_FLAG, AT(strict), 0, NULL},

    {'c', "certificate,cert", "FILE", TRUST, "own certificate (PEM); intermediate certificates may follow it", TOOL_TEXT, AT(tls.cert_file), 0, NULL},
    {'k', "pkey,key", "FILE", TRUST, "private key of the certificate (PEM); default: in the file of -c", TOOL_TEXT, AT(tls.key_file), 0, NULL},
    {0, "psk", "HEX|@FILE", TRUST, "pre-shared key as hex digits, or the file that holds them", TOOL_TEXT, AT(psk), 0, NULL},
    {0, "psk-identity", "ID", TRUST, "identity of the pre-shared key; without it a server accepts any", TOOL_TEXT, AT(tls.psk_identity), 0, NULL},
    {0, "psk-file", "FILE", TRUST, "with -l: the key of each identity, one identity:hexkey a line", TOOL_TEXT, AT(tls.psk_file), 0, NULL},
    {0, "psk-hint", "HINT", TRUST, "with -l: identity hint that the server sends", TOOL_TEXT, AT(tls.psk_hint), 0, NULL},
    {0, "verify", NULL, TRUST, "refuse a peer whose certificate is not trusted", TOOL_FLAG, AT(verify), 0, NULL},
    {0, "ca-file", "FILE", TRUST, "trust the certificates in FILE (PEM); implies --verify", TOOL_TEXT, AT(tls.ca_file), 0, NULL},
    {0, "ca-path", "DIR", TRUST, "trust the certificates in DIR (see c_rehash); implies --verify", TOOL_TEXT, AT(tls.ca_path), 0, NULL},
    {0, "verify-host", "NAME", TRUST, "require this name or address in the certificate; implies --verify", TOOL_TEXT, AT(tls.verify_host), 0, NULL},
    {0, "pin", "SHA256", TRUST, "accept only this certificate or public key, instead of a CA or in addition; hex or base64", TOOL_TEXT, AT(tls.pins), 0, NULL},
    {0, "insecure", NULL, TRUST, "accept any certificate without a warning", TOOL_FLAG, AT(insecure), 0, NULL},
    {0, "client-cert", "MODE", TRUST, "with -l: none, request or require a certificate of the client", TOOL_CHOICE, AT(client_cert), 0, client_certs},

    {0, "sni,servername", "NAME", OFFER, "server name to send (SNI); none = send no name; default: the host", TOOL_TEXT, AT(tls.server_name), 0, NULL},
    {0, "alpn", "LIST", OFFER, "application protocols in order of preference, separated by commas", TOOL_TEXT, AT(tls.alpn), 0, NULL},
    {0, "min", "VERSION", OFFER, "lowest DTLS version: 1.0, 1.2 (default) or 1.3", TOOL_CHOICE, AT(tls.min_version), 0, versions},
    {0, "max", "VERSION", OFFER, "highest DTLS version: 1.0, 1.2 (default) or 1.3", TOOL_CHOICE, AT(tls.max_version), 0, versions},
    {0, "ciphers", "LIST", OFFER, "cipher suites, as in ciphers(1)", TOOL_TEXT, AT(tls.ciphers), 0, NULL},
    {0, "groups", "LIST", OFFER, "groups for the key exchange, separated by colons", TOOL_TEXT, AT(tls.groups), 0, NULL},
    {0, "sigalgs", "LIST", OFFER, "signature algorithms, separated by colons", TOOL_TEXT, AT(tls.sigalgs), 0, NULL},
    {0, "srtp", "LIST", OFFER, "SRTP protection profiles (RFC 5764), separated by colons", TOOL_TEXT, AT(tls.srtp), 0, NULL},
    {0, "session", "FILE", OFFER, "resume the session in FILE if any; save the new session there", TOOL_TEXT, AT(tls.session_file), 0, NULL},
    {0, "export", "LABEL:LEN", OFFER, "print LEN bytes of keying material for LABEL (RFC 5705)", TOOL_TEXT, AT(export), 0, NULL},
    {0, "no-cookie", NULL, OFFER, "skip the address check (tests only): a forged address receives a whole flight", TOOL_OR, AT(tls.flags), SDTLS_F_NO_COOKIE, NULL},

    {'w', "wait", "SECS", LIMIT, "give up a handshake after this long; default 30 s, with -z 5 s", TOOL_SECONDS, AT(tls.handshake_ms), 0, NULL},
    {0, "idle", "SECS", LIMIT, "close a connection after this long without data; 0 = never; default: with -l 10 min, else never", TOOL_SECONDS, AT(tls.idle_ms), 0, NULL},
    {0, "timer", "MS", LIMIT, "time to the first retransmission in a handshake; default 1000 ms", TOOL_MILLIS, AT(tls.timer_ms), 0, NULL},
    {'m', "max-conns", "N", LIMIT, "with -l: serve at most N clients at a time; default 65536, with --exec 100", TOOL_UINT, AT(tls.max_clients), 10000000, NULL},
    {0, "max-conns-per-host", "N", LIMIT, "with -l: at most N clients of one address; default 4096", TOOL_UINT, AT(tls.max_clients_per_host), 10000000, NULL},
    {0, "max-half-open", "N", LIMIT, "with -l: at most N handshakes at a time; default 2048, 256 of one address", TOOL_UINT, AT(tls.max_half_open), 10000000, NULL},
    {0, "mtu", "BYTES|auto", LIMIT, "largest UDP payload of a datagram; auto (default) fits the path", TOOL_TEXT, AT(mtu), 0, NULL},

    {'v', "verbose", NULL, OUTPUT, "print connections; -vv: also messages, -vvv: records, -vvvv: bytes", TOOL_COUNT, AT(verbose), 0, NULL},
    {0, "quiet", NULL, OUTPUT, "print no errors and no warnings", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, OUTPUT, "print events on stderr, one JSON object a line", TOOL_FLAG, AT(json), 0, NULL},
    {0, "stats", NULL, OUTPUT, "print the counters at the end; SIGUSR1 prints them at any time", TOOL_FLAG, AT(stats), 0, NULL},
    {0, "keylog", "FILE", OUTPUT, "append the secrets of each connection to FILE (see SSLKEYLOGFILE)", TOOL_TEXT, AT(keylog), 0, NULL},

    {'g', "gdb", NULL, NULL, "has no effect any more", TOOL_FLAG, AT(gdb), 0, NULL},
    {0, "raw", NULL, NULL, "tests only: no guard in front of OpenSSL", TOOL_OR, AT(tls.flags), SDTLS_F_RAW, NULL},

    TOOL_STANDARD_OPTS(struct nc_config),
};
/* clang-format on */

/* clang-format off */
#define EXIT_LINE(name, value, text) "  " #value "      " text "\n"
#define EXIT_NOTES                           \
    "Exit status:\n"                         \
    TOOL_EXITS(EXIT_LINE)                    \
    "  128+n  ended by signal n\n"           \
    "With -z: 0 a server answers, 1 the port is refused, 3 no answer, 4 an alert or not DTLS.\n"
/* clang-format on */

const struct tool_usage nc_usage = {
    .prog = "nc_dtls",
    .about =
        "nc_dtls: netcat for DTLS. stdin goes to the peer; what the peer sends goes to stdout.",
    .synopsis = "Usage: nc_dtls [OPTIONS] HOST PORT       (or HOST:PORT, [IPV6]:PORT)\n"
                "       nc_dtls -l [OPTIONS] [HOST] [PORT]",
    .notes = EXIT_NOTES,
    .opts = opts,
    .count = COUNT(opts),
};
