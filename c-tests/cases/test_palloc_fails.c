
/* Tests of pools: failed allocations, and memory leaks. */


#include "t_pool.h"

#include <stdint.h>


#define MANY  16384


/*
 * The allocator of this program counts the pieces of memory in use, and can
 * fail.  A program that defines malloc() replaces that of glibc.
 */

#if !defined(__SANITIZE_ADDRESS__)

#define COUNTED  1

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

#else

#define COUNTED  0

#endif


static int   allocations;           /* since the case began to count */
static int   fail_at = -1;          /* number of the call that fails */
static int   failures;
static long  in_use;


#if (COUNTED)

static int
fails(void)
{
    if (allocations++ != fail_at) {
        return 0;
    }

    failures++;
    errno = ENOMEM;

    return 1;
}


static void *
counted(void *p)
{
    in_use += (p != NULL);

    return p;
}


void *
malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}


void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}


void *
realloc(void *p, size_t size)
{
    void  *q;

    if (fails()) {
        return NULL;
    }

    q = __libc_realloc(p, size);
    in_use += (p == NULL && q != NULL);

    return q;
}


void *
memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    *p = memalign(alignment, size);

    return *p ? 0 : ENOMEM;
}


void
free(void *p)
{
    in_use -= (p != NULL);
    __libc_free(p);
}

#endif


static void
need_counts(void)
{
    if (!COUNTED || t_under_valgrind()) {
        t_skip("valgrind and AddressSanitizer replace the allocator");
    }
}


/* Tests of memory leaks. */

static void
use_pool(size_t size)
{
    int                  i;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = t_pool_create(size);

    for (i = 0; i < 100; i++) {
        (void) ngx_palloc(pool, 100);
        (void) ngx_pnalloc(pool, 3);
        (void) ngx_pcalloc(pool, 3 * size);
    }

    cln = ngx_pool_cleanup_add(pool, 10);
    cln->handler = NULL;

    ngx_destroy_pool(pool);
}


static void
test_all_freed(void)
{
    long  before;

    need_counts();

    before = in_use;
    use_pool(T_POOL_SIZE);
    use_pool(NGX_DEFAULT_POOL_SIZE);
    T_EQ(in_use, before);
}


/* Tests of failed allocations. */

static void
no_memory(ngx_uint_t n)
{
    T_EQ(t_logged(NGX_LOG_EMERG, "failed (12: Cannot allocate memory)"), n);
    T_EQ(t_logged(T_ANY, "failed"), n);
}


static void
test_too_large(void)
{
    t_piece_t    piece[2];
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);
    t_fill(&piece[0], ngx_palloc(pool, 100), 100, 1);

    T_OK(ngx_palloc(pool, SIZE_MAX / 2) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "malloc(%zu) failed (12: ", SIZE_MAX / 2),
         1);
    T_OK(ngx_pnalloc(pool, SIZE_MAX / 2) == NULL);
    T_OK(ngx_pcalloc(pool, SIZE_MAX / 2) == NULL);
    no_memory(3);

    /*
     * A failed allocation does not damage the pool: the next allocation
     * succeeds.
     */

    t_fill(&piece[1], ngx_palloc(pool, 100), 100, 2);
    T_EQ(t_damaged(piece, 2), 0);

    ngx_destroy_pool(pool);
}


static void
test_size_max(void)
{
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    T_OK(ngx_palloc(pool, SIZE_MAX) == NULL);
    T_OK(ngx_palloc(pool, SIZE_MAX - 15) == NULL);
    T_OK(ngx_pnalloc(pool, SIZE_MAX) == NULL);
    T_OK(ngx_pcalloc(pool, SIZE_MAX) == NULL);
    no_memory(4);

    ngx_destroy_pool(pool);
}


static void
test_pool_too_large(void)
{
    T_OK(ngx_create_pool(SIZE_MAX / 2, t_log()) == NULL);

#if (T_NGINX)
    T_EQ(t_loggedf(NGX_LOG_EMERG, "posix_memalign(16, %zu) failed (12: ",
                   SIZE_MAX / 2), 1);
#else
    T_EQ(t_loggedf(NGX_LOG_EMERG, "malloc(%zu) failed (12: ", SIZE_MAX / 2),
         1);
#endif

    no_memory(1);
}


static void
test_pool_size_max(void)
{
    T_OK(ngx_create_pool(SIZE_MAX, t_log()) == NULL);
    T_OK(ngx_create_pool(SIZE_MAX - 15, t_log()) == NULL);
    no_memory(2);
}


static void
test_cleanup_too_large(void)
{
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    T_OK(ngx_pool_cleanup_add(pool, SIZE_MAX / 2) == NULL);
    no_memory(1);

    /*
     * ngx_destroy_pool() does not call the cleanup that could not be
     * allocated.
     */

    ngx_destroy_pool(pool);
}


/* The process reaches its limit of memory (RLIMIT_AS). */

static void
test_limit(void)
{
    int            n;
    ngx_pool_t    *pool;
    struct rlimit  rl;

    if (t_under_valgrind() || !COUNTED) {
        t_skip("no limit of memory under valgrind or sanitizers");
    }

    pool = t_pool_create(T_POOL_SIZE);

    T_REQUIRE(getrlimit(RLIMIT_AS, &rl) == 0);
    rl.rlim_cur = 256 * 1024 * 1024;
    T_REQUIRE(setrlimit(RLIMIT_AS, &rl) == 0);

    for (n = 0; n < 1024; n++) {

        if (ngx_palloc(pool, 1024 * 1024) == NULL) {
            break;
        }
    }

    T_OK(n < 256);
    T_EQ(t_logged(NGX_LOG_EMERG, "malloc(1048576) failed (12: "), 1);
    no_memory(1);

    ngx_destroy_pool(pool);
}


/*
 * Calls all functions of a pool while one allocation of memory fails.  Returns
 * how many of the calls reported a failure.
 */

static ngx_uint_t
use_without_memory(void)
{
    int                  i;
    void                *p;
    ngx_uint_t           n;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = ngx_create_pool(T_POOL_SIZE, t_log());

    if (pool == NULL) {
        return 1;
    }

    n = 0;

    for (i = 0; i < 40; i++) {
        n += (ngx_palloc(pool, 100) == NULL);
        n += (ngx_pnalloc(pool, 2 * T_POOL_SIZE) == NULL);

        p = ngx_pcalloc(pool, 300);
        n += (p == NULL);
    }

    for (i = 0; i < 5; i++) {
        cln = ngx_pool_cleanup_add(pool, T_POOL_SIZE - 200);
        n += (cln == NULL);
    }

    ngx_destroy_pool(pool);

    return n;
}


/*
 * In each round another allocation fails: the first one, then the second one,
 * until a round needs fewer allocations.
 */

static void
test_each_fails(void)
{
    int         i;
    long        before;
    ngx_uint_t  told;

    need_counts();

    /*
     * These calls allocate memory that the C library keeps, so that it is not
     * counted as a leak.
     */

    T_EQ(use_without_memory(), 0);
    ngx_log_error(NGX_LOG_INFO, t_log(), ENOMEM, "first line");

    for (i = 0; i < MANY; i++) {
        t_log_clear();

        before = in_use;
        failures = 0;
        allocations = 0;
        fail_at = i;

        told = use_without_memory();

        fail_at = -1;

        if (failures == 0) {
            T_OK(i > 10);
            T_EQ(told, 0);
            return;
        }

        if (!T_EQ(told, 1)
            || !T_EQ(t_logged(NGX_LOG_EMERG,
                              "failed (12: Cannot allocate memory)"), 1)
            || !T_EQ(in_use, before))
        {
            t_diag("when allocation %d fails", i);
        }
    }
}


int
main(void)
{
    t_begin();

    t_run("ngx_destroy_pool() frees all memory", test_all_freed);

    t_run("an allocation that is too large", test_too_large);
    t_run("allocations of nearly SIZE_MAX", test_size_max);
    t_run("a pool that is too large", test_pool_too_large);
    t_run("pools of nearly SIZE_MAX", test_pool_size_max);
    t_run("a cleanup whose data is too large", test_cleanup_too_large);
    t_run("a process at its limit of memory", test_limit);
    t_run("each allocation of a pool fails once", test_each_fails);

    return t_end();
}
