#include "dtls_regress/runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dtls_regress/lab.h"

enum { SECOND_MS = 1000 };

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

static _Noreturn void run_child(const struct regress_check *check, enum regress_fault fault, int to)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
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
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "crashes (signal %d)", WTERMSIG(status));
        set_result(r, JUDGED_BAD, text, "");
    } else {
        snprintf(text, sizeof text, "the check's process ended with exit status %d",
                 WEXITSTATUS(status));
        set_result(r, JUDGED_NOT, "did not work", text);
    }
}

static void await_outcome(struct regress_result *r, int from, pid_t pid, unsigned seconds)
{
    struct regress_outcome o;
    struct pollfd in = {.fd = from, .events = POLLIN};
    int status = 0;
    bool late = poll(&in, 1, (int)seconds * SECOND_MS) == 0;
    bool whole = !late && read(from, &o, sizeof o) == (ssize_t)sizeof o;
    if (late)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    if (late)
        set_result(r, JUDGED_BAD, "hangs", "");
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
        run_child(check, fault, ends[1]);
    close(ends[1]);
    if (pid > 0)
        await_outcome(&r, ends[0], pid, seconds);
    close(ends[0]);
    return r;
}
