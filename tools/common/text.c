#include "common/text.h"

#include <string.h>

void tool_wrap(FILE *to, const char *text, unsigned indent, unsigned width)
{
    size_t column = 0;
    while (*(text += strspn(text, " "))) {
        size_t word = strcspn(text, " ");
        if (column && column + 1 + word > width) {
            fputc('\n', to);
            column = 0;
        }
        if (column)
            fputc(' ', to);
        else
            fprintf(to, "%*s", (int)indent, "");
        column += column ? 1 : indent;
        fwrite(text, 1, word, to);
        column += word;
        text += word;
    }
    fputc('\n', to);
}
