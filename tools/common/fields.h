/* SPDX-License-Identifier: MIT */
/* The library speaks of the fields of sdtls_config; a user knows options. */
#ifndef TOOL_FIELDS_H
#define TOOL_FIELDS_H

#include <stddef.h>

/* Copies a sentence of the library with the names of options in place of those of fields
 * ("key_file" becomes "--key"), and without characters that could command a terminal. Returns buf.
 */
const char *tool_library_text(const char *text, char *buf, size_t cap);

#endif
