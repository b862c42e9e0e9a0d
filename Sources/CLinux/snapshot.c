#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int soulbox_freeze(int directory) { return ioctl(directory, FIFREEZE, 0); }
int soulbox_thaw(int directory) { return ioctl(directory, FITHAW, 0); }
int soulbox_clone_file(int from, int to) { return ioctl(to, FICLONE, from); }
int64_t soulbox_next_data(int file, int64_t offset) { return lseek(file, offset, SEEK_DATA); }
int64_t soulbox_next_hole(int file, int64_t offset) { return lseek(file, offset, SEEK_HOLE); }

int soulbox_punch_hole(int file, int64_t offset, int64_t length) {
    return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}

int soulbox_copy_range(int from, int to, int64_t offset, int64_t length) {
    while (length > 0) {
        loff_t source = offset, target = offset;
        ssize_t count = copy_file_range(from, &source, to, &target, (size_t)length, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) return 0; // the file has become shorter
        offset += count;
        length -= count;
    }
    return 0;
}

// All of `count` bytes; what is behind the end of the file is zero.
static int read_all(int file, char *buffer, size_t count, int64_t offset) {
    while (count > 0) {
        ssize_t got = pread(file, buffer, count, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) {
            memset(buffer, 0, count);
            return 0;
        }
        buffer += got;
        count -= (size_t)got;
        offset += got;
    }
    return 0;
}

static int write_all(int file, const char *buffer, size_t count, int64_t offset) {
    while (count > 0) {
        ssize_t put = pwrite(file, buffer, count, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        buffer += put;
        count -= (size_t)put;
        offset += put;
    }
    return 0;
}

enum { UPDATE_PIECE = 1 << 20, UPDATE_BLOCK = 64 << 10 };

int64_t soulbox_update_range(int from, int to, int64_t offset, int64_t length) {
    char *source = malloc(2 * UPDATE_PIECE), *target = source ? source + UPDATE_PIECE : NULL;
    int64_t changed = 0;
    if (!source) return -1;
    while (length > 0) {
        size_t piece = length < UPDATE_PIECE ? (size_t)length : UPDATE_PIECE;
        if (read_all(from, source, piece, offset) < 0 || read_all(to, target, piece, offset) < 0) goto failed;
        if (memcmp(source, target, piece) != 0) {
            for (size_t at = 0; at < piece; at += UPDATE_BLOCK) {
                size_t block = piece - at < UPDATE_BLOCK ? piece - at : UPDATE_BLOCK;
                if (memcmp(source + at, target + at, block) == 0) continue;
                if (write_all(to, source + at, block, offset + (int64_t)at) < 0) goto failed;
                changed += (int64_t)block;
            }
        }
        offset += (int64_t)piece;
        length -= (int64_t)piece;
    }
    free(source);
    return changed;
failed:;
    int failure = errno;
    free(source);
    errno = failure;
    return -1;
}

int soulbox_loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int channel = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (channel < 0) return -1;
    int result = ioctl(channel, SIOCSIFFLAGS, &request);
    int failure = errno;
    close(channel);
    errno = failure;
    return result;
}

// In a child of its own, since a process with threads cannot enter a user namespace: only async-signal-safe calls.
int soulbox_forbid_namespaces(int user_namespace) {
    static const char *const limits[] = {
        "/proc/sys/user/max_user_namespaces", "/proc/sys/user/max_mnt_namespaces", "/proc/sys/user/max_pid_namespaces",
        "/proc/sys/user/max_net_namespaces",  "/proc/sys/user/max_ipc_namespaces", "/proc/sys/user/max_uts_namespaces",
        "/proc/sys/user/max_cgroup_namespaces", "/proc/sys/user/max_time_namespaces", NULL};
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child < 0) return -1;
    if (child == 0) {
        if (setns(user_namespace, CLONE_NEWUSER) < 0) _exit(errno & 0x7F);
        for (int i = 0; limits[i]; i++) {
            int file = open(limits[i], O_WRONLY | O_CLOEXEC);
            if (file < 0 && errno == ENOENT) continue; // a kind that this kernel does not know
            if (file < 0 || write(file, "0", 1) != 1) _exit(errno & 0x7F);
            close(file);
        }
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    return errno == 0 ? 0 : -1;
}
