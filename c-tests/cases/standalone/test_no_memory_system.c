/*
 * The part of test_no_memory.c about the functions for memory, files and
 * sockets.
 */


#include "t_memory.h"


static int
call_ngx_alloc(void)
{
    void  *p;

    p = ngx_alloc(100, t_log());
    ngx_free(p);

    return p != NULL;
}


static int
call_ngx_calloc(void)
{
    void  *p;

    p = ngx_calloc(100, t_log());
    ngx_free(p);

    return p != NULL;
}


static int
call_ngx_memalign(void)
{
    void  *p;

    p = ngx_memalign(64, 100, t_log());
    ngx_free(p);

    return p != NULL;
}


/* The calls allocate no memory. */

static int
call_ngx_os_init(void)
{
    ngx_atomic_t  lock = 0;

    T_EQ(ngx_os_init(t_log()), NGX_OK);
    ngx_spinlock(&lock, 1, 1);
    T_EQ(lock, 1);

    return 1;
}


static const t_call_t  calls[] = {
    { "ngx_alloc", NULL, call_ngx_alloc, 0 },
    { "ngx_calloc", NULL, call_ngx_calloc, 0 },
    { "ngx_memalign", NULL, call_ngx_memalign, 0 },
    { "ngx_os_init", NULL, call_ngx_os_init, 0 },
};


int
main(void)
{
    t_begin();
    t_run_without_memory(calls, t_nitems(calls));

    return t_end();
}
