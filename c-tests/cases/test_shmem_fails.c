
/* Tests of ngx_shm_alloc() and ngx_shm_free() whose system calls fail. */


#include "t_shmem.h"


static void
fails(size_t size)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, size);

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_EQ(t_loggedf(NGX_LOG_ALERT, T_ALLOC " (", (unsigned long) size), 1);
    T_EQ(t_logged(T_ANY, ""), 1);
}


static void
fails_with_null(size_t size)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, size);

    T_EQ(ngx_shm_alloc(&shm), NGX_ERROR);
    T_OK(shm.addr == NULL);

    t_log_clear();
    ngx_shm_free(&shm);
    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_zero(void)
{
    fails(0);
}


static void
test_size_max(void)
{
    fails(SIZE_MAX);
}


static void
test_too_large(void)
{
    fails(SIZE_MAX / 2);
}


static void
test_zero_null(void)
{
    fails_with_null(0);
}


static void
test_size_max_null(void)
{
    fails_with_null(SIZE_MAX);
}


static void
test_free_null(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, 0);
    ngx_shm_free(&shm);

    t_shm_init(&shm, SIZE_MAX);
    ngx_shm_free(&shm);

    T_EQ(t_logged(T_ANY, ""), 0);
}


static void
test_free_null_of_some_size(void)
{
    ngx_shm_t  shm;

    t_shm_init(&shm, T_SIZE);
    ngx_shm_free(&shm);

#if (T_SYSV && T_NGINX)
    T_EQ(t_logged(NGX_LOG_ALERT, "shmdt("), 1);
#else
    T_EQ(t_logged(T_ANY, ""), 0);
#endif
}


static void
test_free_unaligned(void)
{
    u_char     *addr;
    ngx_shm_t   shm;

    t_shm_init(&shm, T_SIZE);
    T_REQUIRE(ngx_shm_alloc(&shm) == NGX_OK);

    addr = shm.addr;
    shm.addr = addr + 1;
    ngx_shm_free(&shm);

#if (T_SYSV)
    T_EQ(t_loggedf(NGX_LOG_ALERT, "shmdt(%016lX) failed (22: ",
                   (unsigned long) addr + 1), 1);
#else
    T_EQ(t_loggedf(NGX_LOG_ALERT, "munmap(%016lX, %d) failed (22: ",
                   (unsigned long) addr + 1, T_SIZE), 1);
#endif

    T_OK(t_is_mapped(addr));
    shm.addr = addr;
    ngx_shm_free(&shm);
    T_EQ(t_logged(NGX_LOG_ALERT, ""), 1);
}


int
main(void)
{
    t_begin();

    t_run("size 0", test_zero);
    t_run("size SIZE_MAX", test_size_max);
    t_run("size SIZE_MAX / 2", test_too_large);
    t_run("D29 size 0 leaves no address", test_zero_null);
    t_run("D29 size SIZE_MAX leaves no address", test_size_max_null);
    t_run("D29 free of NULL", test_free_null);
    t_run("free of NULL of some size", test_free_null_of_some_size);
    t_run("free of an address that is not aligned", test_free_unaligned);

    return t_end();
}
