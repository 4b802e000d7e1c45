/*
 * load COMMAND CONNECTIONS: measures an echo server.
 *
 * Starts "COMMAND -w 2 127.0.0.1:PORT", a master with two workers, and opens
 * CONNECTIONS connections to each worker.  A worker and the thread that sends
 * requests to this worker share one processor, so that both workers have the same
 * conditions.
 *
 * Reads numbers from stdin.  For each number n, sends n requests over each
 * connection, and prints the requests per second of both workers together, and the
 * processor time of the workers for a request, in nanoseconds.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS      2
#define CONNECTIONS  1024
#define SIZE         64      /* bytes of a request */
#define TOO_LONG     60000   /* milliseconds until the server must be ready */

typedef struct {
    pid_t    pid;
    int      processor;
    int      fd[CONNECTIONS];
    int      connections;
    long     n;              /* requests to send over each connection */
    double   seconds;        /* the time that they have taken */
} worker_t;

static worker_t            workers[WORKERS];
static struct sockaddr_in  address = { .sin_family = AF_INET };


static void
check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}


static double
seconds(clockid_t clock)
{
    struct timespec  now;

    check(clock_gettime(clock, &now) == 0, "clock_gettime");

    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}


/* Sends one request over each connection, then checks all answers. */

static void
exchange(worker_t *w, uint64_t number)
{
    char      answer[SIZE];
    uint64_t  request[SIZE / sizeof(uint64_t)] = { number };

    for (int i = 0; i < w->connections; i++) {
        request[7] = (uint64_t) i;
        check(send(w->fd[i], request, SIZE, MSG_NOSIGNAL) == SIZE, "send");
    }
    for (int i = 0; i < w->connections; i++) {
        request[7] = (uint64_t) i;
        check(recv(w->fd[i], answer, SIZE, MSG_WAITALL) == SIZE
              && memcmp(answer, request, SIZE) == 0, "answer");
    }
}


static void *
send_requests(void *data)
{
    double     begin;
    cpu_set_t  set;
    worker_t  *w = data;

    CPU_ZERO(&set);
    CPU_SET(w->processor, &set);
    check(sched_setaffinity(0, sizeof(set), &set) == 0, "sched_setaffinity");
    begin = seconds(CLOCK_MONOTONIC);

    for (long i = 0; i < w->n; i++) {
        exchange(w, (uint64_t) i);
    }

    w->seconds = seconds(CLOCK_MONOTONIC) - begin;

    return NULL;
}


static double
processor_time(void)
{
    double     sum = 0;
    clockid_t  clock;

    for (int i = 0; i < WORKERS; i++) {
        check(clock_getcpuclockid(workers[i].pid, &clock) == 0, "clock");
        sum += seconds(clock);
    }

    return sum;
}


static void
measure(long n)
{
    double     rate = 0, used = processor_time();
    pthread_t  threads[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        workers[i].n = n;
        check(pthread_create(&threads[i], NULL, send_requests, &workers[i]) == 0,
              "pthread_create");
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        rate += (double) (n * workers[i].connections) / workers[i].seconds;
    }

    used = processor_time() - used;
    n *= WORKERS * workers[0].connections;
    printf("%.1f %.1f\n", rate, used / (double) n * 1e9);
    fflush(stdout);
}


static int
connect_to_server(void)
{
    int  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    check(connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0, "connect");

    return fd;
}


/* Returns the character in /proc that is the state of a process, proc(5). */

static char
state(pid_t pid)
{
    char   path[64], state = 0;
    FILE  *file;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
    file = fopen(path, "r");
    check(file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) == 1, path);
    fclose(file);

    return state;
}


static void
stop(pid_t pid)
{
    check(kill(pid, SIGSTOP) == 0, "kill");

    /* the state of a process that strace traces is 't' */
    while (strchr("Tt", state(pid)) == NULL) {
        usleep(1000);
    }
}


/*
 * Connects to one worker.  The others are stopped meanwhile, so that they accept no
 * connection.
 */

static void
connect_to_worker(worker_t *w, int connections)
{
    for (int i = 0; i < WORKERS; i++) {
        if (&workers[i] != w) {
            stop(workers[i].pid);
        }
    }

    for (int i = 0; i < connections; i++) {
        w->fd[i] = connect_to_server();
    }
    w->connections = connections;
    exchange(w, 0);

    for (int i = 0; i < WORKERS; i++) {
        kill(workers[i].pid, SIGCONT);
    }
}


/* Waits until the server has its workers, and moves them to their processors. */

static void
find_workers(pid_t master)
{
    int        n = 0;
    char       path[64];
    FILE      *file;
    cpu_set_t  set;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) master, (int) master);

    for (int i = 0; n < WORKERS; i++) {
        check(i < TOO_LONG, "the workers do not start");
        usleep(1000);
        file = fopen(path, "r");
        check(file != NULL, path);

        for (n = 0; n < WORKERS && fscanf(file, "%d", &workers[n].pid) == 1; n++);

        fclose(file);
    }

    for (int i = 0; i < WORKERS; i++) {
        CPU_ZERO(&set);
        CPU_SET(i, &set);
        workers[i].processor = i;
        check(sched_setaffinity(workers[i].pid, sizeof(set), &set) == 0,
              "sched_setaffinity");
    }
}


/* Starts the server with a free port. */

static pid_t
start(const char *command)
{
    int        fd = socket(AF_INET, SOCK_STREAM, 0);
    char       text[4096];
    pid_t      pid;
    socklen_t  len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0, "bind");
    check(getsockname(fd, (struct sockaddr *) &address, &len) == 0, "getsockname");
    close(fd);

    snprintf(text, sizeof(text), "exec %s -w %d 127.0.0.1:%d", command, WORKERS,
             ntohs(address.sin_port));
    pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execl("/bin/sh", "sh", "-c", text, (char *) NULL);
        _exit(127);
    }

    return pid;
}


int
main(int argc, char **argv)
{
    int    connections;
    long   n;
    pid_t  master;

    check(argc == 3, "usage");
    connections = atoi(argv[2]);
    check(connections > 0 && connections <= CONNECTIONS, "connections");

    check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "prctl");
    master = start(argv[1]);
    find_workers(master);

    for (int i = 0; i < WORKERS; i++) {
        connect_to_worker(&workers[i], connections);
    }

    while (scanf("%ld", &n) == 1) {
        measure(n);
    }

    kill(master, SIGTERM);

    /* the workers are children of this process when the master has exited */
    while (wait(NULL) != -1);

    return 0;
}
