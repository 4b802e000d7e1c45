
/* Tests of pools: memory that is freed alone, reset, and cleanups of files. */


#include "t_os.h"
#include "t_pool.h"


static void
test_memalign(void)
{
    void        *p;
    size_t       alignment;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    for (alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
        p = ngx_pmemalign(pool, 100, alignment);
        T_REQUIRE(p != NULL);
        T_EQ((uintptr_t) p % alignment, 0);
        memset(p, 0xa5, 100);
    }

    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
    ngx_destroy_pool(pool);
}


static void
test_memalign_fails(void)
{
    ngx_pool_t       *pool;
    volatile size_t   size = SIZE_MAX / 2, alignment = 24;

    pool = t_pool_create(T_POOL_SIZE);

    T_OK(ngx_pmemalign(pool, size, 64) == NULL);
    T_EQ(t_loggedf(NGX_LOG_EMERG, "posix_memalign(64, %zu) failed (12: ",
                   size), 1);

    T_OK(ngx_pmemalign(pool, 100, alignment) == NULL);
    T_EQ(t_logged(NGX_LOG_EMERG, "posix_memalign(24, 100) failed (22: "), 1);

    alignment = 4;
    T_OK(ngx_pmemalign(pool, 100, alignment) == NULL);
    T_EQ(t_logged(NGX_LOG_EMERG, "posix_memalign(4, 100) failed (22: "), 1);

    T_OK(ngx_palloc(pool, 100) != NULL);
    ngx_destroy_pool(pool);
}


/* A piece that is larger than pool->max can be freed, others cannot. */

static void
test_free(void)
{
    size_t       size;
    void        *p, *q;
    ngx_pool_t  *pool;

    t_os_init();
    pool = t_pool_create(NGX_DEFAULT_POOL_SIZE);

    T_EQ(pool->max, 4095);
    T_OK(pool->log == t_log());

    for (size = 4000; size < 4200; size++) {
        p = ngx_palloc(pool, size);
        q = ngx_pnalloc(pool, size);
        T_REQUIRE(p != NULL && q != NULL);

        T_EQ(ngx_pfree(pool, p), size > 4095 ? NGX_OK : NGX_DECLINED);
        T_EQ(ngx_pfree(pool, q), size > 4095 ? NGX_OK : NGX_DECLINED);
    }

    ngx_destroy_pool(pool);
}


static void
test_free_small_pool(void)
{
    size_t       size;
    void        *p;
    ngx_pool_t  *pool;

    t_os_init();
    pool = t_pool_create(1024);

    T_EQ(pool->max, 1024 - 80);

    for (size = 900; size < 1000; size++) {
        p = ngx_palloc(pool, size);
        T_REQUIRE(p != NULL);
        T_EQ(ngx_pfree(pool, p), size > pool->max ? NGX_OK : NGX_DECLINED);
    }

    ngx_destroy_pool(pool);
}


static void
test_free_others(void)
{
    int          i;
    void        *p[5];
    u_char      *q;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    T_EQ(ngx_pfree(pool, NULL), NGX_DECLINED);
    T_EQ(ngx_pfree(pool, &pool), NGX_DECLINED);
    T_EQ(ngx_pfree(pool, pool), NGX_DECLINED);

    for (i = 0; i < 5; i++) {
        p[i] = ngx_palloc(pool, 10000);
        T_REQUIRE(p[i] != NULL);
        memset(p[i], i, 10000);
    }

    q = p[2];
    T_EQ(ngx_pfree(pool, q + 1), NGX_DECLINED);

    /* The others keep their contents. */

    T_EQ(ngx_pfree(pool, p[2]), NGX_OK);
    T_EQ(ngx_pfree(pool, p[4]), NGX_OK);
    T_OK(t_is_filled(p[0], 10000, 0));
    T_OK(t_is_filled(p[1], 10000, 1));
    T_OK(t_is_filled(p[3], 10000, 3));
    T_EQ(ngx_pfree(pool, p[2]), NGX_DECLINED);

    p[2] = ngx_pmemalign(pool, 10, 4096);
    T_EQ(ngx_pfree(pool, p[2]), NGX_OK);

    ngx_destroy_pool(pool);
}


static void
test_reset(void)
{
    int          i, round;
    t_piece_t    piece[60];
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    for (round = 0; round < 20; round++) {

        for (i = 0; i < 60; i++) {
            size_t  size = i % 7 ? 60 : 3 * T_POOL_SIZE;

            t_fill(&piece[i], ngx_palloc(pool, size), size, (u_char) i);
        }

        T_EQ(t_damaged(piece, 60), 0);
        ngx_reset_pool(pool);
    }

    T_OK(pool->log == t_log());
    T_EQ(t_logged(NGX_LOG_EMERG, ""), 0);
    ngx_destroy_pool(pool);
}


/* Cleanups stay when the pool is reset, and the pool does not reuse their memory. */

static int  cleaned[3];
static int  ncleaned;


static void
clean(void *data)
{
    cleaned[ncleaned++] = *(int *) data;
}


static void
add_cleanups(ngx_pool_t *pool)
{
    int                  i;
    ngx_pool_cleanup_t  *cln;

    for (i = 0; i < 3; i++) {
        cln = ngx_pool_cleanup_add(pool, sizeof(int));
        T_REQUIRE(cln != NULL);
        cln->handler = clean;
        *(int *) cln->data = i;
    }
}


static void
check_cleaned(ngx_pool_t *pool)
{
    int  i;

    T_EQ(ncleaned, 0);
    ngx_destroy_pool(pool);
    T_EQ(ncleaned, 3);

    for (i = 0; i < 3; i++) {
        T_EQ(cleaned[i], 2 - i);
    }
}


static void
test_reset_cleanups(void)
{
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);

    add_cleanups(pool);
    ngx_reset_pool(pool);
    check_cleaned(pool);
}


static void
test_reset_reused(void)
{
    int          i, round;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);
    add_cleanups(pool);

    for (round = 0; round < 3; round++) {
        ngx_reset_pool(pool);

        for (i = 0; i < 60; i++) {
            memset(ngx_palloc(pool, 100), 0xa5, 100);
        }

        T_EQ(ngx_pfree(pool, pool->cleanup), NGX_DECLINED);
        T_EQ(ngx_pfree(pool, (void *) 1), NGX_DECLINED);
    }

    check_cleaned(pool);
}


/* Cleanups of files. */

static char  name[] = "/tmp/ngx_ipc_test_XXXXXX";


static ngx_pool_cleanup_file_t *
a_file(ngx_pool_t *pool, ngx_pool_cleanup_pt handler)
{
    ngx_pool_cleanup_t       *cln;
    ngx_pool_cleanup_file_t  *file;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_pool_cleanup_file_t));
    T_REQUIRE(cln != NULL);

    T_OK(pool->cleanup == cln);

    strcpy(name, "/tmp/ngx_ipc_test_XXXXXX");

    cln->handler = handler;
    file = cln->data;
    file->fd = mkstemp(name);
    file->name = (u_char *) name;
    file->log = t_log();
    T_REQUIRE(file->fd != -1);

    return file;
}


static void
test_cleanup_file(void)
{
    int          fd;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);
    fd = a_file(pool, ngx_pool_cleanup_file)->fd;

    ngx_destroy_pool(pool);

    T_OK(!t_is_open(fd));
    T_EQ(unlink(name), 0);
}


static void
test_delete_file(void)
{
    int          fd;
    ngx_pool_t  *pool;

    pool = t_pool_create(T_POOL_SIZE);
    fd = a_file(pool, ngx_pool_delete_file)->fd;

    ngx_destroy_pool(pool);

    T_OK(!t_is_open(fd));
    T_EQ(access(name, F_OK), -1);
    T_EQ(t_logged(T_ANY, "failed"), 0);
}


static void
test_run_cleanup_file(void)
{
    int                       fd;
    ngx_pool_t               *pool;
    ngx_pool_cleanup_file_t  *file;

    pool = t_pool_create(T_POOL_SIZE);

    fd = a_file(pool, ngx_pool_delete_file)->fd;
    ngx_pool_run_cleanup_file(pool, fd);
    T_OK(t_is_open(fd));
    unlink(name);

    file = a_file(pool, ngx_pool_cleanup_file);
    unlink(name);
    T_OK(ngx_pool_cleanup_add(pool, 0) != NULL);

    ngx_pool_run_cleanup_file(pool, 4000);
    T_OK(t_is_open(file->fd));

    ngx_pool_run_cleanup_file(pool, file->fd);
    T_OK(!t_is_open(file->fd));
    ngx_pool_run_cleanup_file(pool, file->fd);

    ngx_destroy_pool(pool);
    T_EQ(t_logged(T_ANY, "failed"), 0);
}


static void
test_file_fails(void)
{
    ngx_pool_cleanup_file_t  file;

    file.fd = 4000;
    file.log = t_log();

    file.name = (u_char *) "/nothing/here";
    ngx_pool_delete_file(&file);
    T_EQ(t_logged(NGX_LOG_CRIT, ""), 0);
    T_EQ(t_logged(NGX_LOG_ALERT,
                  "close() \"/nothing/here\" failed (9: "), 1);

    file.name = (u_char *) "/";
    ngx_pool_delete_file(&file);
    T_EQ(t_logged(NGX_LOG_CRIT, "unlink() \"/\" failed (21: "), 1);

    ngx_pool_cleanup_file(&file);
    T_EQ(t_logged(NGX_LOG_ALERT, "close() \"/\" failed (9: "), 2);
}


int
main(void)
{
    t_begin();

    t_run("ngx_pmemalign()", test_memalign);
    t_run("ngx_pmemalign() fails", test_memalign_fails);
    t_run("ngx_pfree() frees large pieces", test_free);
    t_run("ngx_pfree() in a small pool", test_free_small_pool);
    t_run("ngx_pfree() of one piece of several", test_free_others);
    t_run("ngx_reset_pool()", test_reset);
    t_run("ngx_reset_pool() keeps the cleanups", test_reset_cleanups);
    t_run("X ngx_reset_pool() keeps the memory of the cleanups",
          test_reset_reused);
    t_run("ngx_pool_cleanup_file()", test_cleanup_file);
    t_run("ngx_pool_delete_file()", test_delete_file);
    t_run("ngx_pool_run_cleanup_file()", test_run_cleanup_file);
    t_run("cleanups of files that fail", test_file_fails);

    return t_end();
}
