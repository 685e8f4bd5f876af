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

enum { MS = 1000 };

/* Another answer than the one it gave. */
static struct outcome flipped(struct outcome o)
{
    if (o.verdict == FIXED || o.verdict == VULNERABLE)
        return outcome_defect(o.verdict == FIXED);
    if (o.verdict == NOT_APPLICABLE)
        return outcome_defect(false);
    return o.verdict == MEASURED ? outcome_measured("not %.60s", o.text) : o;
}

static struct outcome proven(const struct experiment *e)
{
    if (!lab_works())
        return outcome_broken("on this bench a handshake does not survive a lost datagram");
    return e->run();
}

/* With what is wrong on purpose: it must be noticed. */
static struct outcome experiment(const struct experiment *e, enum fault fault)
{
    switch (fault) {
    case FAULT_CRASH:
        abort();
    case FAULT_HANG:
        for (;;)
            pause();
    case FAULT_BROKEN:
        return outcome_broken("so it was asked for");
    case FAULT_FLIP:
        return flipped(proven(e));
    case FAULT_DEAF:
        lab_break(LAB_DEAF);
        break;
    case FAULT_FROZEN:
        lab_break(LAB_FROZEN);
        break;
    case FAULT_NONE:
        break;
    }
    return proven(e);
}

static _Noreturn void child(const struct experiment *e, enum fault fault, int to)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    struct outcome o = experiment(e, fault);
    _exit(write(to, &o, sizeof o) == (ssize_t)sizeof o ? 0 : 1);
}

static void say(struct result *r, enum judgement judgement, const char *text, const char *reason)
{
    r->judgement = judgement;
    snprintf(r->text, sizeof r->text, "%s", text);
    snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static void tell(struct result *r, const struct outcome *o)
{
    switch (o->verdict) {
    case BROKEN:
        say(r, JUDGED_NOT, "did not work", o->text);
        break;
    case NOT_APPLICABLE:
        say(r, JUDGED_NA, "not applicable", o->text);
        break;
    case FIXED:
        say(r, JUDGED_GOOD, "fixed", "");
        break;
    case VULNERABLE:
        say(r, JUDGED_BAD, "vulnerable", "");
        break;
    case MEASURED:
        say(r, JUDGED_INFO, o->text, "");
        break;
    }
}

/* It ended without an outcome. */
static void tell_end(struct result *r, int status)
{
    char text[OUTCOME_TEXT];
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "crashes (signal %d)", WTERMSIG(status));
        say(r, JUDGED_BAD, text, "");
    } else {
        snprintf(text, sizeof text, "its process ended with status %d", WEXITSTATUS(status));
        say(r, JUDGED_NOT, "did not work", text);
    }
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
    if (late)
        say(r, JUDGED_BAD, "hangs", "");
    else if (whole)
        tell(r, &o);
    else
        tell_end(r, status);
}

struct result runner_run(const struct experiment *e, unsigned seconds, enum fault fault)
{
    struct result r = {.experiment = e};
    int ends[2];
    say(&r, JUDGED_NOT, "did not work", "no process to run it in");
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
