/* SPDX-License-Identifier: MIT */
#include "dtls_probe/draw.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dtls_probe/ladder.h"
#include "dtls_probe/markdown.h"
#include "dtls_probe/mermaid.h"

/* As wide as the terminal; a file or a pipe gets the usual width. */
static unsigned terminal_width(FILE *to)
{
    struct winsize size;
    if (!isatty(fileno(to)) || ioctl(fileno(to), TIOCGWINSZ, &size) || !size.ws_col)
        return PROBE_LADDER_USUAL;
    return size.ws_col;
}

/* POSIX: the first of these that is set and not empty counts. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static bool draw_result(FILE *to, int show, const struct probe_report *r)
{
    bool terminal = isatty(fileno(to));
    if (show == PROBE_MERMAID)
        return probe_mermaid(to, r);
    if (show == PROBE_REPORT)
        return probe_markdown(to, r);
    struct probe_ladder look = {.width = terminal_width(to), .utf8 = terminal && locale_is_utf8()};
    return probe_ladder(to, r, look) && fputc('\n', to) != EOF;
}

void probe_draw(FILE *to, const struct probe_config *c, const struct probe_report *r)
{
    /* The owner of the stream reports at the end when it failed. */
    if (!draw_result(to, c->show, r) && !ferror(to))
        fputs("dtls_probe: out of memory: a drawing is missing\n", stderr);
}
