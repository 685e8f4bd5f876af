/* SPDX-License-Identifier: MIT */
/* Socket activation as in systemd: LISTEN_PID is the process that the sockets are for, LISTEN_FDS
 * is their number; the first one is fd 3. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

enum { FIRST_FD = 3, MOST_FDS = 1024 };

static int count_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    unsigned owner, count = 0;
    if (pid && fds && tool_parse_uint(pid, UINT32_MAX, &owner) && owner == (unsigned)getpid())
        tool_parse_uint(fds, MOST_FDS, &count);
    /* Commands of --exec must not see them. */
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (int)count;
}

int nc_adopt_activated(struct nc *n)
{
    int count = count_activated();
    for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        int rc = sdtls_adopt(n->s, fd);
        if (rc)
            return rc;
    }
    return count;
}
