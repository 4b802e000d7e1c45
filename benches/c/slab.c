
/*
 * Measures pieces of a zone of 4 MiB: pieces of bench_argument bytes are allocated
 * and freed, one at a time ("pair") or among 256 others in random order ("many").  Or
 * allocations fail because the zone has no room ("full").
 */


#include "bench.h"


#define ZONE    (4 * 1024 * 1024)
#define PIECES  256


static ngx_slab_pool_t *
make(void)
{
    static ngx_shm_t          shm;
    static ngx_slab_pool_t   *pool;

    if (pool) {
        return pool;
    }

    bench_init();

    /* What main() sets in nginx. */

    ngx_pagesize = 4096;
    ngx_pagesize_shift = 12;
    ngx_ncpu = 2;
    ngx_slab_sizes_init();

    shm.size = ZONE;
    shm.log = &bench_log;

    bench_check(ngx_shm_alloc(&shm) == NGX_OK, "ngx_shm_alloc()");

    pool = (ngx_slab_pool_t *) shm.addr;
    pool->end = shm.addr + shm.size;
    pool->min_shift = 3;
    pool->addr = pool;

    bench_check(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL) == NGX_OK,
                "ngx_shmtx_create()");
    ngx_slab_init(pool);

    return pool;
}


static double
pair(long n)
{
    void             *p;
    double            start;
    ngx_slab_pool_t  *pool;

    pool = make();

    /* Otherwise each piece would be the first one of a page. */

    bench_check(ngx_slab_alloc(pool, bench_argument) != NULL, "ngx_slab_alloc()");

    start = bench_now();

    while (n-- > 0) {
        p = ngx_slab_alloc(pool, bench_argument);
        ngx_slab_free(pool, p);
    }

    return bench_now() - start;
}


static double
many(long n)
{
    static void      *pieces[PIECES];
    double            start;
    uint32_t          x;
    ngx_uint_t        i;
    ngx_slab_pool_t  *pool;

    pool = make();
    x = 1;

    start = bench_now();

    while (n-- > 0) {
        x = x * 1664525 + 1013904223;
        i = x >> 24;

        if (pieces[i]) {
            ngx_slab_free(pool, pieces[i]);
        }

        pieces[i] = ngx_slab_alloc(pool, bench_argument);
    }

    return bench_now() - start;
}


static double
full(long n)
{
    double            start;
    ngx_slab_pool_t  *pool;

    pool = make();

    /* As in limit_req, which frees the oldest pieces and tries again. */

    pool->log_nomem = 0;

    while (ngx_slab_alloc(pool, bench_argument) != NULL) { /* void */ }

    start = bench_now();

    while (n-- > 0) {
        bench_check(ngx_slab_alloc(pool, bench_argument) == NULL,
                    "a full zone");
    }

    return bench_now() - start;
}


int
main(int argc, char **argv)
{
    static const bench_case_t  cases[] = {
        { "pair", pair },
        { "many", many },
        { "full", full },
        { NULL, NULL }
    };

    return bench_main(argc, argv, cases);
}
