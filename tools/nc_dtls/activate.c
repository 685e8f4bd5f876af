/* Socket activation, as systemd and its like do it: LISTEN_PID says whom the
 * sockets are for, LISTEN_FDS how many there are from fd 3 on. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "nc_dtls/nc.h"

enum { FIRST_FD = 3, MOST_FDS = 1024 };

static int count_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    unsigned for_whom, count = 0;
    if (pid && fds && tool_parse_uint(pid, UINT32_MAX, &for_whom) && for_whom == (unsigned)getpid())
        tool_parse_uint(fds, MOST_FDS, &count);
    /* Not for the children of --exec. */
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
