// The child of a sandbox's clone3(2), from its first instruction to the exec of soulbox-init.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Where the child failed. The number crosses a pipe; the isolator puts it into words (SandboxChildStep.swift).
enum soulbox_child_step {
    SOULBOX_CHILD_WAIT = 1,
    SOULBOX_CHILD_IDENTITY,
    SOULBOX_CHILD_CGROUP_NAMESPACE,
    SOULBOX_CHILD_SESSION,
    SOULBOX_CHILD_HOSTNAME,
    SOULBOX_CHILD_LOOPBACK,
    SOULBOX_CHILD_MOUNT_NAMESPACE,
    SOULBOX_CHILD_BIND_ROOT,
    SOULBOX_CHILD_MOUNT_PROC,
    SOULBOX_CHILD_VERIFY_PROC,
    SOULBOX_CHILD_MOUNT_PTS,
    SOULBOX_CHILD_MOUNT_SHM,
    SOULBOX_CHILD_MOUNT_RUN,
    SOULBOX_CHILD_PIVOT,
    SOULBOX_CHILD_DETACH_OLD_ROOT,
    SOULBOX_CHILD_NAMESPACE_LIMITS,
    SOULBOX_CHILD_MASK,
    SOULBOX_CHILD_READ_ONLY,
    SOULBOX_CHILD_DESCRIPTORS,
    SOULBOX_CHILD_EXEC,
};

struct soulbox_child_spec {
    const char *root;      // the prepared root, a path in the mount namespace of the calling thread
    const char *hostname;
    const char *init_path; // of soulbox-init, inside the new root
    const char *shm_size;  // of /dev/shm, as tmpfs(5) writes it
    int cgroup;            // directory of the group to be born in, on the cgroup2 mount
    int go;                // read end: one byte when the maps are written and the root is mounted
    int report;            // write end: two int32_t, step and errno, when the child fails
    int ready;             // write end: 'R' from soulbox-init, which finds it as descriptor 3
    int begun;             // where 'B' is written at the beginning and 'E' at the exec or end, or 'F' when there is no child
};

struct soulbox_child {
    pid_t pid; // -errno when there is none that has begun
    int begun; // set by the child, which has this memory, before it writes 'B'
};

// Gives the calling thread a table of descriptors of its own, with the streams and `kept` alone: a clone3(2) copies the table,
// and the child closes what it is not to have, each descriptor of a service that holds thousands. Returns 0, or -1 with errno.
int soulbox_own_descriptors(int kept);

// clone3(2) with a user, pid, network, ipc and uts namespace of the child's own, born in spec->cgroup. The calling thread
// stands still until the child's exec or end. Another one finds `child` filled when a byte has come from spec->begun.
void soulbox_clone_sandbox(const struct soulbox_child_spec *spec, struct soulbox_child *child);

// clone3(2) into a user namespace of its own; the child does nothing but wait to be killed. For start-up probes.
// Returns the pid, or -errno.
pid_t soulbox_clone_probe(int cgroup, int *pidfd);
