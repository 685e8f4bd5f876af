/* SPDX-License-Identifier: MIT */
#include "dtls_regress/runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "dtls_regress/lab.h"

enum {
    TICK_MS = 100, /* between two looks at the child */
    TICKS_A_SECOND = 1000 / TICK_MS,
    ASLEEP_LOOKS = 2 /* a child that sleeps each time waits; no check has to */
};

/* Another answer than the one the check gave. */
static struct regress_outcome flip_outcome(struct regress_outcome o)
{
    if (o.verdict == FIXED || o.verdict == VULNERABLE)
        return regress_defect(o.verdict == FIXED);
    if (o.verdict == NOT_APPLICABLE)
        return regress_defect(false);
    return o.verdict == MEASURED ? regress_measured("not %.60s", o.text) : o;
}

static struct regress_outcome run_in_proven_lab(const struct regress_check *check)
{
    if (!regress_lab_works())
        return regress_broken("a handshake in the lab does not survive a lost datagram");
    return check->run();
}

static struct regress_outcome run_with_fault(const struct regress_check *check,
                                             enum regress_fault fault)
{
    switch (fault) {
    case FAULT_CRASH:
        abort();
    case FAULT_HANG:
        for (;;)
            pause();
    case FAULT_SPIN:
        for (volatile unsigned turns = 0;; turns++)
            ;
    case FAULT_STARVE:
        raise(SIGSTOP);
        break;
    case FAULT_BROKEN:
        return regress_broken("--inject broken");
    case FAULT_FLIP:
        return flip_outcome(run_in_proven_lab(check));
    case FAULT_DEAF:
        regress_lab_break(LAB_DEAF);
        break;
    case FAULT_FROZEN:
        regress_lab_break(LAB_FROZEN);
        break;
    case FAULT_NONE:
        break;
    }
    return run_in_proven_lab(check);
}

/* No core file, and SIGXCPU once the check has used its CPU time. */
static void limit_child(unsigned seconds)
{
    const struct rlimit none = {0, 0};
    struct rlimit cpu;
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGXCPU, SIG_DFL);
    if (getrlimit(RLIMIT_CPU, &cpu))
        return;
    cpu.rlim_cur = seconds;
    setrlimit(RLIMIT_CPU, &cpu);
}

static _Noreturn void run_child(const struct regress_check *check, unsigned seconds,
                                enum regress_fault fault, int to)
{
    limit_child(seconds);
    struct regress_outcome o = run_with_fault(check, fault);
    _exit(write(to, &o, sizeof o) == (ssize_t)sizeof o ? 0 : 1);
}

static void set_result(struct regress_result *r, enum regress_judgement judgement, const char *text,
                       const char *reason)
{
    r->judgement = judgement;
    snprintf(r->text, sizeof r->text, "%s", text);
    snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static void judge_outcome(struct regress_result *r, const struct regress_outcome *o)
{
    switch (o->verdict) {
    case BROKEN:
        set_result(r, JUDGED_NOT, "did not work", o->text);
        break;
    case NOT_APPLICABLE:
        set_result(r, JUDGED_NA, "not applicable", o->text);
        break;
    case FIXED:
        set_result(r, JUDGED_GOOD, "fixed", "");
        break;
    case VULNERABLE:
        set_result(r, JUDGED_BAD, "vulnerable", "");
        break;
    case MEASURED:
        set_result(r, JUDGED_INFO, o->text, "");
        break;
    }
}

/* The process ended without an outcome. */
static void judge_exit(struct regress_result *r, int status)
{
    char text[OUTCOME_TEXT];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
        set_result(r, JUDGED_BAD, "hangs", "");
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        set_result(r, JUDGED_NOT, "did not work",
                   "the kernel or a user killed the check (SIGKILL)");
    } else if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "crashes (signal %d)", WTERMSIG(status));
        set_result(r, JUDGED_BAD, text, "");
    } else {
        snprintf(text, sizeof text, "the check's process ended with exit status %d",
                 WEXITSTATUS(status));
        set_result(r, JUDGED_NOT, "did not work", text);
    }
}

static void judge_starved(struct regress_result *r, const struct rusage *used, sd_time elapsed)
{
    enum { US_A_SECOND = 1000000 };
    const double cpu = (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
                       (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) / US_A_SECOND;
    char text[OUTCOME_TEXT];
    snprintf(text, sizeof text,
             "the check got %.2f s of CPU time in %u s; run it again with less load", cpu,
             (unsigned)(elapsed / SD_SEC));
    set_result(r, JUDGED_STARVED, "inconclusive", text);
}

/* 'S' for a process that sleeps in a call that waits. 'R' wants to run, 'D' waits for a disk and
 * 'T' was stopped: none of them is the check's fault. 0: not known. */
static char state_of_process(pid_t pid)
{
    char path[32], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    const char *name_end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

/* Why the wait for an outcome ended. */
enum ending { CHILD_ENDED, CHILD_WAITS, CHILD_STARVED };

/* Counts looks, not time: where this process gets no CPU time either, the child gets longer. */
static enum ending wait_for_outcome(int from, pid_t pid, unsigned seconds)
{
    struct pollfd in = {.fd = from, .events = POLLIN};
    const unsigned deadline = seconds * TICKS_A_SECOND;
    unsigned asleep = 0;
    for (unsigned tick = 0; tick < REGRESS_PATIENCE * deadline; tick++) {
        if (poll(&in, 1, TICK_MS) > 0)
            return CHILD_ENDED;
        if (tick + 1 < deadline)
            continue;
        asleep = state_of_process(pid) == 'S' ? asleep + 1 : 0;
        if (asleep == ASLEEP_LOOKS)
            return CHILD_WAITS;
    }
    return CHILD_STARVED;
}

static void await_outcome(struct regress_result *r, int from, pid_t pid, unsigned seconds)
{
    struct regress_outcome o;
    struct rusage used = {0};
    int status = 0;
    const sd_time begin = sd_clock_now();
    const enum ending ending = wait_for_outcome(from, pid, seconds);
    bool whole = ending == CHILD_ENDED && read(from, &o, sizeof o) == (ssize_t)sizeof o;
    if (ending != CHILD_ENDED)
        kill(pid, SIGKILL);
    wait4(pid, &status, 0, &used);
    if (ending == CHILD_WAITS)
        set_result(r, JUDGED_BAD, "hangs", "");
    else if (ending == CHILD_STARVED)
        judge_starved(r, &used, sd_clock_now() - begin);
    else if (whole)
        judge_outcome(r, &o);
    else
        judge_exit(r, status);
}

struct regress_result regress_run(const struct regress_check *check, unsigned seconds,
                                  enum regress_fault fault)
{
    struct regress_result r = {.check = check};
    int ends[2];
    set_result(&r, JUDGED_NOT, "did not work", "cannot start a process for the check");
    if (pipe(ends))
        return r;
    pid_t pid = fork();
    if (!pid)
        run_child(check, seconds, fault, ends[1]);
    close(ends[1]);
    if (pid > 0)
        await_outcome(&r, ends[0], pid, seconds);
    close(ends[0]);
    return r;
}
