// Runs between fork and exec in PID 1's single thread: no allocation.
#include "CInit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

// Where program_become leaves it.
enum { CONNECTION = 3 };

static const char *arguments[PROGRAM_MAXIMUM_STRINGS + 1];
static const char *variables[PROGRAM_MAXIMUM_STRINGS + 1];

static void collect_strings(const struct program *program) {
    const char *next = program->strings;
    for (uint32_t i = 0; i < program->argument_count; i++, next += strlen(next) + 1) arguments[i] = next;
    arguments[program->argument_count] = NULL;
    for (uint32_t i = 0; i < program->variable_count; i++, next += strlen(next) + 1) variables[i] = next;
    variables[program->variable_count] = NULL;
}

// execve(2), with a name that holds no slash looked up in the program's own PATH.
static void execute(void) {
    char *const *argv = (char *const *)(uintptr_t)arguments;
    char *const *environment = (char *const *)(uintptr_t)variables;
    if (strchr(arguments[0], '/')) {
        execve(arguments[0], argv, environment);
        return;
    }
    const char *path = "/usr/local/bin:/usr/bin:/bin";
    for (int i = 0; variables[i]; i++)
        if (!strncmp(variables[i], "PATH=", 5)) path = variables[i] + 5;
    char candidate[4096];
    int failure = ENOENT;
    while (*path) {
        size_t length = strcspn(path, ":");
        if (length > 0 && length + strlen(arguments[0]) + 2 <= sizeof candidate) {
            memcpy(candidate, path, length);
            candidate[length] = '/';
            strcpy(candidate + length + 1, arguments[0]);
            execve(candidate, argv, environment);
            if (errno != ENOENT && errno != ENOTDIR) failure = errno;
        }
        path += length + (path[length] == ':');
    }
    errno = failure;
}

pid_t init_start(struct program *program) {
    pid_t pid = fork();
    if (pid == 0) {
        program_become(program);
        collect_strings(program);
        execute();
        program_fail(CONNECTION, PROGRAM_STEP_EXEC);
    }
    return pid < 0 ? -errno : pid;
}
