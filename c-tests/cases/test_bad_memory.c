
/* Tests of invalid arguments to the functions of shared memory and pools. */


#include "t_bad.h"


/* Tests of ngx_shm_alloc() and ngx_shm_free(). */

static void
test_shm_null(void)
{
    T_EQ(ngx_shm_alloc(NULL), NGX_ERROR);
    ngx_shm_free(NULL);
    t_no_alert();
}


static void
test_shm_null_log(void)
{
    ngx_shm_t  shm;

    memset(&shm, 0, sizeof(ngx_shm_t));

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);

    shm.size = SIZE_MAX;
    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);

    shm.size = 4096;
    T_EQ(ngx_shm_alloc(&shm), NGX_OK);
    T_OK(shm.addr != NULL);
    ngx_shm_free(&shm);
    T_OK(shm.addr == NULL);
    ngx_shm_free(&shm);
}


static void
test_shm_bad_size(void)
{
    ngx_uint_t     i;
    ngx_shm_t      shm;
    static size_t  bad[] = {
        0, SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2 + 1, (size_t) 1 << 62
    };

    for (i = 0; i < t_nitems(bad); i++) {
        memset(&shm, 0, sizeof(ngx_shm_t));
        shm.size = bad[i];
        shm.log = t_log();

        t_log_clear();
        T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
        t_one_alert(" failed (");
    }
}


/* Tests of ngx_create_pool() and the other functions of pools. */

static void
test_pool_null(void)
{
    T_OK(ngx_palloc(NULL, 1) == NULL);
    T_OK(ngx_pnalloc(NULL, 1) == NULL);
    T_OK(ngx_pcalloc(NULL, 1) == NULL);
    T_OK(ngx_pool_cleanup_add(NULL, 1) == NULL);
    ngx_destroy_pool(NULL);
    t_no_alert();
}


static void
test_pool_null_log(void)
{
    ngx_pool_t  *pool;

    T_OK(ngx_create_pool(SIZE_MAX, NULL) == NULL);

    pool = ngx_create_pool(1024, NULL);
    T_REQUIRE(pool != NULL);
    T_OK(ngx_palloc(pool, 100) != NULL);
    T_OK(ngx_palloc(pool, SIZE_MAX) == NULL);
    ngx_destroy_pool(pool);
}


int
main(void)
{
    t_begin();

    t_run("X ngx_shm_alloc() of NULL", test_shm_null);
    t_run("X ngx_shm_alloc() without a log", test_shm_null_log);
    t_run("ngx_shm_alloc() of a bad size", test_shm_bad_size);

    t_run("X a NULL pool", test_pool_null);
    t_run("X a pool without a log", test_pool_null_log);

    return t_end();
}
