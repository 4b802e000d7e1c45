#define ngx_time()       ngx_cached_time->sec
#define ngx_timeofday()  (ngx_time_t *) ngx_cached_time


/*
 * The cached time, as of the last update.  The event loop updates it in each
 * round.  ngx_cached_time is the time of day, ngx_cached_err_log_time the time
 * of day in the format of log lines, and ngx_current_msec the milliseconds of
 * the monotonic clock.
 */
extern volatile ngx_time_t  *ngx_cached_time;
extern volatile ngx_str_t    ngx_cached_err_log_time;
extern volatile ngx_msec_t   ngx_current_msec;
