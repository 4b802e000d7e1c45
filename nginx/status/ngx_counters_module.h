
/*
 * The counters of nginx's stub_status, shared by all workers of a program.
 */

#ifndef _NGX_COUNTERS_MODULE_H_INCLUDED_
#define _NGX_COUNTERS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what is going on in one process */

typedef struct {
    volatile ngx_int_t   active;
    volatile ngx_int_t   reading;
    volatile ngx_int_t   writing;
    volatile ngx_int_t   waiting;
} ngx_counters_now_t;


typedef struct {
    volatile ngx_uint_t  accepted;
    volatile ngx_uint_t  handled;
    volatile ngx_uint_t  requests;

    /*
     * A worker that is killed cannot take back what it has counted here, so
     * each process counts for itself, and the next one in its slot clears it.
     */

    ngx_counters_now_t   now[NGX_MAX_PROCESSES];
} ngx_counters_t;


/* something has happened */
#define ngx_counters_count(name)                                              \
    (void) __sync_fetch_and_add(&ngx_counters->name, 1)

/* something begins (1) or ends (-1) in this process */
#define ngx_counters_change(name, n)                                          \
    ngx_counters->now[ngx_process_slot].name += (n)


/* sums up what is going on in all processes */
void ngx_counters_sum(ngx_counters_now_t *sum);


extern ngx_counters_t  *ngx_counters;
extern ngx_module_t     ngx_counters_module;


#endif /* _NGX_COUNTERS_MODULE_H_INCLUDED_ */
