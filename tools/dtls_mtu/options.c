/* SPDX-License-Identifier: MIT */
/* The options of dtls_mtu: the one list for the parser, --help, completion and the check of
 * the man page; and which of them go together. */
#include "dtls_mtu/options.h"

#include <string.h>
#include <sys/socket.h>

#include "dtls_mtu/exit.h"
#include "dtls_mtu/hello.h"

#define AT(field) offsetof(struct mtu_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Numbers that --help names. */
#define MAX_PROBES 200
#define NUMBER(n) #n
#define TEXT(n) NUMBER(n)

enum { PACKET_MIN = 256, PACKET_MAX = 65535, COUNT_MAX = 1000000, MAX_PROBES_MAX = 100000 };

static const struct tool_choice pads[] = {
    {"auto", -1}, {"ext", MTU_HELLO_EXT}, {"junk", MTU_HELLO_JUNK}, {NULL, 0}};

#define ROLE "What to measure"
#define WHERE "Addresses"
#define HOW "How to measure"
#define TELL "Output"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'p', "peer", NULL, ROLE, "measure both directions, with --responder at the other end", TOOL_FLAG, AT(peer), 0, NULL},
    {'r', "responder", NULL, ROLE, "be the other end of --peer", TOOL_FLAG, AT(responder), 0, NULL},
    {0, "handshake", NULL, ROLE, "also make a handshake and diagnose the server's flight", TOOL_FLAG, AT(handshake), 0, NULL},
    {0, "reverse-ping", NULL, ROLE, "estimate the path MTU from the server with large pings", TOOL_FLAG, AT(reverse_ping), 0, NULL},
    {0, "trace", NULL, ROLE, "name the last hop that large packets reach", TOOL_FLAG, AT(trace), 0, NULL},
    {0, "watch", "SECS", ROLE, "measure again SECS after each measurement, and report changes", TOOL_SECONDS, AT(watch_ms), 0, NULL},
    {0, "count", "N", ROLE, "with --watch: stop after N measurements", TOOL_UINT, AT(count), COUNT_MAX, NULL},
    {0, "require", "BYTES", ROLE, "exit with 1 if a direction carries less than BYTES", TOOL_UINT, AT(require), PACKET_MAX, NULL},
    {0, "explain", "ID", ROLE, "explain the finding ID; \"list\" lists all findings", TOOL_TEXT, AT(explain), 0, NULL},

    {'4', "ipv4", NULL, WHERE, "use IPv4 only", TOOL_SET, AT(family), AF_INET, NULL},
    {'6', "ipv6", NULL, WHERE, "use IPv6 only", TOOL_SET, AT(family), AF_INET6, NULL},
    {'s', "source", "ADDR", WHERE, "send from the local address ADDR", TOOL_TEXT, AT(source), 0, NULL},

    {0, "pad", "KIND", HOW, "pad with ext (an extension), junk (records) or auto (default)", TOOL_CHOICE, AT(pad), 0, pads},
    {0, "max", "BYTES", HOW, "try IP packets of up to BYTES; default " TEXT(MTU_MAX_DEFAULT), TOOL_UINT, AT(max), PACKET_MAX, NULL},
    {0, "max-probes", "N", HOW, "stop a search after N probes; default " TEXT(MAX_PROBES), TOOL_UINT, AT(max_probes), MAX_PROBES_MAX, NULL},
    {'w', "timeout", "SECS", HOW, "end a measurement after SECS; default " TEXT(MTU_TIMEOUT_S) " or 40 round trips", TOOL_SECONDS, AT(timeout_ms), 0, NULL},
    {'c', "certificate,cert", "FILE", HOW, "use this certificate (PEM); optional with --responder", TOOL_TEXT, AT(cert_file), 0, NULL},
    {'k', "pkey,key", "FILE", HOW, "use this private key (PEM); default: in the certificate's file", TOOL_TEXT, AT(key_file), 0, NULL},

    {'v', "verbose", NULL, TELL, "print every ClientHello that is sent as a probe", TOOL_COUNT, AT(verbose), 0, NULL},
    {0, "quiet", NULL, TELL, "print no progress, no warnings and no errors", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, TELL, "print each result as one line of JSON, \"type\":\"result\"", TOOL_FLAG, AT(json), 0, NULL},

    TOOL_STANDARD_OPTS(struct mtu_config),
};
/* clang-format on */

#define EXIT_LINE(name, value, text) "  " #value "  " text "\n"

const struct tool_usage mtu_usage = {
    .prog = "dtls_mtu",
    .about = "dtls_mtu: finds the largest packet that a path carries, and what DTLS does with it.",
    .synopsis = "Usage: dtls_mtu [OPTIONS] HOST PORT            (or HOST:PORT, [IPV6]:PORT)\n"
                "       dtls_mtu --responder [OPTIONS] [HOST] PORT\n"
                "       dtls_mtu --explain ID",
    .notes = "Sizes are bytes of an IP packet. UDP payload is 28 bytes less with IPv4, 48 with "
             "IPv6.\n"
             "Exit status:\n" MTU_EXITS(EXIT_LINE) "  128+n  ended by signal n\n",
    .opts = opts,
    .count = COUNT(opts),
};

/* The first option given that measures, or NULL. */
static const char *measuring_option(const struct mtu_config *c)
{
    return c->peer           ? "--peer"
           : c->handshake    ? "--handshake"
           : c->reverse_ping ? "--reverse-ping"
           : c->trace        ? "--trace"
           : c->watch_ms     ? "--watch"
                             : NULL;
}

static bool options_fit(const struct mtu_config *c, char why[static TOOL_WHY])
{
    const char *measuring = measuring_option(c);
    if (!c->target.port)
        return tool_wrong(why, c->responder ? "a port is needed" : "HOST and PORT are needed");
    if (!c->target.host && !c->responder)
        return tool_wrong(why, "a host is needed besides the port");
    if (!c->responder && !strcmp(c->target.port, "0"))
        return tool_wrong(why, "port 0: the lowest port of a server is 1");
    if (c->responder && measuring)
        return tool_wrong(why, "%s does not go with --responder, which measures nothing itself",
                          measuring);
    if (c->max && c->max < PACKET_MIN)
        return tool_wrong(why, "--max %u: DTLS needs packets of at least %d bytes", c->max,
                          PACKET_MIN);
    if (c->count && !c->watch_ms)
        return tool_wrong(why, "--count needs --watch");
    if (c->key_file && !c->cert_file)
        return tool_wrong(why, "--key needs --cert");
    return true;
}

bool mtu_options(struct mtu_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct mtu_config){.pad = -1, .max_probes = MAX_PROBES};
    if (!tool_options_parse(&mtu_usage, c, argc, argv, &rest, why))
        return false;
    if (c->help || c->version || c->explain || c->completion)
        return true;
    return tool_parse_target(&c->target, argv + rest, argc - rest, why) && options_fit(c, why);
}
