
/*
 * Tests of ngx_slab_verify(), ngx_slab_usage(), ngx_slab_zone_size() and of log lines
 * about zones.
 */


#include "test.h"


#define PAGE  4096


static ngx_slab_pool_t  *pool;
static ngx_uint_t        findings;
static char              last[200];


static void
start_size(size_t size)
{
    ngx_pid = getpid();

    pool = t_shared(ngx_max(size, PAGE));
    pool->end = (u_char *) pool + size;
    pool->min_shift = 3;
    pool->addr = pool;

    T_EQ(ngx_shmtx_create(&pool->mutex, &pool->lock, NULL), NGX_OK);
    ngx_slab_init(pool);
    findings = 0;
}


static void
report(ngx_slab_pool_t *from, const char *text)
{
    T_OK(from == pool);
    findings++;
    snprintf(last, sizeof(last), "%s", text);
}


static void
test_verify(void)
{
    start_size(16 * PAGE);

    T_REQUIRE(ngx_slab_alloc(pool, 100) != NULL);
    T_EQ(ngx_slab_verify(pool, report), NGX_OK);
    T_EQ(ngx_slab_verify(pool, NULL), NGX_OK);
    T_EQ(findings, 0);

    pool->pfree++;
    T_EQ(ngx_slab_verify(pool, NULL), NGX_ERROR);
    T_EQ(ngx_slab_verify(pool, report), NGX_ERROR);
    T_EQ(findings, 1);
    T_OK(strstr(last, "pfree") != NULL);

    T_EQ(ngx_slab_verify(NULL, report), NGX_ERROR);
}


static void
test_garbage(void)
{
    size_t  i;
    u_char *end;

    start_size(16 * PAGE);
    end = pool->end;

    for (i = 0; i < 16 * PAGE; i++) {
        ((u_char *) pool)[i] = (u_char) (i * 167 + (i >> 8));
    }

    pool->end = end;
    T_EQ(ngx_slab_verify(pool, report), NGX_ERROR);
    T_OK(findings > 0);
}


/* 15 pages: one of chunks of 128 bytes, 2 in a run, 4 free between runs, and the rest. */

static void
test_usage(void)
{
    void              *a, *b, *c;
    ngx_slab_usage_t   u;

    start_size(16 * PAGE);
    ngx_memset(&u, 0xff, sizeof(u));

    T_EQ(ngx_slab_usage(pool, &u), NGX_OK);
    T_EQ(u.size, 16 * PAGE);
    T_EQ(u.pages, 15);
    T_EQ(u.free, 15);
    T_EQ(u.runs, 1);
    T_EQ(u.longest, 15);
    T_EQ(u.fragmentation, 0);
    T_EQ(u.chunks, 0);
    T_EQ(u.used, 0);

    a = ngx_slab_alloc(pool, 100);
    b = ngx_slab_alloc(pool, 4 * PAGE);
    c = ngx_slab_alloc(pool, 2 * PAGE);
    T_REQUIRE(a != NULL && b != NULL && c != NULL);
    T_REQUIRE(ngx_slab_alloc(pool, 100) != NULL);
    ngx_slab_free(pool, b);

    T_EQ(ngx_slab_usage(pool, &u), NGX_OK);
    T_EQ(u.pages, 15);
    T_EQ(u.free, 12);
    T_EQ(u.free, pool->pfree);
    T_EQ(u.runs, 2);
    T_EQ(u.longest, 8);
    T_EQ(u.fragmentation, 33);          /* 4 of 12 */
    T_EQ(u.chunks, PAGE);
    T_EQ(u.used, 256);

    ngx_slab_free(pool, c);
    T_EQ(ngx_slab_usage(pool, &u), NGX_OK);
    T_EQ(u.runs, 1);
    T_EQ(u.fragmentation, 0);

    while (ngx_slab_alloc(pool, PAGE) != NULL) { /* void */ }

    T_EQ(ngx_slab_usage(pool, &u), NGX_OK);
    T_EQ(u.free, 0);
    T_EQ(u.longest, 0);
    T_EQ(u.fragmentation, 0);

    T_EQ(ngx_slab_usage(NULL, &u), NGX_ERROR);
    T_EQ(ngx_slab_usage(pool, NULL), NGX_ERROR);
}


/* A list with a loop, and one that leads out of the pool. */

static void
test_usage_damaged(void)
{
    void              *a, *b;
    ngx_slab_usage_t   u;

    start_size(16 * PAGE);
    a = ngx_slab_alloc(pool, PAGE);
    b = ngx_slab_alloc(pool, PAGE);
    T_REQUIRE(a != NULL && b != NULL);
    ngx_slab_free(pool, a);

    u.pages = 77;
    pool->free.next->next = pool->free.next;
    T_EQ(ngx_slab_usage(pool, &u), NGX_ERROR);

    pool->free.next = (ngx_slab_page_t *) (pool->end + 4096);
    T_EQ(ngx_slab_usage(pool, &u), NGX_ERROR);

    pool->last = pool->pages;
    T_EQ(ngx_slab_usage(pool, &u), NGX_ERROR);
    T_EQ(u.pages, 77);
}


/* A process that has been taken over writes a larger end into the pool. */

static void
test_end(void)
{
    void  *p;

    start_size(16 * PAGE);
    p = ngx_slab_alloc(pool, 100);

    pool->end += 1024 * PAGE;
    pool->last += 1000;
    pool->free.next->slab = 1000;

    T_OK(ngx_slab_alloc(pool, 900 * PAGE) == NULL);
    T_EQ(ngx_slab_verify(pool, report), NGX_ERROR);
    ngx_slab_free(pool, p);
}


static void
test_too_small(void)
{
    start_size(1000);

    T_EQ(t_loggedf(NGX_LOG_ALERT, "ngx_slab_init(): the zone at %p has 1000 bytes,"
                                  " it needs 8192 at least", (void *) pool), 1);
    T_EQ(ngx_slab_verify(pool, report), NGX_ERROR);
}


static void
test_damaged(void)
{
    start_size(16 * PAGE);
    t_log_clear();

    pool->free.next = (void *) 1;
    T_OK(ngx_slab_alloc(pool, 100) == NULL);
    T_EQ(t_loggedf(NGX_LOG_ALERT, "slab: the pool at %p is damaged", (void *) pool), 1);
}


/* A process exits between the changes of an operation. */

static void
test_undo(void)
{
    size_t     *record;
    ngx_uint_t  pfree;

    start_size(16 * PAGE);
    pfree = pool->pfree;

    /* One entry: pfree, and its value before the operation. */

    record = (size_t *) pool->start - 56;
    record[2] = (size_t) &pool->pfree;
    record[3] = pfree;
    record[0] = 1;
    pool->pfree = 7;

    T_EQ(ngx_slab_verify(pool, report), NGX_ERROR);
    T_OK(ngx_slab_alloc(pool, PAGE) != NULL);
    T_EQ(t_logged(NGX_LOG_NOTICE,
                  "slab: undid the operation in which a process has died"), 1);
    T_EQ(pool->pfree, pfree - 1);
    T_EQ(ngx_slab_verify(pool, report), NGX_OK);
}


static void
test_size(void)
{
    size_t      size;
    ngx_uint_t  i;

    size = ngx_slab_zone_size(1000, 100);
    T_EQ(size % PAGE, 0);

    start_size(size);

    for (i = 0; i < 1000; i++) {
        T_REQUIRE(ngx_slab_alloc(pool, 100) != NULL);
    }

    T_EQ(ngx_slab_zone_size((ngx_uint_t) -1, 5000), 0);
}


static void
test_null(void)
{
    ngx_slab_init(NULL);
    T_OK(ngx_slab_alloc(NULL, 1) == NULL);
    T_OK(ngx_slab_calloc_locked(NULL, 1) == NULL);
    ngx_slab_free(NULL, NULL);
    ngx_slab_free_locked(NULL, NULL);
}


int
main(void)
{
    t_begin();

    t_run("ngx_slab_verify()", test_verify);
    t_run("ngx_slab_verify() of garbage", test_garbage);
    t_run("ngx_slab_usage()", test_usage);
    t_run("ngx_slab_usage() of a damaged pool", test_usage_damaged);
    t_run("a larger end is written into a pool", test_end);
    t_run("D27: a zone is too small", test_too_small);
    t_run("a pool is damaged", test_damaged);
    t_run("an interrupted operation is undone", test_undo);
    t_run("ngx_slab_zone_size()", test_size);
    t_run("NULL", test_null);

    return t_end();
}
