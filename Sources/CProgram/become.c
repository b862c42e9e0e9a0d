// Runs between fork and exec in a single thread: no allocation, and each step where it stands for a reason.
#define _GNU_SOURCE
#include "CProgram.h"
#include "child_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The handover follows the connection, which exec closes.
enum { CONNECTION = 3, HANDOVER = 4 };

void program_fail(int connection, enum program_step step) {
    uint32_t packet[4] = {PROGRAM_KIND_FAILED, 8, (uint32_t)step, (uint32_t)errno};
    (void)send(connection, packet, sizeof packet, MSG_NOSIGNAL);
    _exit(127);
}

static int set_streams(const struct program *program) {
    // First above the numbers that they are to have, so that none is overwritten before its turn.
    int above[6];
    int last = program->handover[0] < 0 ? CONNECTION : HANDOVER + 1;
    for (int i = 0; i <= last; i++) {
        int from = i < 3 ? program->streams[i] : i == CONNECTION ? program->connection : program->handover[i - HANDOVER];
        if (from < 0) from = open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
        if (from < 0) return -1;
        above[i] = fcntl(from, F_DUPFD_CLOEXEC, 64);
        if (above[i] < 0) return -1;
    }
    for (int i = 0; i <= last; i++)
        if (i != CONNECTION && dup2(above[i], i) < 0) return -1;
    return dup3(above[CONNECTION], CONNECTION, O_CLOEXEC) < 0 ? -1 : 0;
}

static int set_limits(const struct program *program) {
    for (uint32_t i = 0; i < program->limit_count; i++) {
        struct program_limit limit;
        memcpy(&limit, (const char *)program->limits + i * sizeof limit, sizeof limit);
        if (child_lower_limit((int)limit.resource, limit.soft, limit.hard) < 0) return -1;
    }
    return 0;
}

static int drop_bounding_set(void) {
    int capability = 0;
    while (prctl(PR_CAPBSET_DROP, capability) == 0) capability++;
    // prctl(2): EINVAL where it is no capability of this kernel's, so all of them are gone.
    return errno == EINVAL && capability > 0 ? 0 : -1;
}

static int install_filter(const void *bytes, uint32_t count) {
    struct sock_fprog program = {.len = (unsigned short)(count / sizeof(struct sock_filter)),
                                 .filter = (struct sock_filter *)(uintptr_t)bytes};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

// A GO packet without a body lets the process go on to what START said. One with a body says what it is to execute: these
// words, then limits, arguments and variables. Beside it are its three streams.
struct work {
    uint32_t kind, length, limit_count, argument_count, variable_count, string_bytes;
};

static size_t count_strings(const char *bytes, size_t size) {
    size_t found = 0;
    for (size_t i = 0; i < size; i++) found += bytes[i] == 0;
    return size > 0 && bytes[size - 1] != 0 ? 0 : found;
}

// Waits for the isolator's word; whatever is not whole ends the process.
static void await_go(struct program *program) {
    static char packet[256 << 10];
    struct work work = {0};
    int streams[3], count;
    ssize_t length = program_receive(CONNECTION, packet, sizeof packet, 0, streams, 3, &count);
    if (length < 8) _exit(127);
    memcpy(&work, packet, (size_t)length < sizeof work ? (size_t)length : sizeof work);
    if (work.kind != PROGRAM_KIND_GO || work.length != (size_t)length - 8) _exit(127);
    if (work.length == 0) return;
    size_t limits = work.limit_count * sizeof(struct program_limit);
    if ((size_t)length < sizeof work || program->is_forked || count != 3 || work.limit_count > 16 ||
        work.argument_count == 0 || work.argument_count > PROGRAM_MAXIMUM_STRINGS ||
        work.variable_count > PROGRAM_MAXIMUM_STRINGS ||
        sizeof work + limits + (uint64_t)work.string_bytes != (uint64_t)length)
        _exit(127);
    program->limit_count = work.limit_count;
    program->limits = packet + sizeof work;
    program->argument_count = work.argument_count;
    program->variable_count = work.variable_count;
    program->strings = packet + sizeof work + limits;
    if (count_strings(program->strings, work.string_bytes) != work.argument_count + work.variable_count) _exit(127);
    // Lower only: START gave the most that any program may have.
    if (set_limits(program) < 0) program_fail(CONNECTION, PROGRAM_STEP_LIMITS);
    for (int i = 0; i < 3; i++)
        if (dup2(streams[i], i) < 0 || close(streams[i]) < 0) program_fail(CONNECTION, PROGRAM_STEP_STREAMS);
    (void)ioctl(0, TIOCSCTTY, 0);
}

void program_become(struct program *program) {
    int connection = program->connection;
    // A session of its own first: no terminal of anybody's, and a process group that signals can go to.
    if (setsid() < 0) program_fail(connection, PROGRAM_STEP_SESSION);
    if (set_streams(program) < 0) program_fail(connection, PROGRAM_STEP_STREAMS);
    connection = CONNECTION;
    // Where the input is a terminal, it is this session's: then ^C reaches the program. Anything else refuses to be one.
    (void)ioctl(0, TIOCSCTTY, 0);
    // PID 1 blocks every signal; a program starts with none blocked. One that is forked has set up its own.
    if (!program->is_forked && child_reset_signals() < 0) program_fail(connection, PROGRAM_STEP_SIGNALS);
    // Before the identity changes: lowering needs no privilege, but a limit on processes counts for the new user.
    if (set_limits(program) < 0) program_fail(connection, PROGRAM_STEP_LIMITS);

    // While still uid 0 of the namespace, since each of these needs CAP_SETPCAP: nothing may come back by exec.
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) program_fail(connection, PROGRAM_STEP_AMBIENT);
    if (drop_bounding_set() < 0) program_fail(connection, PROGRAM_STEP_BOUNDING);
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) < 0)
        program_fail(connection, PROGRAM_STEP_SECUREBITS);
    // Groups before group before user: afterwards the capability for it is of no use any more.
    if (syscall(SYS_setgroups, 0, NULL) < 0) program_fail(connection, PROGRAM_STEP_GROUPS);
    if (syscall(SYS_setresgid, program->group, program->group, program->group) < 0 ||
        syscall(SYS_setresuid, program->user, program->user, program->user) < 0)
        program_fail(connection, PROGRAM_STEP_IDENTITY);
    // setresuid keeps capabilities under NO_SETUID_FIXUP: they go by themselves, and after the last use of one.
    if (child_drop_capabilities() < 0) program_fail(connection, PROGRAM_STEP_CAPABILITIES);
    // The change of identity has done it, unless the host has another fs.suid_dumpable: what runs in the sandbox as the same
    // user may stop the process from here on, but not look into it.
    if (prctl(PR_SET_DUMPABLE, 0) < 0) program_fail(connection, PROGRAM_STEP_DUMPABLE);

    // All that is left of PID 1, or of the zygote: the listener, other connections, the signal descriptor.
    int above = program->handover[0] < 0 ? CONNECTION + 1 : HANDOVER + 2;
    if (syscall(SYS_close_range, above, ~0U, 0) < 0) program_fail(connection, PROGRAM_STEP_DESCRIPTORS);
    // As the program's user, so that its permissions count; a path that leads out of the root has no slash in front.
    char where[4096];
    if (chdir(program->directory) < 0) program_fail(connection, PROGRAM_STEP_DIRECTORY);
    if (!getcwd(where, sizeof where)) program_fail(connection, PROGRAM_STEP_DIRECTORY);
    if (where[0] != '/') errno = ENOENT, program_fail(connection, PROGRAM_STEP_DIRECTORY);
    umask(program->umask);

    // The filters last: every call above would have to be allowed by them. No-new-privileges is what lets a process
    // without privileges install one.
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) program_fail(connection, PROGRAM_STEP_NO_NEW_PRIVILEGES);
    if (install_filter(program->filters[0], program->filter_bytes[0]) < 0) program_fail(connection, PROGRAM_STEP_FILTER_NUMBERS);
    if (install_filter(program->filters[1], program->filter_bytes[1]) < 0) program_fail(connection, PROGRAM_STEP_FILTER_ARGUMENTS);

    // Exec would do it. Last of all: until here nobody in the sandbox may look into the process.
    if (program->is_forked && prctl(PR_SET_DUMPABLE, 1) < 0) program_fail(connection, PROGRAM_STEP_DUMPABLE);

    // The isolator learns the host's pid from the credentials of this packet, moves the process into its cgroup and
    // checks its posture; then it says go.
    uint32_t ready[3] = {PROGRAM_KIND_READY, 4, (uint32_t)getpid()};
    if (send(connection, ready, sizeof ready, MSG_NOSIGNAL) != sizeof ready) program_fail(connection, PROGRAM_STEP_READY);
    await_go(program);
    // Exec would do it.
    if (program->is_forked) close(connection);
}
