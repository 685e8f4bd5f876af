/* SPDX-License-Identifier: MIT */
/* A live capture takes packets of strangers apart. Before the first one it gives up what only
 * opening the interface needed: root, its capabilities, and most system calls. */
#ifndef PROBE_CONFINE_H
#define PROBE_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

struct tool_out;

/* Whom root becomes: nobody. */
struct probe_user {
    bool other; /* false: this is not root, and stays who it is */
    uid_t uid;
    gid_t gid;
};

enum probe_keep {
    PROBE_KEEP_NOTHING,
    PROBE_KEEP_READING /* any file may be read, and passed on (opener.h) */
};

struct probe_user probe_confine_user(void);
/* For good. Open files stay open; others can be opened for reading, as far as nobody may, or with
 * PROBE_KEEP_READING as root may. False after an error was printed. */
bool probe_confine(const struct probe_user *user, enum probe_keep keep, const struct tool_out *out);
/* The library of the system call filter, for --version. */
const char *probe_confine_library(void);

#endif
