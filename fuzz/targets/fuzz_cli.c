/* SPDX-License-Identifier: MIT */
/* Command lines of nc_dtls and dtls_probe, and untrusted text on its way to a terminal or an HTML
 * page. The first byte says which; an argument ends with a 0 byte. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/common.h"
#include "harness/file.h"

#include "common/printable.h"
#include "common/trace.h"
#include "common/escape.h"
#include "dtls_probe/markup.h"
#include "dtls_probe/probe.h"
#include "nc_dtls/options.h"

enum what { WHAT_NC, WHAT_PROBE, WHAT_TARGET, WHAT_TRACE, WHAT_TEXT, WHAT_HELP, WHAT_COUNT };

enum { ARGS = 64, TEXT = 512 };

unsigned __wrap_if_nametoindex(const char *name);

unsigned __wrap_if_nametoindex(const char *name)
{
    return !strcmp(name, "lo");
}

struct line {
    int argc;
    char *argv[ARGS + 1], *block[ARGS];
};

/* Each argument in a block of its own. */
static void split(struct line *l, struct sd_span text, const char *prog)
{
    struct sd_rd r = sd_rd_init(text.p, text.len);
    l->argc = 0;
    while (l->argc < ARGS && (!l->argc || sd_rd_left(&r))) {
        const uint8_t *from = l->argc ? r.p : (const uint8_t *)prog;
        size_t left = l->argc ? sd_rd_left(&r) : strlen(prog),
               len = strnlen((const char *)from, left);
        char *arg = malloc(len + 1);
        fuzz_check(arg, "no memory for an argument");
        memcpy(arg, from, len);
        arg[len] = '\0';
        if (l->argc)
            sd_rd_bytes(&r, len < left ? len + 1 : len);
        l->block[l->argc] = arg;
        l->argv[l->argc++] = arg;
    }
    l->argv[l->argc] = NULL;
}

static void line_free(struct line *l)
{
    for (int i = 0; i < l->argc; i++)
        free(l->block[i]);
}

static void check_why(bool ok, const char *why)
{
    size_t len = strnlen(why, TOOL_WHY);
    fuzz_check(len < TOOL_WHY, "a message without an end");
    fuzz_check(ok || len, "a command line is refused without a message");
    fuzz_note_bytes(why, ok ? 0 : len);
}

static void check_hidden(const struct line *l, const char *psk)
{
    for (int i = 0; psk && *psk != '@' && i < l->argc; i++)
        for (const char *p = psk >= l->argv[i] && psk <= l->argv[i] + strlen(l->argv[i]) ? psk : "";
             *p; p++)
            fuzz_check(*p == '*', "the key is still visible");
}

static void check_nc(const struct nc_config *c, const struct line *l)
{
    fuzz_check(c->role <= NC_COMPLETION, "a role of %d", (int)c->role);
    fuzz_note(c->role);
    if (c->role >= NC_HELP)
        return;
    fuzz_check(c->role == NC_SERVER || (c->target.host && *c->target.host),
               "a client without a host");
    fuzz_check(c->tls.psk_len <= TOOL_PSK_MAX, "a key of %zu bytes", c->tls.psk_len);
    fuzz_check(!c->export || (c->export_len >= 1 && c->export_len <= 256), "%u bytes to export",
               c->export_len);
    check_hidden(l, c->psk);
}

static const char key[] = "00112233445566778899aabbccddeeff\n";

static void run_nc(struct sd_span text)
{
    static struct nc_config c; /* points into itself */
    struct line l;
    char why[TOOL_WHY] = "";
    file_set((const uint8_t *)key, strlen(key), 100, 0);
    split(&l, text, "nc_dtls");
    bool ok = nc_options(&c, l.argc, l.argv, why);
    check_why(ok, why);
    fuzz_check(!file_open_count(), "a file is left open");
    if (ok)
        check_nc(&c, &l);
    line_free(&l);
}

static void run_probe(struct sd_span text)
{
    static struct probe_config c; /* large */
    struct line l;
    char why[TOOL_WHY] = "";
    file_set((const uint8_t *)key, strlen(key), 100, 0);
    split(&l, text, "dtls_probe");
    bool ok = probe_options(&c, l.argc, l.argv, why);
    check_why(ok, why);
    fuzz_check(c.reads <= PROBE_FILES, "%u files", c.reads);
    for (unsigned i = 0; ok && i < c.reads; i++)
        fuzz_check(c.read[i], "a file without a name");
    for (unsigned i = 0; i < c.psks; i++) {
        check_hidden(&l, c.psk_text[i]);
        fuzz_check(c.psk[i].len <= TOOL_PSK_MAX, "a key of %zu bytes", c.psk[i].len);
    }
    fuzz_check(!file_open_count(), "a file is left open");
    fuzz_note((ok ? 256U : 0U) | c.reads);
    line_free(&l);
}

static void run_target(struct sd_span text)
{
    struct tool_target t;
    struct line l;
    char why[TOOL_WHY] = "";
    unsigned number;
    uint16_t port;
    split(&l, text, "");
    bool ok = l.argc <= 3 && tool_parse_target(&t, l.argv + 1, l.argc - 1, why);
    if (ok && t.host)
        fuzz_check(t.host >= t.buf && t.host + strlen(t.host) < t.buf + sizeof t.buf,
                   "a host outside its buffer");
    const char *first = l.argc > 1 ? l.argv[1] : "";
    if (tool_parse_uint(first, 1000, &number))
        fuzz_check(number <= 1000, "%u is above the limit", number);
    fuzz_note(tool_parse_ms(first, 1000, &number) ? number : 1);
    fuzz_note(tool_parse_port(first, &port) ? port : 1);
    line_free(&l);
}

static void run_trace(struct sd_span datagram)
{
    char info[TOOL_TRACE_INFO];
    const char *text = tool_trace_info(datagram.p, datagram.len, info);
    fuzz_check(text == info && strnlen(info, sizeof info) < sizeof info, "a text without an end");
    for (const char *p = text; *p; p++)
        fuzz_check(isprint((unsigned char)*p), "the terminal gets the byte %02x", (uint8_t)*p);
    fuzz_note_bytes(text, strlen(text));
}

/* Every character that means something in Markdown is escaped. */
static void check_markdown(const char *out)
{
    static const char part[] = "<!-- -->";
    while (*out) {
        if (!strncmp(out, part, strlen(part)))
            out += strlen(part);
        else if (*out == '\\' && out[1])
            out += 2;
        else
            fuzz_check(!strchr("\\`*_[]<>|", *out++), "the character \"%c\" gets through", out[-1]);
    }
}

/* What an HTML page or a terminal gets. */
static void run_writer(const char *text, void (*write)(FILE *to, const char *text),
                       const char *never)
{
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);
    fuzz_check(to, "no memory for a text");
    write(to, text);
    fclose(to);
    fuzz_check(strlen(out) == len, "a 0 byte in a text");
    fuzz_check(strcspn(out, never) == len, "the character \"%c\" gets through",
               out[strcspn(out, never)]);
    for (size_t i = 0; i < len; i++)
        fuzz_check((uint8_t)out[i] >= ' ' || out[i] == '\n' || out[i] == '\t',
                   "the byte %02x gets through", (uint8_t)out[i]);
    if (write == probe_markdown_text)
        check_markdown(out);
    fuzz_note_bytes(out, len);
    free(out);
}

static void run_text(struct sd_span bytes)
{
    char plain[32], printable[32], text[TEXT];
    size_t len = strnlen((const char *)bytes.p, bytes.len < TEXT ? bytes.len : TEXT - 1);
    if (len)
        memcpy(text, bytes.p, len);
    text[len] = '\0';
    probe_plain(text, plain, sizeof plain);
    fuzz_check(strnlen(plain, sizeof plain) < sizeof plain, "a text without an end");
    for (const char *p = plain; *p; p++)
        fuzz_check(*p >= ' ' && *p <= '~', "the terminal gets the byte %02x", (uint8_t)*p);
    tool_printable(text, printable, sizeof printable);
    for (const char *p = printable; *p; p++)
        fuzz_check(!iscntrl((unsigned char)*p), "the terminal gets the byte %02x", (uint8_t)*p);
    run_writer(text, tool_escape, "<>\"'");
    run_writer(text, probe_markdown_text, "\n");
    run_writer(text, probe_mermaid_text, "\n");
}

static void help(const struct tool_usage *u)
{
    char *out = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&out, &len);
    fuzz_check(to, "no memory for the help");
    tool_usage_print(u, to);
    tool_completion_print(u, to);
    fclose(to);
    fuzz_note_bytes(out, len);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sd_rd in = sd_rd_init(data, size);
    uint8_t what = sd_rd_u8(&in);
    struct sd_span rest = sd_rd_rest(&in);
    uint8_t *copy = fuzz_copy(rest);
    rest.p = copy;
    switch (what % WHAT_COUNT) {
    case WHAT_NC:
        run_nc(rest);
        break;
    case WHAT_PROBE:
        run_probe(rest);
        break;
    case WHAT_TARGET:
        run_target(rest);
        break;
    case WHAT_TRACE:
        run_trace(rest);
        break;
    case WHAT_TEXT:
        run_text(rest);
        break;
    case WHAT_HELP:
        help(rest.len ? &probe_usage : &nc_usage);
        break;
    }
    free(copy);
    return 0;
}

static void put(struct fuzz_seeder *s, uint8_t what, const char *bytes, size_t len)
{
    uint8_t seed[TEXT];
    struct sd_wr w = sd_wr_init(seed, sizeof seed);
    sd_wr_u8(&w, what);
    sd_wr_bytes(&w, bytes, len);
    fuzz_seed(s, seed, sd_wr_len(&w));
}

/* Words, with a 0 byte in place of each blank. */
static void put_words(struct fuzz_seeder *s, uint8_t what, const char *words)
{
    char line[TEXT];
    size_t len = strlen(words);
    for (size_t i = 0; i < len; i++)
        line[i] = words[i] == ' ' ? '\0' : words[i];
    put(s, what, line, len);
}

static void seed_options(struct fuzz_seeder *s, uint8_t what, const struct tool_usage *u)
{
    static const char *const args[] = {"4433", "1.5s", "@/bytes", "x"};
    for (size_t i = 0; i < u->count; i++) {
        char line[TEXT];
        int name = (int)strcspn(u->opts[i].names, ",");
        snprintf(line, sizeof line, "--%.*s%s%s%s 192.0.2.1 4433", name, u->opts[i].names,
                 u->opts[i].arg ? " " : "", u->opts[i].arg ? args[i % 4] : "",
                 what == WHAT_NC && i % 3 == 0 ? " -l" : "");
        put_words(s, what, line);
    }
}

void fuzz_seeds(struct fuzz_seeder *s)
{
    seed_options(s, WHAT_NC, &nc_usage);
    seed_options(s, WHAT_PROBE, &probe_usage);
    put_words(s, WHAT_NC, "--psk @/bytes -i lo host 4433");
    put_words(s, WHAT_NC, "--psk 0011 --export label:32 host:4433");
    put_words(s, WHAT_PROBE, "--two-sided a.pcap b.pcap --expect ok");
    put_words(s, WHAT_TARGET, "[2001:db8::1]:4433");
    put_words(s, WHAT_TARGET, "fe80::1%lo 4433");
    put_words(s, WHAT_TARGET, "1.5h");
    put(s, WHAT_TRACE, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x0c\x0e\0\0\0\0\3\0\0\0\0\0\0", 25);
    put(s, WHAT_TRACE, "\x15\xfe\xfd\0\0\0\0\0\0\0\1\0\2\2\50", 15);
    put(s, WHAT_TEXT, "<a href=\"x\">|*_`\x1b[31m\xe2\x80\xae\xff", 26);
    put(s, WHAT_HELP, "", 0);
    put(s, WHAT_HELP, "x", 1);
}
