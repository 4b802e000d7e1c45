#define ngx_time()       ngx_cached_time->sec
#define ngx_timeofday()  (ngx_time_t *) ngx_cached_time

#define ngx_next_time_n  "mktime()"


/*
 * Converts the time t to UTC.  A time before 1970 becomes the beginning of 1970,
 * and a time after the year 9999 becomes the end of this year.  In tp, January
 * is month 1, and tm_year is the year itself.  The function sets tm_sec, tm_min,
 * tm_hour, tm_mday, tm_mon, tm_year and tm_wday.  The function is
 * async-signal-safe.
 */
void ngx_gmtime(time_t t, ngx_tm_t *tp);

/*
 * The next time when local time is when seconds after midnight: today or
 * tomorrow.  Returns -1 if the C library cannot tell.
 *
 * References: mktime(3).
 */
time_t ngx_next_time(time_t when);


/*
 * The cached time, as of the last update.  The event loop updates it in each
 * round.  ngx_cached_time is the time of day, ngx_cached_err_log_time the time
 * of day in the format of log lines, and ngx_current_msec the milliseconds of
 * the monotonic clock.
 */
extern volatile ngx_time_t  *ngx_cached_time;
extern volatile ngx_str_t    ngx_cached_err_log_time;
extern volatile ngx_msec_t   ngx_current_msec;
