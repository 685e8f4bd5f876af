/* SPDX-License-Identifier: MIT */
#include "dtls_probe/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/output.h"
#include "dtls_probe/syscalls.h"

enum { NOBODY = 65534 }; /* where the system has no such user */

struct probe_user probe_confine_user(void)
{
    struct probe_user u = {.other = !geteuid(), .uid = NOBODY, .gid = NOBODY};
    const struct passwd *nobody = u.other ? getpwnam("nobody") : NULL;
    if (nobody && nobody->pw_uid && nobody->pw_gid) {
        u.uid = nobody->pw_uid;
        u.gid = nobody->pw_gid;
    }
    return u;
}

/* Not possible in a user namespace that has no other user: there root is nobody outside. */
static bool become(const struct probe_user *u, const struct tool_out *out)
{
    if (!u->other)
        return true;
    if (!setgroups(0, NULL) && !setresgid(u->gid, u->gid, u->gid) &&
        !setresuid(u->uid, u->uid, u->uid))
        return geteuid() != 0;
    if (errno != EINVAL && errno != EPERM)
        return false;
    tool_warn(out, "cannot become user %u here (%s): root stays, without its capabilities",
              (unsigned)u->uid, strerror(errno));
    return true;
}

static bool reduce_capabilities(enum probe_keep keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct kept[2] = {{0}};
    if (keep == PROBE_KEEP_READING)
        kept[0].effective = kept[0].permitted = 1U << CAP_DAC_READ_SEARCH;
    return !syscall(SYS_capset, &header, kept);
}

static void filter_calls(enum probe_keep keep, const struct tool_out *out)
{
    int error = probe_syscalls_filter(keep == PROBE_KEEP_READING);
    if (error && error != ENOSYS) /* built without it: --version says so */
        tool_warn(out, "no system call filter: %s", strerror(error));
}

bool probe_confine(const struct probe_user *user, enum probe_keep keep, const struct tool_out *out)
{
    if (prctl(PR_SET_KEEPCAPS, keep == PROBE_KEEP_READING, 0, 0, 0) || !become(user, out) ||
        !reduce_capabilities(keep) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        tool_error(out, "cannot drop privileges: %s", strerror(errno));
        return false;
    }
    filter_calls(keep, out);
    return true;
}

const char *probe_confine_library(void)
{
    return probe_syscalls_library();
}
