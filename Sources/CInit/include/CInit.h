// The system calls of soulbox-init, and the steps of a program's process between fork and exec.
//
// Embedded Swift has no Glibc module; what PID 1 needs of libc is named here, a few lines of C for each.
#pragma once

#include "CProgram.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Forks the program's process. Returns its pid, or -errno.
pid_t init_start(struct program *program);

// Makes the directory and the socket, and listens. Returns the descriptor, or -errno.
int init_listen(const char *directory, const char *path);
// The next connection from outside the pid namespace; -1 when there is none, or when the peer is from inside.
int init_accept(int listener);
// The most descriptors beside a packet: three streams and the two ends of a handover.
enum { INIT_MAXIMUM_DESCRIPTORS = 5 };
// One packet with its descriptors. Returns its length, 0 at the end, or -errno.
ssize_t init_receive(int connection, void *buffer, size_t size, int *descriptors, int *count);
void init_send(int connection, const void *bytes, size_t count);
void init_close(int descriptor);
// Blocks all signals and gives a descriptor that tells of SIGCHLD and SIGTERM.
int init_watch_signals(void);
// Takes one signal off the descriptor; 0 when there is none.
int init_next_signal(int descriptor);

struct init_death {
    pid_t pid;
    int32_t status;
    uint64_t user_microseconds, system_microseconds, peak_kibibytes;
};
// Collects one dead child, known or adopted; 0 when there is none.
int init_reap(struct init_death *exit);
// read(2) of a descriptor that never waits. Returns the count, 0 at the end, or -errno.
ssize_t init_read(int descriptor, void *buffer, size_t size);
// write(2) to a descriptor that never waits. Returns the count, or -errno.
ssize_t init_write(int descriptor, const void *bytes, size_t count);
// A pipe; the end that stays here never waits. `own` is 0 to keep the read end, 1 to keep the write end.
int init_pipe(int ends[2], int own);
// kill(2). Returns 0 or -errno.
int init_signal(pid_t pid, int signal);
// Microseconds since 1970.
uint64_t init_now(void);
void init_kill_all(void);
void init_kill(pid_t pid);
// Whether others may look into this process (PR_SET_DUMPABLE).
void init_allow_inspection(int allows);

struct init_poll {
    int descriptor;
    short events, returned;
};
// poll(2) without end. INIT_READABLE and INIT_HUNG_UP are what is asked and found.
enum { INIT_READABLE = 1, INIT_HUNG_UP = 0x2000 };
void init_wait(struct init_poll *entries, size_t count);
void init_report_ready(void);
_Noreturn void init_exit(int code);
