// The child that becomes a zygote: an interpreter that is only ever forked.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Where the child failed. The number crosses a pipe with an errno.
enum soulbox_zygote_step {
    SOULBOX_ZYGOTE_DESCRIPTORS = 1,
    SOULBOX_ZYGOTE_ROOT,
    SOULBOX_ZYGOTE_PIVOT,
    SOULBOX_ZYGOTE_LIMITS,
    SOULBOX_ZYGOTE_SESSION,
    SOULBOX_ZYGOTE_CAPABILITIES,
    SOULBOX_ZYGOTE_EXEC,
};

struct soulbox_zygote_spec {
    const char *layers;    // the options of the root's overlay
    const char *root;      // an empty directory, where the root is put together
    const char *directory; // the working directory, inside
    char *const *arguments;
    char *const *environment;
    const uint64_t *limits; // resource, soft, hard; for each limit
    uint32_t limit_count;
    int streams[3];
    int control; // the zygote finds it as descriptor 3
    int cgroup;  // directory of the group to be born in, on the cgroup2 mount
};

// clone3(2) with a mount, network, ipc and uts namespace of the child's own, and without any capability. Returns the pid, or
// -errno of the step that `step` names. The pidfd is close-on-exec.
pid_t soulbox_start_zygote(const struct soulbox_zygote_spec *spec, int *pidfd, int32_t *step);
