
/*
 * The counters of nginx's stub_status, shared by all workers of a program.
 */

#ifndef _NGX_COUNTERS_MODULE_H_INCLUDED_
#define _NGX_COUNTERS_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    volatile ngx_uint_t  accepted;
    volatile ngx_uint_t  handled;
    volatile ngx_uint_t  requests;
    volatile ngx_uint_t  active;
    volatile ngx_uint_t  reading;
    volatile ngx_uint_t  writing;
    volatile ngx_uint_t  waiting;
} ngx_counters_t;


#define ngx_counters_add(name, n)                                             \
    (void) __sync_fetch_and_add(&ngx_counters->name, (ngx_uint_t) (n))


extern ngx_counters_t  *ngx_counters;
extern ngx_module_t     ngx_counters_module;


#endif /* _NGX_COUNTERS_MODULE_H_INCLUDED_ */
