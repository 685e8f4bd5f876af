/* SPDX-License-Identifier: MIT */
/* The options of dtls_scan: the one list for the parser, --help, completion and the check of
 * the man page; and which of them go together. */
#include "dtls_scan/options.h"

#include <string.h>
#include <sys/socket.h>

#include "dtls_scan/checks/check.h"
#include "dtls_scan/exit.h"

#define AT(field) offsetof(struct scan_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NUMBER(n) #n
#define TEXT(n) NUMBER(n)

enum { RATE_MAX = 10000, BUDGET_MAX = 1000000 };

#define WHAT "What to ask"
#define WHERE "Addresses"
#define HOW "How to ask"
#define TELL "Output"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'q', "quick", NULL, WHAT, "ask only what matters most: at most " TEXT(SCAN_LIMIT_QUICK_S) " s and " TEXT(SCAN_BUDGET_QUICK) " datagrams", TOOL_FLAG, AT(quick), 0, NULL},
    {0, "only", "ID", WHAT, "run only the check or the group ID; may be repeated", TOOL_LIST, AT(only), SCAN_ONLY, NULL},
    {0, "app", NULL, WHAT, "also ask what service answers: a request of STUN, TURN, CoAP, SCTP, RADIUS and two VPNs", TOOL_FLAG, AT(app), 0, NULL},
    {0, "intrusive", NULL, WHAT, "also try what an attacker tries: oracles of padding (CBC, RSA)", TOOL_FLAG, AT(intrusive), 0, NULL},
    {0, "list", NULL, WHAT, "list all checks", TOOL_FLAG, AT(list), 0, NULL},

    {'f', "targets", "FILE", WHERE, "scan each server in FILE: HOST PORT or HOST:PORT on a line", TOOL_TEXT, AT(targets), 0, NULL},
    {'4', "ipv4", NULL, WHERE, "use IPv4 only", TOOL_SET, AT(family), AF_INET, NULL},
    {'6', "ipv6", NULL, WHERE, "use IPv6 only", TOOL_SET, AT(family), AF_INET6, NULL},
    {'s', "source", "ADDR", WHERE, "send from the local address ADDR", TOOL_TEXT, AT(source), 0, NULL},
    {0, "sni,servername", "NAME", WHERE, "ask for the server NAME, or none; default: the host name given", TOOL_TEXT, AT(server_name), 0, NULL},

    {0, "ca-file", "FILE", HOW, "trust the CAs in FILE (PEM), not those of the system", TOOL_TEXT, AT(ca_file), 0, NULL},
    {'c', "certificate,cert", "FILE", HOW, "log in with this certificate and what follows it (PEM), where one is wanted", TOOL_TEXT, AT(certificate), 0, NULL},
    {'k', "key", "FILE", HOW, "private key (PEM) of the certificate; default: in the same file", TOOL_TEXT, AT(key), 0, NULL},
    {0, "psk", "HEX|@FILE", HOW, "log in with this pre-shared key: hex digits, or the file that holds them", TOOL_TEXT, AT(psk), 0, NULL},
    {0, "psk-identity", "TEXT", HOW, "the name that goes with --psk; default Client_identity", TOOL_TEXT, AT(psk_identity), 0, NULL},
    {0, "rate", "N", HOW, "send at most N datagrams a second; default " TEXT(SCAN_RATE) ", on loopback " TEXT(SCAN_RATE_LOOPBACK), TOOL_UINT, AT(rate), RATE_MAX, NULL},
    {0, "max-datagrams", "N", HOW, "end the scan after N datagrams; default " TEXT(SCAN_BUDGET), TOOL_UINT, AT(budget), BUDGET_MAX, NULL},
    {'w', "timeout", "SECS", HOW, "end the scan of a server after SECS; default " TEXT(SCAN_LIMIT_S), TOOL_SECONDS, AT(timeout_ms), 0, NULL},

    {'v', "verbose", NULL, TELL, "also print what was not asked, and why", TOOL_COUNT, AT(verbose), 0, NULL},
    {0, "quiet", NULL, TELL, "print no progress, no warnings and no errors", TOOL_FLAG, AT(quiet), 0, NULL},
    {0, "json", NULL, TELL, "print each report as one line of JSON", TOOL_FLAG, AT(json), 0, NULL},
    {0, "html", "FILE", TELL, "also write the reports to FILE as a page", TOOL_TEXT, AT(html), 0, NULL},
    {0, "baseline", "FILE", TELL, "also print what changed since the report in FILE (--json)", TOOL_TEXT, AT(baseline), 0, NULL},
    {0, "explain", "ID", TELL, "explain the check ID: what it means, what to do", TOOL_TEXT, AT(explain), 0, NULL},
    {0, "fail-on", "LEVEL", TELL, "exit with 1 if a result is low, medium, high or critical", TOOL_TEXT, AT(fail_on), 0, NULL},

    TOOL_STANDARD_OPTS(struct scan_config),
};
/* clang-format on */

#define EXIT_LINE(name, value, text) "  " #value "  " text "\n"

const struct tool_usage scan_usage = {
    .prog = "dtls_scan",
    .about = "dtls_scan: finds out from outside what a DTLS server accepts and how it behaves.",
    .synopsis = "Usage: dtls_scan [OPTIONS] HOST PORT            (or HOST:PORT, [IPV6]:PORT)\n"
                "       dtls_scan [OPTIONS] --targets FILE\n"
                "       dtls_scan --list",
    .notes = "Without a port the scan goes to 4433.\n"
             "Exit status:\n" SCAN_EXITS(EXIT_LINE) "  128+n  ended by signal n\n",
    .opts = opts,
    .count = COUNT(opts),
};

bool scan_target_parse(struct tool_target *t, char *const *args, int count,
                       char why[static TOOL_WHY])
{
    if (!tool_parse_target(t, args, count, why))
        return false;
    if (!t->host)
        return tool_wrong(why, t->port ? "a host is needed besides the port" : "HOST is needed");
    if (!t->port)
        t->port = "4433";
    if (!strcmp(t->port, "0"))
        return tool_wrong(why, "port 0: the lowest port of a server is 1");
    return true;
}

static bool known_id(const char *id)
{
    for (int g = 0; g < SCAN_GROUP_COUNT; g++)
        if (!strcmp(id, scan_group_id((enum scan_group)g)))
            return true;
    return scan_check_find(id);
}

static bool scan_options_fit(struct scan_config *c, char why[static TOOL_WHY])
{
    for (unsigned i = 0; i < SCAN_ONLY && c->only[i]; i++)
        if (!known_id(c->only[i]))
            return tool_wrong(why, "--only %s: no check and no group has this id; see --list",
                              c->only[i]);
    if (c->fail_on && (!scan_level_parse(c->fail_on, &c->fail_level) || c->fail_level < SCAN_LOW))
        return tool_wrong(why, "--fail-on '%s': use one of low, medium, high, critical",
                          c->fail_on);
    return true;
}

static bool read_scan_psk(struct scan_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    bool ok = !c->psk || tool_psk_read(&c->psk_bytes, c->psk, why);
    tool_psk_hide(c->psk, argc, argv);
    if (!c->psk_identity)
        c->psk_identity = "Client_identity"; /* the default of openssl s_client and s_server */
    return ok;
}

static bool login_fits(const struct scan_config *c, char why[static TOOL_WHY])
{
    if (c->key && !c->certificate)
        return tool_wrong(why, "--key needs --certificate");
    if (c->psk_identity && !c->psk)
        return tool_wrong(why, "--psk-identity needs --psk");
    return true;
}

bool scan_options(struct scan_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct scan_config){0};
    if (!tool_options_parse(&scan_usage, c, argc, argv, &rest, why))
        return false;
    if (c->help || c->version || c->list || c->explain || c->completion)
        return true;
    if (c->targets && argc > rest)
        return tool_wrong(why, "--targets and a server on the command line do not go together");
    return (c->targets || scan_target_parse(&c->target, argv + rest, argc - rest, why)) &&
           scan_options_fit(c, why) && login_fits(c, why) && read_scan_psk(c, argc, argv, why);
}
