// Starting a service process: fork and exec with another user, descriptors in place, and errno back when it fails.
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct soulbox_spawn_spec {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    // The child's 0, 1 and 2; -1 is /dev/null.
    int streams[3];
    uint32_t user, group;
    // Sent to the child when the thread that started it ends; 0 for none.
    int parent_death_signal;
};

// Returns the pid, or -errno of the step that failed, exec included. The pidfd is close-on-exec.
pid_t soulbox_spawn(const struct soulbox_spawn_spec *spec, int *pidfd);
