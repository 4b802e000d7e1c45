
/* Pools: ngx_create_pool(), ngx_palloc() and the like. */


#include "test.h"

#include <stdint.h>


#define POOL_SIZE   1024
#define PIECES      4096
#define MANY        16384

#if (T_NGINX)
#define ALIGNMENT   NGX_ALIGNMENT
#else
#define ALIGNMENT   16
#endif


typedef void *(*alloc_pt)(ngx_pool_t *pool, size_t size);

typedef struct {
    u_char  *start;
    size_t   size;
    u_char   fill;
} piece_t;


/*
 * The allocator of this program counts what is in use, and fails when it is
 * told to.  glibc calls the functions that a program defines.
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


static int   allocations;           /* made since the case said so */
static int   fail_at = -1;          /* the number of the one that fails */
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
        t_skip("the allocator is another one");
    }
}


/* Helpers. */

static ngx_pool_t *
create(size_t size)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(size, t_log());
    T_REQUIRE(pool != NULL);

    return pool;
}


/* No two pieces overlap if each still has what was written into it. */

static void
fill(piece_t *piece, u_char *start, size_t size, u_char value)
{
    piece->start = start;
    piece->size = size;
    piece->fill = value;

    memset(start, value, size);
}


static int
is_filled(const u_char *start, size_t size, u_char value)
{
    size_t  i;

    for (i = 0; i < size; i++) {

        if (start[i] != value) {
            return 0;
        }
    }

    return 1;
}


static int
damaged(const piece_t *piece, size_t n)
{
    int  bad;

    for (bad = 0; n--; piece++) {
        bad += !is_filled(piece->start, piece->size, piece->fill);
    }

    return bad;
}


static int
is_aligned(const void *p)
{
    return (uintptr_t) p % ALIGNMENT == 0;
}


/* Memory. */

static void
test_alignment(void)
{
    size_t       size;
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);

    for (size = 1; size < 3 * POOL_SIZE; size++) {
        T_REQUIRE(is_aligned(ngx_palloc(pool, size)));
        T_REQUIRE(is_aligned(ngx_pcalloc(pool, size)));
        T_REQUIRE(ngx_pnalloc(pool, 1) != NULL);
    }

    ngx_destroy_pool(pool);
}


/* Strings lie side by side. */

static void
test_no_alignment(void)
{
    u_char      *p;
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);

    p = ngx_pnalloc(pool, 3);
    T_OK((u_char *) ngx_pnalloc(pool, 5) == p + 3);
    T_OK((u_char *) ngx_pnalloc(pool, 1) == p + 8);

    ngx_destroy_pool(pool);
}


static void
test_zeroed(void)
{
    int          n;
    size_t       size;
    u_char      *p;
    ngx_pool_t  *pool;

    /* memory that was in use before */

    for (n = 0; n < 8; n++) {
        pool = create(POOL_SIZE);

        for (size = 1; size < 4 * POOL_SIZE; size += 37) {
            p = ngx_pcalloc(pool, size);
            T_REQUIRE(p != NULL);
            T_REQUIRE(is_filled(p, size, 0));
            memset(p, 0xa5, size);
        }

        ngx_destroy_pool(pool);
    }
}


static void
one_of(alloc_pt alloc, size_t size)
{
    piece_t      piece[3];
    u_char      *p;
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);

    fill(&piece[0], ngx_pnalloc(pool, 7), 7, 1);

    p = alloc(pool, size);
    T_REQUIRE(p != NULL);
    fill(&piece[1], p, size, 2);

    fill(&piece[2], ngx_pnalloc(pool, 7), 7, 3);

    T_EQ(damaged(piece, 3), 0);
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);

    ngx_destroy_pool(pool);
}


static void
test_sizes(void)
{
    size_t         i, j;
    static alloc_pt  alloc[] = { ngx_palloc, ngx_pnalloc, ngx_pcalloc };
    static size_t    size[] = {
        0, 1, 2, 15, 16, 17, 255, 256, 257, POOL_SIZE / 2,
        POOL_SIZE - 200, POOL_SIZE - 80, POOL_SIZE - 1, POOL_SIZE,
        POOL_SIZE + 1, 4095, 4096, 4097, 10 * POOL_SIZE, 1024 * POOL_SIZE
    };

    for (i = 0; i < t_nitems(alloc); i++) {
        for (j = 0; j < t_nitems(size); j++) {
            one_of(alloc[i], size[j]);
        }
    }
}


static void
test_many(void)
{
    size_t           i, size;
    ngx_pool_t      *pool;
    static piece_t   piece[PIECES];

    pool = create(POOL_SIZE);

    srandom(1);

    for (i = 0; i < PIECES; i++) {
        size = (size_t) random() % ((i % 50) ? 100 : 3 * POOL_SIZE);

        fill(&piece[i],
             (i % 3) ? ngx_palloc(pool, size) : ngx_pnalloc(pool, size),
             size, (u_char) i);
    }

    T_EQ(damaged(piece, PIECES), 0);

    ngx_destroy_pool(pool);
}


/* What is large has memory of its own: the rest of the block stays of use. */

static void
test_large_between(void)
{
    u_char      *p, *q;
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);

    p = ngx_pnalloc(pool, 10);
    T_OK(ngx_palloc(pool, 100 * POOL_SIZE) != NULL);
    q = ngx_pnalloc(pool, 10);

    T_OK(p < q && q < p + POOL_SIZE);

    ngx_destroy_pool(pool);
}


static void
test_two_pools(void)
{
    int          i;
    piece_t      piece[200];
    ngx_pool_t  *a, *b;

    a = create(POOL_SIZE);
    b = create(POOL_SIZE);

    for (i = 0; i < 200; i++) {
        fill(&piece[i], ngx_palloc((i % 2) ? a : b, 50), 50, (u_char) i);
    }

    T_EQ(damaged(piece, 200), 0);

    ngx_destroy_pool(a);

    for (i = 0; i < 200; i += 2) {
        T_EQ(damaged(&piece[i], 1), 0);
    }

    ngx_destroy_pool(b);
}


static void
test_default_size(void)
{
    ngx_pool_t  *pool;

    pool = create(NGX_DEFAULT_POOL_SIZE);
    T_OK(ngx_palloc(pool, NGX_DEFAULT_POOL_SIZE) != NULL);
    ngx_destroy_pool(pool);
}


/* nginx writes its own header into whatever size it is given. */

static void
test_small_pools(void)
{
    size_t       size;
    piece_t      piece[20];
    ngx_pool_t  *pool;
    ngx_uint_t   i;

    for (size = 0; size < 64; size++) {
        pool = create(size);

        for (i = 0; i < 20; i++) {
            fill(&piece[i], ngx_palloc(pool, 40), 40, (u_char) i);
        }

        T_EQ(damaged(piece, 20), 0);
        ngx_destroy_pool(pool);
    }
}


/* Cleanups. */

static int  cleaned[8];
static int  ncleaned;


static void
clean(void *data)
{
    cleaned[ncleaned++] = *(int *) data;
}


static void
test_cleanup(void)
{
    int                  i;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = create(POOL_SIZE);

    for (i = 0; i < 5; i++) {
        cln = ngx_pool_cleanup_add(pool, sizeof(int));
        T_REQUIRE(cln != NULL);
        T_REQUIRE(cln->data != NULL);
        T_OK(is_aligned(cln->data));
        T_OK(cln->handler == NULL);

        cln->handler = clean;
        *(int *) cln->data = i;
    }

    T_EQ(ncleaned, 0);

    ngx_destroy_pool(pool);

    T_EQ(ncleaned, 5);

    for (i = 0; i < 5; i++) {
        T_EQ(cleaned[i], 4 - i);
    }
}


static void
test_cleanup_data(void)
{
    int                  data;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = create(POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, 0);
    T_REQUIRE(cln != NULL);
    T_OK(cln->data == NULL);

    data = 42;
    cln->handler = clean;
    cln->data = &data;

    ngx_destroy_pool(pool);

    T_EQ(ncleaned, 1);
    T_EQ(cleaned[0], 42);
}


static void
test_cleanup_without_handler(void)
{
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = create(POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, sizeof(int));
    cln->handler = clean;
    *(int *) cln->data = 1;

    T_OK(ngx_pool_cleanup_add(pool, 0) != NULL);

    cln = ngx_pool_cleanup_add(pool, sizeof(int));
    cln->handler = clean;
    *(int *) cln->data = 3;

    ngx_destroy_pool(pool);

    T_EQ(ncleaned, 2);
    T_EQ(cleaned[0], 3);
    T_EQ(cleaned[1], 1);
}


/* A handler still finds the pool's memory. */

static void
count_damaged(void *data)
{
    cleaned[ncleaned++] = damaged(data, 10);
}


static void
test_cleanup_before_free(void)
{
    int                  i;
    piece_t             *piece;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = create(POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, 10 * sizeof(piece_t));
    cln->handler = count_damaged;
    piece = cln->data;

    for (i = 0; i < 10; i++) {
        fill(&piece[i], ngx_palloc(pool, 500), 500, (u_char) i);
    }

    ngx_destroy_pool(pool);

    T_EQ(ncleaned, 1);
    T_EQ(cleaned[0], 0);
}


static void
destroy(void *data)
{
    ngx_destroy_pool(data);
    ncleaned++;
}


/* As nginx's modules do with pools that depend on others. */

static void
test_cleanup_destroys_another(void)
{
    ngx_pool_t          *pool, *other;
    ngx_pool_cleanup_t  *cln;

    pool = create(POOL_SIZE);
    other = create(POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, 0);
    cln->handler = destroy;
    cln->data = other;

    T_OK(ngx_palloc(other, 10 * POOL_SIZE) != NULL);

    ngx_destroy_pool(pool);
    T_EQ(ncleaned, 1);
}


/* Leaks. */

static void
use_pool(size_t size)
{
    int                  i;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = create(size);

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
    use_pool(POOL_SIZE);
    use_pool(NGX_DEFAULT_POOL_SIZE);
    T_EQ(in_use, before);
}


/* Failures. */

static void
no_memory(ngx_uint_t n)
{
    T_EQ(t_logged(NGX_LOG_EMERG, "failed (12: Cannot allocate memory)"), n);
    T_EQ(t_logged(T_ANY, "failed"), n);
}


static void
test_too_large(void)
{
    piece_t      piece[2];
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);
    fill(&piece[0], ngx_palloc(pool, 100), 100, 1);

    T_OK(ngx_palloc(pool, SIZE_MAX / 2) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "malloc(%zu) failed (12: ", SIZE_MAX / 2),
         1);
    T_OK(ngx_pnalloc(pool, SIZE_MAX / 2) == NULL);
    T_OK(ngx_pcalloc(pool, SIZE_MAX / 2) == NULL);
    no_memory(3);

    /* and the pool goes on */

    fill(&piece[1], ngx_palloc(pool, 100), 100, 2);
    T_EQ(damaged(piece, 2), 0);

    ngx_destroy_pool(pool);
}


static void
test_size_max(void)
{
    ngx_pool_t  *pool;

    pool = create(POOL_SIZE);

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

    pool = create(POOL_SIZE);

    T_OK(ngx_pool_cleanup_add(pool, SIZE_MAX / 2) == NULL);
    no_memory(1);

    /* half a cleanup is none */

    ngx_destroy_pool(pool);
}


/* A process that may not have more memory. */

static void
test_limit(void)
{
    int            n;
    ngx_pool_t    *pool;
    struct rlimit  rl;

    if (t_under_valgrind() || !COUNTED) {
        t_skip("no limits under valgrind or sanitizers");
    }

    pool = create(POOL_SIZE);

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
 * All that a pool is used for, with one allocation that fails; returns how
 * often the caller was told.
 */

static ngx_uint_t
use_without_memory(void)
{
    int                  i;
    void                *p;
    ngx_uint_t           n;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = ngx_create_pool(POOL_SIZE, t_log());

    if (pool == NULL) {
        return 1;
    }

    n = 0;

    for (i = 0; i < 40; i++) {
        n += (ngx_palloc(pool, 100) == NULL);
        n += (ngx_pnalloc(pool, 2 * POOL_SIZE) == NULL);

        p = ngx_pcalloc(pool, 300);
        n += (p == NULL);
    }

    for (i = 0; i < 5; i++) {
        cln = ngx_pool_cleanup_add(pool, POOL_SIZE - 200);
        n += (cln == NULL);
    }

    ngx_destroy_pool(pool);

    return n;
}


/* The first, the second ... allocation fails. */

static void
test_each_fails(void)
{
    int         i;
    long        before;
    ngx_uint_t  told;

    need_counts();

    /* what the C library keeps since its first use is no leak */

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

    t_run("memory is aligned", test_alignment);
    t_run("memory for strings is not", test_no_alignment);
    t_run("memory of ngx_pcalloc() is zeroed", test_zeroed);
    t_run("all sizes", test_sizes);
    t_run("many pieces", test_many);
    t_run("a large piece between small ones", test_large_between);
    t_run("two pools", test_two_pools);
    t_run("a pool of the default size", test_default_size);
    t_run("X pools that are too small", test_small_pools);

    t_run("cleanups are called, the last one first", test_cleanup);
    t_run("a cleanup with the caller's data", test_cleanup_data);
    t_run("a cleanup without a handler", test_cleanup_without_handler);
    t_run("cleanups come before the memory goes", test_cleanup_before_free);
    t_run("a cleanup that destroys another pool",
          test_cleanup_destroys_another);

    t_run("all memory is freed", test_all_freed);

    t_run("a piece that is too large", test_too_large);
    t_run("pieces of nearly SIZE_MAX", test_size_max);
    t_run("a pool that is too large", test_pool_too_large);
    t_run("pools of nearly SIZE_MAX", test_pool_size_max);
    t_run("a cleanup that is too large", test_cleanup_too_large);
    t_run("a process at its limit", test_limit);
    t_run("any allocation may fail", test_each_fails);

    return t_end();
}
