/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <stdbool.h>
#include <string.h>

/* A line is put together and written at once: a call for each word would cost more than the
 * diagnosis itself. */
enum { LINE_MAX_LEN = 160, GAP = 2 };

struct line {
    char text[LINE_MAX_LEN + 1];
    size_t len, skip; /* the first `skip` columns are on the terminal already */
};

static void flush_line(FILE *to, struct line *l)
{
    l->text[l->len++] = '\n';
    fwrite(l->text + l->skip, 1, l->len - l->skip, to);
    l->len = l->skip = 0;
}

static void add_word(struct line *l, const char *word, size_t len, unsigned indent)
{
    if (!l->len)
        memset(l->text, ' ', l->len = indent);
    else
        l->text[l->len++] = ' ';
    size_t fits = len < LINE_MAX_LEN - l->len ? len : LINE_MAX_LEN - l->len;
    memcpy(l->text + l->len, word, fits);
    l->len += fits;
}

void tool_wrap_after(FILE *to, unsigned used, const char *text, unsigned indent, unsigned width)
{
    bool fits = !used || used + GAP <= indent;
    struct line line = {.skip = fits ? used : 0};
    if (!fits)
        fputc('\n', to);
    width = width < LINE_MAX_LEN ? width : LINE_MAX_LEN;
    for (;;) {
        while (*text == ' ')
            text++;
        const char *word = text;
        while (*text && *text != ' ')
            text++;
        size_t len = (size_t)(text - word);
        if (!len)
            break;
        if (line.len && line.len + 1 + len > width)
            flush_line(to, &line);
        add_word(&line, word, len, indent);
    }
    if (line.len)
        flush_line(to, &line);
}

void tool_wrap(FILE *to, const char *text, unsigned indent, unsigned width)
{
    tool_wrap_after(to, 0, text, indent, width);
}
