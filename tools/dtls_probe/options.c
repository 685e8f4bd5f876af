/* The options of dtls_probe: the one list behind the parser, --help, completion and the
 * check of the man page; and what they mean together. */
#include <string.h>

#include "dtls_probe/probe.h"
#include "flow/rules/catalogue.h"

#define AT(field) offsetof(struct probe_config, field)
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct tool_choice levels[] = {{"info", SD_INFO},
                                            {"warning", SD_WARNING},
                                            {"fatal", SD_FATAL},
                                            {"never", SD_FATAL + 1},
                                            {NULL, 0}};
static const struct tool_choice clocks[] = {{"relative", 'r'}, {"delta", 'd'}, {"absolute", 'a'},
                                            {"r", 'r'},        {"d", 'd'},     {"a", 'a'},
                                            {NULL, 0}};

#define FROM "What to look at"
#define WHICH "Which handshakes"
#define SHOW "What to show"
#define WRITE "What to write"
#define TELL "How"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'r', "read", "FILE", FROM, "a capture, pcap or pcapng, .gz too; - is stdin; up to 16 times", TOOL_LIST, AT(read), PROBE_FILES, NULL},
    {'i', "interface", "IF", FROM, "live from this interface; \"any\" = all", TOOL_TEXT, AT(interface), 0, NULL},
    {'f', "filter", "BPF", FROM, "only what this capture filter lets through", TOOL_TEXT, AT(filter), 0, NULL},
    {0, "keylog", "FILE", FROM, "secrets (SSLKEYLOGFILE): open what they open", TOOL_TEXT, AT(keylog), 0, NULL},
    {0, "two-sided", NULL, FROM, "two captures of the same: the client's side, the server's", TOOL_FLAG, AT(two_sided), 0, NULL},
    {'D', "list-interfaces", NULL, FROM, "interfaces there are", TOOL_FLAG, AT(list), 0, NULL},
    {'a', "duration", "SECS", FROM, "with -i: end after this time", TOOL_SECONDS, AT(duration_ms), 0, NULL},
    {'c', "count", "N", FROM, "end after so many frames", TOOL_UINT, AT(count), 0, NULL},
    {0, "promiscuous", NULL, FROM, "with -i: frames for others, too", TOOL_FLAG, AT(promiscuous), 0, NULL},
    {0, "max-flows", "N", FROM, "conversations kept at once; default 50000", TOOL_UINT, AT(max_flows), 10000000, NULL},

    {0, "only-failed", NULL, WHICH, "only handshakes that failed", TOOL_FLAG, AT(only_failed), 0, NULL},
    {0, "handshake", "N", WHICH, "only handshake number N", TOOL_UINT, AT(handshake), 0, NULL},

    {0, "summary", NULL, SHOW, "the handshakes and findings, without a line for each datagram", TOOL_SET, AT(show), PROBE_SUMMARY, NULL},
    {0, "ladder", NULL, SHOW, "each handshake as a sequence diagram", TOOL_SET, AT(show), PROBE_LADDER, NULL},
    {0, "mermaid", NULL, SHOW, "the same for Mermaid", TOOL_SET, AT(show), PROBE_MERMAID, NULL},
    {0, "report", NULL, SHOW, "Markdown for an issue tracker", TOOL_SET, AT(show), PROBE_REPORT, NULL},
    {0, "json", NULL, SHOW, "one JSON object a line: packet, handshake, finding, summary", TOOL_SET, AT(show), PROBE_JSON, NULL},
    {0, "explain", "ID", SHOW, "what a finding means; \"list\" = all of them", TOOL_TEXT, AT(explain), 0, NULL},

    {'w', "write", "FILE", WRITE, "pcapng copy, findings as comments on their packets", TOOL_TEXT, AT(write), 0, NULL},
    {0, "save-failed", "FILE", WRITE, "pcapng of the packets of failed handshakes only", TOOL_TEXT, AT(save_failed), 0, NULL},
    {0, "svg", "FILE", WRITE, "timeline of a handshake", TOOL_TEXT, AT(svg), 0, NULL},
    {0, "html", "FILE", WRITE, "a page with the timelines of all handshakes", TOOL_TEXT, AT(html), 0, NULL},

    {'v', "verbose", NULL, TELL, "fields of each record; twice: bytes", TOOL_COUNT, AT(verbose), 0, NULL},
    {'t', "times", "FORM", TELL, "relative (default), delta or absolute; or r, d, a", TOOL_CHOICE, AT(times), 0, clocks},
    {0, "fail-on", "LEVEL", TELL, "exit 1 from info, warning or fatal (default) on, or never", TOOL_CHOICE, AT(fail_on), 0, levels},
    {0, "expect", "ok|ID", TELL, "exit 0 only when every handshake is ok; or when this finding comes", TOOL_TEXT, AT(expect), 0, NULL},
    {0, "quiet", NULL, TELL, "no progress, no warnings", TOOL_FLAG, AT(quiet), 0, NULL},

    TOOL_STANDARD_OPTS(struct probe_config),
};
/* clang-format on */

const struct tool_usage probe_usage = {
    .prog = "dtls_probe",
    .about = "dtls_probe: annotates DTLS handshakes and says why they failed.",
    .synopsis = "Usage: dtls_probe [OPTIONS] FILE...            (or -r FILE, - is stdin)\n"
                "       dtls_probe [OPTIONS] -i INTERFACE\n"
                "       dtls_probe --two-sided CLIENT.pcap SERVER.pcap\n"
                "       dtls_probe --explain ID",
    .notes = "Exit status:\n"
             "  0  no finding of the severity of --fail-on, or what --expect expects\n"
             "  1  there is one, or not\n"
             "  2  wrong usage, or a capture that cannot be read\n",
    .opts = opts,
    .count = COUNT(opts),
};

static bool check_sources(const struct probe_config *c, char why[static TOOL_WHY])
{
    bool needs_none = c->help || c->version || c->explain || c->completion || c->list;
    if (needs_none)
        return true;
    if (!c->reads && !c->interface)
        return tool_wrong(why, "a capture file is needed, or -i INTERFACE");
    if (c->reads && c->interface)
        return tool_wrong(why, "-i does not go with a capture file");
    if (c->two_sided && c->reads != 2)
        return tool_wrong(why,
                          "--two-sided needs two captures: the client's side, then the server's");
    if ((c->write || c->save_failed || c->svg || c->html) && c->reads > 1)
        return tool_wrong(why, "-w, --save-failed, --svg and --html take one capture at a time");
    if ((c->write || c->save_failed) && c->reads && !strcmp(c->read[0], "-"))
        return tool_wrong(why, "-w and --save-failed read the capture twice: a file, not stdin");
    if (c->write && c->html && !strcmp(c->write, c->html))
        return tool_wrong(why, "-w and --html name the same file");
    if (c->svg &&
        ((c->html && !strcmp(c->svg, c->html)) || (c->write && !strcmp(c->svg, c->write))))
        return tool_wrong(why, "--svg names the file of another option");
    if (c->write && c->save_failed && !strcmp(c->write, c->save_failed))
        return tool_wrong(why, "-w and --save-failed name the same file");
    if (c->duration_ms && !c->interface)
        return tool_wrong(why, "--duration is for -i");
    return true;
}

static bool check_expect(const struct probe_config *c, char why[static TOOL_WHY])
{
    if (!c->expect || !strcmp(c->expect, "ok") || sd_catalogue_find(c->expect))
        return true;
    return tool_wrong(why, "--expect %s: neither ok nor the id of a finding (--explain list)",
                      c->expect);
}

bool probe_options(struct probe_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct probe_config){.fail_on = SD_FATAL, .times = 'r'};
    if (!tool_options_parse(&probe_usage, c, argc, argv, &rest, why))
        return false;
    while (c->reads < PROBE_FILES && c->read[c->reads])
        c->reads++;
    for (; rest < argc; rest++) {
        if (c->reads == PROBE_FILES)
            return tool_wrong(why, "%s: at most %d captures at once", argv[rest], PROBE_FILES);
        c->read[c->reads++] = argv[rest];
    }
    c->json = c->show == PROBE_JSON;
    return check_sources(c, why) && check_expect(c, why);
}
