/* The options of dtls_mtu: the one list behind the parser, --help, completion and the check
 * of the man page; and what they mean together. */
#include "dtls_mtu/options.h"

#include <string.h>
#include <sys/socket.h>

#include "dtls_mtu/hello.h"

#define AT(field) offsetof(struct mtu_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { PACKET_MIN = 256, PACKET_MAX = 65535, PROBES = 200, TIMEOUT_MS = 15000 };

static const struct tool_choice pads[] = {
    {"auto", -1}, {"ext", HELLO_EXT}, {"junk", HELLO_JUNK}, {NULL, 0}};

#define ROLE "What to measure"
#define WHERE "Where"
#define HOW "How"
#define TELL "What is told"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'p', "peer", NULL, ROLE, "both directions, with a --responder (or an echo server) there", TOOL_FLAG, AT(peer), 0, NULL},
    {'r', "responder", NULL, ROLE, "be that other end", TOOL_FLAG, AT(responder), 0, NULL},
    {0, "handshake", NULL, ROLE, "also do a handshake, and judge the server's flight", TOOL_FLAG, AT(handshake), 0, NULL},
    {0, "reverse-ping", NULL, ROLE, "a hint at the way back: fragments of large ping replies", TOOL_FLAG, AT(reverse_ping), 0, NULL},
    {0, "trace", NULL, ROLE, "name the hop behind which large packets vanish", TOOL_FLAG, AT(trace), 0, NULL},
    {0, "watch", "SECS", ROLE, "again every so often; changes are told", TOOL_SECONDS, AT(watch_ms), 0, NULL},
    {0, "count", "N", ROLE, "with --watch: so many times, then end", TOOL_UINT, AT(count), 1000000, NULL},
    {0, "require", "BYTES", ROLE, "exit 1 when a direction carries less", TOOL_UINT, AT(require), PACKET_MAX, NULL},
    {0, "explain", "ID", ROLE, "what a verdict means; \"list\" = all of them", TOOL_TEXT, AT(explain), 0, NULL},

    {'4', "ipv4", NULL, WHERE, "IPv4 only", TOOL_SET, AT(family), AF_INET, NULL},
    {'6', "ipv6", NULL, WHERE, "IPv6 only", TOOL_SET, AT(family), AF_INET6, NULL},
    {'s', "source", "ADDR", WHERE, "local address", TOOL_TEXT, AT(source), 0, NULL},

    {0, "pad", "KIND", HOW, "padding: auto (default), ext (an extension) or junk (records)", TOOL_CHOICE, AT(pad), 0, pads},
    {0, "max", "BYTES", HOW, "largest IP packet to try; default 16384, or what this host sends", TOOL_UINT, AT(max), PACKET_MAX, NULL},
    {0, "max-probes", "N", HOW, "give up a search after so many; default 200", TOOL_UINT, AT(max_probes), 100000, NULL},
    {'w', "timeout", "SECS", HOW, "deadline of a measurement; default 15", TOOL_SECONDS, AT(timeout_ms), 0, NULL},
    {'c', "certificate,cert", "FILE", HOW, "own certificate, PEM; a responder can do without", TOOL_TEXT, AT(cert_file), 0, NULL},
    {'k', "pkey,key", "FILE", HOW, "its private key, PEM; default: in the same file", TOOL_TEXT, AT(key_file), 0, NULL},

    {'v', "verbose", NULL, TELL, "each probe that is sent", TOOL_COUNT, AT(verbose), 0, NULL},
    {0, "quiet", NULL, TELL, "no progress, no warnings", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, TELL, "one JSON object a line; the last one has \"type\":\"result\"", TOOL_FLAG, AT(json), 0, NULL},

    TOOL_STANDARD_OPTS(struct mtu_config),
};
/* clang-format on */

const struct tool_usage mtu_usage = {
    .prog = "dtls_mtu",
    .about = "dtls_mtu: the largest packet that a path carries, and what DTLS does with it.",
    .synopsis = "Usage: dtls_mtu [OPTIONS] HOST PORT            (or HOST:PORT, [IPV6]:PORT)\n"
                "       dtls_mtu --responder [OPTIONS] [HOST] PORT\n"
                "       dtls_mtu --explain ID",
    .notes = "Sizes are bytes of an IP packet; UDP payload is 28 less with IPv4, 48 with IPv6.\n"
             "Exit status:\n"
             "  0  measured, nothing wrong\n"
             "  1  a defect of the path, or less than --require\n"
             "  2  wrong usage, or a local file that cannot be used\n"
             "  3  no answer, refused, or the name is not known\n"
             "  4  this server cannot be measured: no cookies, or not DTLS\n"
             "  5  no sharp limit was found within --timeout and --max-probes\n"
             "  128+n  ended by signal n\n",
    .opts = opts,
    .count = COUNT(opts),
};

static bool check(const struct mtu_config *c, char why[static TOOL_WHY])
{
    if (!c->target.port)
        return tool_wrong(why, c->responder ? "a port is needed" : "HOST and PORT are needed");
    if (!c->target.host && !c->responder)
        return tool_wrong(why, "a host is needed besides the port");
    if (c->responder && (c->peer || c->handshake || c->reverse_ping || c->trace || c->watch_ms))
        return tool_wrong(why, "--responder answers others: it measures nothing itself");
    if (c->max && c->max < PACKET_MIN)
        return tool_wrong(why, "--max %u: below %d bytes no DTLS fits", c->max, PACKET_MIN);
    if (c->count && !c->watch_ms)
        return tool_wrong(why, "--count is for --watch");
    if (c->key_file && !c->cert_file)
        return tool_wrong(why, "--key needs --cert");
    return true;
}

bool mtu_options(struct mtu_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct mtu_config){.pad = -1, .max_probes = PROBES, .timeout_ms = TIMEOUT_MS};
    if (!tool_options_parse(&mtu_usage, c, argc, argv, &rest, why))
        return false;
    if (c->help || c->version || c->explain || c->completion)
        return true;
    return tool_parse_target(&c->target, argv + rest, argc - rest, why) && check(c, why);
}
