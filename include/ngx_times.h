/*
 * ngx_times.h: the cached time.
 * Part of ngx-ipc; the names are nginx's.
 *
 * Generated: edit these sources, then run "make headers".
 *
 *   src/abi/times.rs
 *   src/host/standalone/types.rs
 *   include/generator/times.h
 */

#ifndef _NGX_TIMES_H_INCLUDED_
#define _NGX_TIMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __cplusplus
extern "C" {
#endif


/* A time of day. */
typedef struct {
    /* Seconds since 1970. */
    time_t sec;
    /* Milliseconds of the second that has begun. */
    ngx_uint_t msec;
    /* Minutes that local time is ahead of UTC. */
    ngx_int_t gmtoff;
} ngx_time_t;

/*
 * Initialises the cached time. A program calls it before it logs anything.
 *
 * References: nginx's src/core/ngx_times.c.
 */
void ngx_time_init(void);

/* Updates the cached time; the event loop does so in each round. */
void ngx_time_update(void);

/*
 * Updates the cached time of day, which log lines begin with, but not
 * ngx_current_msec. Async-signal-safe.
 */
void ngx_time_sigsafe_update(void);


#define ngx_time()       ngx_cached_time->sec
#define ngx_timeofday()  (ngx_time_t *) ngx_cached_time


/*
 * The time as of the last update, which the event loop does in each iteration:
 * the time, the time in the format of log lines, and milliseconds of the
 * monotonic clock.
 */
extern volatile ngx_time_t  *ngx_cached_time;
extern volatile ngx_str_t    ngx_cached_err_log_time;
extern volatile ngx_msec_t   ngx_current_msec;


#ifdef __cplusplus
}
#endif

#endif /* _NGX_TIMES_H_INCLUDED_ */
