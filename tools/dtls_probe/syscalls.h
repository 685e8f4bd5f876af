/* SPDX-License-Identifier: MIT */
/* The system calls that a live capture needs once everything is open. */
#ifndef PROBE_SYSCALLS_H
#define PROBE_SYSCALLS_H

#include <stdbool.h>

/* From now on all other calls fail with EPERM, and files open for reading only. 0, or an errno:
 * ENOSYS when the program was built without libseccomp, or with a sanitizer, which needs more. */
int probe_syscalls_filter(bool passes_files); /* sendmsg(), too */
/* "libseccomp 2.5.4", or "none". */
const char *probe_syscalls_library(void);

#endif
