/*
 * ngx_cycle.h: what a program hands to most functions.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Made by build.rs of src/abi/cycle.rs: edit that, then "make headers".
 */

#ifndef _NGX_CYCLE_H_INCLUDED_
#define _NGX_CYCLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* ngx_debug_point() stops the process. */
#define NGX_DEBUG_POINTS_STOP 1

/* ngx_debug_point() aborts the process. */
#define NGX_DEBUG_POINTS_ABORT 2

/* What a program runs with between two configurations. */
struct ngx_cycle_s {
    /* The configurations of the modules. */
    void ****conf_ctx;
    /* Memory that lives as long as the cycle. */
    ngx_pool_t *pool;
    /* Where the library logs. */
    ngx_log_t *log;
    /* The modules, NULL-terminated, or NULL. */
    ngx_module_t **modules;
    /* How many they are. */
    ngx_uint_t modules_n;
};


extern volatile ngx_cycle_t  *ngx_cycle;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_CYCLE_H_INCLUDED_ */
