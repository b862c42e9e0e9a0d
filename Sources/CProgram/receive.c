#define _GNU_SOURCE
#include "CProgram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// More than any packet has.
enum { MAXIMUM_DESCRIPTORS = 16 };

ssize_t program_receive(int connection, void *buffer, size_t size, int flags, int *descriptors, int capacity, int *count) {
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(MAXIMUM_DESCRIPTORS * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    *count = 0;
    ssize_t result;
    do result = recvmsg(connection, &message, MSG_CMSG_CLOEXEC | flags);
    while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < arrived && *count < capacity; i++)
            memcpy(&descriptors[(*count)++], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        while (*count > 0) close(descriptors[--*count]);
        return -EMSGSIZE;
    }
    return result;
}
