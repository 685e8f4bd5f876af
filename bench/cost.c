/* SPDX-License-Identifier: MIT */
/* cost PROGRAM ARGUMENT...: runs it with its output thrown away, and prints what it used. A small
 * parent, because the peak memory of a process includes what it had of its parent before exec. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(char **argv)
{
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(argv[0], argv);
    _exit(127);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status;
    pid_t child = argc > 1 ? fork() : -1;
    if (!child)
        become(argv + 1);
    if (child < 0 || wait4(child, &status, 0, &used) != child)
        return 1;
    printf("{\"status\": %d, \"cpu_s\": %.6f, \"kb\": %ld, \"faults\": %ld}\n",
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, used.ru_minflt);
    return 0;
}
