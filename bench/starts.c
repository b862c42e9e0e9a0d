/* Starts a program again and again and times each start, from before posix_spawn until its output is read and it is reaped.
 *
 *   starts COUNT PARALLEL SECONDS EXPECTED ARGUMENT… [--then ARGUMENT…]
 *
 * COUNT starts at most, PARALLEL at once, none begun after SECONDS. What a start writes must be EXPECTED and a newline, and
 * it must exit with 0. `{n}` in an argument is the number of the start; with --then a second program follows the first and
 * counts in the same time, as a program follows its compiler. Prints a line for each start: when it began and how long it
 * took, both in microseconds. Linked statically, so that it runs inside any root. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { MAX_PARALLEL = 256, MAX_ARGUMENTS = 96, MAX_OUTPUT = 4096 };

struct start {
    pid_t pid;
    long number, began;
    int stage, output;
    size_t length;
    char text[MAX_OUTPUT];
};

static char *programs[2][MAX_ARGUMENTS];
static int stages = 1;

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void fail(const char *what) {
    fprintf(stderr, "starts: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The arguments of a program, `{n}` filled in. The buffers are used again: posix_spawn returns after the exec. */
static char **arguments_of(int stage, long number) {
    static char *filled[MAX_ARGUMENTS];
    static char buffers[MAX_ARGUMENTS][512];
    int i = 0;
    for (; programs[stage][i]; i++) {
        char *argument = programs[stage][i], *place = strstr(argument, "{n}");
        filled[i] = argument;
        if (!place) continue;
        snprintf(buffers[i], sizeof buffers[i], "%.*s%ld%s", (int)(place - argument), argument, number, place + 3);
        filled[i] = buffers[i];
    }
    filled[i] = NULL;
    return filled;
}

static void spawn(struct start *start) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    char **arguments = arguments_of(start->stage, start->number);
    errno = posix_spawn(&start->pid, arguments[0], &actions, NULL, arguments, environ);
    if (errno != 0) fail(arguments[0]);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    start->output = ends[0];
}

/* Reads what is there; tells whether the start has ended. */
static int advance(struct start *start, const char *expected) {
    ssize_t count = read(start->output, start->text + start->length, MAX_OUTPUT - start->length);
    if (count < 0) fail("read");
    start->length += count;
    if (count > 0) return 0;
    close(start->output);
    int status;
    if (waitpid(start->pid, &status, 0) != start->pid) fail("waitpid");
    if (status != 0) {
        fprintf(stderr, "starts: start %ld ended with status %d\n", start->number, status);
        exit(1);
    }
    if (++start->stage < stages) {
        spawn(start);
        return 0;
    }
    size_t size = strlen(expected);
    if (start->length != size + 1 || memcmp(start->text, expected, size) != 0 || start->text[size] != '\n') {
        fprintf(stderr, "starts: start %ld wrote: %.*s\n", start->number, (int)start->length, start->text);
        exit(1);
    }
    printf("%ld %ld\n", start->began, now() - start->began);
    return 1;
}

int main(int count, char **words) {
    if (count < 6) return 64;
    long limit = atol(words[1]), parallel = atol(words[2]);
    long deadline = now() + atol(words[3]) * 1000000;
    if (parallel < 1 || parallel > MAX_PARALLEL || count > MAX_ARGUMENTS) return 64;
    for (int i = 5, at = 0; i < count; i++) {
        if (strcmp(words[i], "--then") == 0) stages = 2, at = 0;
        else programs[stages - 1][at++] = words[i];
    }
    static struct start running[MAX_PARALLEL];
    static struct pollfd polled[MAX_PARALLEL];
    long begun = 0, ended = 0;
    for (int i = 0; i < parallel; i++) polled[i].fd = -1;
    for (;;) {
        for (int i = 0; i < parallel && begun < limit && now() < deadline; i++) {
            if (polled[i].fd >= 0) continue;
            running[i] = (struct start){.number = begun++, .began = now()};
            spawn(&running[i]);
            polled[i] = (struct pollfd){.fd = running[i].output, .events = POLLIN};
        }
        if (ended == begun) return 0;
        if (poll(polled, parallel, -1) < 0) fail("poll");
        for (int i = 0; i < parallel; i++) {
            if (polled[i].fd < 0 || !polled[i].revents) continue;
            int isEnded = advance(&running[i], words[4]);
            polled[i].fd = isEnded ? -1 : running[i].output;
            ended += isEnded;
        }
    }
}
