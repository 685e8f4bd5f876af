#include "dtls_regress/runner.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MS = 1000 };

/* What is wrong on purpose: the harness must notice. */
static struct outcome faulty(const struct experiment *e, enum fault fault)
{
    if (fault == FAULT_CRASH)
        abort();
    while (fault == FAULT_HANG)
        pause();
    if (fault == FAULT_BROKEN)
        return OUTCOME(BROKEN);
    struct outcome o = e->run();
    if (fault != FAULT_FLIP)
        return o;
    if (o.verdict == FIXED || o.verdict == VULNERABLE)
        return OUTCOME(o.verdict == FIXED ? VULNERABLE : FIXED);
    return o.verdict == MEASURED ? OUTCOME_NUMBER(o.number + 1, o.unit) : o;
}

static _Noreturn void child(const struct experiment *e, enum fault fault, int to)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    struct outcome o = faulty(e, fault);
    _exit(write(to, &o, sizeof o) == (ssize_t)sizeof o ? 0 : 1);
}

/* The unit is a constant of this program: its address is the same in the child. */
static void tell(struct result *r, const struct outcome *o)
{
    r->broken = o->verdict == BROKEN;
    r->bad = o->verdict == VULNERABLE;
    if (o->verdict == MEASURED)
        snprintf(r->text, sizeof r->text, "%ld %s", o->number, o->unit);
    else
        snprintf(r->text, sizeof r->text, "%s",
                 r->broken ? "did not work"
                 : r->bad  ? "vulnerable"
                           : "fixed");
}

static void tell_end(struct result *r, int status)
{
    r->bad = WIFSIGNALED(status);
    r->broken = !r->bad;
    if (r->bad)
        snprintf(r->text, sizeof r->text, "crashes (signal %d)", WTERMSIG(status));
    else
        snprintf(r->text, sizeof r->text, "did not work");
}

static void collect(struct result *r, int from, pid_t pid, unsigned seconds)
{
    struct outcome o;
    struct pollfd in = {.fd = from, .events = POLLIN};
    int status = 0;
    bool late = poll(&in, 1, (int)seconds * MS) == 0;
    bool whole = !late && read(from, &o, sizeof o) == (ssize_t)sizeof o;
    if (late)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    if (late) {
        r->bad = true;
        r->broken = false;
        snprintf(r->text, sizeof r->text, "hangs");
    } else if (whole) {
        tell(r, &o);
    } else {
        tell_end(r, status);
    }
}

struct result runner_run(const struct experiment *e, unsigned seconds, enum fault fault)
{
    struct result r = {.experiment = e, .broken = true, .text = "did not work"};
    int ends[2];
    if (pipe(ends))
        return r;
    pid_t pid = fork();
    if (!pid)
        child(e, fault, ends[1]);
    close(ends[1]);
    if (pid > 0)
        collect(&r, ends[0], pid, seconds);
    close(ends[0]);
    return r;
}
