
/*
 * The counters of nginx's stub_status module, in memory that all workers share.
 */

#ifndef _NGX_COUNTERS_MODULE_H_INCLUDED_
#define _NGX_COUNTERS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The counters and the gauges of one slot of the process table.  Only the process
 * in the slot writes them, so that no operation needs to be atomic.  They fill one
 * cache line, so that two processors that count at once do not wait for each other.
 */

typedef struct {
    /* the counters of all processes that have used the slot */
    volatile ngx_uint_t  accepted;
    volatile ngx_uint_t  handled;
    volatile ngx_uint_t  requests;

    /*
     * The gauges of the process that uses the slot now, or was the last to use it.  A
     * killed worker cannot decrement its gauges, so those of a process that does not
     * run any more do not count.
     */
    volatile ngx_int_t   active;
    volatile ngx_int_t   reading;
    volatile ngx_int_t   writing;
    volatile ngx_int_t   waiting;

    volatile ngx_int_t   pid;
} ngx_counters_slot_t;


typedef struct {
    ngx_counters_slot_t  slots[NGX_MAX_PROCESSES];
} ngx_counters_t;


/* Increments a counter of this process: accepted, handled or requests. */
#define ngx_counters_count(name)                                              \
    ngx_counters->slots[ngx_process_slot].name += 1

/* Adds n, which is 1 or -1, to a gauge of this process, such as active. */
#define ngx_counters_change(name, n)                                          \
    ngx_counters->slots[ngx_process_slot].name += (n)


/* Adds up the counters and the gauges of all slots. */
void ngx_counters_sum(ngx_counters_slot_t *sum);


extern ngx_counters_t  *ngx_counters;
extern ngx_module_t     ngx_counters_module;


#endif /* _NGX_COUNTERS_MODULE_H_INCLUDED_ */
