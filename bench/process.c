/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define NS_PER_MS UINT64_C(1000000)
#define POLL_EVERY_NS (10 * NS_PER_MS)
#define QUIET_POLLS 6 /* at idle a server wakes less often than this */
#define SETTLE_NS (60000 * NS_PER_MS)

uint64_t process_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* schedstat counts in ns what stat counts in ticks of 10 ms. */
static uint64_t task_cpu(pid_t pid, const char *task)
{
    char path[128];
    uint64_t ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, task);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%" SCNu64, &ns) != 1)
        ns = 0;
    fclose(f);
    return ns;
}

uint64_t process_cpu(pid_t pid)
{
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            sum += task_cpu(pid, e->d_name);
    if (d)
        closedir(d);
    return sum;
}

uint64_t process_rss(pid_t pid)
{
    char path[64], line[256];
    uint64_t kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %" SCNu64, &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

uint64_t process_faults(pid_t pid)
{
    char path[64], line[1024];
    uint64_t faults = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    char *rest = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    if (rest) /* state ppid pgrp session tty tpgid flags minflt */
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %" SCNu64, &faults);
    if (f)
        fclose(f);
    return faults;
}

int process_settle(pid_t pid)
{
    uint64_t deadline = process_now() + SETTLE_NS, before = process_cpu(pid);
    for (int quiet = 0; quiet < QUIET_POLLS;) {
        nanosleep(&(struct timespec){.tv_nsec = POLL_EVERY_NS}, NULL);
        uint64_t cpu = process_cpu(pid);
        if (!cpu || process_now() > deadline)
            return 0;
        quiet = cpu == before ? quiet + 1 : 0;
        before = cpu;
    }
    return 1;
}
