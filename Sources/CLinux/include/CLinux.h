// What Swift's Glibc module does not name: system calls without a wrapper, constants behind macros, and struct layouts
// that macros walk over. One line of C for each where that is possible.
#pragma once

#include "sandbox_child.h"
#include "spawn.h"
#include "zygote_child.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// strerrorname_np(3); NULL for a number that is none.
const char *soulbox_error_name(int number);
void soulbox_name_thread(unsigned long thread, const char *name);
ssize_t soulbox_readlink(int directory, const char *path, void *buffer, size_t size);
// Whether an open file lies on a procfs.
int soulbox_is_procfs(int descriptor);

extern const int soulbox_O_PATH;
extern const int soulbox_SOCK_STREAM, soulbox_SOCK_SEQPACKET, soulbox_SOCK_CLOEXEC;
extern const int soulbox_MSG_DONTWAIT;
extern const int soulbox_POLLRDHUP;
enum { SOULBOX_MFD_CLOEXEC = 1, SOULBOX_MFD_ALLOW_SEALING = 2 };

int soulbox_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int soulbox_pipe2(int *ends, int flags);
int soulbox_memfd_create(const char *name, unsigned flags);
// F_ADD_SEALS with write, shrink, grow and seal.
int soulbox_seal(int descriptor);
int soulbox_accept4(int listener, void *address, void *length, int flags);
uint64_t soulbox_makedev(unsigned major, unsigned minor);

struct soulbox_ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
int soulbox_peer_credentials(int socket, struct soulbox_ucred *credentials);

// sendmsg(2) with MSG_NOSIGNAL and SCM_RIGHTS.
ssize_t soulbox_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);

struct soulbox_received {
    int descriptors[32];
    int count;
    int truncated;
    int has_credentials;
    struct soulbox_ucred credentials;
};
// recvmsg(2) with MSG_CMSG_CLOEXEC. Descriptors of a truncated message are closed.
ssize_t soulbox_receive(int socket, void *bytes, size_t count, int flags, struct soulbox_received *received);

int soulbox_pidfd_open(pid_t pid, unsigned flags);
int soulbox_pidfd_send_signal(int pidfd, int signal);
// waitid(2) with P_PIDFD and WEXITED; `code` is si_code, `status` si_status.
int soulbox_wait_pidfd(int pidfd, int *code, int *status);

int soulbox_unshare(uint64_t flags);
int soulbox_setns(int descriptor, int kind);
int soulbox_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *data);
int soulbox_unmount(const char *target, int detach);
int soulbox_open_tree(int directory, const char *path, unsigned flags);
int soulbox_move_mount(int from, int to_directory, const char *to_path, unsigned flags);
int soulbox_fsopen(const char *type);
int soulbox_fsconfig_string(int context, const char *key, const char *value);
int soulbox_fsconfig_flag(int context, const char *key);
int soulbox_fsconfig_create(int context);
int soulbox_fsconfig_reconfigure(int context);
int soulbox_fsmount(int context, unsigned attributes);
// fspick(2) of the filesystem whose root a descriptor is.
int soulbox_fspick(int descriptor);
int soulbox_open_temporary(const char *directory);
int soulbox_mount_setattr(int mount, uint64_t set, uint64_t clear, int idmap_user_namespace);

int soulbox_eventfd(void);

// Unlocks a pseudo-terminal and opens its other end (ioctl_tty(2), TIOCSPTLCK and TIOCGPTPEER); -1 on failure.
int soulbox_terminal_peer(int terminal);
int soulbox_set_terminal_size(int terminal, uint16_t rows, uint16_t columns);

// The name of the system call of that number in our list, nil behind its end; `missing` says whether the kernel, or a
// filter in front of it, does not know the call. It is made with arguments that no kernel takes.
const char *soulbox_needed_call(unsigned index, int *missing);

// A socket of netlink(7), bound, close-on-exec; -1 on failure.
int soulbox_netlink(int protocol);

// Binds a free loop device to a file, to be cleared by the kernel when nobody uses it any more (loop(4),
// LO_FLAGS_AUTOCLEAR). Returns the open device, or -1; `number` is that of /dev/loop<number>.
int soulbox_loop_attach(int file, int *number);
// Makes a loop device as large as its file has become (LOOP_SET_CAPACITY).
int soulbox_loop_resize(int device);
// Grows a mounted ext4 to that many blocks (EXT4_IOC_RESIZE_FS); needs CAP_SYS_RESOURCE.
int soulbox_ext4_resize(int directory, uint64_t blocks);

// Sets whose files the calling thread makes and may reach (setfsuid(2), setfsgid(2)). With `keep_capabilities` it keeps
// the power over files that the kernel takes from a thread whose file user is not root. Returns 0 or -1.
int soulbox_set_file_ids(uint32_t user, uint32_t group, int keep_capabilities);
int soulbox_syncfs(int descriptor);
int soulbox_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned flags);
// Attaches a device program to a cgroup v2 that allows reading and writing of the harmless character devices alone.
int soulbox_restrict_devices(int group);

// Removes a file or a tree without following links, with a bounded number of descriptors and no recursion.
// Returns 0 or -errno.
int soulbox_remove_tree(const char *path);

// Keeps writers of a filesystem waiting, with everything written so far on its device, and lets them go on (FIFREEZE,
// FITHAW of ioctl_fs(2)).
int soulbox_freeze(int directory);
int soulbox_thaw(int directory);
// Shares the blocks of a file until one of the two changes (FICLONE).
int soulbox_clone_file(int from, int to);
// Where the next data or the next hole begins (SEEK_DATA, SEEK_HOLE of lseek(2)); -1 with ENXIO behind the last.
int64_t soulbox_next_data(int file, int64_t offset);
int64_t soulbox_next_hole(int file, int64_t offset);
int soulbox_punch_hole(int file, int64_t offset, int64_t length);
// Copies a range to the same place of another file, within the kernel.
int soulbox_copy_range(int from, int to, int64_t offset, int64_t length);
// Makes a range of a file what it is in another one, and writes nothing where it is that already. Gives the bytes written.
int64_t soulbox_update_range(int from, int to, int64_t offset, int64_t length);
// Brings up 127.0.0.1 in the calling thread's network namespace.
int soulbox_loopback_up(void);
// Writes 0 to what a user namespace may make of namespaces (namespaces(7), /proc/sys/user).
int soulbox_forbid_namespaces(int user_namespace);
