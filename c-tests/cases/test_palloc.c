
/* Tests of pools: allocations and cleanups. */


#include "t_pool.h"


#define PIECES      4096

#if (T_NGINX)
#define ALIGNMENT   NGX_ALIGNMENT
#else
#define ALIGNMENT   16
#endif


typedef void *(*alloc_pt)(ngx_pool_t *pool, size_t size);


static int
is_aligned(const void *p)
{
    return (uintptr_t) p % ALIGNMENT == 0;
}


static void
test_alignment(void)
{
    size_t       size;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    for (size = 1; size < 3 * T_POOL_SIZE; size++) {
        T_REQUIRE(is_aligned(ngx_palloc(pool, size)));
        T_REQUIRE(is_aligned(ngx_pcalloc(pool, size)));
        T_REQUIRE(ngx_pnalloc(pool, 1) != NULL);
    }

    ngx_destroy_pool(pool);
}


/* ngx_pnalloc() does not align memory. */

static void
test_no_alignment(void)
{
    u_char      *p;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

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

    /*
     * The allocator returns memory that an earlier pool has used, so
     * ngx_pcalloc() must set it to zero.
     */

    for (n = 0; n < 8; n++) {
        pool = t_pool_create(T_POOL_SIZE);

        for (size = 1; size < 4 * T_POOL_SIZE; size += 37) {
            p = ngx_pcalloc(pool, size);
            T_REQUIRE(p != NULL);
            T_REQUIRE(t_is_filled(p, size, 0));
            memset(p, 0xa5, size);
        }

        ngx_destroy_pool(pool);
    }
}


static void
one_of(alloc_pt alloc, size_t size)
{
    t_piece_t    piece[3];
    u_char      *p;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    t_fill(&piece[0], ngx_pnalloc(pool, 7), 7, 1);

    p = alloc(pool, size);
    T_REQUIRE(p != NULL);
    t_fill(&piece[1], p, size, 2);

    t_fill(&piece[2], ngx_pnalloc(pool, 7), 7, 3);

    T_EQ(t_damaged(piece, 3), 0);
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);

    ngx_destroy_pool(pool);
}


static void
test_sizes(void)
{
    size_t         i, j;
    static alloc_pt  alloc[] = { ngx_palloc, ngx_pnalloc, ngx_pcalloc };
    static size_t    size[] = {
        0, 1, 2, 15, 16, 17, 255, 256, 257, T_POOL_SIZE / 2,
        T_POOL_SIZE - 200, T_POOL_SIZE - 80, T_POOL_SIZE - 1, T_POOL_SIZE,
        T_POOL_SIZE + 1, 4095, 4096, 4097, 10 * T_POOL_SIZE,
        1024 * T_POOL_SIZE
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
    size_t            i, size;
    ngx_pool_t       *pool;
    static t_piece_t  piece[PIECES];

    pool = t_pool_create(T_POOL_SIZE);

    srandom(1);

    for (i = 0; i < PIECES; i++) {
        size = (size_t) random() % ((i % 50) ? 100 : 3 * T_POOL_SIZE);

        t_fill(&piece[i],
               (i % 3) ? ngx_palloc(pool, size) : ngx_pnalloc(pool, size),
               size, (u_char) i);
    }

    T_EQ(t_damaged(piece, PIECES), 0);

    ngx_destroy_pool(pool);
}


/*
 * A large piece of memory is allocated outside the pool's block, so the next
 * small piece continues in the block.
 */

static void
test_large_between(void)
{
    u_char      *p, *q;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    p = ngx_pnalloc(pool, 10);
    T_OK(ngx_palloc(pool, 100 * T_POOL_SIZE) != NULL);
    q = ngx_pnalloc(pool, 10);

    T_OK(p < q && q < p + T_POOL_SIZE);

    ngx_destroy_pool(pool);
}


static void
test_two_pools(void)
{
    int          i;
    t_piece_t    piece[200];
    ngx_pool_t  *a, *b;

    a = t_pool_create(T_POOL_SIZE);
    b = t_pool_create(T_POOL_SIZE);

    for (i = 0; i < 200; i++) {
        t_fill(&piece[i], ngx_palloc((i % 2) ? a : b, 50), 50, (u_char) i);
    }

    T_EQ(t_damaged(piece, 200), 0);

    ngx_destroy_pool(a);

    for (i = 0; i < 200; i += 2) {
        T_EQ(t_damaged(&piece[i], 1), 0);
    }

    ngx_destroy_pool(b);
}


static void
test_default_size(void)
{
    ngx_pool_t  *pool;

    pool = t_pool_create(NGX_DEFAULT_POOL_SIZE);
    T_OK(ngx_palloc(pool, NGX_DEFAULT_POOL_SIZE) != NULL);
    ngx_destroy_pool(pool);
}


/*
 * nginx writes the header of a pool even if the pool's block is smaller than
 * the header.
 */

static void
test_small_pools(void)
{
    size_t       size;
    t_piece_t    piece[20];
    ngx_pool_t  *pool;
    ngx_uint_t   i;

    for (size = 0; size < 64; size++) {
        pool = t_pool_create(size);

        for (i = 0; i < 20; i++) {
            t_fill(&piece[i], ngx_palloc(pool, 40), 40, (u_char) i);
        }

        T_EQ(t_damaged(piece, 20), 0);
        ngx_destroy_pool(pool);
    }
}


/* Tests of cleanups. */

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

    pool = t_pool_create(T_POOL_SIZE);

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

    pool = t_pool_create(T_POOL_SIZE);

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

    pool = t_pool_create(T_POOL_SIZE);

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


/*
 * ngx_destroy_pool() calls the cleanups before it frees memory, so a cleanup
 * can use the memory of the pool.
 */

static void
count_damaged(void *data)
{
    cleaned[ncleaned++] = t_damaged(data, 10);
}


static void
test_cleanup_before_free(void)
{
    int                  i;
    t_piece_t           *piece;
    ngx_pool_t          *pool;
    ngx_pool_cleanup_t  *cln;

    pool = t_pool_create(T_POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, 10 * sizeof(t_piece_t));
    cln->handler = count_damaged;
    piece = cln->data;

    for (i = 0; i < 10; i++) {
        t_fill(&piece[i], ngx_palloc(pool, 500), 500, (u_char) i);
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


/* A cleanup can destroy another pool, as cleanups of nginx's modules do. */

static void
test_cleanup_destroys_another(void)
{
    ngx_pool_t          *pool, *other;
    ngx_pool_cleanup_t  *cln;

    pool = t_pool_create(T_POOL_SIZE);
    other = t_pool_create(T_POOL_SIZE);

    cln = ngx_pool_cleanup_add(pool, 0);
    cln->handler = destroy;
    cln->data = other;

    T_OK(ngx_palloc(other, 10 * T_POOL_SIZE) != NULL);

    ngx_destroy_pool(pool);
    T_EQ(ncleaned, 1);
}


static ngx_pool_cleanup_t  *first_called;


static void
skip_next(void *data)
{
    clean(data);
    first_called->next = first_called->next->next;
}


/*
 * A cleanup can remove the next cleanup from the list: as in nginx,
 * ngx_destroy_pool() reads the pointer to the next one after it has called the
 * current one.
 */

static void
test_cleanup_removes_next(void)
{
    int          i;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    for (i = 0; i < 3; i++) {
        first_called = ngx_pool_cleanup_add(pool, sizeof(int));
        T_REQUIRE(first_called != NULL);

        first_called->handler = clean;
        *(int *) first_called->data = i;
    }

    first_called->handler = skip_next;

    ngx_destroy_pool(pool);

    T_EQ(ncleaned, 2);
    T_EQ(cleaned[0], 2);
    T_EQ(cleaned[1], 0);
}


int
main(void)
{
    t_begin();

    t_run("memory is aligned", test_alignment);
    t_run("memory for strings is not aligned", test_no_alignment);
    t_run("memory of ngx_pcalloc() is zeroed", test_zeroed);
    t_run("allocations of all sizes", test_sizes);
    t_run("many allocations", test_many);
    t_run("a large piece of memory between small ones", test_large_between);
    t_run("two pools", test_two_pools);
    t_run("a pool of the default size", test_default_size);
    t_run("X pools that are too small", test_small_pools);

    t_run("cleanups are called, the last one first", test_cleanup);
    t_run("a cleanup with the caller's data", test_cleanup_data);
    t_run("a cleanup without a handler", test_cleanup_without_handler);
    t_run("cleanups are called before the memory is freed",
          test_cleanup_before_free);
    t_run("a cleanup that destroys another pool",
          test_cleanup_destroys_another);
    t_run("a cleanup that removes the next one", test_cleanup_removes_next);

    return t_end();
}
