/* SPDX-License-Identifier: MIT */
/* The options of dtls_probe: the one list for the parser, --help, completion and the
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

#define FROM "Input"
#define WHICH "Handshakes to show"
#define SHOW "Output"
#define WRITE "Files to write"
#define TELL "Details and exit status"

/* clang-format off */
static const struct tool_opt opts[] = {
    {'r', "read", "FILE", FROM, "read this capture (pcap or pcapng, also gzipped); - is stdin; up to 16 times", TOOL_LIST, AT(read), PROBE_FILES, NULL},
    {'i', "interface", "IF", FROM, "capture live on this interface; \"any\" is all of them", TOOL_TEXT, AT(interface), 0, NULL},
    {'f', "filter", "BPF", FROM, "read only packets that match this capture filter", TOOL_TEXT, AT(filter), 0, NULL},
    {0, "keylog", "FILE", FROM, "decrypt with this key log (SSLKEYLOGFILE format)", TOOL_TEXT, AT(keylog), 0, NULL},
    {0, "psk", "HEX|@FILE", FROM, "decrypt with this pre-shared key: hex digits, or the file that holds them; up to 16 times", TOOL_LIST, AT(psk_text), PROBE_PSKS, NULL},
    {0, "two-sided", NULL, FROM, "compare two captures of the same traffic: at the client, at the server", TOOL_FLAG, AT(two_sided), 0, NULL},
    {'D', "list-interfaces", NULL, FROM, "list the interfaces", TOOL_FLAG, AT(list), 0, NULL},
    {'a', "duration", "SECS", FROM, "with -i: stop after this time", TOOL_SECONDS, AT(duration_ms), 0, NULL},
    {'c', "count", "N", FROM, "stop after N packets", TOOL_UINT, AT(count), 0, NULL},
    {0, "promiscuous", NULL, FROM, "with -i: use promiscuous mode", TOOL_FLAG, AT(promiscuous), 0, NULL},
    {0, "max-flows", "N", FROM, "follow at most N flows at a time (default 50000)", TOOL_UINT, AT(max_flows), 10000000, NULL},
    {'j', "jobs", "N", FROM, "use N threads (default 1); the output is the same", TOOL_UINT, AT(jobs), 64, NULL},

    {0, "only-failed", NULL, WHICH, "show only handshakes that failed", TOOL_FLAG, AT(only_failed), 0, NULL},
    {0, "handshake", "N", WHICH, "show only handshake number N", TOOL_UINT, AT(handshake), 0, NULL},

    {0, "summary", NULL, SHOW, "print handshakes and findings, without a line for each datagram", TOOL_OR, AT(forms), 1 << PROBE_SUMMARY, NULL},
    {0, "ladder", NULL, SHOW, "draw each handshake as a sequence diagram", TOOL_OR, AT(forms), 1 << PROBE_LADDER, NULL},
    {0, "mermaid", NULL, SHOW, "write each handshake as a sequence diagram for Mermaid", TOOL_OR, AT(forms), 1 << PROBE_MERMAID, NULL},
    {0, "report", NULL, SHOW, "write each handshake as Markdown for an issue tracker", TOOL_OR, AT(forms), 1 << PROBE_REPORT, NULL},
    {0, "json", NULL, SHOW, "print one JSON object per line", TOOL_OR, AT(forms), 1 << PROBE_JSON, NULL},
    {0, "explain", "ID", SHOW, "explain this finding and what to do; \"list\" prints all IDs", TOOL_TEXT, AT(explain), 0, NULL},

    {'w', "write", "FILE", WRITE, "write a pcapng copy, with the findings as comments on their packets", TOOL_TEXT, AT(write), 0, NULL},
    {0, "save-failed", "FILE", WRITE, "write the packets of failed handshakes to a pcapng file", TOOL_TEXT, AT(save_failed), 0, NULL},
    {0, "svg", "FILE", WRITE, "write a timeline of one handshake: the first that failed, else the first", TOOL_TEXT, AT(svg), 0, NULL},
    {0, "html", "FILE", WRITE, "write a page with the timelines of all handshakes", TOOL_TEXT, AT(html), 0, NULL},

    {'v', "verbose", NULL, TELL, "print the fields of each record and message; twice: also the bytes of each datagram", TOOL_COUNT, AT(verbose), 0, NULL},
    {'t', "times", "FORM", TELL, "print times as relative (default), delta or absolute; or r, d, a", TOOL_CHOICE, AT(times), 0, clocks},
    {0, "fail-on", "LEVEL", TELL, "exit with 1 from this severity: info, warning, fatal (default) or never", TOOL_CHOICE, AT(fail_on), 0, levels},
    {0, "expect", "ok|ID", TELL, "exit with 0 only if every handshake is ok, or if the finding ID occurs", TOOL_TEXT, AT(expect), 0, NULL},
    {0, "quiet", NULL, TELL, "print no progress, no warnings and no errors", TOOL_FLAG, AT(quiet), 0, NULL},

    TOOL_STANDARD_OPTS(struct probe_config),
};
/* clang-format on */

const struct tool_usage probe_usage = {
    .prog = "dtls_probe",
    .about = "dtls_probe: shows DTLS handshakes and explains why they failed.",
    .synopsis = "Usage: dtls_probe [OPTIONS] FILE...            (or -r FILE, - is stdin)\n"
                "       dtls_probe [OPTIONS] -i INTERFACE\n"
                "       dtls_probe --two-sided CLIENT.pcap SERVER.pcap\n"
                "       dtls_probe --explain ID",
    .notes =
        "Exit status:\n"
        "  0  no finding of the severity of --fail-on, or the expectation of --expect was met\n"
        "  1  a finding of that severity, or the expectation was not met\n"
        "  2  wrong usage, or a file that cannot be read or written\n",
    .opts = opts,
    .count = COUNT(opts),
};

/* --help and the like: no capture is read. */
static bool needs_no_capture(const struct probe_config *c)
{
    return c->help || c->version || c->explain || c->completion || c->list;
}

static bool check_sources(const struct probe_config *c, char why[static TOOL_WHY])
{
    if (!c->reads && !c->interface)
        return tool_wrong(why, "name a capture file, or an interface with -i");
    if (c->reads && c->interface)
        return tool_wrong(why, "-i and a capture file cannot be used together");
    if (c->two_sided && c->reads != 2)
        return tool_wrong(why, "--two-sided needs two captures: at the client, then at the server");
    if ((c->write || c->save_failed || c->svg || c->html) && c->reads > 1)
        return tool_wrong(why, "-w, --save-failed, --svg and --html work with one capture only");
    if ((c->write || c->save_failed) && c->reads && !strcmp(c->read[0], "-"))
        return tool_wrong(why,
                          "-w and --save-failed read the capture twice: use a file, not stdin");
    if (c->duration_ms && !c->interface)
        return tool_wrong(why, "--duration works only with -i");
    return true;
}

static bool check_outputs(const struct probe_config *c, char why[static TOOL_WHY])
{
    const struct {
        const char *option, *path;
    } out[] = {{"-w", c->write},
               {"--save-failed", c->save_failed},
               {"--svg", c->svg},
               {"--html", c->html}};
    for (size_t i = 0; i < COUNT(out); i++)
        for (size_t j = 0; j < i; j++)
            if (out[i].path && out[j].path && !strcmp(out[i].path, out[j].path))
                return tool_wrong(why, "%s and %s both name %s", out[j].option, out[i].option,
                                  out[i].path);
    return true;
}

/* At most one form of output; --two-sided has its own text, and JSON. */
static bool check_forms(const struct probe_config *c, char why[static TOOL_WHY])
{
    const unsigned drawn = 1U << PROBE_LADDER | 1U << PROBE_MERMAID | 1U << PROBE_REPORT;
    const char *first = NULL;
    for (size_t i = 0; i < COUNT(opts); i++) {
        if (opts[i].kind != TOOL_OR || !(c->forms & (unsigned)opts[i].value))
            continue;
        if (first)
            return tool_wrong(why, "--%s and --%s cannot be used together: choose one", first,
                              opts[i].names);
        if (c->two_sided && (drawn & (unsigned)opts[i].value))
            return tool_wrong(why,
                              "--two-sided and --%s cannot be used together: leave it out or use "
                              "--json",
                              opts[i].names);
        first = opts[i].names;
    }
    return true;
}

static bool check_expect(const struct probe_config *c, char why[static TOOL_WHY])
{
    if (!c->expect || !strcmp(c->expect, "ok") || sd_catalogue_find(c->expect))
        return true;
    return tool_wrong(why, "--expect %s: use ok or the ID of a finding (--explain list)",
                      c->expect);
}

/* No key stays where others can read it, whatever is wrong with another one. */
static bool read_psks(struct probe_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    bool ok = true;
    for (; c->psks < PROBE_PSKS && c->psk_text[c->psks]; c->psks++) {
        ok = ok && tool_psk_read(&c->psk[c->psks], c->psk_text[c->psks], why);
        tool_psk_hide(c->psk_text[c->psks], argc, argv);
    }
    return ok;
}

bool probe_options(struct probe_config *c, int argc, char **argv, char why[static TOOL_WHY])
{
    int rest;
    *c = (struct probe_config){.fail_on = SD_FATAL, .times = 'r'};
    if (!tool_options_parse(&probe_usage, c, argc, argv, &rest, why))
        return false;
    if (!read_psks(c, argc, argv, why))
        return false;
    while (c->reads < PROBE_FILES && c->read[c->reads])
        c->reads++;
    for (; rest < argc; rest++) {
        if (c->reads == PROBE_FILES)
            return tool_wrong(why, "%s: at most %d captures", argv[rest], PROBE_FILES);
        c->read[c->reads++] = argv[rest];
    }
    if (!check_forms(c, why))
        return false;
    c->show = c->forms ? __builtin_ctz(c->forms) : PROBE_LINES;
    c->json = c->show == PROBE_JSON;
    return (needs_no_capture(c) || (check_sources(c, why) && check_outputs(c, why))) &&
           check_expect(c, why);
}
