// Disk images: loop devices, growing, and files made in another's name.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOULBOX_EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t) // fs/ext4/ext4.h; no exported header has it

int soulbox_loop_attach(int file, int *number) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -1;
    // Between asking for a free number and taking it another process may be faster.
    for (int attempt = 0; attempt < 64; attempt++) {
        int free_number = ioctl(control, LOOP_CTL_GET_FREE);
        if (free_number < 0) break;
        char path[32];
        snprintf(path, sizeof path, "/dev/loop%d", free_number);
        int device = open(path, O_RDWR | O_CLOEXEC);
        if (device < 0) {
            // A device that is being removed at this moment.
            if (errno == ENXIO || errno == ENOENT) continue;
            break;
        }
        struct loop_config configuration = {
            .fd = (uint32_t)file, .block_size = 4096, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
        if (ioctl(device, LOOP_CONFIGURE, &configuration) == 0) {
            close(control);
            *number = free_number;
            return device;
        }
        int failure = errno;
        close(device);
        errno = failure;
        if (failure != EBUSY) break;
    }
    int failure = errno;
    close(control);
    errno = failure;
    return -1;
}

int soulbox_loop_resize(int device) { return ioctl(device, LOOP_SET_CAPACITY, 0); }

int soulbox_ext4_resize(int directory, uint64_t blocks) { return ioctl(directory, SOULBOX_EXT4_IOC_RESIZE_FS, &blocks); }

int soulbox_set_file_ids(uint32_t user, uint32_t group, int keep_capabilities) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0) return -1;
    // The group while the right to choose it is there. Neither call tells of a failure: a second one with -1 shows what
    // is in force.
    syscall(SYS_setfsgid, group);
    syscall(SYS_setfsuid, user);
    if ((uint32_t)syscall(SYS_setfsgid, -1) != group || (uint32_t)syscall(SYS_setfsuid, -1) != user) {
        errno = EPERM;
        return -1;
    }
    return keep_capabilities ? (int)syscall(SYS_capset, &header, sets) : 0;
}

int soulbox_syncfs(int descriptor) { return (int)syscall(SYS_syncfs, descriptor); }

int soulbox_renameat2(int from, const char *old_path, int to, const char *new_path, unsigned flags) {
    return (int)syscall(SYS_renameat2, from, old_path, to, new_path, flags);
}
