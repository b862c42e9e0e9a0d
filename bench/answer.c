/* A FastCGI program that does nothing but answer 200 bytes: what nginx and libfcgi cost by themselves. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static int listening;

static void *serve(void *unused) {
    (void)unused;
    static char body[201];
    FCGX_Request request;
    if (FCGX_InitRequest(&request, listening, 0) != 0) exit(1);
    if (!body[0]) for (int i = 0; i < 200; i++) body[i] = 'x';
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nContent-Length: 200\r\n\r\n");
        FCGX_PutStr(body, 200, request.out);
        FCGX_Finish_r(&request);
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2 || FCGX_Init() != 0) return 64;
    listening = FCGX_OpenSocket(arguments[1], 1024);
    if (listening < 0) return 1;
    for (int i = 1; i < 64; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0) return 1;
    }
    serve(NULL);
}
