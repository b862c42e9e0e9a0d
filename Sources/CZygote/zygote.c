// From the isolator's word to a program's process in its sandbox: only C runs, in a single thread, and each step stands
// where it stands for a reason. The zygote has read no tenant's data, and what it is sent holds none.
#define _GNU_SOURCE
#include "CProgram.h"
#include "CZygote.h"
#include "python.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Where the zygote finds the isolator's socket; its end is the zygote's.
enum { CONTROL = 3 };
enum { KIND_START = 1, FLAG_AHEAD = 32 };
// madvise(2), since Linux 5.14; libc's headers are older. Where the kernel does not know it nothing is lost.
enum { MADV_POPULATE_WRITE_ = 23 };

// glibc's: the first since 2.32, which every system image has, the others since 2.35, and nothing where they are missing.
extern char __libc_single_threaded __attribute__((weak));
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

static char packet[256 << 10];

// The first words of a START packet; limits follow, and then the other words and the bytes that these count.
struct start {
    uint32_t kind, length, version, flags, user, group, umask, leaf, limit_count;
};
struct rest {
    uint32_t filter_bytes[2], argument_count, variable_count, directory_bytes, string_bytes;
};

// Reads a packet; 0 when its lengths do not add up.
static int read_start(size_t length, struct program *program) {
    struct start start;
    struct rest rest;
    if (length < sizeof start) return 0;
    memcpy(&start, packet, sizeof start);
    if (start.kind != KIND_START || start.length != length - 8 || start.limit_count > 16) return 0;
    size_t limits = start.limit_count * sizeof(struct program_limit);
    if (length < sizeof start + limits + sizeof rest) return 0;
    memcpy(&rest, packet + sizeof start + limits, sizeof rest);
    const char *filters = packet + sizeof start + limits + sizeof rest;
    uint64_t needed = (uint64_t)rest.filter_bytes[0] + rest.filter_bytes[1] + rest.directory_bytes + rest.string_bytes;
    if (needed != length - (size_t)(filters - packet) || rest.directory_bytes == 0 || start.user == 0) return 0;
    *program = (struct program){
        .user = start.user, .group = start.group, .umask = start.umask, .limit_count = start.limit_count,
        .limits = packet + sizeof start, .filters = {filters, filters + rest.filter_bytes[0]},
        .filter_bytes = {rest.filter_bytes[0], rest.filter_bytes[1]},
        .directory = filters + rest.filter_bytes[0] + rest.filter_bytes[1], .is_forked = 1,
        .is_ahead = (start.flags & FLAG_AHEAD) != 0,
    };
    return program->directory[rest.directory_bytes - 1] == 0;
}

// Enters the sandbox and forks the program's process in it; returns there.
static void enter(const struct program *program, int sandbox) {
    int connection = program->connection;
    // First, while the zygote's own identity counts: no key of one program's session is another's.
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0 && errno != ENOSYS)
        program_fail(connection, PROGRAM_STEP_KEYRING);
    // All at once: the user namespace gives the rights that the others ask for, and after it those of the host are gone.
    // Root and working directory become the sandbox's with its mount namespace.
    if (setns(sandbox, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                           CLONE_NEWCGROUP) < 0)
        program_fail(connection, PROGRAM_STEP_ENTER);
    // The pid namespace takes children only, and only a child that loses its parent inside becomes PID 1's, which is to be
    // the parent of every program. The one in between shares this memory, for the moment until it ends.
    pid_t between = vfork();
    if (between == 0) {
        pid_t pid = fork();
        if (pid == 0) return;
        _exit(pid < 0 ? errno : 0);
    }
    int status = 0;
    if (between < 0 || waitpid(between, &status, 0) < 0) program_fail(connection, PROGRAM_STEP_FORK);
    if (status != 0) errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR, program_fail(connection, PROGRAM_STEP_FORK);
    _exit(0);
}

// Registers the thread's restartable sequences (rseq(2)) where glibc had: a fork inherits that, but not from a process that
// shares its parent's memory, as the one in between. Without it sched_getcpu(3) tells for ever where the zygote ran.
static void restore_sequences(void) {
    enum { AREA_BYTES = 32 };
#if defined(__x86_64__)
    const unsigned signature = 0x53053053; // RSEQ_SIG of <sys/rseq.h>
#elif defined(__aarch64__)
    const unsigned signature = 0xd428bc00;
#else
#error "name RSEQ_SIG for this processor"
#endif
    // A kernel that refuses takes nothing away.
    if (&__rseq_offset && &__rseq_size && __rseq_size > 0)
        (void)syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, AREA_BYTES, 0, signature);
}

// By hand: strtoul(3) has a version of its own in newer libraries, which those of images need not know.
static unsigned long hexadecimal(char *text, char **rest) {
    unsigned long value = 0;
    for (;; text++) {
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : -1;
        *rest = text;
        if (digit < 0) return value;
        value = value << 4 | (unsigned long)digit;
    }
}

// Makes pages of a writable mapping the process's own: those that the zygote has written to, and no others. What it has not
// touched, half of the interpreter's heap, would have to be cleared now and given back at the end.
static void populate_mapping(int pagemap, unsigned long begin, unsigned long end, unsigned long page) {
    uint64_t entries[256];
    unsigned long first = 0;
    for (unsigned long at = begin; at < end;) {
        unsigned long count = (end - at) / page < 256 ? (end - at) / page : 256;
        ssize_t length = pread(pagemap, entries, count * sizeof entries[0], (off_t)(at / page * sizeof entries[0]));
        if (length < (ssize_t)sizeof entries[0]) return;
        for (size_t i = 0; i < (size_t)length / sizeof entries[0]; i++, at += page) {
            // Documentation/admin-guide/mm/pagemap.rst: bit 63, present; bit 61, still the file's.
            int is_written = (entries[i] >> 63 & 1) != 0 && (entries[i] >> 61 & 1) == 0;
            if (is_written && !first) first = at;
            if (is_written || !first) continue;
            (void)madvise((void *)first, at - first, MADV_POPULATE_WRITE_);
            first = 0;
        }
    }
    if (first) (void)madvise((void *)first, end - first, MADV_POPULATE_WRITE_);
}

// Makes the memory that the interpreter will write to its own, page by page, while nobody waits for it: each page that is
// still the zygote's is copied when it is first written to, and an interpreter that ends writes to nearly all of them.
static void populate(void) {
    static char maps[64 << 10];
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    for (ssize_t count = 1; file >= 0 && count > 0 && length < sizeof maps - 1; length += (size_t)count) {
        count = read(file, maps + length, sizeof maps - 1 - length);
        if (count < 0) count = 0;
    }
    maps[length] = 0;
    // proc_pid_maps(5): "begin-end rw-p offset device inode path"
    for (char *line = maps; pagemap >= 0 && line && *line; line = strchr(line, '\n'), line += line != NULL) {
        char *rest;
        unsigned long begin = hexadecimal(line, &rest), end = *rest == '-' ? hexadecimal(rest + 1, &rest) : 0;
        if (end > begin && !strncmp(rest, " rw-p", 5)) populate_mapping(pagemap, begin, end, (unsigned long)getpagesize());
    }
    if (file >= 0) close(file);
    if (pagemap >= 0) close(pagemap);
}

static PyObject *serve(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    // What enters a sandbox has this memory, and what forks the program has a number in the sandbox's pid namespace: nobody
    // there may look into it, PID 1 with all capabilities of its namespace included (ptrace(2), PR_SET_DUMPABLE of prctl(2)).
    if (prctl(PR_SET_DUMPABLE, 0) < 0) _exit(1);
    for (;;) {
        int descriptors[ZYGOTE_DESCRIPTORS], count;
        ssize_t length = program_receive(CONTROL, packet, sizeof packet, 0, descriptors, ZYGOTE_DESCRIPTORS, &count);
        // The isolator has gone, or has another zygote.
        if (length <= 0) _exit(0);
        struct program program;
        if (count != ZYGOTE_DESCRIPTORS || !read_start((size_t)length, &program)) _exit(1);
        program.connection = descriptors[ZYGOTE_CONNECTION];
        for (int i = 0; i < 3; i++) program.streams[i] = descriptors[ZYGOTE_STREAMS + i];
        for (int i = 0; i < 2; i++) program.handover[i] = descriptors[ZYGOTE_HANDOVER + i];
        PyOS_BeforeFork();
        // The process that enters has this memory, and this thread stands still until it has ended: a copy of the tables of the
        // interpreter's pages is made once, for the program's process. Not where a module that was imported ahead has started
        // a thread: the fork inside takes locks then, and whoever is killed in it must leave them in a memory of its own.
        int shares = &__libc_single_threaded && __libc_single_threaded;
        pid_t pid = shares ? vfork() : fork();
        if (pid == 0) {
            enter(&program, descriptors[ZYGOTE_SANDBOX]);
            // While no filter has to allow it.
            restore_sequences();
            program_become(&program);
            // After the word to go on, which comes when the process has its own cgroup to be charged.
            if (program.is_ahead) populate();
            PyOS_AfterFork_Child();
            return PyLong_FromLong(0);
        }
        int failure = errno;
        PyOS_AfterFork_Parent();
        if (pid < 0) {
            uint32_t told[4] = {PROGRAM_KIND_FAILED, 8, PROGRAM_STEP_FORK, (uint32_t)failure};
            (void)send(program.connection, told, sizeof told, MSG_NOSIGNAL);
        }
        for (int i = 0; i < count; i++) close(descriptors[i]);
        if (pid > 0) waitpid(pid, NULL, 0);
    }
}

static struct PyMethodDef methods[] = {
    {"serve", serve, METH_NOARGS, "Returns in the process of each program."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {.reference_count = 1, .name = "zygote", .methods = methods};

__attribute__((visibility("default"))) PyObject *PyInit_zygote(void);
PyObject *PyInit_zygote(void) { return PyModuleDef_Init(&module); }
