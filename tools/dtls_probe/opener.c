/* SPDX-License-Identifier: MIT */
#include "dtls_probe/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/output.h"
#include "dtls_probe/confine.h"

union passing {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* The errno, and the file if there is none. */
static bool answer(int to, int fd, int error)
{
    union passing room = {.bytes = {0}};
    struct iovec iov = {.iov_base = &error, .iov_len = sizeof error};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = &room;
        m.msg_controllen = sizeof room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(to, &m, MSG_NOSIGNAL) == sizeof error;
}

static void serve(int to, const char *path)
{
    char request;
    while (read(to, &request, sizeof request) == 1) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool heard = answer(to, fd, fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
        if (!heard)
            return;
    }
}

/* The signals that end the capture reach both; this one ends when the other closes the socket. */
static void ignore_signals(void)
{
    static const int list[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        signal(list[i], SIG_IGN);
}

static void run_opener(int to, const char *path, const struct probe_user *user,
                       const struct tool_out *out)
{
    ignore_signals();
    if (!probe_confine(user, PROBE_KEEP_READING, out))
        _exit(1);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        close(fd);
    serve(to, path);
    _exit(0);
}

bool probe_opener_start(struct probe_opener *o, const char *path, const struct probe_user *user,
                        const struct tool_out *out)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        tool_error(out, "key log %s: cannot make a socket: %s", path, strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (!pid) {
        close(ends[0]);
        run_opener(ends[1], path, user, out);
    }
    if (pid < 0)
        tool_error(out, "key log %s: cannot start a process that waits for it: %s", path,
                   strerror(errno));
    close(ends[1]);
    o->fd = ends[0];
    return pid > 0;
}

/* What came with the errno; -ENOENT when nothing came at all. */
static int passed_file(struct msghdr *m, int error)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd;
    if (error || !c || c->cmsg_type != SCM_RIGHTS)
        return -(error ? error : ENOENT);
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

int probe_opener_ask(struct probe_opener *o)
{
    int error = 0;
    union passing room = {.bytes = {0}};
    struct iovec iov = {.iov_base = &error, .iov_len = sizeof error};
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
    if (o->fd < 0 || write(o->fd, "", 1) != 1 ||
        recvmsg(o->fd, &m, MSG_CMSG_CLOEXEC) != sizeof error)
        return -ENOENT;
    return passed_file(&m, error);
}

void probe_opener_stop(struct probe_opener *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}
