
/*
 * The messages that workers have taken, and that Lua has not handled.  They are counted
 * in shared memory, so that the process that replaces a worker finds out how many
 * messages were lost with it.  The library counts them too, so that a message to
 * exactly one worker goes to another one.
 */


#include "ngx_http_ipc_queue.h"

#include <sys/mman.h>


/* The number of a worker.  No two workers share a cache line. */

typedef union {
    ngx_atomic_t              n;
    u_char                    line[64];
} ngx_http_ipc_unhandled_t;


/* in the master and its children: one element for each worker */
static ngx_http_ipc_unhandled_t  *ngx_http_ipc_unhandled_all;
static size_t                     ngx_http_ipc_unhandled_size;

/* the element of this worker, or a local one */
static ngx_http_ipc_unhandled_t  *ngx_http_ipc_unhandled;
static ngx_http_ipc_unhandled_t   ngx_http_ipc_unhandled_local;

static ngx_uint_t                 ngx_http_ipc_unhandled_lost;


ngx_int_t
ngx_http_ipc_unhandled_init_module(ngx_cycle_t *cycle)
{
    size_t            size;
    void             *all;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    /* nginx accepts "worker_processes 0" */

    if (ngx_test_config || !ccf->master || ccf->worker_processes == 0) {
        return NGX_OK;
    }

    size = ccf->worker_processes * sizeof(ngx_http_ipc_unhandled_t);

    all = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);

    if (all == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "mmap(MAP_ANON|MAP_SHARED, %uz) failed", size);

        if (ngx_is_init_cycle(cycle->old_cycle)) {
            return NGX_ERROR;
        }

        /* at a reload nginx would exit; each worker counts for itself then */

        all = NULL;
    }

    /* the workers of the previous configuration keep their mapping */

    if (ngx_http_ipc_unhandled_all) {
        (void) munmap(ngx_http_ipc_unhandled_all, ngx_http_ipc_unhandled_size);
    }

    ngx_http_ipc_unhandled_all = all;
    ngx_http_ipc_unhandled_size = size;

    return NGX_OK;
}


/* Finds out what the worker before this one has not handled. */

ngx_int_t
ngx_http_ipc_unhandled_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        n;
    ngx_core_conf_t  *ccf;

    if (ngx_http_ipc_unhandled) {
        return NGX_OK;
    }

    ngx_http_ipc_unhandled = &ngx_http_ipc_unhandled_local;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ngx_process != NGX_PROCESS_WORKER || ngx_http_ipc_unhandled_all == NULL
        || ngx_worker >= (ngx_uint_t) ccf->worker_processes)
    {
        return NGX_OK;
    }

    ngx_http_ipc_unhandled = &ngx_http_ipc_unhandled_all[ngx_worker];

    n = ngx_http_ipc_unhandled->n;
    ngx_http_ipc_unhandled->n = 0;

    if (n) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "%ui messages are lost: the previous process died before "
                      "Lua handled them", n);
        ngx_http_ipc_unhandled_lost = n;
    }

    return NGX_OK;
}


void
ngx_http_ipc_unhandled_add(ngx_int_t n)
{
    ngx_http_ipc_unhandled->n += n;

    (void) ngx_ipc_message_unhandled(n);
}


void
ngx_http_ipc_unhandled_clear(void)
{
    if (ngx_http_ipc_unhandled) {
        ngx_http_ipc_unhandled->n = 0;
    }
}


ngx_uint_t
ngx_http_ipc_unhandled_before(void)
{
    ngx_uint_t  n;

    n = ngx_http_ipc_unhandled_lost;
    ngx_http_ipc_unhandled_lost = 0;

    return n;
}
