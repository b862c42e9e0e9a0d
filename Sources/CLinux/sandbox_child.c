// Runs between clone3 and exec: only async-signal-safe calls, no allocation, no Swift. The order of the steps is the
// security; each says why it stands where it stands.
#define _GNU_SOURCE
#include "sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void fail(const struct soulbox_child_spec *spec, enum soulbox_child_step step) {
    int32_t report[2] = {step, errno};
    ssize_t ignored = write(spec->report, report, sizeof report);
    (void)ignored;
    _exit(127);
}

// Mounts a new filesystem on a directory of the new root. The target is reached from the root's descriptor without
// following any link, so that a link in an image cannot lead a mount elsewhere.
static int mount_new(int root, const char *target, const char *type, const char *const *options, unsigned attributes) {
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int where = (int)syscall(SYS_openat2, root, target, &how, sizeof how);
    if (where < 0) return -1;
    int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0) return -1;
    for (; options[0]; options += 2)
        if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0], options[1], 0) < 0) return -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return -1;
    int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    if (mount < 0) return -1;
    if (syscall(SYS_move_mount, mount, "", where, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) return -1;
    close(mount);
    close(context);
    close(where);
    return 0;
}

static int loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo"};
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return -1;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int result = ioctl(socket_, SIOCSIFFLAGS, &request);
    close(socket_);
    return result;
}

static int write_zero(const char *path) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT ? 0 : -1; // a namespace kind that this kernel does not know
    int result = write(file, "0", 1) == 1 ? 0 : -1;
    close(file);
    return result;
}

// Directories are covered by one empty filesystem: each that the kernel has makes the end of every cgroup longer.
static int mask(const char *path, const char **empty) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(status.st_mode)) return mount("/dev/null", path, NULL, MS_BIND, NULL);
    if (*empty) return mount(*empty, path, NULL, MS_BIND, NULL); // read-only and all else as what it is a copy of
    *empty = path;
    return mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555");
}

static int make_read_only(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) return errno == ENOENT ? 0 : -1;
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) return -1;
    return mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static const char *const masked[] = {
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/kallsyms", "/proc/kpagecount",
    "/proc/kpageflags", "/proc/kpagecgroup", "/proc/interrupts", "/proc/kmsg", "/proc/sysrq-trigger", "/proc/pressure", NULL};
static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", NULL};
static const char *const namespace_limits[] = {
    "/proc/sys/user/max_user_namespaces", "/proc/sys/user/max_mnt_namespaces", "/proc/sys/user/max_pid_namespaces",
    "/proc/sys/user/max_net_namespaces",  "/proc/sys/user/max_ipc_namespaces", "/proc/sys/user/max_uts_namespaces",
    "/proc/sys/user/max_cgroup_namespaces", "/proc/sys/user/max_time_namespaces", NULL};

// Closes everything above the streams but these three.
static int close_others(int first, int second, int third) {
    int kept[3] = {first, second, third};
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            if (kept[j] < kept[i]) {
                int lower = kept[j];
                kept[j] = kept[i];
                kept[i] = lower;
            }
    int next = 3;
    for (int i = 0; i < 3; i++) {
        if (kept[i] > next && syscall(SYS_close_range, next, kept[i] - 1, 0) < 0) return -1;
        if (kept[i] >= next) next = kept[i] + 1;
    }
    return (int)syscall(SYS_close_range, next, ~0U, 0);
}

int soulbox_own_descriptors(int kept) {
    if (unshare(CLONE_FILES) < 0) return -1;
    return close_others(kept, kept, kept);
}

static __attribute__((noinline)) _Noreturn void child(
    const struct soulbox_child_spec *spec, volatile struct soulbox_child *own) {
    char byte;
    // Whoever waits for it reads the pid from now on.
    own->begun = 1;
    ssize_t ignored = write(spec->begun, "B", 1);
    (void)ignored;
    // Whoever dies while this is half-built leaves nothing. The thread that made it lives as long as the isolator.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(spec, SOULBOX_CHILD_WAIT);
    // Before anything is waited for: a copy of a descriptor keeps whoever reads the other end waiting for an end, and the
    // parent may need that end before it says go. The thread's own table has few (soulbox_own_descriptors).
    if (close_others(spec->go, spec->report, spec->ready) < 0) fail(spec, SOULBOX_CHILD_DESCRIPTORS);
    // Nothing may happen before the parent has written the id maps and attached the v1 cgroups: until then we are
    // nobody, and unlimited.
    if (read(spec->go, &byte, 1) != 1) errno = EPIPE, fail(spec, SOULBOX_CHILD_WAIT);

    // First of all become root of the user namespace: files and mounts made below must belong to its range of ids.
    // Supplementary groups of the isolator go while CAP_SETGID still counts. Bare system calls: glibc's wrappers would
    // wait for threads that exist in the parent only.
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
        fail(spec, SOULBOX_CHILD_IDENTITY);
    // Right after the ids change, since that resets both: no process may look into this one, and it still ends with us.
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(spec, SOULBOX_CHILD_IDENTITY);
    umask(022);

    // Only now, after the attach to the v1 groups: made at clone3 it would show their paths in /proc/self/cgroup.
    if (unshare(CLONE_NEWCGROUP) < 0) fail(spec, SOULBOX_CHILD_CGROUP_NAMESPACE);
    if (setsid() < 0) fail(spec, SOULBOX_CHILD_SESSION);
    if (sethostname(spec->hostname, strlen(spec->hostname)) < 0) fail(spec, SOULBOX_CHILD_HOSTNAME);
    // While we still have the capability over our network namespace; programs expect 127.0.0.1.
    if (loopback_up() < 0) fail(spec, SOULBOX_CHILD_LOOPBACK);

    // After the parent has mounted the root in the namespace that we shared until here: the copy holds it, and belongs
    // to our user namespace.
    if (unshare(CLONE_NEWNS) < 0) fail(spec, SOULBOX_CHILD_MOUNT_NAMESPACE);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail(spec, SOULBOX_CHILD_MOUNT_NAMESPACE);
    // Inherited mounts are locked together, and pivot_root refuses a locked one: a bind of our own is not.
    if (mount(spec->root, spec->root, NULL, MS_BIND | MS_REC, NULL) < 0) fail(spec, SOULBOX_CHILD_BIND_ROOT);
    int root = open(spec->root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0 || fchdir(root) < 0) fail(spec, SOULBOX_CHILD_BIND_ROOT);

    // Before the old root goes: the kernel lets a user namespace mount procfs only while it can see a whole one.
    static const char *const proc_options[] = {"hidepid", "invisible", NULL};
    if (mount_new(root, "proc", "proc", proc_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC) < 0)
        fail(spec, SOULBOX_CHILD_MOUNT_PROC);
    // What is written below must reach the kernel and not a file that stands in for it.
    struct statfs filesystem;
    if (statfs("proc/sys", &filesystem) < 0) fail(spec, SOULBOX_CHILD_VERIFY_PROC);
    if (filesystem.f_type != PROC_SUPER_MAGIC) errno = EXDEV, fail(spec, SOULBOX_CHILD_VERIFY_PROC);
    static const char *const pts_options[] = {"ptmxmode", "0666", "mode", "0620", "gid", "5", NULL};
    if (mount_new(root, "dev/pts", "devpts", pts_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC) < 0)
        fail(spec, SOULBOX_CHILD_MOUNT_PTS);
    const char *const shm_options[] = {"size", spec->shm_size, "nr_inodes", "1024", "mode", "1777", NULL};
    if (mount_new(root, "dev/shm", "tmpfs", shm_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) < 0)
        fail(spec, SOULBOX_CHILD_MOUNT_SHM);
    static const char *const run_options[] = {"size", "1m", "nr_inodes", "256", "mode", "0755", NULL};
    if (mount_new(root, "run", "tmpfs", run_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) < 0)
        fail(spec, SOULBOX_CHILD_MOUNT_RUN);

    // pivot_root, never chroot alone: the host's tree is to be gone, not hidden.
    if (syscall(SYS_pivot_root, ".", ".") < 0) fail(spec, SOULBOX_CHILD_PIVOT);
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) fail(spec, SOULBOX_CHILD_DETACH_OLD_ROOT);

    // Before /proc/sys becomes read-only; after the last namespace of our own is made.
    for (int i = 0; namespace_limits[i]; i++)
        if (write_zero(namespace_limits[i]) < 0) fail(spec, SOULBOX_CHILD_NAMESPACE_LIMITS);
    const char *empty = NULL;
    for (int i = 0; masked[i]; i++)
        if (mask(masked[i], &empty) < 0) fail(spec, SOULBOX_CHILD_MASK);
    for (int i = 0; read_only[i]; i++)
        if (make_read_only(read_only[i]) < 0) fail(spec, SOULBOX_CHILD_READ_ONLY);

    // The report stays until exec closes it; every other descriptor but init's own goes. First out of each other's way.
    int ready = fcntl(spec->ready, F_DUPFD_CLOEXEC, 10);
    struct soulbox_child_spec last = *spec;
    last.report = fcntl(spec->report, F_DUPFD_CLOEXEC, 10);
    if (ready < 0 || last.report < 0) fail(spec, SOULBOX_CHILD_DESCRIPTORS);
    // The sandbox's own null device in place of the isolator's streams: PID 1 holds nothing from outside its root.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) fail(&last, SOULBOX_CHILD_DESCRIPTORS);
    for (int i = 0; i < 3; i++)
        if (dup2(null, i) < 0) fail(&last, SOULBOX_CHILD_DESCRIPTORS);
    if (dup2(ready, 3) < 0) fail(&last, SOULBOX_CHILD_DESCRIPTORS);
    if (dup3(last.report, 4, O_CLOEXEC) < 0) fail(&last, SOULBOX_CHILD_DESCRIPTORS);
    last.report = 4;
    if (syscall(SYS_close_range, 5, ~0U, 0) < 0) fail(&last, SOULBOX_CHILD_DESCRIPTORS);

    // A sandbox outlives the isolator; what ends one with its execution is PID 1's own doing.
    if (prctl(PR_SET_PDEATHSIG, 0) < 0) fail(&last, SOULBOX_CHILD_EXEC);
    // From inside the new root: only so does the user namespace own PID 1's memory.
    char *arguments[] = {"soulbox-init", NULL};
    char *environment[] = {NULL};
    execve(spec->init_path, arguments, environment);
    fail(&last, SOULBOX_CHILD_EXEC);
}

// The system call itself: between its return in the child and its return in the parent, which share this stack, the child
// must not find, nor leave, anything on it above the caller's frame, such as a return address of a wrapper's.
static inline __attribute__((always_inline)) long clone_here(const struct clone_args *arguments) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long number __asm__("x8") = SYS_clone3;
    register long first __asm__("x0") = (long)arguments;
    register long second __asm__("x1") = (long)sizeof *arguments;
    __asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory");
    return first;
#else
#error "name clone3(2) for this processor"
#endif
}

__attribute__((noinline)) void soulbox_clone_sandbox(const struct soulbox_child_spec *spec, struct soulbox_child *child_) {
    // Not CLONE_NEWNS and not CLONE_NEWCGROUP: the child makes those after the parent has mounted and attached.
    // As vfork(2): the child has this memory and this thread's stack until its exec, and this thread stands still. A copy of
    // the tables of a whole service's pages, and of each page that its threads write to afterwards, cost more than all
    // else. In the middle of a vfork the kernel does not take a process for one to kill when memory runs out.
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_PARENT_SETTID | CLONE_INTO_CGROUP,
        .parent_tid = (uint64_t)(uintptr_t)&child_->pid,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)spec->cgroup,
    };
    long pid = clone_here(&arguments);
    if (pid == 0) child(spec, child_);
    if (*(volatile int *)&child_->begun) {
        ssize_t ended = write(spec->begun, "E", 1);
        (void)ended;
        return;
    }
    // There is none, or it was killed before its first instruction: nobody else will tell.
    if (pid > 0) {
        waitpid((pid_t)pid, NULL, 0);
        pid = -ECHILD;
    }
    child_->pid = (pid_t)pid;
    ssize_t ignored = write(spec->begun, "F", 1);
    (void)ignored;
}

pid_t soulbox_clone_probe(int cgroup, int *pidfd) {
    struct clone_args arguments = {
        .flags = CLONE_NEWUSER | CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)cgroup,
    };
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid != 0) return pid < 0 ? -errno : (pid_t)pid;
    for (;;) pause();
}
