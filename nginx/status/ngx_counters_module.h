
/*
 * The counters of nginx's stub_status module, in memory that all workers share.
 */

#ifndef _NGX_COUNTERS_MODULE_H_INCLUDED_
#define _NGX_COUNTERS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The gauges of one process.  A gauge can be decremented. */

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
     * Each slot of the process table has its own gauges, because a killed
     * worker cannot decrement its gauges.  A new process in the slot sets the
     * gauges to 0.
     */

    ngx_counters_now_t   now[NGX_MAX_PROCESSES];
} ngx_counters_t;


/* Increments a counter: accepted, handled or requests. */
#define ngx_counters_count(name)                                              \
    (void) __sync_fetch_and_add(&ngx_counters->name, 1)

/* Adds n, which is 1 or -1, to a gauge of this process, such as active. */
#define ngx_counters_change(name, n)                                          \
    ngx_counters->now[ngx_process_slot].name += (n)


/* Adds up the gauges of all processes. */
void ngx_counters_sum(ngx_counters_now_t *sum);


extern ngx_counters_t  *ngx_counters;
extern ngx_module_t     ngx_counters_module;


#endif /* _NGX_COUNTERS_MODULE_H_INCLUDED_ */
