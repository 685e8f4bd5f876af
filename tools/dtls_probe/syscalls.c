/* SPDX-License-Identifier: MIT */
#include "dtls_probe/syscalls.h"

#include <errno.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#if defined(SD_HAVE_SECCOMP) && !defined(SANITIZED)
#include <fcntl.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* No execve, no socket, no connect, no sendto, no kill, no ptrace, no chmod, no unlink. Names that
 * an architecture does not have are skipped. */
static const int allowed[] = {
    /* the capture, the signals, the output */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    /* files that are open */
    SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(pread64), SCMP_SYS(fstat),
    SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(stat), SCMP_SYS(stat64),
    SCMP_SYS(statx), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fcntl), SCMP_SYS(fcntl64),
    /* memory, time, the end */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday),
    SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/* Whether a terminal is there, and what libpcap asks about an interface that has gone down.
 * TIOCSTI, which types into a terminal, is not among them. */
static const unsigned long requests[] = {TCGETS,      TIOCGWINSZ,   FIONREAD,
                                         SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS};

static int allow_calls(scmp_filter_ctx f)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed && !rc; i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
    return rc;
}

static int allow_requests(scmp_filter_ctx f)
{
    int rc = 0;
    for (size_t i = 0; i < sizeof requests / sizeof *requests && !rc; i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]));
    return rc;
}

/* Not for code: no library is loaded any more. */
static int allow_memory(scmp_filter_ctx f)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};
    int rc = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !rc; i++)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return rc;
}

/* A key log that does not exist yet, the time zone. O_TMPFILE needs a mode for writing. */
static int allow_reading(scmp_filter_ctx f)
{
    enum { WRITES = O_ACCMODE | O_CREAT | O_TRUNC };
    int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                              SCMP_A1(SCMP_CMP_MASKED_EQ, WRITES, O_RDONLY));
    return rc ? rc
              : seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, WRITES, O_RDONLY));
}

int probe_syscalls_filter(bool passes_files)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!f)
        return ENOMEM;
    int rc = allow_calls(f);
    if (!rc)
        rc = allow_requests(f);
    if (!rc)
        rc = allow_memory(f);
    if (!rc)
        rc = allow_reading(f);
    if (!rc && passes_files)
        rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 0);
    if (!rc)
        rc = seccomp_load(f);
    seccomp_release(f);
    return -rc;
}

const char *probe_syscalls_library(void)
{
    static char text[32];
    const struct scmp_version *v = seccomp_version();
    snprintf(text, sizeof text, "libseccomp %u.%u.%u", v->major, v->minor, v->micro);
    return text;
}

#else

int probe_syscalls_filter(bool passes_files)
{
    (void)passes_files;
    return ENOSYS;
}

const char *probe_syscalls_library(void)
{
    return "none";
}

#endif
