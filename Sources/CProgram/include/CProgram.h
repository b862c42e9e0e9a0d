// A program's process in a sandbox, from its fork to the moment when it is what it was meant to be: for soulbox-init,
// whose programs are executed, and for a zygote, whose programs are forked.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The first word of a packet on a program's connection; the second is the length of the rest. Little endian.
enum { PROGRAM_KIND_READY = 2, PROGRAM_KIND_GO = 3, PROGRAM_KIND_FAILED = 4 };

// Where a program's process failed before its exec. The number goes to the isolator in a FAILED packet.
enum program_step {
    PROGRAM_STEP_SESSION = 1,
    PROGRAM_STEP_STREAMS,
    PROGRAM_STEP_SIGNALS,
    PROGRAM_STEP_LIMITS,
    PROGRAM_STEP_AMBIENT,
    PROGRAM_STEP_BOUNDING,
    PROGRAM_STEP_SECUREBITS,
    PROGRAM_STEP_GROUPS,
    PROGRAM_STEP_IDENTITY,
    PROGRAM_STEP_CAPABILITIES,
    PROGRAM_STEP_DESCRIPTORS,
    PROGRAM_STEP_DIRECTORY,
    PROGRAM_STEP_NO_NEW_PRIVILEGES,
    PROGRAM_STEP_FILTER_NUMBERS,
    PROGRAM_STEP_FILTER_ARGUMENTS,
    PROGRAM_STEP_READY,
    PROGRAM_STEP_EXEC,
    // Of a program that is forked from a zygote.
    PROGRAM_STEP_KEYRING,
    PROGRAM_STEP_ENTER,
    PROGRAM_STEP_FORK,
    PROGRAM_STEP_DUMPABLE,
};

struct program_limit {
    uint32_t resource, padding;
    uint64_t soft, hard;
};

// A program to start. The pointers are into the request's packet.
struct program {
    uint32_t user, group, umask;
    uint32_t limit_count;
    const void *limits; // struct program_limit[], unaligned
    const void *filters[2];
    uint32_t filter_bytes[2];
    uint32_t argument_count, variable_count;
    const char *strings; // arguments, then variables, each with its NUL
    const char *directory;
    int streams[3]; // -1: the sandbox's own /dev/null
    int handover[2]; // read by and written by a program that is started ahead of its work; -1: none
    int connection;
    int is_forked; // it goes on as it is, and executes nothing
    int is_ahead;  // it has time before its work comes
};

// The most arguments, and the most variables, of a program.
enum { PROGRAM_MAXIMUM_STRINGS = 4096 };

// Makes the calling process what `program` says, tells the isolator on its connection, and waits for its word to go on, which
// may say what to execute in place of what `program` does. Returns with every limit and filter in place; on a failure the
// process ends.
void program_become(struct program *program);

// Tells where the process failed, and ends it.
_Noreturn void program_fail(int connection, enum program_step step);

// One packet with its descriptors, which are close-on-exec. Returns its length, 0 at the end, or -errno.
ssize_t program_receive(int connection, void *buffer, size_t size, int flags, int *descriptors, int capacity, int *count);
