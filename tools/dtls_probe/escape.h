/* Text of unknown origin inside XML and HTML: the only way into the files of --svg and --html. */
#ifndef PROBE_ESCAPE_H
#define PROBE_ESCAPE_H

#include <stddef.h>
#include <stdio.h>

/* Safe as the content of an element and in a quoted attribute. What cannot stand in XML 1.0, is
 * not UTF-8, or would change the direction of the text around it is shown as "\xNN" or "\u202e". */
void probe_escape(FILE *to, const char *text);
/* The same for the first `len` bytes. */
void probe_escape_part(FILE *to, const char *text, size_t len);

#endif
