
/*
 * A core module that compiles for nginx and for ngx-ipc.  It allocates shared
 * memory before the workers are spawned, and keeps it when the configuration is
 * reloaded.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_counters_module.h"


static ngx_int_t ngx_counters_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_counters_init_process(ngx_cycle_t *cycle);


static ngx_shm_t  ngx_counters_shm;


ngx_counters_t  *ngx_counters;


static ngx_core_module_t  ngx_counters_module_ctx = {
    ngx_string("counters"),
    NULL,                                  /* create configuration */
    NULL                                   /* init configuration */
};


ngx_module_t  ngx_counters_module = {
    NGX_MODULE_V1,
    &ngx_counters_module_ctx,              /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_counters_init_module,              /* init module */
    ngx_counters_init_process,             /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_counters_init_module(ngx_cycle_t *cycle)
{
    if (ngx_counters != NULL) {
        /*
         * At a reload the memory stays, so that old and new workers count
         * together.
         */
        return NGX_OK;
    }

    ngx_counters_shm.size = sizeof(ngx_counters_t);
    ngx_counters_shm.log = cycle->log;
    ngx_str_set(&ngx_counters_shm.name, "counters");

    if (ngx_shm_alloc(&ngx_counters_shm) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_counters = (ngx_counters_t *) ngx_counters_shm.addr;

    return NGX_OK;
}


static ngx_int_t
ngx_counters_init_process(ngx_cycle_t *cycle)
{
    ngx_counters_slot_t  *now;

    (void) cycle;

    now = &ngx_counters->slots[ngx_process_slot];

    now->pid = 0;
    now->active = 0;
    now->reading = 0;
    now->writing = 0;
    now->waiting = 0;
    now->pid = ngx_pid;

    return NGX_OK;
}


void
ngx_counters_sum(ngx_counters_slot_t *sum)
{
    ngx_int_t             i;
    ngx_counters_slot_t  *now;

    ngx_memzero(sum, sizeof(ngx_counters_slot_t));

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        now = &ngx_counters->slots[i];

        sum->accepted += now->accepted;
        sum->handled += now->handled;
        sum->requests += now->requests;

        if (now->pid == 0
            || (kill((pid_t) now->pid, 0) == -1 && ngx_errno == ESRCH))
        {
            continue;
        }

        sum->active += now->active;
        sum->reading += now->reading;
        sum->writing += now->writing;
        sum->waiting += now->waiting;
    }
}
