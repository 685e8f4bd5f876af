/* SPDX-License-Identifier: MIT */
/* Key logs, read in pieces: only their secrets stay in memory. */
#ifndef PROBE_KEYLOG_H
#define PROBE_KEYLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cursor.h"

struct sd_secrets;
struct probe_opener;

enum { PROBE_KEYLOG_LINE = 512 }; /* bytes; the longest line with a secret has about 230 */

struct probe_keylog {
    struct sd_secrets *secrets; /* the caller's */
    bool keep;                  /* the lines with secrets, for a copy of the capture */
    char *text;                 /* these lines */
    size_t length, room;
    char line[PROBE_KEYLOG_LINE]; /* the beginning of a line whose end has not come yet */
    size_t held;
    int fd;                      /* of the file that is followed */
    bool open;                   /* there is one */
    struct probe_opener *opener; /* who opens it, when this process may not; NULL: it may */
};

/* Takes the next piece of a key log: any bytes. False when memory ran out. */
bool probe_keylog_add(struct probe_keylog *k, struct sd_span piece);
/* The end of a key log: its last line may lack a newline. */
bool probe_keylog_end(struct probe_keylog *k);
/* Reads a whole file. 0, or an errno. */
int probe_keylog_read(struct probe_keylog *k, const char *path);
/* Reads what a growing file got since the last call, and nothing while it does not exist. A file
 * that became shorter, or took the place of another one, is read from its beginning. 0, or an
 * errno. */
int probe_keylog_follow(struct probe_keylog *k, const char *path);
void probe_keylog_free(struct probe_keylog *k);

#endif
