// Runs between clone3 and exec: only async-signal-safe calls, no allocation, no Swift.
#define _GNU_SOURCE
#include "spawn.h"

#include "child_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(const struct soulbox_spawn_spec *spec) {
    // First above the numbers that they are to have, so that none is overwritten before its turn.
    int above[3];
    for (int i = 0; i < 3; i++) {
        int from = spec->streams[i];
        if (from < 0) from = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (from < 0 || (above[i] = fcntl(from, F_DUPFD_CLOEXEC, 10)) < 0) return -1;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(above[i], i) < 0) return -1;
    // Nothing else of the maker's: a pipe that a service keeps open keeps whoever reads it waiting for ever.
    if (syscall(SYS_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */) < 0) return -1;
    if (child_reset_signals() < 0) return -1;
    // A session of its own: an interrupt at the terminal goes to the supervisor, which ends its processes in order.
    if (setsid() < 0 || chdir(spec->directory) < 0) return -1;
    umask(027);
    // Groups before group before user, as bare system calls: glibc's wrappers would wait for threads that exist in the
    // parent only.
    if (spec->user != 0 || spec->group != 0) {
        if (syscall(SYS_setgroups, 1, &spec->group) < 0 ||
            syscall(SYS_setresgid, spec->group, spec->group, spec->group) < 0 ||
            syscall(SYS_setresuid, spec->user, spec->user, spec->user) < 0)
            return -1;
    }
    // After the user changes, since that clears it.
    if (spec->parent_death_signal && prctl(PR_SET_PDEATHSIG, spec->parent_death_signal) < 0) return -1;
    return 0;
}

pid_t soulbox_spawn(const struct soulbox_spawn_spec *spec, int *pidfd) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    struct clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        // The pipe keeps clear of the streams.
        int out = fcntl(report[1], F_DUPFD_CLOEXEC, 10);
        if (set_up(spec) == 0) execve(spec->path, spec->arguments, spec->environment);
        int failure = errno;
        ssize_t ignored = write(out, &failure, sizeof failure);
        (void)ignored;
        _exit(127);
    }
    int failure = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0 && read(report[0], &failure, sizeof failure) == sizeof failure) {
        waitpid((pid_t)pid, NULL, 0);
        close(*pidfd);
    }
    close(report[0]);
    return failure ? -failure : (pid_t)pid;
}
