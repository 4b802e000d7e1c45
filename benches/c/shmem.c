
/*
 * Measures shared memory of bench_argument bytes: it is allocated, touched and
 * freed.
 */


#include "bench.h"


#define PAGE  4096


static double
make(long n, int touched)
{
    size_t     i;
    double     start;
    ngx_shm_t  shm;

    memset(&shm, 0, sizeof(ngx_shm_t));
    shm.size = bench_argument;
    shm.log = &bench_log;

    start = bench_now();

    while (n-- > 0) {
        bench_check(ngx_shm_alloc(&shm) == NGX_OK, "ngx_shm_alloc()");

        for (i = 0; touched && i < shm.size; i += PAGE) {
            shm.addr[i] = 1;
        }

        ngx_shm_free(&shm);
    }

    return bench_now() - start;
}


static double
alloc(long n)
{
    return make(n, 0);
}


static double
touch(long n)
{
    return make(n, 1);
}


/* Touches memory in huge pages.  Only the library can ask for them. */

static double
huge(long n)
{
#if (BENCH_IPC)
    ngx_ipc_huge_pages = 1;
#endif

    return make(n, 1);
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "alloc", alloc },
        { "touch", touch },
        { "huge", huge },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
