
/*
 * The counters of nginx's stub_status module, in memory that all workers share.
 */

#ifndef _NGX_COUNTERS_MODULE_H_INCLUDED_
#define _NGX_COUNTERS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the gauges of one process */

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
     * A killed worker cannot decrement its gauges.  So each slot has its own, and
     * a new process in the slot sets them to 0.
     */

    ngx_counters_now_t   now[NGX_MAX_PROCESSES];
} ngx_counters_t;


/* increments a counter: accepted, handled or requests */
#define ngx_counters_count(name)                                              \
    (void) __sync_fetch_and_add(&ngx_counters->name, 1)

/* adds n, 1 or -1, to a gauge of this process: active and so on */
#define ngx_counters_change(name, n)                                          \
    ngx_counters->now[ngx_process_slot].name += (n)


/* adds up the gauges of all processes */
void ngx_counters_sum(ngx_counters_now_t *sum);


extern ngx_counters_t  *ngx_counters;
extern ngx_module_t     ngx_counters_module;


#endif /* _NGX_COUNTERS_MODULE_H_INCLUDED_ */
