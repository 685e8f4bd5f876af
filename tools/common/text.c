#include "common/text.h"

#include <string.h>

/* A line is put together and written at once: a call for each word costs more than the
 * diagnosis that the words tell of. */
enum { LINE_MAX_LEN = 160 };

static void flush_line(FILE *to, char *line, size_t *len)
{
    line[(*len)++] = '\n';
    fwrite(line, 1, *len, to);
    *len = 0;
}

void tool_wrap(FILE *to, const char *text, unsigned indent, unsigned width)
{
    char line[LINE_MAX_LEN + 1];
    size_t len = 0;
    width = width < LINE_MAX_LEN ? width : LINE_MAX_LEN;
    while (*(text += strspn(text, " "))) {
        size_t word = strcspn(text, " ");
        if (len && len + 1 + word > width)
            flush_line(to, line, &len);
        if (!len)
            memset(line, ' ', len = indent);
        else
            line[len++] = ' ';
        size_t fits = word < LINE_MAX_LEN - len ? word : LINE_MAX_LEN - len;
        memcpy(line + len, text, fits);
        len += fits;
        text += fits;
    }
    if (len)
        flush_line(to, line, &len);
}
