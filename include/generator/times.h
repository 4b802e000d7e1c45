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
