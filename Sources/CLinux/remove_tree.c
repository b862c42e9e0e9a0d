// Removal of a tree that a hostile program may have built: any depth, any names, links everywhere.
#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_directory(int parent, const char *name) {
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// Empties `directory` of everything that is no directory, and moves what is one up to `top`, where it is met again: so
// depth costs neither descriptors nor stack.
static int flatten(int top, int directory, unsigned long *number) {
    int own = dup(directory);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (!stream) {
        if (own >= 0) close(own);
        return -errno;
    }
    rewinddir(stream);
    for (struct dirent *entry; (entry = readdir(stream));) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) continue;
        if (errno != EISDIR && errno != EPERM) {
            int failure = -errno;
            closedir(stream);
            return failure;
        }
        if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
        int failure = errno == ENOTEMPTY || errno == EEXIST ? 0 : -errno;
        if (failure == 0 && directory != top) {
            char flat[48];
            int moved;
            do {
                snprintf(flat, sizeof flat, ".soulbox-removal-%lu", (*number)++);
                moved = renameat2(directory, name, top, flat, 1 /* RENAME_NOREPLACE */);
            } while (moved < 0 && errno == EEXIST);
            if (moved < 0 && errno != ENOENT) failure = -errno;
        }
        // A mount point is neither removed nor moved (EBUSY): the walk ends there, and never enters it.
        if (failure != 0) {
            closedir(stream);
            return failure;
        }
    }
    closedir(stream);
    return 0;
}

int soulbox_remove_tree(const char *path) {
    if (unlink(path) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return -errno;
    int top = open_directory(AT_FDCWD, path);
    if (top < 0) return -errno;
    unsigned long number = 0;
    for (;;) {
        int result = flatten(top, top, &number);
        if (result < 0) {
            close(top);
            return result;
        }
        if (rmdir(path) == 0) break;
        if (errno != ENOTEMPTY) {
            int failure = -errno;
            close(top);
            return failure;
        }
        int own = dup(top);
        DIR *stream = own < 0 ? NULL : fdopendir(own);
        if (!stream) {
            close(top);
            return -EMFILE;
        }
        rewinddir(stream);
        for (struct dirent *entry; (entry = readdir(stream));) {
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
            int below = open_directory(top, entry->d_name);
            if (below < 0) continue;
            result = flatten(top, below, &number);
            close(below);
            if (result < 0) break;
        }
        closedir(stream);
        if (result < 0) {
            close(top);
            return result;
        }
    }
    close(top);
    return 0;
}
