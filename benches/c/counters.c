
/*
 * Measures a counter in shared memory to which bench_argument processes add at the
 * same time.  With nginx's objects it is an atomic word, as in nginx's stub_status
 * module.
 */


#include "bench.h"

#if (BENCH_IPC)
#include <ngx_ipc_counters.h>
#endif


#define PROCESSES  16


#if (BENCH_IPC)

static ngx_ipc_counters_t  counters;


static void
make(void)
{
    void    *memory;
    size_t   size;

    size = ngx_ipc_counters_size(1, 0, PROCESSES);
    memory = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);
    bench_check(memory != MAP_FAILED, "mmap()");
    bench_check(ngx_ipc_counters_init(&counters, memory, 1, 0, PROCESSES) == NGX_OK,
                "ngx_ipc_counters_init()");
}


static void
add(long n)
{
    while (n-- > 0) {
        (void) ngx_ipc_count(&counters, 0, 1);
    }
}


static long
sum(void)
{
    return (long) ngx_ipc_counters_get(&counters, 0);
}

#else

static ngx_atomic_t  *counter;


static void
make(void)
{
    counter = mmap(NULL, sizeof(ngx_atomic_t), PROT_READ|PROT_WRITE,
                   MAP_ANON|MAP_SHARED, -1, 0);
    bench_check(counter != MAP_FAILED, "mmap()");
}


static void
add(long n)
{
    while (n-- > 0) {
        (void) ngx_atomic_fetch_add(counter, 1);
    }
}


static long
sum(void)
{
    return (long) *counter;
}

#endif


static void
prepare(void)
{
    static int  made;

    if (!made) {
        bench_init();
        make();
        made = 1;
    }
}


/* Runs n operations in all processes together. */

static double
together(long n)
{
    int      status;
    long     before;
    pid_t    pid;
    double   start;
    size_t   i;

    prepare();
    before = sum();
    n /= (long) bench_argument;
    start = bench_now();

    for (i = 0; i < bench_argument; i++) {
        pid = fork();
        bench_check(pid != -1, "fork()");

        if (pid == 0) {
            ngx_pid = getpid();
            add(n);
            _exit(0);
        }
    }

    for (i = 0; i < bench_argument; i++) {
        bench_check(wait(&status) != -1 && status == 0, "a process");
    }

    bench_check(sum() - before == n * (long) bench_argument, "the counter");

    return bench_now() - start;
}


static double
one(long n)
{
    double  start;

    prepare();
    start = bench_now();
    add(n);

    return bench_now() - start;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "one", one },
        { "together", together },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
