
/*
 * A module in nginx's way, that compiles for nginx as well: it makes shared
 * memory before there are workers, and keeps it over reloads.
 *
 * A worker that is killed cannot take back what it has counted as active; so
 * each keeps its share of that in a slot of its own, and the next process in
 * the slot clears it away.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_counters_module.h"


static ngx_int_t ngx_counters_init_module(ngx_cycle_t *cycle);


static ngx_shm_t  ngx_counters_shm;


ngx_counters_t  *ngx_counters;


ngx_module_t  ngx_counters_module = {
    NGX_MODULE_V1,
    NULL,                                  /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_counters_init_module,              /* init module */
    NULL,                                  /* init process */
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
        /* a reload: old and new workers count in the same memory */
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
