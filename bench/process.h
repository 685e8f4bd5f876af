/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

/* What another process has used, all of its threads. */
#include <stdint.h>
#include <sys/types.h>

uint64_t process_now(void); /* ns, monotonic */

/* ns of CPU so far, in user and in kernel mode; 0 when there is no such process. */
uint64_t process_cpu(pid_t pid);
/* kB resident. */
uint64_t process_rss(pid_t pid);
/* Page faults so far that needed no disk. */
uint64_t process_faults(pid_t pid);

/* Returns when the process has used no CPU for a while, or after a deadline: it has done what was
 * asked of it. 0 when it was still busy, or is gone. */
int process_settle(pid_t pid);

#endif
