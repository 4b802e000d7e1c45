
/*
 * Measures locks in shared memory: one process that takes and releases a lock, and
 * bench_argument processes that do so at the same time.
 */


#include "bench.h"


/* The work of a process that has the lock, and of one that has released it. */

#define INSIDE   2
#define OUTSIDE  2


typedef struct {
    ngx_shmtx_sh_t      words;
    ngx_shmtx_t         mtx;
    volatile unsigned   data;
} shared_t;


static shared_t *
make(void)
{
    shared_t  *shared;

    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);
    bench_check(shared != MAP_FAILED, "mmap()");

    bench_init();
    ngx_ncpu = sysconf(_SC_NPROCESSORS_ONLN);

    bench_check(ngx_shmtx_create(&shared->mtx, &shared->words, NULL) == NGX_OK,
                "ngx_shmtx_create()");

    return shared;
}


static double
pair(long n)
{
    double           start;
    static shared_t  *shared;

    if (shared == NULL) {
        shared = make();
    }

    start = bench_now();

    while (n-- > 0) {
        ngx_shmtx_lock(&shared->mtx);
        ngx_shmtx_unlock(&shared->mtx);
    }

    return bench_now() - start;
}


static void
use(shared_t *shared, long n)
{
    int                i;
    volatile unsigned  own = 0;

    while (n-- > 0) {
        ngx_shmtx_lock(&shared->mtx);

        for (i = 0; i < INSIDE; i++) {
            shared->data = shared->data + 1;
        }

        ngx_shmtx_unlock(&shared->mtx);

        for (i = 0; i < OUTSIDE; i++) {
            own = own + 1;
        }
    }
}


/* Runs n operations in all processes together, and waits for their exit. */

static void
together(long n)
{
    int        status;
    size_t     i;
    unsigned   before;
    pid_t      pid;
    static shared_t  *shared;

    if (shared == NULL) {
        shared = make();
    }

    before = shared->data;
    n /= (long) bench_argument;

    for (i = 0; i < bench_argument; i++) {
        pid = fork();
        bench_check(pid != -1, "fork()");

        if (pid == 0) {
            ngx_pid = getpid();
            use(shared, n);
            _exit(0);
        }
    }

    for (i = 0; i < bench_argument; i++) {
        bench_check(wait(&status) != -1 && status == 0, "a process");
    }

    bench_check(shared->data - before
                == (unsigned) (n * (long) bench_argument * INSIDE),
                "the lock");
}


static double
contended(long n)
{
    double  start;

    start = bench_now();
    together(n);

    return bench_now() - start;
}


/* The processor time of children that have exited, in nanoseconds. */

static double
used(void)
{
    struct rusage  usage;

    bench_check(getrusage(RUSAGE_CHILDREN, &usage) == 0, "getrusage()");

    return ((double) usage.ru_utime.tv_sec + (double) usage.ru_stime.tv_sec) * 1e9
           + ((double) usage.ru_utime.tv_usec
              + (double) usage.ru_stime.tv_usec) * 1e3;
}


static double
processor(long n)
{
    double  before;

    before = used();
    together(n);

    return used() - before;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "pair", pair },
        { "contended", contended },
        { "processor", processor },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
