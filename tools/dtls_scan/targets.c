/* SPDX-License-Identifier: MIT */
#include "dtls_scan/targets.h"

#include <errno.h>
#include <string.h>

enum { WORDS = 3, LINE = 1024 };

bool scan_targets_open(struct scan_targets *t, const struct scan_config *c,
                       char why[static TOOL_WHY])
{
    *t = (struct scan_targets){.cfg = c};
    if (!c->targets)
        return true;
    t->file = strcmp(c->targets, "-") ? fopen(c->targets, "r") : stdin;
    return t->file || tool_wrong(why, "cannot read %s: %s", c->targets, strerror(errno));
}

/* The words of a line up to "#". */
static int split_words(char *line, char *words[static WORDS])
{
    int count = 0;
    char *save = NULL;
    line[strcspn(line, "#")] = '\0';
    for (char *w = strtok_r(line, " \t\r\n", &save); w && count < WORDS;
         w = strtok_r(NULL, " \t\r\n", &save))
        words[count++] = w;
    return count;
}

static int read_target(struct scan_targets *t, struct tool_target *target,
                       char why[static TOOL_WHY])
{
    char line[LINE], *words[WORDS], reason[TOOL_WHY];
    while (fgets(line, sizeof line, t->file)) {
        t->line++;
        int count = split_words(line, words);
        if (!count)
            continue;
        if (scan_target_parse(target, words, count, reason))
            return 1;
        tool_wrong(why, "%s line %u: %.150s", t->cfg->targets, t->line, reason);
        return -1;
    }
    return 0;
}

int scan_targets_next(struct scan_targets *t, struct tool_target *target, char why[static TOOL_WHY])
{
    if (t->file)
        return read_target(t, target, why);
    if (t->done)
        return 0;
    t->done = true;
    char *args[2] = {(char *)t->cfg->target.host, (char *)t->cfg->target.port};
    return tool_parse_target(target, args, 2, why) ? 1 : -1;
}

void scan_targets_close(struct scan_targets *t)
{
    if (t->file && t->file != stdin)
        fclose(t->file);
    t->file = NULL;
}
