/* Sends requests over kept-alive connections and times them. One thread with a blocking socket for each connection: it
 * sleeps in the kernel while it waits, so that the machine's processors are the server's.
 *
 *   client PORT CONNECTIONS COUNT SECONDS FIRST TIMED STEP…
 *
 * COUNT items at most, none begun after SECONDS. An item is the requests of all STEPs in order; the time of the first TIMED
 * of them counts. A STEP is a file: a line with the status and a text that the answer must have, then the request as it is
 * sent. In it `{number}` is the item's number from FIRST on, in eight digits, and `{sandbox}` the sandbox that an earlier
 * step's answer named. Prints a line for each item: when it began and how long it took, both in microseconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STEPS = 4, MAX_TEXT = 1 << 18, MAX_CONNECTIONS = 512 };

struct step {
    int status;
    char expected[256];
    char request[MAX_TEXT];
};

static struct step steps[MAX_STEPS];
static int step_count, timed, port, isFailureShown;
static long count_limit, first, deadline, seconds;
static atomic_long next_item;
static pthread_barrier_t ready;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int open_connection(void) {
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval patience = {.tv_sec = 60};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("client: connect");
        exit(1);
    }
    return connection;
}

static void fill(char *request, const char *template, long item, const char *sandbox) {
    char number[16];
    snprintf(number, sizeof number, "%08ld", (first + item) % 100000000);
    char *end = request;
    while (*template) {
        const char *value = strncmp(template, "{number}", 8) == 0 ? number
            : strncmp(template, "{sandbox}", 9) == 0 ? sandbox : NULL;
        if (value) {
            template += value == number ? 8 : 9;
            end = stpcpy(end, value);
        } else *end++ = *template++;
    }
    *end = 0;
}

/* Reads one whole answer; its length, or -1. */
static long read_answer(int connection, char *answer) {
    long length = 0, whole = -1;
    while (whole < 0 || length < whole) {
        ssize_t count = recv(connection, answer + length, MAX_TEXT - 1 - length, 0);
        if (count <= 0) return -1;
        length += count;
        answer[length] = 0;
        char *body = whole < 0 ? strstr(answer, "\r\n\r\n") : NULL;
        if (!body) continue;
        char *size = strcasestr(answer, "\r\ncontent-length:");
        if (!size && !strstr(answer, " 204 ")) return -1;
        whole = body + 4 - answer + (size ? atol(size + 17) : 0);
    }
    return length;
}

static int perform(int *connection, struct step *step, long item, char *sandbox, char *request, char *answer) {
    fill(request, step->request, item, sandbox);
    size_t size = strlen(request);
    int isGood = send(*connection, request, size, MSG_NOSIGNAL) == (ssize_t)size && read_answer(*connection, answer) > 0;
    if (!isGood) strcpy(answer, "(no whole answer)");
    isGood = isGood && atoi(answer + 9) == step->status && strstr(answer, step->expected);
    char *named = strstr(answer, "\"sb_");
    if (named) sscanf(named + 1, "%63[a-z0-9_]", sandbox);
    if (!isGood || strcasestr(answer, "\r\nconnection: close")) {
        close(*connection);
        *connection = open_connection();
    }
    if (isGood) return 1;
    pthread_mutex_lock(&output);
    if (!isFailureShown++) {
        char *body = strstr(request, "\r\n\r\n"), *shown = strstr(answer, "\r\n\r\n");
        fprintf(stderr, "%.*s\n%.400s\n", (int)strcspn(request, "\r\n"), request, body ? body + 4 : "");
        fprintf(stderr, "→ %.*s\n%.1000s\n", (int)strcspn(answer, "\r\n"), answer, shown ? shown + 4 : "");
    }
    pthread_mutex_unlock(&output);
    return 0;
}

static void *work(void *unused) {
    (void)unused;
    char *request = malloc(2 * MAX_TEXT), *answer = malloc(MAX_TEXT), sandbox[64] = "";
    int connection = open_connection();
    pthread_barrier_wait(&ready);
    for (;;) {
        long item = atomic_fetch_add(&next_item, 1), began = now(), took = 0;
        if (item >= count_limit || began >= deadline) return NULL;
        int i = 0;
        while (i < step_count && perform(&connection, &steps[i], item, sandbox, request, answer)) {
            if (++i == timed) took = now() - began;
        }
        pthread_mutex_lock(&output);
        printf("%ld %ld\n", began, i < step_count ? -1 : took);
        pthread_mutex_unlock(&output);
    }
}

static void read_step(const char *path, struct step *step) {
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%d %255[^\n]\n", &step->status, step->expected) != 2) exit(64);
    step->request[fread(step->request, 1, MAX_TEXT - 1, file)] = 0;
    fclose(file);
}

int main(int count, char **words) {
    int connections = count > 2 ? atoi(words[2]) : 0;
    if (count < 8 || count > 7 + MAX_STEPS || connections < 1 || connections > MAX_CONNECTIONS) return 64;
    port = atoi(words[1]), count_limit = atol(words[3]), seconds = atol(words[4]);
    first = atol(words[5]), timed = atoi(words[6]), step_count = count - 7;
    for (int i = 0; i < step_count; i++) read_step(words[7 + i], &steps[i]);
    pthread_t threads[MAX_CONNECTIONS];
    pthread_barrier_init(&ready, NULL, connections + 1);
    for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, work, NULL);
    /* Every connection stands before the first request is sent. */
    deadline = now() + seconds * 1000000;
    pthread_barrier_wait(&ready);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
}
