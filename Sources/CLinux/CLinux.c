#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

const char *soulbox_error_name(int number) { return strerrorname_np(number); }
void soulbox_name_thread(unsigned long thread, const char *name) { pthread_setname_np(thread, name); }
ssize_t soulbox_readlink(int directory, const char *path, void *buffer, size_t size) {
    return readlinkat(directory, path, buffer, size);
}

int soulbox_terminal_peer(int terminal) {
    int locked = 0;
    if (ioctl(terminal, TIOCSPTLCK, &locked) < 0) return -1;
    return ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int soulbox_set_terminal_size(int terminal, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

int soulbox_is_procfs(int descriptor) {
    struct statfs filesystem;
    return fstatfs(descriptor, &filesystem) == 0 && filesystem.f_type == PROC_SUPER_MAGIC;
}

const int soulbox_O_PATH = O_PATH;
const int soulbox_SOCK_STREAM = SOCK_STREAM, soulbox_SOCK_SEQPACKET = SOCK_SEQPACKET, soulbox_SOCK_CLOEXEC = SOCK_CLOEXEC;
const int soulbox_MSG_DONTWAIT = MSG_DONTWAIT;
const int soulbox_POLLRDHUP = POLLRDHUP;

int soulbox_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    // O_PATH takes no other access flags here, and openat2 refuses what open ignores.
    if (flags & O_PATH) how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int soulbox_pipe2(int *ends, int flags) { return pipe2(ends, flags); }
int soulbox_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }
int soulbox_seal(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}
int soulbox_accept4(int listener, void *address, void *length, int flags) {
    return accept4(listener, address, length, flags);
}
uint64_t soulbox_makedev(unsigned major_, unsigned minor_) { return makedev(major_, minor_); }

_Static_assert(sizeof(struct soulbox_ucred) == sizeof(struct ucred), "struct ucred is mirrored");

int soulbox_peer_credentials(int socket, struct soulbox_ucred *credentials) {
    socklen_t length = sizeof *credentials;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, credentials, &length);
}

ssize_t soulbox_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(32 * sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > 32) {
        errno = EINVAL;
        return -1;
    }
    if (descriptor_count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptor_count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, descriptor_count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t soulbox_receive(int socket, void *bytes, size_t count, int flags, struct soulbox_received *received) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(32 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    memset(received, 0, sizeof *received);
    ssize_t result = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (result < 0) return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_RIGHTS) {
            size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < arrived; i++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
                if (received->count < 32) received->descriptors[received->count++] = descriptor;
                else close(descriptor);
            }
        } else if (header->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&received->credentials, CMSG_DATA(header), sizeof received->credentials);
            received->has_credentials = 1;
        }
    }
    received->truncated = (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
    if (received->truncated) {
        while (received->count > 0) close(received->descriptors[--received->count]);
    }
    return result;
}

int soulbox_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
int soulbox_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}
int soulbox_wait_pidfd(int pidfd, int *code, int *status) {
    siginfo_t information = {0};
    int result = waitid(3 /* P_PIDFD */, (id_t)pidfd, &information, WEXITED);
    *code = information.si_code;
    *status = information.si_status;
    return result;
}

int soulbox_unshare(uint64_t flags) { return unshare((int)flags); }
int soulbox_setns(int descriptor, int kind) { return setns(descriptor, kind); }
int soulbox_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data) {
    return mount(source, target, type, flags, data);
}
int soulbox_unmount(const char *target, int detach) { return umount2(target, UMOUNT_NOFOLLOW | (detach ? MNT_DETACH : 0)); }
int soulbox_open_tree(int directory, const char *path, unsigned flags) {
    return (int)syscall(SYS_open_tree, directory, path, flags | OPEN_TREE_CLOEXEC);
}
int soulbox_move_mount(int from, int to_directory, const char *to_path, unsigned flags) {
    return (int)syscall(SYS_move_mount, from, "", to_directory, to_path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}
int soulbox_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }
int soulbox_fsconfig_string(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}
int soulbox_fsconfig_flag(int context, const char *key) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, key, NULL, 0);
}
int soulbox_fsconfig_create(int context) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}
int soulbox_fsconfig_reconfigure(int context) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}
int soulbox_fsmount(int context, unsigned attributes) {
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
}
int soulbox_open_temporary(const char *directory) {
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}
int soulbox_fspick(int descriptor) {
    return (int)syscall(SYS_fspick, descriptor, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
}
int soulbox_mount_setattr(int mount, uint64_t set, uint64_t clear, int idmap_user_namespace) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};
    if (idmap_user_namespace >= 0) {
        attributes.attr_set |= MOUNT_ATTR_IDMAP;
        attributes.userns_fd = (uint64_t)idmap_user_namespace;
    }
    return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
}

const char *soulbox_needed_call(unsigned index, int *missing) {
    static const struct {
        const char *name;
        long number;
    } calls[] = {
        {"clone3", SYS_clone3},           {"close_range", SYS_close_range},
        {"openat2", SYS_openat2},         {"pidfd_open", SYS_pidfd_open},
        {"pidfd_send_signal", SYS_pidfd_send_signal}, {"fsopen", SYS_fsopen},
        {"fsmount", SYS_fsmount},         {"move_mount", SYS_move_mount},
        {"open_tree", SYS_open_tree},     {"mount_setattr", SYS_mount_setattr},
        {"memfd_create", SYS_memfd_create},
    };
    if (index >= sizeof calls / sizeof *calls) return NULL;
    *missing = syscall(calls[index].number, -1, -1, -1, -1, -1, -1) == -1 && errno == ENOSYS;
    return calls[index].name;
}

int soulbox_netlink(int protocol) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    if (descriptor >= 0 && bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

int soulbox_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
