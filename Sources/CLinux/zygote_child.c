// Runs between clone3 and exec: only async-signal-safe calls, no allocation, no Swift. The order of the steps is the
// security; each says why it stands where it stands.
#define _GNU_SOURCE
#include "zygote_child.h"

#include "child_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, REPORT = 4 };

static int set_descriptors(const struct soulbox_zygote_spec *spec, int report) {
    // First above the numbers that they are to have, so that none is overwritten before its turn.
    int from[5] = {spec->streams[0], spec->streams[1], spec->streams[2], spec->control, report}, above[5];
    for (int i = 0; i < 5; i++)
        if ((above[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 64)) < 0) return -1;
    for (int i = 0; i < 4; i++)
        if (dup2(above[i], i) < 0) return -1;
    if (dup3(above[4], REPORT, O_CLOEXEC) < 0) return -1;
    return (int)syscall(SYS_close_range, REPORT + 1, ~0U, 0);
}

static int set_limits(const struct soulbox_zygote_spec *spec) {
    for (uint32_t i = 0; i < spec->limit_count; i++) {
        const uint64_t *limit = spec->limits + 3 * i;
        if (child_lower_limit((int)limit[0], limit[1], limit[2]) < 0) return -1;
    }
    return 0;
}

static enum soulbox_zygote_step child(const struct soulbox_zygote_spec *spec, int report) {
    // First: a copy of another thread's pipe or of a caller's socket keeps whoever reads it waiting for an end.
    if (set_descriptors(spec, report) < 0) return SOULBOX_ZYGOTE_DESCRIPTORS;
    // Whoever dies while this is half-built leaves nothing; later the end of the control socket tells.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return SOULBOX_ZYGOTE_SESSION;
    // Put together while the isolator's directories can be seen; nothing of the host's can be after it.
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return SOULBOX_ZYGOTE_ROOT;
    if (mount("overlay", spec->root, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, spec->layers) < 0)
        return SOULBOX_ZYGOTE_ROOT;
    if (chdir(spec->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir(spec->directory) < 0)
        return SOULBOX_ZYGOTE_PIVOT;
    // As its programs have them: what libc derives from them at its start is the same.
    if (set_limits(spec) < 0) return SOULBOX_ZYGOTE_LIMITS;
    if (child_reset_signals() < 0 || setsid() < 0) return SOULBOX_ZYGOTE_SESSION;
    umask(022);
    // Last, since every step above needs more. It keeps none: whoever owns a user namespace has every capability in it, which
    // is what setns(2) into a sandbox asks for, and the host's root owns those of all sandboxes (user_namespaces(7)). Exec gives
    // root no more than it has: no_new_privs.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || child_drop_capabilities() < 0) return SOULBOX_ZYGOTE_CAPABILITIES;
    execve(spec->arguments[0], spec->arguments, spec->environment);
    return SOULBOX_ZYGOTE_EXEC;
}

pid_t soulbox_start_zygote(const struct soulbox_zygote_spec *spec, int *pidfd, int32_t *step) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    struct clone_args arguments = {
        .flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD, .cgroup = (uint64_t)spec->cgroup};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        int32_t failure[2] = {(int32_t)child(spec, report[1]), errno};
        int out = failure[0] == SOULBOX_ZYGOTE_DESCRIPTORS ? report[1] : REPORT;
        ssize_t ignored = write(out, failure, sizeof failure);
        (void)ignored;
        _exit(127);
    }
    int32_t failure[2] = {0, pid < 0 ? errno : 0};
    close(report[1]);
    if (pid > 0 && read(report[0], failure, sizeof failure) == sizeof failure) {
        waitpid((pid_t)pid, NULL, 0);
        close(*pidfd);
    } else if (pid > 0) {
        failure[1] = 0;
    }
    close(report[0]);
    *step = failure[0];
    return failure[1] ? -failure[1] : (pid_t)pid;
}
