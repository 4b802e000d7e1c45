
/*
 * The part of ngx-ipc for an unmodified nginx that loads the library as a dynamic
 * module.  nginx's make compiles this file in place of ngx_ipc_host.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_ipc_asserts.h"
#include "ngx_ipc_messages.h"


/* functions that only the library, or only this file calls */

void ngx_ipc_messages_begin(ngx_uint_t workers, ngx_uint_t helpers);
ngx_uint_t ngx_ipc_zone_is_kept(ngx_shm_t *shm, void *kept);


static void *ngx_ipc_create_conf(ngx_cycle_t *cycle);
static void ngx_ipc_forget_numbers(void *data);
static ngx_int_t ngx_ipc_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_ipc_init_process(ngx_cycle_t *cycle);


static ngx_core_module_t  ngx_ipc_module_ctx = {
    ngx_string("ngx_ipc"),
    ngx_ipc_create_conf,                   /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_ipc_module = {
    NGX_MODULE_V1,
    &ngx_ipc_module_ctx,                   /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ipc_init_module,                   /* init module */
    ngx_ipc_init_process,                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


extern ngx_module_t  ngx_ipc_messages_module;
extern ngx_module_t  ngx_http_ipc_module;
extern ngx_module_t  ngx_http_ipc_status_module;
extern ngx_module_t  ngx_counters_module;

/* the modules in the file ngx_ipc_module.so */

static ngx_module_t  *ngx_ipc_modules[] = {
    &ngx_ipc_module,
    &ngx_ipc_messages_module,
    &ngx_http_ipc_module,
    &ngx_http_ipc_status_module,
    &ngx_counters_module,
    NULL
};


/* the configurations that load the file and are not destroyed */

static ngx_uint_t  ngx_ipc_configurations;


const ngx_uint_t  ngx_ipc_loaded = 1;

/* nginx's own code handles signals and children */

const ngx_uint_t  ngx_ipc_single_exits = 0;
const ngx_uint_t  ngx_ipc_proc_role = 0;
const ngx_uint_t  ngx_ipc_pipe_role = 0;


void
ngx_ipc_process_exited(ngx_pid_t pid)
{
}


/*
 * The library's ngx_shm_alloc() asks this for the memory of the counters of the status
 * module.  nginx's own function makes the zones.
 */

ngx_uint_t
ngx_ipc_zone_is_kept(ngx_shm_t *shm, void *kept)
{
    return 0;
}


static void *
ngx_ipc_create_conf(ngx_cycle_t *cycle)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_ipc_forget_numbers;
    ngx_ipc_configurations++;

    /* there is nothing to configure: any address that is not NULL */

    return cln;
}


/*
 * A configuration is no longer used.  The file is never unmapped, so its modules
 * keep the numbers that nginx has given to them.  If no configuration is left that
 * loads the file, nginx gives the numbers to other modules.  At a reload, nginx
 * destroys the old configuration while it is still ngx_cycle.
 */

static void
ngx_ipc_forget_numbers(void *data)
{
    ngx_uint_t     i;
    ngx_module_t  *module;

    ngx_ipc_configurations--;

    if (ngx_ipc_configurations > 0 || ngx_cycle->modules == NULL) {

        /* another one is in use, or the process exits */

        return;
    }

    for (i = 0; ngx_ipc_modules[i]; i++) {
        module = ngx_ipc_modules[i];

        module->index = NGX_MODULE_UNSET_INDEX;
        module->ctx_index = NGX_MODULE_UNSET_INDEX;
    }
}


static ngx_int_t
ngx_ipc_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t        workers, helpers;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->master && !ngx_test_config) {
        ngx_ipc_processes_of(cycle, &workers, &helpers);
        ngx_ipc_messages_begin(workers, helpers);
    }

    return NGX_OK;
}


/* A single process watches its descriptor in init_process of ngx_ipc_messages.c. */

static ngx_int_t
ngx_ipc_init_process(ngx_cycle_t *cycle)
{
    return (ngx_process == NGX_PROCESS_SINGLE) ? NGX_OK
                                               : ngx_ipc_messages_add(cycle);
}
