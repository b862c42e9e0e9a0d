#define _GNU_SOURCE
#include "CInit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int init_listen(const char *directory, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (mkdir(directory, 0700) < 0 && errno != EEXIST) return -errno;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 64) < 0)
        return -errno;
    return listener;
}

int init_accept(int listener) {
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) return -1;
    struct ucred peer;
    socklen_t length = sizeof peer;
    // A process that this pid namespace does not know has the pid 0: only the isolator is one.
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.pid != 0) {
        close(connection);
        return -1;
    }
    return connection;
}

ssize_t init_receive(int connection, void *buffer, size_t size, int *descriptors, int *count) {
    return program_receive(connection, buffer, size, MSG_DONTWAIT, descriptors, INIT_MAXIMUM_DESCRIPTORS, count);
}

void init_send(int connection, const void *bytes, size_t count) {
    (void)send(connection, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void init_close(int descriptor) { close(descriptor); }

int init_watch_signals(void) {
    sigset_t all, watched;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    return signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
}

int init_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
}

int init_reap(struct init_death *exit) {
    struct rusage usage;
    int status;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) return 0;
    exit->pid = pid;
    exit->status = status;
    exit->user_microseconds = (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec;
    exit->system_microseconds = (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
    exit->peak_kibibytes = (uint64_t)usage.ru_maxrss;
    return 1;
}

ssize_t init_read(int descriptor, void *buffer, size_t size) {
    ssize_t count;
    do count = read(descriptor, buffer, size);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t init_write(int descriptor, const void *bytes, size_t count) {
    ssize_t written;
    do written = write(descriptor, bytes, count);
    while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

int init_pipe(int ends[2], int own) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    // Only our end: a program is surprised by a standard stream that does not wait.
    int flags = fcntl(ends[own], F_GETFL);
    if (flags < 0 || fcntl(ends[own], F_SETFL, flags | O_NONBLOCK) < 0) {
        int failure = -errno;
        close(ends[0]);
        close(ends[1]);
        return failure;
    }
    return 0;
}

int init_signal(pid_t pid, int signal) { return kill(pid, signal) < 0 ? -errno : 0; }

uint64_t init_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void init_kill_all(void) { kill(-1, SIGKILL); }
void init_kill(pid_t pid) { kill(pid, SIGKILL); }
void init_allow_inspection(int allows) { prctl(PR_SET_DUMPABLE, allows); }

void init_wait(struct init_poll *entries, size_t count) {
    struct pollfd raw[192];
    if (count > 192) count = 192;
    for (size_t i = 0; i < count; i++)
        raw[i] = (struct pollfd){.fd = entries[i].descriptor, .events = entries[i].events & (POLLIN | POLLRDHUP)};
    while (poll(raw, count, -1) < 0 && errno == EINTR) {}
    for (size_t i = 0; i < count; i++) {
        short found = raw[i].revents;
        entries[i].returned = (short)((found & POLLIN ? INIT_READABLE : 0) |
                                      (found & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL) ? INIT_HUNG_UP : 0));
    }
}

void init_report_ready(void) {
    ssize_t ignored = write(3, "R", 1);
    (void)ignored;
    close(3);
}

void init_exit(int code) { _exit(code); }
