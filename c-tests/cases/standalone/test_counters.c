
/* Tests of ngx_ipc_counters.h: counters and gauges of many processes. */


#include "test.h"

#include <ngx_ipc_counters.h>

#include <sys/syscall.h>


#define PROCESSES  4
#define TURNS      20000
#define PAGE       4096

enum { REQUESTS = 0, ERRORS, ACTIVE };     /* two counters and a gauge */


typedef struct {
    volatile int   ready;
    volatile int   go;
    volatile long  counted[PROCESSES];
} shared_t;


static ngx_ipc_counters_t   counters;
static shared_t            *shared;
static u_char              *memory;
static size_t               size;
static int                  number;


static void
start(ngx_uint_t processes)
{
    ngx_pid = getpid();

    size = ngx_ipc_counters_size(2, 1, processes);
    T_OK(size < PAGE);
    memory = t_shared(PAGE);
    shared = t_shared(sizeof(shared_t));
    T_EQ(ngx_ipc_counters_init(&counters, memory, 2, 1, processes), NGX_OK);
}


static void
add(ngx_uint_t n, ngx_int_t value)
{
    T_EQ(ngx_ipc_counters_add(&counters, n, value), NGX_OK);
}


static ngx_int_t
get(ngx_uint_t n)
{
    return ngx_ipc_counters_get(&counters, n);
}


static void
count(void)
{
    int  i;

    for (i = 0; i < TURNS; i++) {
        ngx_ipc_counters_add(&counters, REQUESTS, 1);
        ngx_ipc_count(&counters, ERRORS, 2);
        ngx_ipc_count(&counters, ACTIVE, i % 2 ? -1 : 1);
    }
}


static void
test_sums(void)
{
    int    i;
    pid_t  pid[PROCESSES];

    start(PROCESSES);

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = t_fork_run(count);
    }

    for (i = 0; i < PROCESSES; i++) {
        T_EQ(t_wait(pid[i]), 0);
    }

    T_EQ(get(REQUESTS), PROCESSES * TURNS);
    T_EQ(get(ERRORS), 2 * PROCESSES * TURNS);
    T_EQ(get(ACTIVE), 0);

    add(ERRORS, -5);
    add(ACTIVE, 3);
    T_EQ(get(REQUESTS), PROCESSES * TURNS);
    T_EQ(get(ERRORS), 2 * PROCESSES * TURNS - 5);
    T_EQ(get(ACTIVE), 3);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}


/* A process with two open connections, which waits for its end. */

static void
open_two(void)
{
    ngx_ipc_counters_add(&counters, REQUESTS, 1);
    ngx_ipc_counters_add(&counters, ACTIVE, 2);
    shared->ready++;

    for ( ;; ) {
        pause();
    }
}


static pid_t
start_open(void)
{
    int    ready = shared->ready;
    pid_t  pid;

    pid = t_fork_run(open_two);
    t_await(&shared->ready, ready + 1);

    return pid;
}


static void
end(pid_t pid)
{
    T_EQ(kill(pid, SIGKILL), 0);
    T_EQ(t_wait(pid), SIGKILL);
}


static void
test_killed(void)
{
    pid_t  pid;

    start(2);
    add(ACTIVE, 1);

    pid = start_open();
    T_EQ(get(ACTIVE), 3);

    end(pid);
    T_EQ(get(ACTIVE), 1);
    T_EQ(get(REQUESTS), 1);

    /* The next process gets the memory of the dead one, with its counters. */

    pid = start_open();
    T_EQ(get(ACTIVE), 3);
    T_EQ(get(REQUESTS), 2);
    end(pid);
    T_EQ(get(ACTIVE), 1);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}


/* A dead process that is not reaped has no open connections either. */

static void
test_zombie(void)
{
    int        fd;
    pid_t      pid;
    siginfo_t  info;

    fd = (int) syscall(SYS_pidfd_open, getpid(), 0);

    if (fd == -1) {
        t_skip("there is no pidfd_open()");
    }

    close(fd);
    start(2);
    pid = start_open();

    T_EQ(kill(pid, SIGKILL), 0);
    T_EQ(waitid(P_PID, (id_t) pid, &info, WEXITED|WNOWAIT), 0);
    T_EQ(get(ACTIVE), 0);
    T_EQ(t_wait(pid), SIGKILL);
}


/* The numbers of a parent are not those of its child. */

static void
test_child(void)
{
    pid_t  pid;

    start(2);
    add(ACTIVE, 1);
    add(REQUESTS, 1);

    pid = start_open();
    T_EQ(get(REQUESTS), 2);
    T_EQ(get(ACTIVE), 3);

    T_EQ(ngx_ipc_count(&counters, ACTIVE, 1), NGX_OK);
    end(pid);
    T_EQ(get(ACTIVE), 2);
}


static void
test_many(void)
{
    int    i;
    pid_t  pid[PROCESSES];

    start(2);

    for (i = 0; i < PROCESSES; i++) {
        pid[i] = start_open();
    }

    T_EQ(get(REQUESTS), PROCESSES);
    T_EQ(get(ACTIVE), 2 * PROCESSES);
    T_EQ(t_loggedf(NGX_LOG_WARN, "counters at %p: 2 other processes use them, so what this"
                                 " one adds to gauges stays when it is killed",
                   (void *) memory), 2);

    for (i = 0; i < PROCESSES; i++) {
        end(pid[i]);
    }

    T_EQ(get(REQUESTS), PROCESSES);
    T_EQ(get(ACTIVE), 2 * (PROCESSES - 2));
}


/* Two structures of one process for the same memory. */

static void
test_two_structures(void)
{
    ngx_ipc_counters_t  other;

    start(1);
    T_EQ(ngx_ipc_counters_init(&other, memory, 2, 1, 1), NGX_OK);

    add(ACTIVE, 1);
    T_EQ(ngx_ipc_counters_add(&other, ACTIVE, 1), NGX_OK);
    T_EQ(get(ACTIVE), 2);
    T_EQ(ngx_ipc_counters_get(&other, ACTIVE), 2);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}


/* The process notes each addition, and is killed between two of them, or in one. */

static void
count_for_ever(void)
{
    ngx_ipc_counters_add(&counters, ACTIVE, 1);
    shared->ready++;

    for ( ;; ) {
        ngx_ipc_counters_add(&counters, ACTIVE, 1);
        ngx_ipc_count(&counters, REQUESTS, 1);
        shared->counted[number]++;
    }
}


static void
test_random_kills(void)
{
    int    i, n, ready;
    long   counted;
    pid_t  pid[PROCESSES];

    start(PROCESSES);

    for (n = 0; n < 100; n++) {
        ready = shared->ready;

        for (number = 0; number < PROCESSES; number++) {
            pid[number] = t_fork_run(count_for_ever);
            t_await(&shared->ready, ready + number + 1);
        }

        T_OK(get(ACTIVE) >= PROCESSES);

        for (i = 0; i < PROCESSES; i++) {
            end(pid[i]);
        }

        T_EQ(get(ACTIVE), 0);
    }

    counted = 0;

    for (i = 0; i < PROCESSES; i++) {
        counted += shared->counted[i];
    }

    /* Each process can have added what it has not noted. */

    T_OK(get(REQUESTS) >= counted);
    T_OK(get(REQUESTS) <= counted + 100 * PROCESSES);
    T_EQ(t_logged(NGX_LOG_WARN, ""), 0);
}


/* A process that has been taken over overwrites the memory. */

static void
test_garbage(void)
{
    size_t  i;

    start(3);
    add(ACTIVE, 1);

    for (i = 0; i < size; i++) {
        memory[i] = (u_char) (i * 167 + (i >> 5) + 0x80);
    }

    (void) get(ACTIVE);
    (void) get(REQUESTS);
    add(ACTIVE, 1);
    counters.owner = 0;
    add(ACTIVE, 1);

    memset(memory, 0xff, size);
    (void) get(ACTIVE);
    counters.owner = 0;
    add(ACTIVE, 1);
    T_OK(t_is_filled(memory + size, PAGE - size, 0));
}


static void
test_arguments(void)
{
    ngx_ipc_counters_t  other;

    start(2);

    T_EQ(ngx_ipc_counters_size(0, 0, 1), 0);
    T_EQ(ngx_ipc_counters_size(1, 0, 0), 0);
    T_EQ(ngx_ipc_counters_size((ngx_uint_t) -1, 1, 1), 0);
    T_EQ(ngx_ipc_counters_size((ngx_uint_t) -1 / 8, 1, 1), 0);
    T_EQ(ngx_ipc_counters_size(1, 1, (ngx_uint_t) -1), 0);
    T_EQ(ngx_ipc_counters_size(1, 1, (ngx_uint_t) -1 / 64), 0);

    /* 7 numbers fit into a line, 8 do not; one more line is shared. */

    T_EQ(ngx_ipc_counters_size(4, 4, 10) - ngx_ipc_counters_size(4, 3, 10), 11 * 64);

    T_EQ(ngx_ipc_counters_init(NULL, memory, 2, 1, 2), NGX_ERROR);
    T_EQ(ngx_ipc_counters_init(&other, NULL, 2, 1, 2), NGX_ERROR);
    T_EQ(ngx_ipc_counters_init(&other, memory + 1, 2, 1, 2), NGX_ERROR);
    T_EQ(ngx_ipc_counters_init(&other, memory, 0, 0, 2), NGX_ERROR);

    T_EQ(ngx_ipc_counters_add(NULL, 0, 1), NGX_ERROR);
    T_EQ(ngx_ipc_counters_add(&counters, 3, 1), NGX_ERROR);
    T_EQ(ngx_ipc_count(&counters, 3, 1), NGX_ERROR);
    T_EQ(ngx_ipc_counters_get(NULL, 0), 0);
    T_EQ(get(3), 0);

    /* Nothing has changed, and no process has taken anything. */

    T_OK(t_is_filled(memory, size, 0));

    /* Memory need not begin at a cache line. */

    T_EQ(ngx_ipc_counters_init(&other, memory + 8, 2, 1, 1), NGX_OK);
    T_EQ(ngx_ipc_counters_add(&other, 0, 7), NGX_OK);
    T_EQ(ngx_ipc_counters_get(&other, 0), 7);
    T_OK(t_is_filled(memory, 64, 0));
}


int
main(void)
{
    t_begin();

    t_run("the sums of several processes", test_sums);
    t_run("a process is killed", test_killed);
    t_run("a process is killed and not reaped", test_zombie);
    t_run("a child has numbers of its own", test_child);
    t_run("more processes than the memory has room for", test_many);
    t_run("two structures for the same memory", test_two_structures);
    t_run("processes that count are killed", test_random_kills);
    t_run("the memory of counters is overwritten", test_garbage);
    t_run("wrong arguments", test_arguments);

    return t_end();
}
